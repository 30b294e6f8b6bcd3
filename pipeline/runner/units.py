"""The annotate units of a run, which need what documents share to be found first.

Holds: `annotate_units`. Reads and writes through the stages. Not here: how units make tasks
(`groups.py`).
"""

from __future__ import annotations

from pipeline.enrich import stage as enrich
from pipeline.model.manifest import AnnotateUnit, Decision
from pipeline.model.plan import Plan
from pipeline.storage.units import Corpus


def annotate_units(corpus: Corpus, plan: Plan, decision: Decision) -> tuple[AnnotateUnit, ...]:
    """Find the passages that documents of the touched dumps share, then name the units.

    The first caller of a run, which is its task `decide`, computes; later ones find it done.
    """
    from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

    rule = plan.settings.passages
    found = [dedup.find_passages(corpus, dump, rule) for dump in decision.touched]
    return enrich.annotate_units(decision, plan.settings, found)
