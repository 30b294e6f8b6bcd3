"""The night that the running Airflow task works on.

Holds: `tonight` and `night_of`, which open the night of a run for its tasks; `date_of`, which says
which night that is; `finish`, `announce` and `conclude`, the ends of a run; `Small`.
Reads Airflow's task context and Winnow's settings; opens the stores through `pipeline/runner.py`.
Not here: what the tasks do (`pipeline/runner.py`), their order (`dags/corpus.py`).

Imports of `pipeline` are inside the function: this module is imported when the DAG is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from winnow_airflow import lineage
from winnow_airflow.connections import credentials

if TYPE_CHECKING:
    from pipeline.runner import Night

Small = dict[str, Any]
"""What goes through XCom: numbers, labels and keys, never data."""

DUMP_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@contextmanager
def tonight() -> Iterator[tuple[Night, tuple[str, str]]]:
    """Yield the night and its (dump date, run id), the first two arguments of its methods.

    Raises:
        AirflowFailException: the run names no night; it is not tried again.
    """
    with night_of(get_current_context()["dag_run"]) as found:
        yield found


@contextmanager
def night_of(dag_run: Any) -> Iterator[tuple[Night, tuple[str, str]]]:
    """Yield the night of a DAG run and its (dump date, run id).

    Raises:
        AirflowFailException: the run names no night.
    """
    dump_date = date_of(dag_run)
    from pipeline import config, runner, telemetry  # noqa: PLC0415 - not while parsing
    from pipeline.plan.stage import safe_run_id  # noqa: PLC0415
    from winnow_airflow.metrics import emit  # noqa: PLC0415

    run = dump_date, safe_run_id(dag_run.run_id)

    with (
        credentials(),
        telemetry.measured_by(emit),
        telemetry.bound(dump_date=dump_date, run_id=run[1]),
        runner.session(config.load()) as night,
    ):
        yield night, run


def date_of(dag_run: Any) -> str:
    """Return the night that a run is about: its partition key, or what its form says.

    Raises:
        AirflowFailException: neither, two different ones, or a key that is no date.
    """
    key, asked = dag_run.partition_key, (dag_run.conf or {}).get("dump_date")
    if key is None and asked is None:
        raise AirflowFailException(
            "expected the dump date of the run, like 2026-11-21, found none. Trigger again and "
            "fill in Dump date, or choose Backfill and give the dates."
        )
    if key is not None and asked is not None and key != asked:
        raise AirflowFailException(
            f"expected one dump date, found the partition key {key} and Dump date {asked}. Leave "
            "one of them out; in a backfill the dates say which nights."
        )
    found = str(key if key is not None else asked)
    if not DUMP_DATE.fullmatch(found):
        raise AirflowFailException(
            f"expected a dump date like 2026-11-21 as the run's partition key, found {found!r}. "
            "Trigger again and fill in Dump date, or choose Backfill and give the dates."
        )
    return found


def finish(night: Night, run: tuple[str, str], params: Mapping[str, Any], ti: Any) -> Any:
    """Commit the night; in a dry run say what that would change, and skip.

    What a dry run says is in the log, and under the key `preview` among the task's XComs.

    Raises:
        AirflowSkipException: it is a dry run.
    """
    if not params["dry_run"]:
        committed = night.commit(*run, accept_guards=params["accept_guards"])
        lineage.tell(night, run, committed["snapshot"])
        return committed
    from pipeline import telemetry  # noqa: PLC0415 - not while parsing
    from pipeline.runner import trial  # noqa: PLC0415

    told = trial.preview(night, *run)
    ti.xcom_push("preview", told)
    for one in told["nights"]:
        telemetry.log.info("preview.night", **one)
    for one in told["partitions"]:
        telemetry.log.info("preview.partition", **one)
    for one in told["guards"]:
        telemetry.log.info("preview.guard", **one)
    raise AirflowSkipException(f"This was a dry run: {summary(told)} Nothing was published.")


def summary(told: Mapping[str, Any]) -> str:
    """Say what a dry run found in a sentence."""
    if told["unchanged"]:
        return "the night is published as it landed; a run would change nothing."
    sums = {
        name: sum(one[name] for one in told["nights"]) for name in ("new", "retracted", "restored")
    }
    counts = ", ".join(f"{count} {name}" for name, count in sums.items())
    return f"{counts}, in {len(told['nights'])} nights."


def announce(event: Any, night: Night, run: tuple[str, str], committed: Mapping[str, Any]) -> None:
    """Put counts, changed nights and the address of the page into the asset event of a run.

    The run's own night is there whether it changed or not: who asked for the run waits for it.
    """
    from pipeline.publish.changed import changed_nights  # noqa: PLC0415 - not while parsing
    from pipeline.storage import snapshots  # noqa: PLC0415

    counts = {name: committed[name] for name in ("documents", "kept")}
    nights, page = {run[0]: counts}, ""
    own = None if committed.get("unchanged") else snapshots.committed_by(night.corpus, run[1])
    if own is not None:
        nights |= changed_nights(night.corpus, own.sequence)
        page = _page_to_come(night, run)
    event.extra = {**committed, "report": page, "nights": nights}
    event.add_partitions(sorted(nights))


def _page_to_come(night: Night, run: tuple[str, str]) -> str:
    """Return the address of the page about a run, where one stands; empty if none could."""
    from pipeline import telemetry  # noqa: PLC0415 - not while parsing
    from pipeline.errors import WinnowError  # noqa: PLC0415
    from pipeline.report.place import keep_place  # noqa: PLC0415

    try:
        return keep_place(night.corpus, *run)
    except (WinnowError, OSError) as error:
        telemetry.log.warning("report.no_place", error=str(error))
        return ""


def conclude(night: Night, run: tuple[str, str]) -> Any:
    """Write the page about a run, however it ended; return its row of `runs`.

    Raises:
        AirflowFailException: the night failed. So `report` is red as well, and *Clear failed* makes
            the page again.
    """
    told = night.report(*run)
    if told.get("outcome") == "failed":
        raise AirflowFailException(
            f"the night {run[0]} is not published: {told['stage']} failed. {told['why']} "
            f"How far it came: {told['report']}"
        )
    return told
