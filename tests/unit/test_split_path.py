"""The choice of boundaries for a page."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.split_path import SHORT, WHOLE, WHOLE_COST, choose

EVEN = st.floats(0.02, 0.98).filter(lambda value: value != 0.5)


def worth(cuts: tuple[int, ...], scores: np.ndarray, lengths: np.ndarray) -> float:
    """Add up what a set of cuts earns: log odds less the cost of short documents."""
    starts = (0, *cuts)
    total = float(sum(np.log(scores[at] / (1 - scores[at])) for at in cuts))
    if cuts:
        for start, stop in zip(starts, [*cuts, len(scores)], strict=True):
            alone = stop - start == 1 and lengths[start] >= WHOLE
            cost = float(SHORT[stop - start - 1]) if stop - start <= len(SHORT) else 0.0
            total -= min(cost, WHOLE_COST) if alone else cost
    return total


def short(count: int) -> np.ndarray:
    """Return lengths of lines that are no documents of their own."""
    return np.full(count, WHOLE - 1, dtype=np.int32)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(EVEN, st.sampled_from([20, WHOLE])), min_size=1, max_size=9))
def test_the_choice_is_the_best_of_all(rows: list[tuple[float, int]]) -> None:
    """No other set of boundaries at or above the floor is worth more."""
    values, sizes = zip(*rows, strict=True)
    scores, lengths = np.array(values, dtype=np.float32), np.array(sizes, dtype=np.int32)
    allowed = [at for at in range(1, len(values)) if scores[at] >= 0.5]
    every = [cuts for n in range(len(allowed) + 1) for cuts in combinations(allowed, n)]

    found = choose(scores, lengths, floor=0.5).tolist()

    assert found[0] == 0
    best = max(worth(cuts, scores, lengths) for cuts in every)
    assert abs(worth(tuple(found[1:]), scores, lengths) - best) < 1e-4


def test_neighbouring_boundaries_compete() -> None:
    """Of two likely lines in a row only the likelier one begins a document."""
    scores = np.array([0, 0.01, 0.01, 0.8, 0.95, 0.01, 0.01, 0.01], dtype=np.float32)

    assert choose(scores, short(8), floor=0.5).tolist() == [0, 4]


def test_a_long_line_may_be_a_document() -> None:
    """Where articles stand on one line each, neighbouring boundaries are all cut."""
    scores = np.array([0, 0.01, 0.01, 0.8, 0.95, 0.01, 0.01, 0.01], dtype=np.float32)
    lengths = short(8)
    lengths[3] = WHOLE

    assert choose(scores, lengths, floor=0.5).tolist() == [0, 3, 4]


def test_one_line_is_one_document() -> None:
    """A page of one line has nothing to choose."""
    assert choose(np.zeros(1, dtype=np.float32), short(1), floor=0.5).tolist() == [0]


def test_certain_boundaries_are_cut() -> None:
    """A probability of 1 is as good as it can be, not an error."""
    scores = np.array([0, 0, 0, 1, 0, 0, 0], dtype=np.float32)

    assert choose(scores, short(7), floor=0.5).tolist() == [0, 3]
