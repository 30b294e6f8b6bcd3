"""How the change of vocabulary is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest import split_words as sw


def words(*names: int) -> np.ndarray:
    """Make word hashes that do not collide in the tables."""
    return np.array([name << 22 for name in names], dtype=np.uint32)


def slow_similarity(tokens: list[int], at: int, window: int) -> float:
    """Compute the cosine of the two windows around a place the plain way (all weights equal)."""
    damp = sw.DAMP.tolist()
    left, right = tokens[max(0, at - window) : at], tokens[at : at + window]
    one = {t: damp[min(left.count(t), 15)] for t in set(left)}
    two = {t: damp[min(right.count(t), 15)] for t in set(right)}
    cross = sum(value * two.get(token, 0) for token, value in one.items())
    norm = sum(v * v for v in one.values()) * sum(v * v for v in two.values())
    return cross / norm**0.5 if norm else 0.0


@settings(max_examples=60, deadline=None)
@given(tokens=st.lists(st.integers(0, 9), max_size=60), window=st.integers(1, 20))
def test_sliding_windows_equal_the_plain_computation(tokens: list[int], window: int) -> None:
    """Counts that are updated word by word give the same cosine as counts made afresh."""
    starts = np.arange(len(tokens) + 1, dtype=np.int32)
    weights = np.full(len(tokens), 3, dtype=np.uint8)

    found = sw.similarity(words(*tokens), weights, starts, window)

    wanted = [slow_similarity(tokens, at, window) for at in range(len(tokens) + 1)]
    assert found.tolist() == pytest.approx(wanted, abs=1e-6)


def test_words_of_every_chunk_weigh_least() -> None:
    """A word that stands everywhere in the page says little; one that stands once says most."""
    tokens = words(*([1, 2] * 640), 3)

    weights = sw.weigh(tokens)

    assert weights[0] == 4
    assert weights[-1] == 15


def test_neighbours_are_the_last_and_the_next_occurrence() -> None:
    """Each word knows where it stood before and where it comes again."""
    before, after = sw.neighbours(words(5, 6, 5, 5))

    assert before.tolist() == [-sw.NEVER, -sw.NEVER, 0, 2]
    assert after.tolist() == [2, sw.NEVER, 3, sw.NEVER]


def test_nothing_crosses_a_clean_break() -> None:
    """Between two halves without a common word no repetition crosses; inside a half it does."""
    tokens = words(*[1, 2, 3] * 20, *[4, 5, 6] * 20)
    before, _ = sw.neighbours(tokens)
    starts = np.array([30, 60], dtype=np.int32)

    inside, border = sw.crossings(before, np.ones(120, dtype=np.uint8), starts, 40)

    assert inside == 1.0
    assert border == 0.0
