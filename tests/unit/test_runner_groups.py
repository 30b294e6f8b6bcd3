"""Sharing annotate units out over tasks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.files import FileRef
from pipeline.model.manifest import AnnotateUnit
from pipeline.runner.groups import MAX_TASKS, TASK_DOCUMENTS, annotate_groups


def _units(rows: list[int]) -> list[AnnotateUnit]:
    return [
        AnnotateUnit(
            dump_date=f"date-{number}",
            shard=str(number),
            verdicts=FileRef("key", "hash", 1, documents),
            fingerprint=str(number),
        )
        for number, documents in enumerate(rows)
    ]


@given(st.lists(st.integers(0, 10 * TASK_DOCUMENTS), max_size=1500))
def test_every_unit_is_in_one_task_in_order(rows: list[int]) -> None:
    """Groups tile the units, none is empty, and Airflow can map over them."""
    units = _units(rows)
    groups = annotate_groups(units)
    assert [unit for group in groups for unit in group] == units
    assert all(groups)
    assert len(groups) <= MAX_TASKS


def test_small_units_share_a_task_and_large_ones_do_not() -> None:
    """Eight small shards are one task; each shard of the size of a task has its own."""
    assert [len(group) for group in annotate_groups(_units([200] * 8))] == [8]
    assert [len(group) for group in annotate_groups(_units([TASK_DOCUMENTS] * 3))] == [1, 1, 1]
