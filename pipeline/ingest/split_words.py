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


@inline
def _turn(count: int, step: int, weight: int) -> int:
    """Return by how much a damped count changes."""
    return i64(weight) * (damped(count + step) - damped(count))


@jit
def similarity(tokens: Words, weights: Weights, starts: Ints, window: int) -> Floats:
    """Return the cosine of the vocabularies of `window` words before and after each start."""
    size = 1 << _BITS
    left = np.zeros(size, dtype=np.int32)
    right = np.zeros(size, dtype=np.int32)
    count = len(tokens)
    sums = np.zeros(3, dtype=np.int64)  # left x right, left x left, right x right
    for at in range(min(window, count)):
        _change(left, right, sums, (tokens[at], weights[at], 1, 1))
    result = np.zeros(len(starts), dtype=np.float32)
    position = 0
    for line in range(len(starts)):
        while position < starts[line]:
            _change(left, right, sums, (tokens[position], weights[position], 1, -1))
            _change(left, right, sums, (tokens[position], weights[position], 0, 1))
            if position + window < count:
                ahead = position + window
                _change(left, right, sums, (tokens[ahead], weights[ahead], 1, 1))
            if position >= window:
                behind = position - window
                _change(left, right, sums, (tokens[behind], weights[behind], 0, -1))
            position += 1
        if sums[1] > 0 and sums[2] > 0:
            result[line] = sums[0] / np.sqrt(float(sums[1]) * float(sums[2]))
    return result


@inline
def _change(
    left: Ints, right: Ints, sums: npt.NDArray[np.int64], event: tuple[int, int, int, int]
) -> None:
    """Let one word enter (step 1) or leave (-1) the right (side 1) or left (0) window."""
    token, weight, side, step = event
    place = token >> u32(32 - _BITS)
    before_left, before_right = left[place], right[place]
    if side:
        turn = _turn(before_right, step, weight)
        value = i64(weight) * damped(before_right)
        sums[0] += turn * weight * damped(before_left)
        sums[2] += turn * (turn + 2 * value)
        right[place] += step
    else:
        turn = _turn(before_left, step, weight)
        value = i64(weight) * damped(before_left)
        sums[0] += turn * weight * damped(before_right)
        sums[1] += turn * (turn + 2 * value)
        left[place] += step


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
