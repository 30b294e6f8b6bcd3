"""The night that the running Airflow task works on.

Holds: `tonight` and `night_of`, which turn a run's partition key into a dump date, for all tasks.
Reads Airflow's task context and Winnow's settings; opens the stores through `pipeline/runner.py`.
Not here: what the tasks do (`pipeline/runner.py`), their order (`dags/corpus.py`).

Imports of `pipeline` are inside the function: this module is imported when the DAG is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from winnow_airflow.connections import credentials

if TYPE_CHECKING:
    from pipeline.runner import Night

DUMP_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@contextmanager
def tonight() -> Iterator[tuple[Night, tuple[str, str]]]:
    """Yield the night and its (dump date, run id), the first two arguments of its methods.

    Raises:
        AirflowFailException: the run has no partition key; it is not tried again.
    """
    with night_of(get_current_context()["dag_run"]) as found:
        yield found


@contextmanager
def night_of(dag_run: Any) -> Iterator[tuple[Night, tuple[str, str]]]:
    """Yield the night of a DAG run and its (dump date, run id).

    Raises:
        AirflowFailException: the run has no partition key.
    """
    dump_date = dump_date_of(dag_run.partition_key)
    from pipeline import config, runner  # noqa: PLC0415 - pyarrow must not load while parsing
    from pipeline.plan.stage import safe_run_id  # noqa: PLC0415

    run = dump_date, safe_run_id(dag_run.run_id)

    with credentials(), runner.session(config.load()) as night:
        yield night, run


def dump_date_of(partition_key: str | None) -> str:
    """Return the dump date that a partition key names.

    Raises:
        AirflowFailException: no key, or one that is not a date like 2026-11-21.
    """
    if partition_key is None or not DUMP_DATE.fullmatch(partition_key):
        raise AirflowFailException(
            "expected the dump date as the run's partition key, like 2026-11-21, found "
            f"{partition_key!r}. Trigger again and fill in Partition Key (under Advanced Options), "
            "or choose Backfill and give the dates."
        )
    return partition_key
