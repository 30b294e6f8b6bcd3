"""The plan by which a dump was published, which later work on the dump starts from.

Holds: `plan_of`. Reads stored plans. Not here: making plans (`plan/stage.py`).
"""

from __future__ import annotations

from pipeline.errors import MissingError
from pipeline.model.plan import Plan
from pipeline.model.snapshot import DumpState
from pipeline.publish.verify import READING
from pipeline.storage import layout
from pipeline.storage.units import Corpus


def plan_of(corpus: Corpus, state: DumpState) -> Plan:
    """Return the newest sound plan with the content and the shards of a published dump.

    Raises:
        MissingError: there is none.
    """
    date, wanted = state.dump_date, (state.generation, state.shards)
    plans = []
    for info in corpus.store.list(layout.plan(date, "").removesuffix(".json")):
        try:
            plans.append(corpus.load(info.key, Plan))
        except READING:
            continue
    same = [
        plan
        for plan in plans
        if (plan.generation, tuple(shard.fingerprint for shard in plan.shards)) == wanted
    ]
    if not same:
        raise MissingError(
            f"{date}: expected the plan of the run that published it, found none that is "
            f"sound. Restore store/plans/{date}/ from a backup, or upload a dump file of the "
            "night again with other bytes: the night is then published anew."
        )
    return max(same, key=lambda plan: (plan.planned_at, plan.run_id))
