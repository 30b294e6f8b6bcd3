"""What the DAGs that a person triggers have in common.

Holds: `BY_HAND`, their arguments; `promote`, their last task; `DOCUMENTS`, the asset that they and
the nightly DAG change. Not here: what each of them does before (`dags/`).

Imports of `pipeline` are inside the function: this module is imported when a DAG is parsed.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, task

from winnow_airflow.policies import COMMIT_POOL, TASK_DEFAULTS
from winnow_airflow.snapshots import corpus_of_run

DOCUMENTS = Asset("winnow_documents")

BY_HAND: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": TASK_DEFAULTS,
    "tags": {"winnow", "corpus"},
}


@task(pool=COMMIT_POOL, outlets=[DOCUMENTS])
def promote() -> dict[str, Any]:
    """Bring all that people read without Winnow in step with the commit."""
    from pipeline.publish.beside import bring_in_step  # noqa: PLC0415 - loads pyarrow

    with corpus_of_run() as (corpus, _):
        return dict(bring_in_step(corpus))
