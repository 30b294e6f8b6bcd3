"""### Winnow: start the nights that want a run.

Looks at the landing area every half hour, and starts `winnow_nightly` for each night of which files
landed or changed that no run has published: late dumps and corrected ones need nobody.

```
find ─▶ start[night]
```

* **Trigger it** for a range, or for nights that are due for another reason (settings, models, a
  rollback). The form says which, from when to when, how many, and whether as dry runs.
* **The same files start one run**: if that fails it stays red until a person acts, or until
  something else lands.
* **Yesterday's night** is left to the schedule of `winnow_nightly`, which waits for it.
"""

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, task

from winnow_airflow.params import NIGHTS
from winnow_airflow.policies import TASK_DEFAULTS
from winnow_airflow.wanted import find as find_nights

with DAG(
    "winnow_due",
    description="Late and changed dumps in, a run of the nightly DAG for each of them out.",
    schedule="*/30 * * * *",
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    params=NIGHTS,
    tags={"winnow", "corpus"},
    doc_md=__doc__,
):

    @task
    def find(*, params: dict[str, Any], run_id: str) -> list[dict[str, Any]]:
        """List the landing area; say which nights want a run."""
        return find_nights(params, run_id)

    TriggerDagRunOperator.partial(
        task_id="start",
        trigger_dag_id="winnow_nightly",
        logical_date=None,
        skip_when_already_exists=True,
        map_index_template="{{ task.conf['dump_date'] }} · {{ task.note }}",
    ).expand_kwargs(find())
