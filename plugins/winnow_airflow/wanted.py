"""The runs that a look at the landing area asks for.

Holds: `find`. Reads the landing area and the corpus through the pipeline.
Not here: which nights those are (`pipeline/plan/wanted.py`), starting the runs (`dags/due.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from winnow_airflow.connections import credentials

LOOK_BACK = timedelta(days=60)
"""How far back a look goes by itself: each night that it covers is listed."""


def find(params: Mapping[str, Any], run_id: str) -> list[dict[str, Any]]:
    """Return (run id, configuration) of the runs to start, as `TriggerDagRunOperator` takes them.

    What a look finds by itself is started once: the id of the run has a digest of what landed, so
    a night that fails is not started again and again. What a person asks for is started each time.

    Raises:
        AirflowFailException: the form does not say which nights are meant.
    """
    from pipeline import config, runner  # noqa: PLC0415 - pyarrow must not load while parsing
    from pipeline.runner import ahead  # noqa: PLC0415

    which, (first, last) = params["which"], _between(params)
    with credentials(), runner.session(config.load()) as night:
        found = ahead.wanted(night, which, first=first, last=last)
    if params["order"] == "newest":
        found.reverse()
    by_itself = which == "landed" and not params["dry_run"]
    conf = {"dry_run": True} if params["dry_run"] else {}
    return [
        {
            "trigger_run_id": f"{which}__{one.dump_date}__{one.digest if by_itself else run_id}",
            "conf": {"dump_date": one.dump_date, **conf},
            "note": f"{one.files} files, {one.bytes / 1e6:.1f} MB",
        }
        for one in found[: params["most"]]
    ]


def _between(params: Mapping[str, Any]) -> tuple[str, str]:
    first, last = params["first"], params["last"]
    if params["which"] == "all" and not (first and last):
        raise AirflowFailException(
            "expected First and Last for a run of all nights, found one of them empty. Trigger "
            "again and fill them in."
        )
    today = datetime.now(UTC).date()
    first, last = first or (today - LOOK_BACK).isoformat(), last or today.isoformat()
    if first > last:
        raise AirflowFailException(
            f"expected First before Last, found {first} and {last}. Trigger again with the dates "
            "the other way round; Order says which nights start first."
        )
    return first, last
