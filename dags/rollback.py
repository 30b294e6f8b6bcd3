"""### Winnow: publish the dumps of an earlier snapshot again.

Nothing is computed: the files of the earlier snapshot are still there, and become current in one
atomic step. It makes a new snapshot, so it can be rolled back itself. Nights that it takes out are
due again.

```
go_back ─▶ promote
```

* **Trigger it** with the number of the snapshot. *Winnow ▸ Snapshots* in the menu lists them and
  shows what would change; so do `winnow status --snapshots` and `winnow rollback N --dry-run`.
* **A snapshot that has expired** is refused.
* **A run goes back once**, however often its tasks are tried or cleared: trigger it again for more.
"""

from typing import Any

from airflow.sdk import DAG, task

from winnow_airflow.by_hand import BY_HAND, promote
from winnow_airflow.policies import COMMIT_POOL
from winnow_airflow.snapshots import SNAPSHOT, corpus_of_run

with DAG(
    "winnow_rollback",
    description="The number of a snapshot in, its dumps published again out.",
    schedule=None,
    params={"snapshot": SNAPSHOT},
    doc_md=__doc__,
    **BY_HAND,
):

    @task(pool=COMMIT_POOL)
    def go_back(*, params: dict[str, Any]) -> dict[str, Any]:
        """Make the dumps of the snapshot current; return how nights changed, and its number."""
        from pipeline import config, runner  # noqa: PLC0415 - loads pyarrow
        from pipeline.runner import rollback  # noqa: PLC0415

        settings = config.load()
        landing = runner.open_landing(settings) if settings.store.landing else None
        with corpus_of_run() as (corpus, run_id):
            asked = {"sequence": params["snapshot"], "run_id": run_id}
            return rollback.go_back(corpus, landing, settings.run_settings(), **asked)

    promote(go_back(), "rollback")
