"""How many units of work make a task: enough to be worth its start, few enough to be mapped.

Holds: `annotate_groups`. Pure. Not here: partitions by publish task (`publish/stage.py`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from pipeline.model.manifest import AnnotateUnit

Groups = tuple[tuple[AnnotateUnit, ...], ...]

TASK_DOCUMENTS = 4000
"""Documents that are worth a task of their own: some five seconds, twice what it takes to start."""
MAX_TASKS = 512
"""Airflow maps over 1,024 items at most."""


def annotate_groups(units: Sequence[AnnotateUnit]) -> Groups:
    """Share units out over tasks, in order: none is empty, every unit is in exactly one.

    A unit's documents are estimated: its dump's, divided by the dump's shards.
    """
    shards = Counter(unit.dump_date for unit in units)
    weights = [math.ceil(unit.verdicts.rows / shards[unit.dump_date]) for unit in units]
    wanted = max(TASK_DOCUMENTS, math.ceil(sum(weights) / MAX_TASKS))
    groups: list[list[AnnotateUnit]] = []
    room = 0
    for unit, weight in zip(units, weights, strict=True):
        if room <= 0:
            groups.append([])
            room = wanted
        groups[-1].append(unit)
        room -= max(1, weight)
    return tuple(tuple(group) for group in groups)
