"""The plan by which a dump was published, which later work on the dump starts from.

Holds: `plan_of`. Reads stored plans. Not here: making plans (`plan/stage.py`).
"""

from __future__ import annotations

from pipeline.errors import MissingError
from pipeline.model import versions
from pipeline.model.plan import Plan
from pipeline.model.snapshot import Snapshot
from pipeline.publish.verify import READING
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus


def plan_of(corpus: Corpus, snapshot: Snapshot, dump_date: str) -> Plan:
    """Return the sound plan of the run that published a dump.

    A plan that was never committed may have the same content and other models. So of plans with the
    content and the shards of the dump that one counts which was planned when the state says; if it
    is lost, the newest with the settings and models of the snapshot; then the newest, which still
    makes the same staged shards.

    Raises:
        MissingError: there is none.
    """
    state, ref = snapshots.load_state(corpus, snapshot, dump_date), snapshot.dumps[dump_date]
    plans = []
    for info in corpus.store.list(layout.plan(dump_date, "").removesuffix(".json")):
        try:
            plans.append(corpus.load(info.key, Plan))
        except READING:
            continue
    same = [
        plan
        for plan in plans
        if plan.generation == state.generation
        and tuple(shard.fingerprint for shard in plan.shards) == state.shards
    ]
    if not same:
        raise MissingError(
            f"{dump_date}: expected the plan of the run that published it, found none that is "
            f"sound. Restore store/plans/{dump_date}/ from a backup, or upload a dump file of the "
            "night again with other bytes: the night is then published anew."
        )

    def rank(plan: Plan) -> tuple[bool, bool, float, str]:
        made = plan.made_with, versions.models_fingerprint(plan.models)
        return (
            plan.planned_at == state.planned_at,
            made == (ref.settings, ref.models),
            plan.planned_at,
            plan.run_id,
        )

    return max(same, key=rank)
