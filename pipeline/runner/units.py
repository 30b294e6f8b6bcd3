"""The annotate units of a run, which need what documents share to be found first.

Holds: `annotate_units`, `annotate`. Reads and writes through the stages. Not here: how units make
tasks (`groups.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from pipeline.enrich import stage as enrich
from pipeline.model.manifest import AnnotateManifest, AnnotateUnit, Decision
from pipeline.model.plan import Plan
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus


def annotate_units(corpus: Corpus, plan: Plan, decision: Decision) -> tuple[AnnotateUnit, ...]:
    """Find the passages that documents of the touched dumps share, then name the units.

    The first caller of a run, which is its task `decide`, computes; later ones find it done.
    """
    from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

    rule = plan.settings.passages
    found = [dedup.find_passages(corpus, dump, rule) for dump in decision.touched]
    return enrich.annotate_units(decision, plan.settings, found)


def annotate(
    corpus: Corpus,
    plan: Plan,
    decision: Decision,
    units: Sequence[AnnotateUnit],
    *,
    tried: Sequence[AnnotateUnit] = (),
) -> dict[AnnotateUnit, AnnotateManifest]:
    """Annotate units of a run; texts that the units before have annotated are not asked again.

    Before a unit was the one by which the parent of the decision shows the same shard, or the one
    of `tried`, units of this run on another parent. Nothing is looked up for finished units.
    """
    mine = {(unit.dump_date, unit.shard): unit.fingerprint for unit in tried}

    @cache
    def shown(dump_date: str) -> dict[str, str]:
        parent = snapshots.load_snapshot(corpus, decision.parent)
        if dump_date not in parent.dumps:
            return {}
        state = snapshots.load_state(corpus, parent, dump_date)
        return dict(zip(state.shards, state.annotated, strict=False))

    def before(unit: AnnotateUnit) -> str:
        return shown(unit.dump_date).get(unit.shard) or mine.get((unit.dump_date, unit.shard), "")

    return {
        unit: enrich.annotate_unit(corpus, unit, plan.settings, before=before) for unit in units
    }
