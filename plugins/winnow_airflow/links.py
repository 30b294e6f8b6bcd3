"""The buttons that lead from a task to the page about its run, and to what it did itself.

Holds: `task`, the decorator of tasks that have them; `ReportLink`, `RecordLink`. Reads Airflow's
address from its configuration. Not here: the pages (`pipeline/report/`), serving them
(`pages/looking.py`).
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import BaseOperatorLink
from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
from airflow.sdk.configuration import conf

PREFIX = "/winnow"
"""Where the web application of this package is mounted."""

BELOW = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
"""The path below which Airflow itself is served; empty when it has a host of its own."""


_NO_RECORD = frozenset({"key_ranges", "report"})


class ReportLink(BaseOperatorLink):
    """Leads to the page about a run; to nowhere while there is none."""

    name = "Run report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address of the page of the run that the task belongs to."""
        return _address("reports", ti_key)


class RecordLink(BaseOperatorLink):
    """Leads to what a task read, made and took; for a mapped one that is its shard."""

    name = "What it did"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the page about the task; of one without a record, nowhere."""
        if operator.task_id in _NO_RECORD:
            return ""
        index = max(0, ti_key.map_index)
        return _address("tasks", ti_key, operator.task_id, str(index))


def _address(kind: str, ti: Any, *more: str) -> str:
    run = ti.get_template_context()["dag_run"]
    date = run.partition_key or (run.conf or {}).get("dump_date")
    if date is None:
        return ""
    base = conf.get("api", "base_url", fallback="/").rstrip("/")
    parts = (kind, date, *more, run.run_id)
    return f"{base}{PREFIX}/{'/'.join(quote(part, safe='') for part in parts)}"


class LinkedTask(DecoratedOperator, PythonOperator):
    """What Airflow's own `@task` makes, with buttons. A mapped task takes them from its class."""

    operator_extra_links = (RecordLink(), ReportLink())
    template_fields = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}
    custom_operator_name = "@task"

    def __init__(
        self, *, python_callable: Any, op_args: Any, op_kwargs: Any, **options: Any
    ) -> None:
        """Hand everything on, as Airflow's own decorated operator does."""
        given = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        super().__init__(kwargs_to_upstream=given, **given, **options)


def task(python_callable: Any = None, **options: Any) -> Any:
    """Make a task of a function, as `airflow.sdk.task` does, with the buttons of `LinkedTask`."""
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=LinkedTask, **options
    )
