"""The button that leads from a task to the page about its run.

Holds: `with_page`, `ReportLink`. Reads Airflow's address from its configuration.
Not here: the page (`pipeline/report/`), serving it (`pages/looking.py`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

PREFIX = "/winnow"
"""Where the web application of this package is mounted."""

BELOW = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
"""The path below which Airflow itself is served; empty when it has a host of its own."""


class ReportLink(BaseOperatorLink):
    """Leads to the page about a run; to nowhere while there is none."""

    name = "Run report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address of the page of the run that the task belongs to."""
        run = ti_key.get_template_context()["dag_run"]
        date = run.partition_key or (run.conf or {}).get("dump_date")
        if date is None:
            return ""
        base = conf.get("api", "base_url", fallback="/").rstrip("/")
        return f"{base}{PREFIX}/reports/{quote(date)}/{quote(run.run_id, safe='')}"


def with_page(task: Any) -> Any:
    """Give a task of a DAG the button, and return the task."""
    task.operator.operator_extra_links = (ReportLink(),)
    return task
