"""What the DAGs that a person triggers have in common.

Holds: `BY_HAND`, their arguments; `promote`, their last task; `DOCUMENTS`, the asset that they and
the nightly DAG change; `announce_nights`, which says so. Not here: what each of them does before
(`dags/`).

Imports of `pipeline` are inside the function: this module is imported when a DAG is parsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, task
from airflow.sdk.exceptions import AirflowSkipException

from winnow_airflow.policies import COMMIT_POOL, TASK_DEFAULTS
from winnow_airflow.snapshots import corpus_of_run

if TYPE_CHECKING:
    from pipeline.storage.units import Corpus

DOCUMENTS = Asset("winnow_documents")

BY_HAND: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": TASK_DEFAULTS,
    "tags": {"winnow", "corpus"},
}


@task(pool=COMMIT_POOL, outlets=[DOCUMENTS])
def promote(committed: dict[str, Any], cause: str, *, outlet_events: Any) -> dict[str, Any]:
    """Bring all that people read without Winnow in step with the commit; announce its nights."""
    from pipeline.publish.beside import bring_in_step  # noqa: PLC0415 - loads pyarrow

    with corpus_of_run() as (corpus, _):
        bring_in_step(corpus)
        return announce_nights(outlet_events[DOCUMENTS], corpus, committed["snapshot"], cause)


def announce_nights(event: Any, corpus: Corpus, snapshot: int | None, cause: str) -> Any:
    """Put into an asset event which nights a commit changed; return what was put there.

    It has a partition for each of them, so that a DAG with a `PartitionedAssetTimetable` runs once
    for each.

    Raises:
        AirflowSkipException: nothing was committed. A skipped task sends no event.
    """
    from pipeline.publish.changed import changed_nights  # noqa: PLC0415 - not while parsing

    nights = changed_nights(corpus, snapshot) if snapshot is not None else {}
    if not nights:
        raise AirflowSkipException("Nothing was committed, so nobody is told.")
    event.extra = {"cause": cause, "snapshot": snapshot, "nights": nights}
    event.add_partitions(sorted(nights))
    return event.extra
