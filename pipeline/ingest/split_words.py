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
_AFTER: Final = 1 << 16
_BEFORE: Final = _AFTER - 1
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

    `window` is at most 32,767: how often a word stands before and after is one number of 32 bits,
    the times after in its upper half, so that one look at the table tells both.
    """
    sides = np.zeros(1 << _BITS, dtype=np.uint32)
    damp = _damp(window + 2)
    count = len(tokens)
    cross, left, right = i64(0), i64(0), i64(0)  # left x right, left x left, right x right
    for at in range(min(window, count)):
        place = tokens[at] >> u32(32 - _BITS)
        right += _change(damp, sides[place] >> u32(16), 1) * _square(weights[at])
        sides[place] += u32(_AFTER)
    result = np.zeros(len(starts), dtype=np.float32)
    position = 0
    for line in range(len(starts)):
        while position < starts[line]:
            place, square = tokens[position] >> u32(32 - _BITS), _square(weights[position])
            before, after = sides[place] & u32(_BEFORE), sides[place] >> u32(16)
            sides[place] += u32(1)
            sides[place] -= u32(_AFTER)
            old, new = damp[before] * damp[after], damp[before + u32(1)] * damp[after - u32(1)]
            cross += square * (new - old)
            left += square * _change(damp, before, 1)
            right += square * _change(damp, after, -1)
            ahead, behind = position + window, position - window
            if ahead < count:
                place, square = tokens[ahead] >> u32(32 - _BITS), _square(weights[ahead])
                before, after = sides[place] & u32(_BEFORE), sides[place] >> u32(16)
                sides[place] += u32(_AFTER)
                cross += square * damp[before] * (damp[after + u32(1)] - damp[after])
                right += square * _change(damp, after, 1)
            if behind >= 0:
                place, square = tokens[behind] >> u32(32 - _BITS), _square(weights[behind])
                before, after = sides[place] & u32(_BEFORE), sides[place] >> u32(16)
                sides[place] -= u32(1)
                cross += square * damp[after] * (damp[before - u32(1)] - damp[before])
                left += square * _change(damp, before, -1)
            position += 1
        if left > 0 and right > 0:
            result[line] = cross / np.sqrt(float(left) * float(right))
    return result


@inline
def _damp(size: int) -> npt.NDArray[np.int64]:
    """Return `damped` of the first numbers as a table that needs no look at its end."""
    table = np.full(size, DAMP[15], dtype=np.int64)
    table[:16] = DAMP[: min(16, size)]
    return table


@inline
def _square(weight: int) -> int:
    return i64(weight) * i64(weight)


@inline
def _change(damp: npt.NDArray[np.int64], count: int, step: int) -> int:
    """Return by how much the square of what `count` occurrences count changes by one step."""
    old, new = damp[count], damp[u32(count + step)]
    return i64(new * new - old * old)


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
