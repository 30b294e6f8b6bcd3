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

from airflow.sdk import DAG, task

from winnow_airflow.by_hand import BY_HAND, promote
from winnow_airflow.policies import COMMIT_POOL
from winnow_airflow.reannotation import DATES, reannotation

with DAG(
    "winnow_reannotate",
    description="Published documents in, the same documents with the present annotations out.",
    schedule=None,
    params={"dump_dates": DATES},
    doc_md=__doc__,
    **BY_HAND,
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
            done = tasks.commit(tasks.load(nights, run_id), run_id)
            return done if done["dumps"] else done | {"snapshot": None}

    nights = freeze()
    committed = commit(nights)
    annotate.expand(night=nights) >> committed
    promote(committed, "reannotate")
