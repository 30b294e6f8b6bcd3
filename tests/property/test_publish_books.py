"""Properties of the books: spans tile a file if and only if no finding says otherwise."""

from __future__ import annotations

import itertools
import random as randoms

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.books import _mix


def flow(spans: list[tuple[int, int]], chars: int) -> bool:
    """Say what the check says: whether the hashed sums of starts and ends agree."""
    starts = np.array([start for start, _ in spans], np.int64)
    ends = np.array([end for _, end in spans], np.int64)
    both = np.array([0, chars], np.int64)
    with np.errstate(over="ignore"):
        total = _mix(starts).sum() - _mix(ends).sum()
        return bool(total == _mix(both[:1])[0] - _mix(both[1:])[0])


def covered_once(spans: list[tuple[int, int]], chars: int) -> bool:
    """Say by counting whether every character is in exactly one span."""
    times = np.zeros(chars + 60, int)
    for start, end in spans:
        times[start:end] += 1
    return bool((times[:chars] == 1).all() and (times[chars:] == 0).all())


SPAN = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 40), st.randoms())
def test_every_tiling_balances(cuts: list[int], chars: int, random: randoms.Random) -> None:
    """Any cut of a file into spans, in any order, is accepted."""
    points = sorted({0, chars, *(cut for cut in cuts if cut < chars)})
    spans = list(itertools.pairwise(points))
    random.shuffle(spans)
    assert flow(spans, chars)


@given(st.lists(SPAN, max_size=12), st.integers(0, 30))
def test_flow_equals_counting(spans: list[tuple[int, int]], chars: int) -> None:
    """The hashed check and counting every character agree on arbitrary spans."""
    assert flow(spans, chars) == covered_once(spans, chars)
