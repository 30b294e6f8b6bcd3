"""### Winnow: take documents down.

Takes documents out of all nights, with their exact and near copies, in one atomic step; then erases
their texts from staged files, from the files of earlier snapshots and from pages about runs. A
tombstone without the text stays on record in the table `tombstones` and keeps them out of later
nights. The result names the dump files in the landing area that still hold the text.

```
take_down ─▶ erase
```

* **Trigger it** with document ids and a reason; try `dry_run` first.
* **It cannot be taken back lightly**: `undo` reads the dump files again, if they are still there.
"""

from typing import Any

from airflow.sdk import DAG, task

from winnow_airflow.by_hand import BY_HAND, DOCUMENTS, announce_nights
from winnow_airflow.policies import COMMIT_POOL
from winnow_airflow.taking_down import TAKE_DOWN, taking_down

with DAG(
    "winnow_takedown",
    description="Documents that must not be readable any more in, a tombstone for each out.",
    schedule=None,
    params=TAKE_DOWN,
    doc_md=__doc__,
    **BY_HAND,
):

    @task(pool=COMMIT_POOL)
    def take_down(*, params: dict[str, Any]) -> dict[str, Any]:
        """Commit the tombstones and all that follows; say which documents are down."""
        with taking_down() as (tasks, said):
            how = tasks.undo if params["undo"] else tasks.take
            asked = {"reason": params["reason"], "dry_run": params["dry_run"]}
            return how(params["document_ids"], **asked, **said)

    @task(pool=COMMIT_POOL, outlets=[DOCUMENTS])
    def erase(done: dict[str, Any], *, params: dict[str, Any], outlet_events: Any) -> Any:
        """Make sure that nothing is left, also of a take-down whose worker died; announce it."""
        with taking_down() as (tasks, _):
            erased = {} if params["dry_run"] else tasks.sweep()
            cause = "undo" if params["undo"] else "takedown"
            event = outlet_events[DOCUMENTS]
            told = announce_nights(event, tasks.corpus, done["snapshot"], cause)
            return {**told, "erased": erased}

    erase(take_down())
