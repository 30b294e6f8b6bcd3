"""Lines that look alike near each other: what the first look thought of a line's own kind.

Holds: `kinship` and its names. Pure function, in time linear in the length of the page.
Not here: the features of single lines (`split_features.py`), the second look (`split_pairs.py`).

On a page of news the lines without a full stop are titles; in a law or an interview they are
headings and questions. What a kind of line is here shows in its other members: where most of them
are likely boundaries a doubtful one is one too, and where few are, it is not.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_chars import COMMA, DIGIT, OPEN, STOP, SYMBOL
from pipeline.signature.compiled import i64, inline, jit

Floats = npt.NDArray[np.float32]

KIN_NAMES: Final = ["kin_many", "kin_odds", "close_kin_many", "close_kin_odds"]
REACH: Final = 400
"""Lines before and after among which kin are looked for."""
BROAD: Final = 24
CLOSE: Final = BROAD * 45
UNIT: Final = 1024
"""Probabilities are summed as whole numbers, so that sums do not depend on their order."""
DOUBT: Final = 2
"""Members of a kind, as likely as a line anywhere, that are taken to be there unseen."""
USUAL: Final = 0.1 * UNIT


@jit
def kinship(columns: npt.NDArray[np.int32], odds: Floats) -> Floats:
    """Return four numbers a line: how many kin it has and how likely they are, broad and close."""
    count = len(odds)
    out = np.zeros((4, count), dtype=np.float32)
    kinds = np.empty((2, count), dtype=np.int32)
    chances = np.empty(count, dtype=np.int64)
    for at in range(count):
        kinds[0, at], kinds[1, at] = _kinds(columns, at)
        chances[at] = i64(UNIT / (1.0 + np.exp(-np.float64(odds[at]))))
    members = np.zeros((2, CLOSE), dtype=np.int64)
    sums = np.zeros((2, CLOSE), dtype=np.int64)
    entered, left = 0, 0
    for at in range(count):
        while entered < min(count, at + REACH + 1):
            _turn(members, sums, (kinds[:, entered], chances[entered], 1))
            entered += 1
        while left < at - REACH:
            _turn(members, sums, (kinds[:, left], chances[left], -1))
            left += 1
        for level in range(2):
            kind = kinds[level, at]
            others = members[level, kind] - 1
            mean = (sums[level, kind] - chances[at] + DOUBT * USUAL) / (others + DOUBT) / UNIT
            even = min(1 - 1e-3, max(1e-3, mean))
            out[2 * level, at] = np.log2(1.0 + others)
            out[2 * level + 1, at] = np.log(even / (1 - even))
    return out


@inline
def _turn(
    members: npt.NDArray[np.int64],
    sums: npt.NDArray[np.int64],
    event: tuple[npt.NDArray[np.int32], int, int],
) -> None:
    """Let a line enter (1) or leave (-1) the surroundings."""
    kinds, chance, step = event
    for level in range(2):
        members[level, kinds[level]] += step
        sums[level, kinds[level]] += step * chance


@inline
def _kinds(columns: npt.NDArray[np.int32], at: int) -> tuple[int, int]:
    """Return the broad kind of a line (how it ends and what is around it) and the close one."""
    length = columns[sl.LENGTH, at]
    ends = 0 if columns[sl.END, at] == STOP else 1 if columns[sl.END, at] >= COMMA else 2
    after = at > 0 and columns[sl.END, at - 1] == STOP
    leads = columns[sl.LENGTH, min(at + 1, columns.shape[1] - 2)] > length
    broad = ((ends * 2 + after) * 2 + (columns[sl.INDENT, at] > 0)) * 2 + leads
    first = columns[sl.FIRST, at]
    opens = 1 if first == DIGIT else 2 if SYMBOL <= first <= OPEN else 0
    size = (length > 19) + (length > 39) + (length > 90) + (length > 200)
    gap = min(2, columns[sl.NUMBER, at] - columns[sl.NUMBER, at - 1] - 1) if at else 0
    return broad, ((broad * 3 + opens) * 5 + size) * 3 + gap
