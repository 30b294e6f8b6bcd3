"""What people read about the tasks of a night: short labels with numbers.

Holds: one function a kind of mapped task. Pure. Not here: the tasks (`night.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.model.manifest import AnnotateUnit, PublishUnit
from pipeline.model.plan import Plan
from pipeline.report.writing import size

Labels = list[dict[str, Any]]


def shard_labels(plan: Plan) -> Labels:
    """Label the ingest tasks of a plan."""
    labels = []
    for shard in plan.shards:
        place = f"ingest {shard.index + 1}/{len(plan.shards)}"
        what = "1 file" if len(shard.files) == 1 else f"{len(shard.files)} files"
        if shard.sections > 1:
            what = f"section {shard.section + 1}/{shard.sections} of a file"
        label = f"{place} · {what} · {size(shard.bytes)}"
        labels.append({"index": shard.index, "label": label})
    return labels


def range_labels(plan: Plan) -> Labels:
    """Label the match tasks of a plan."""
    total = len(plan.key_ranges)
    return [
        {"index": part.index, "label": f"match {part.index + 1}/{total}"}
        for part in plan.key_ranges
    ]


def annotate_labels(groups: Sequence[Sequence[AnnotateUnit]]) -> Labels:
    """Label the annotate tasks of a decision by the first unit of each."""
    return [
        {"index": index, "label": f"annotate {index + 1}/{len(groups)} · {group[0].dump_date}"}
        for index, group in enumerate(groups)
    ]


def group_labels(groups: Sequence[Sequence[PublishUnit]]) -> Labels:
    """Label the publish tasks by the first partitions of each."""
    labels = []
    for index, group in enumerate(groups):
        names = ", ".join(f"{unit.dump_date}/{unit.language}" for unit in group[:3])
        more = f" +{len(group) - 3}" if len(group) > 3 else ""
        labels.append({"index": index, "label": f"publish {names}{more}"})
    return labels
