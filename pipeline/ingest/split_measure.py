"""A page in numbers: what the features of every line are read from.

Holds: `Page`, `measure`. Pure functions, in time linear in the length of the page.
Not here: the pass over the text (`split_lines.py`), the features (`split_features.py`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest import split_words as sw
from pipeline.ingest.split_chars import STOP
from pipeline.ingest.split_kinds import Kinds, kinds
from pipeline.signature.compiled import inline, jit, u32

Floats = npt.NDArray[np.float32]

WINDOWS: Final = (50, 150, 400)
REACHES: Final = (150, 600)
NEAR: Final = 400
"""Lines before and after among which equal ones are looked for."""
SHORT: Final = 120
"""Visible characters of a line that a site may print with each of its articles."""
ALIKE: Final = ("same_word", "same_opening", "same_end")
_WAYS: Final = np.array([sl.HEAD, sl.OPENS, sl.CLOSES], np.int64)
REGIMES: Final = 8
"""Properties of a layout whose means are compared."""


class Page(NamedTuple):
    """A page measured: everything that the features of a line are read from."""

    columns: npt.NDArray[np.int32]
    weights: npt.NDArray[np.uint8]
    before: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]
    tokens: npt.NDArray[np.uint32]
    sums: npt.NDArray[np.float64]  # [regimes, lines + 1]: sums over the lines before
    fresh: npt.NDArray[np.int32]  # weight of the words before that were new to the page there
    curves: Floats  # [4 x windows + reaches, lines]
    usual: float  # the mean similarity of 150 words on both sides of a line
    kinds: Kinds
    seen: npt.NDArray[np.uint8]  # how often the same line stood in the page before (up to 255)
    repeats: npt.NDArray[np.int32]  # how many equal lines stand near each line
    alike: npt.NDArray[np.int32]  # [ways, lines]: how many short ones begin or end like it


def measure(lines: sl.Lines) -> Page:
    """Make the tables of a page, in time linear in its length."""
    columns, tokens = _flush(lines.columns), lines.tokens
    starts = np.ascontiguousarray(columns[sl.TOKEN, :-1])
    weights = sw.weigh(tokens)
    before, after = sw.neighbours(tokens)
    curves = np.zeros((4 * len(WINDOWS) + len(REACHES), lines.size), dtype=np.float32)
    for index, window in enumerate(WINDOWS):
        curve = sw.similarity(tokens, weights, starts, window)
        curves[4 * index] = curve
        curves[4 * index + 1 : 4 * index + 4] = _relief(curve, starts, window)
    for index, reach in enumerate(REACHES):
        curves[4 * len(WINDOWS) + index] = sw.crossings(before, weights, starts, reach)
    repeats = _repeats(columns)
    alike = _alike(columns)
    return Page(
        columns=columns,
        weights=weights,
        before=before,
        after=after,
        tokens=tokens,
        sums=_sums(columns),
        fresh=_fresh(before, weights),
        curves=curves,
        usual=float(curves[4].mean(dtype=np.float64)),
        kinds=kinds(columns, repeats, alike),
        seen=_seen(columns),
        repeats=repeats,
        alike=alike,
    )


def _flush(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Take the indentation off a page's first line: a space strays there, or all were stripped."""
    if columns[sl.INDENT, 0] == 0:
        return columns
    columns = columns.copy()
    columns[sl.INDENT, 0] = 0
    return columns


@jit
def _relief(curve: Floats, starts: npt.NDArray[np.int32], window: int) -> Floats:
    """Return how deep each point lies below its surroundings, and above their lowest point."""
    count = len(curve)
    result = np.zeros((3, count), dtype=np.float32)
    sums = np.zeros(count + 1, dtype=np.float64)
    squares = 0.0
    for at in range(count):
        sums[at + 1] = sums[at] + curve[at]
        squares += curve[at] * curve[at]
    mean = sums[count] / max(1, count)
    spread = np.sqrt(max(1e-6, squares / max(1, count) - mean * mean))
    low, high = 0, 0
    queue = np.empty(count, dtype=np.int32)  # lines of rising value: the first is the lowest
    head, tail = 0, 0
    for at in range(count):
        while high < count and starts[high] <= starts[at] + window:
            while tail > head and curve[queue[tail - 1]] >= curve[high]:
                tail -= 1
            queue[tail] = high
            tail += 1
            high += 1
        while starts[low] < starts[at] - window:
            low += 1
        while queue[head] < low:
            head += 1
        result[0, at] = (sums[high] - sums[low]) / (high - low) - curve[at]
        result[1, at] = curve[at] - curve[queue[head]]
        result[2, at] = (curve[at] - mean) / spread
    return result


@jit
def _sums(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Sum up what makes a layout, so that the mean of any run of lines takes one subtraction."""
    count = columns.shape[1] - 1
    sums = np.zeros((REGIMES, count + 1), dtype=np.float64)
    for at in range(count):
        length = columns[sl.LENGTH, at]
        gap = columns[sl.NUMBER, at + 1] - columns[sl.NUMBER, at]
        short = 8 <= length <= 200 and length < columns[sl.LENGTH, min(at + 1, count - 1)]
        row = sums[:, at]
        row_next = sums[:, at + 1]
        row_next[0] = row[0] + log(length)
        row_next[1] = row[1] + (columns[sl.INDENT, at] > 0)
        row_next[2] = row[2] + _open_end(columns, at)
        row_next[3] = row[3] + min(gap, 6)
        row_next[4] = row[4] + 2.0 * columns[sl.WIDE, at] / length
        row_next[5] = row[5] + columns[sl.CASELESSES, at] / length
        row_next[6] = row[6] + (short and _open_end(columns, at) and columns[sl.INDENT, at] == 0)
        row_next[7] = row[7] + columns[sl.CLOSED, at]
    return sums


@jit
def _seen(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Count for each line how often an equal one stood before it."""
    count = columns.shape[1] - 1
    table = np.zeros(1 << 16, dtype=np.uint8)
    seen = np.zeros(count, dtype=np.uint8)
    for at in range(count):
        place = line_place(columns, at)
        seen[at] = table[place]
        table[place] = min(255, table[place] + 1)
    return seen


@jit
def _repeats(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Count for each line the others that equal it, up to `NEAR` lines before and after."""
    count = columns.shape[1] - 1
    table = np.zeros(1 << 16, dtype=np.int32)
    repeats = np.empty(count, dtype=np.int32)
    entered, left = 0, 0
    for at in range(count):
        while entered < min(count, at + NEAR + 1):
            table[line_place(columns, entered)] += 1
            entered += 1
        while left < at - NEAR:
            table[line_place(columns, left)] -= 1
            left += 1
        repeats[at] = table[line_place(columns, at)] - 1
    return repeats


@jit
def _alike(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Count for each short line the others near it that begin or end as it does.

    A row for the first word, one for the first characters, one for the last. What a site prints
    with each of its articles is alike there, and differs in names and numbers.
    """
    count = columns.shape[1] - 1
    out = np.zeros((len(_WAYS), count), dtype=np.int32)
    for way in range(len(_WAYS)):
        column = columns[_WAYS[way]]
        table = np.zeros(1 << 16, dtype=np.int32)
        entered, left = 0, 0
        for at in range(count):
            while entered < min(count, at + NEAR + 1):
                table[_place(column[entered])] += columns[sl.LENGTH, entered] <= SHORT
                entered += 1
            while left < at - NEAR:
                table[_place(column[left])] -= columns[sl.LENGTH, left] <= SHORT
                left += 1
            if columns[sl.LENGTH, at] <= SHORT:
                out[way, at] = table[_place(column[at])] - 1
    return out


@inline
def _place(hashed: int) -> int:
    """Return 16 bits of a hash."""
    return int(u32(u32(hashed) * u32(0x9E3779B1)) >> u32(16))


@inline
def line_place(columns: npt.NDArray[np.int32], at: int) -> int:
    """Return a number of 16 bits that equal lines share."""
    return _place(columns[sl.HASH, at])


@jit
def _fresh(before: npt.NDArray[np.int32], weights: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Sum up the words that had not been used for 800 words."""
    sums = np.zeros(len(before) + 1, dtype=np.int32)
    for at in range(len(before)):
        sums[at + 1] = sums[at] + (weights[at] if at - before[at] > 800 else 0)
    return sums


@inline
def log(value: float) -> float:
    """Return a number of bits: lengths count by their ratio, and 0 is allowed."""
    return float(np.log2(1.0 + value))


@inline
def _open_end(columns: npt.NDArray[np.int32], at: int) -> bool:
    """Whether a line ends without a mark that ends a sentence."""
    return bool(columns[sl.END, at] != STOP)
