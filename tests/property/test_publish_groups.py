"""Properties of sharing partitions out over publish tasks."""

from __future__ import annotations

import random as randoms

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.files import FileRef
from pipeline.model.manifest import PublishUnit
from pipeline.publish.stage import GROUP_BYTES, group


def unit(number: int, sizes: list[int]) -> PublishUnit:
    """Make a unit with runs of these sizes."""
    runs = tuple(FileRef(f"run{place}", "", size, 1) for place, size in enumerate(sizes))
    return PublishUnit(dump_date="2026-11-20", language=f"l{number}", runs=runs, fingerprint="")


UNITS = st.lists(st.lists(st.integers(1, 2 * GROUP_BYTES), min_size=1, max_size=3), max_size=40)


@given(UNITS, st.integers(1, 8), st.randoms())
def test_every_partition_is_in_one_group(
    sizes: list[list[int]], max_groups: int, random: randoms.Random
) -> None:
    """No partition is lost or doubled, no group is empty, and arrival order does not matter."""
    units = [unit(number, runs) for number, runs in enumerate(sizes)]
    groups = group(units, max_groups)
    assert sorted(one.language for members in groups for one in members) == sorted(
        one.language for one in units
    )
    assert all(groups)
    assert len(groups) <= max_groups
    shuffled = list(units)
    random.shuffle(shuffled)
    assert group(shuffled, max_groups) == groups
