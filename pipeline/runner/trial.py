"""A dry run: a night as far as it can be done without publishing it.

Holds: `preview`, `run_dry`. Reads and writes through the stages: what a dry run reads, compares and
annotates is found by the run after it. Not here: what is compared (`publish/preview.py`), the
tasks (`night.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from pipeline.plan.choice import Asked
from pipeline.plan.stage import load_plan
from pipeline.publish import preview as previewing
from pipeline.runner.night import Night, Summary
from pipeline.runner.units import annotate, annotate_units
from pipeline.storage import snapshots


def run_dry(
    night: Night, dump_date: str, run_id: str, **asked: Unpack[Asked]
) -> Iterator[tuple[str, Summary]]:
    """Do a dry run in this process, yielding (task label, summary); the last is `preview`."""
    plan = night.plan(dump_date, run_id, dry=True, **asked)
    yield "plan", plan
    for shard in plan["shards"]:
        yield shard["label"], night.ingest(dump_date, run_id, shard["index"])
    for key_range in plan["key_ranges"]:
        yield key_range["label"], night.match(dump_date, run_id, key_range["index"])
    for unit in night.decide(dump_date, run_id)["units"]:
        yield unit["label"], night.annotate(dump_date, run_id, unit["index"])
    yield "preview", preview(night, dump_date, run_id)


def preview(night: Night, dump_date: str, run_id: str) -> Summary:
    """Return what a run that was planned, matched, decided and annotated would change.

    Keys: see `publish.preview`; and `unchanged`, with which there is nothing to tell.
    """
    from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

    corpus, plan = night.corpus, load_plan(night.corpus, dump_date, run_id)
    if plan.unchanged:
        nothing = {"parent": plan.parent, "waiting": list(plan.waiting)}
        return {"unchanged": True, **nothing, "nights": [], "partitions": [], "guards": []}
    parent = snapshots.load_snapshot(corpus, plan.parent)
    decision = dedup.decide(corpus, plan, parent)
    units = annotate_units(corpus, plan, decision)
    annotated = annotate(corpus, plan, decision, units)
    told = previewing.preview(corpus, plan, decision, parent=parent, annotated=annotated)
    return {"unchanged": False, **told}
