"""### Winnow: the nightly corpus.

Splits the dumps of a date into documents, drops copies of any night, finds language and topic, and
publishes Parquet in one atomic step.

```
wait ─▶ plan ─▶ ingest[shard] ─▶ match[key range] ─▶ decide ─▶ annotate[shard]
     ─▶ route ─▶ publish[group] ─▶ commit ─▶ promote ─▶ report
```

* **A run is a dump date**, its partition key or *Dump date* in the form. The schedule takes
  yesterday's; *Backfill* a range, in either direction; `winnow_due` what landed late or changed.
* **A dry run** ends with `commit`, which says what would change and is skipped.
* **Run it again at any time.** Finished units are found and reused; an unchanged night skips to
  the end; a changed or late one ends in the same corpus as if all had arrived in order.
* **When a task fails**, its message says what to do, and `report` how far the run came. Then clear
  the task, or trigger it again.
"""

from typing import Any

from airflow.sdk import DAG, CronPartitionTimetable

from winnow_airflow.alarms import DEADLINE
from winnow_airflow.by_hand import DOCUMENTS
from winnow_airflow.links import task
from winnow_airflow.night import Small, announce, conclude, finish, tonight
from winnow_airflow.params import NIGHT, freeze
from winnow_airflow.policies import COMMIT_POOL, LANDING_POOL, TASK_DEFAULTS, UPLOAD_RETRIES
from winnow_airflow.waiting import WaitForDump

NIGHTLY = CronPartitionTimetable("0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d")

with DAG(
    "winnow_nightly",
    description="Dumps of one date in, one copy of every document out.",
    schedule=NIGHTLY,
    catchup=False,
    max_active_runs=4,
    default_args=TASK_DEFAULTS,
    params=NIGHT,
    deadline=DEADLINE,
    tags={"winnow", "corpus", "nightly"},
    doc_md=__doc__,
):

    @task(retries=UPLOAD_RETRIES)
    def plan(*, ti: Any, params: Small) -> list[Small]:
        """Freeze the run: which objects, how they are cut, which snapshot it starts from."""
        with tonight() as (night, run):
            return freeze(night, run, params, ti)

    @task
    def key_ranges(ranges: list[Small]) -> list[Small]:
        """Hand on the slices of the band-key space, one a match task."""
        return ranges

    @task(pool=LANDING_POOL, map_index_template="{{ task.op_kwargs['shard']['label'] }}")
    def ingest(shard: Small) -> Small:
        """Read, split and sign the dump files of one shard."""
        with tonight() as (night, run):
            return night.ingest(*run, shard["index"])

    @task(map_index_template="{{ task.op_kwargs['key_range']['label'] }}")
    def match(key_range: Small) -> Small:
        """Find verified near-duplicates of one key range, in this dump and in all live ones."""
        with tonight() as (night, run):
            return night.match(*run, key_range["index"])

    @task
    def decide() -> list[Small]:
        """Give every document its verdict; find what kept ones share and what changes elsewhere."""
        with tonight() as (night, run):
            return night.decide(*run)["units"]

    @task(map_index_template="{{ task.op_kwargs['unit']['label'] }}")
    def annotate(unit: Small) -> Small:
        """Find language and topic of the kept documents of one shard."""
        with tonight() as (night, run):
            return night.annotate(*run, unit["index"])

    @task
    def route() -> list[Small]:
        """Group the annotated documents by partition, and the partitions by publish task."""
        with tonight() as (night, run):
            return night.route(*run)["groups"]

    @task(map_index_template="{{ task.op_kwargs['group']['label'] }}")
    def publish(group: Small) -> Small:
        """Write the Parquet files of a group of partitions; nobody sees them yet."""
        with tonight() as (night, run):
            return night.publish(*run, group["index"])

    @task(pool=COMMIT_POOL)
    def commit(*, ti: Any, params: Small) -> Small:
        """Check the promises, ask the guards, then make the night visible in one atomic step."""
        with tonight() as (night, run):
            return finish(night, run, params, ti)

    @task(pool=COMMIT_POOL, outlets=[DOCUMENTS], trigger_rule="all_success")
    def promote(committed: Small, *, outlet_events: Any) -> Small:
        """Bring the plain trees in step with the commit; announce what changed, with counts."""
        with tonight() as (night, run):
            announce(outlet_events[DOCUMENTS], night, run, committed)
            return night.promote(*run)

    @task
    def report() -> Small:
        """Write the page about the run: what it published, or how far it came, and why."""
        with tonight() as (night, run):
            return conclude(night, run)

    shards, units, groups, committed = plan(), decide(), route(), commit()
    ingested, ranges = ingest.expand(shard=shards), key_ranges(shards["key_ranges"])
    matched, annotated = match.expand(key_range=ranges), annotate.expand(unit=units)
    published, promoted = publish.expand(group=groups), promote(committed)
    WaitForDump(task_id="wait") >> shards
    ingested >> matched >> units >> annotated >> groups >> published >> committed
    [ingested, matched, annotated, published, promoted] >> report().as_teardown()
