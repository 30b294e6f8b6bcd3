"""### Winnow: annotate published nights again.

After a new model: language, topic and the other annotations of published documents are made again
from the staged texts. No dump file is read, nothing is split or compared anew. All nights become
visible in one atomic step; `commit` returns how many documents have another language or topic.

```
plan ─▶ annotate[night] ─▶ commit ─▶ promote
```

* **Trigger it** with the nights, or with none for all. Nights that the present models made are left
  alone.
* **A night that was split or deduplicated with other settings** is refused: run it in
  `winnow_nightly`.
"""

from typing import Any

from airflow.sdk import DAG, Asset, task

from winnow_airflow.policies import COMMIT_POOL, TASK_DEFAULTS
from winnow_airflow.reannotation import DATES, reannotation

with DAG(
    "winnow_reannotate",
    description="Published documents in, the same documents with the present annotations out.",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    params={"dump_dates": DATES},
    tags={"winnow", "corpus"},
    doc_md=__doc__,
):

    @task(task_id="plan")
    def freeze(*, params: dict[str, Any]) -> list[str]:
        """Freeze settings and models, and name the nights that were annotated with others."""
        with reannotation() as (tasks, run_id):
            return [plan.dump_date for plan in tasks.plan(params["dump_dates"], run_id)]

    @task(map_index_template="{{ task.op_kwargs['night'] }}")
    def annotate(night: str) -> dict[str, Any]:
        """Annotate the kept documents of one night and write its partitions."""
        with reannotation() as (tasks, run_id):
            return tasks.annotate(tasks.load([night], run_id)[0])

    @task(pool=COMMIT_POOL)
    def commit(nights: list[str]) -> dict[str, Any]:
        """Make all nights visible in one atomic step; say which labels changed."""
        with reannotation() as (tasks, run_id):
            return tasks.commit(tasks.load(nights, run_id), run_id)

    @task(pool=COMMIT_POOL, outlets=[Asset("winnow_documents")])
    def promote() -> dict[str, Any]:
        """Bring the plain tree that `pd.read_parquet` reads in step with the commit."""
        from pipeline.publish.beside import bring_in_step  # noqa: PLC0415 - loads pyarrow

        with reannotation() as (tasks, _):
            return dict(bring_in_step(tasks.corpus))

    nights = freeze()
    annotate.expand(night=nights) >> commit(nights) >> promote()
