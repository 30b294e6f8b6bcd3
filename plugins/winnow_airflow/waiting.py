"""Waiting for a dump without holding a worker.

Holds: `WaitForDump`. Reads the landing area through the pipeline.
Not here: when a night can begin (`pipeline/plan/wanted.py`), the alarm when it takes too long
(`alarms.py`).

Between two looks the task is deferred to a timer in the triggerer, which needs neither the store's
credentials nor the pipeline.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException

from winnow_airflow.night import tonight

PATIENCE = timedelta(hours=6)
"""How long an upload is waited for, from the first look on."""


class WaitForDump(BaseOperator):
    """Let a night begin when what lands is complete."""

    def execute(self, context: Any) -> None:
        """Look for the first time."""
        self._look(context, since=time.time())

    def again(self, context: Any, event: Any = None, *, since: float) -> None:  # noqa: ARG002
        """Look again, after the timer."""
        self._look(context, since=since)

    def _look(self, context: Any, *, since: float) -> None:
        from airflow.providers.standard.triggers.temporal import (  # noqa: PLC0415 - slow
            TimeDeltaTrigger,
        )

        from pipeline.errors import NotReadyError  # noqa: PLC0415 - not while parsing
        from pipeline.runner import ahead  # noqa: PLC0415

        try:
            with tonight() as (night, (dump_date, _)):
                ahead.await_dump(night, dump_date, context["params"]["sources"])
        except NotReadyError as error:
            if time.time() - since > PATIENCE.total_seconds():
                raise AirflowFailException(f"{error} It was waited for {PATIENCE}.") from error
            self.log.info("%s", error)
            pause = timedelta(seconds=conf.getint("winnow", "look_seconds", fallback=60))
            self.defer(
                trigger=TimeDeltaTrigger(pause), method_name="again", kwargs={"since": since}
            )
