"""The alarm that a night takes too long.

Holds: `DEADLINE`, `RunAsked`, `tell_late`. Reads the connection `winnow_pager`; sends what it says
there. Not here: how messages are sent (`paging.py`).

The clock starts when a run is asked for. Airflow's triggerer rings it, whatever the run is doing:
waiting for a dump, for a slot, or for a person. A run that is cleared keeps its clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import AsyncCallback, Connection, DeadlineAlert
from airflow.sdk.configuration import conf
from airflow.sdk.definitions.deadline import BaseDeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException

from winnow_airflow.paging import CONNECTION_ID, send

_log = logging.getLogger(__name__)


class RunAsked(BaseDeadlineReference):
    """The moment in which a run is made. The plugin registers it.

    Airflow 3.3.2 answers 500 when a run is cleared whose deadline counts from its own
    `DAGRUN_QUEUED_AT` and has not passed (apache/airflow#70368).
    """

    def _evaluate_with(self, **_: Any) -> datetime:
        """Return now: Airflow asks when it makes the run."""
        return datetime.now(UTC)


async def tell_late(seconds: int, context: Mapping[str, Any]) -> None:
    """Tell the log, and the pager if there is one, that a run has not ended in time."""
    said = late_message(context["dag_run"], timedelta(seconds=seconds))
    _log.error("%s", said["text"])
    try:
        connection = await Connection.async_get(CONNECTION_ID)
    except AirflowNotFoundException:
        return
    await asyncio.to_thread(send, connection, said)


def late_message(run: Mapping[str, Any], after: timedelta) -> dict[str, str]:
    """Return what is sent about a run, which comes as its fields."""
    date = run.get("partition_key") or (run.get("conf") or {}).get("dump_date") or ""
    return {
        "text": f"Winnow is late: the night {date} has not ended {after} after it was asked for. "
        f"See run {run['dag_run_id']}: its task `wait` says what it waits for; else a task is red "
        "or has no slot. Readers still see what was published before.",
        "dag_id": str(run["dag_id"]),
        "run_id": str(run["dag_run_id"]),
        "dump_date": str(date),
    }


_SECONDS = conf.getint("winnow", "deadline_seconds", fallback=8 * 3600)

DEADLINE = DeadlineAlert(
    reference=RunAsked(),
    interval=timedelta(seconds=_SECONDS),
    callback=AsyncCallback(tell_late, kwargs={"seconds": _SECONDS}),
    name="night",
)
"""A night should have ended by then: AIRFLOW__WINNOW__DEADLINE_SECONDS, eight hours by default."""
