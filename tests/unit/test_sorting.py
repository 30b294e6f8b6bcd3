"""Order and common keys against their definitions, on keys that repeat much or hardly."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup.sorting import ascending, common

Keys = st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1), max_size=60)


@given(Keys, st.randoms(use_true_random=False))
def test_order_is_that_of_key_then_the_others_then_place(keys: list[int], dice: Random) -> None:
    """Equal keys are in order of the first array, then of the second, then as they came."""
    first, second = ([dice.randrange(3) for _ in keys] for _ in range(2))
    expected = sorted(range(len(keys)), key=lambda at: (keys[at], first[at], second[at], at))
    found = ascending(np.array(keys, np.uint64), np.array(first), np.array(second))
    assert found.tolist() == expected


@given(Keys, Keys)
def test_common_marks_what_both_have(one: list[int], two: list[int]) -> None:
    """Each side is marked where the other has the key, however often either has it."""
    left, right = common(*(np.array(sorted(keys), np.uint64) for keys in (one, two)))
    assert left.tolist() == [key in two for key in sorted(one)]
    assert right.tolist() == [key in one for key in sorted(two)]
