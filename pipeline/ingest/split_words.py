"""How the vocabulary changes along a page, measured at the start of every line.

Holds: `weigh`, `similarity`, `crossings`, `neighbours`. Pure functions of hashed words.
Not here: cutting text into words (`split_lines.py`).

All sums are of integers, so that the result does not depend on the order of additions.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import i64, inline, jit, u8, u32

Ints = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CHUNK: Final = 64
"""Words of a chunk in which a word counts once, when its frequency in the page is estimated."""

_BITS: Final = 16
_PLACE_BITS: Final = 20
NEVER: Final = 1 << 30
DAMP: Final = np.array([0, 8, 13, 16, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30], np.int64)
"""What the nth occurrence in a window counts: a word said ten times is not ten words."""


@jit
def weigh(tokens: Words) -> Weights:
    """Weight each content word 1-16 by how few chunks of the page it occurs in."""
    size = 1 << _BITS
    chunks = np.zeros(size, dtype=np.int32)
    seen = np.full(size, -1, dtype=np.int32)
    for at in range(len(tokens)):
        place = tokens[at] >> u32(32 - _BITS)
        if seen[place] != at // CHUNK:
            seen[place] = at // CHUNK
            chunks[place] += 1
    total = len(tokens) // CHUNK + 1
    result = np.empty(len(tokens), dtype=np.uint8)
    for at in range(len(tokens)):
        share = chunks[tokens[at] >> u32(32 - _BITS)] / total
        result[at] = u8(16 - min(12, int(share * 24)))
    return result


@inline
def damped(count: int) -> int:
    """Return what `count` occurrences in one place count."""
    return i64(DAMP[min(count, 15)])


@jit
def similarity(tokens: Words, weights: Weights, starts: Ints, window: int) -> Floats:
    """Return the cosine of the vocabularies of `window` words before and after each start.

    `window` is at most 32,767: the words of a window are counted in 16 bits, which fit the cache.
    """
    sides = np.zeros((1 << _BITS, 2), dtype=np.int16)  # times each word stands before and after
    count = len(tokens)
    cross, left, right = i64(0), i64(0), i64(0)  # left x right, left x left, right x right
    for at in range(min(window, count)):
        _, more = _turn(sides[tokens[at] >> u32(32 - _BITS)], weights[at], 1, 1)
        right += more
    result = np.zeros(len(starts), dtype=np.float32)
    position = 0
    for line in range(len(starts)):
        while position < starts[line]:
            here = sides[tokens[position] >> u32(32 - _BITS)]
            both, less = _turn(here, weights[position], 1, -1)
            also, more = _turn(here, weights[position], 0, 1)
            cross, left, right = cross + both + also, left + more, right + less
            ahead, behind = position + window, position - window
            if ahead < count:
                both, more = _turn(sides[tokens[ahead] >> u32(32 - _BITS)], weights[ahead], 1, 1)
                cross, right = cross + both, right + more
            if behind >= 0:
                there = sides[tokens[behind] >> u32(32 - _BITS)]
                both, less = _turn(there, weights[behind], 0, -1)
                cross, left = cross + both, left + less
            position += 1
        if left > 0 and right > 0:
            result[line] = cross / np.sqrt(float(left) * float(right))
    return result


@inline
def _turn(counts: npt.NDArray[np.int16], weight: int, side: int, step: int) -> tuple[int, int]:
    """Let a word enter (step 1) or leave (-1) the words before (side 0) or after (1) a start.

    Return by how much that changes the product of both sides, and the square of this one.
    """
    square = i64(weight) * i64(weight)
    old = damped(i64(counts[side]))
    counts[side] += step
    new = damped(i64(counts[side]))
    return square * (new - old) * damped(i64(counts[1 - side])), square * (new * new - old * old)


@jit
def neighbours(tokens: Words) -> tuple[Ints, Ints]:
    """Return, for each word, where it occurred last and where it occurs next (or `NEVER` away)."""
    last = np.full(1 << _PLACE_BITS, -NEVER, dtype=np.int32)
    before = np.empty(len(tokens), dtype=np.int32)
    after = np.full(len(tokens), NEVER, dtype=np.int32)
    for at in range(len(tokens)):
        place = tokens[at] >> u32(32 - _PLACE_BITS)
        before[at] = last[place]
        if last[place] >= 0:
            after[last[place]] = at
        last[place] = at
    return before, after


@jit
def crossings(before: Ints, weights: Weights, starts: Ints, reach: int) -> Floats:
    """Return how much repeated vocabulary spans each start: pairs of a word not over `reach` apart.

    The count is divided by what the surroundings have, so 1 is usual and 0 is a clean break.
    """
    count = len(before)
    open_pairs = np.zeros(count + 2, dtype=np.int32)
    for at in range(count):
        if at - before[at] <= reach:
            open_pairs[before[at] + 1] += weights[at]
            open_pairs[at + 1] -= weights[at]
    for at in range(count):
        open_pairs[at + 1] += open_pairs[at]
    result = np.ones(len(starts), dtype=np.float32)
    for line in range(len(starts)):
        here = starts[line]
        low, high = max(0, here - reach // 2), min(count, here + reach // 2)
        usual = (open_pairs[low] + open_pairs[high]) / 2
        if here > 0 and here < count and usual > 0:
            result[line] = min(4.0, open_pairs[here] / usual)
    return result
