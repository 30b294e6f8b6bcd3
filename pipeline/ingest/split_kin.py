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

from pipeline.ingest.split_kinds import CLOSE, Kinds
from pipeline.signature.compiled import i64, inline, jit

Floats = npt.NDArray[np.float32]

KIN_NAMES: Final = [
    f"{level}kin_{name}" for level in ("", "close_") for name in ("many", "share", "odds")
]
_EACH: Final = len(KIN_NAMES) // 2
REACH: Final = 400
"""Lines before and after among which kin are looked for."""
UNIT: Final = 1024
"""Probabilities are summed as whole numbers, so that sums do not depend on their order."""
DOUBT: Final = 2
"""Members of a kind, as likely as a line anywhere, that are taken to be there unseen."""
USUAL: Final = 0.1 * UNIT


@jit
def kinship(kinds: Kinds, odds: Floats) -> Floats:
    """Return three numbers a line, for broad and for close kin.

    How many kin it has near it, which share of the lines that is, how likely they are boundaries.
    """
    count, of = len(odds), kinds.of
    out = np.zeros((2 * _EACH, count), dtype=np.float32)
    chances = np.empty(count, dtype=np.int64)
    for at in range(count):
        chances[at] = i64(UNIT / (1.0 + np.exp(-np.float64(odds[at]))))
    chances[0] = UNIT  # a page begins with the beginning of a document
    members = np.zeros((2, CLOSE), dtype=np.int64)
    sums = np.zeros((2, CLOSE), dtype=np.int64)
    entered, left = 0, 0
    for at in range(count):
        while entered < min(count, at + REACH + 1):
            _turn(members, sums, (of[:, entered], chances[entered], 1))
            entered += 1
        while left < at - REACH:
            _turn(members, sums, (of[:, left], chances[left], -1))
            left += 1
        for level in range(2):
            kind = of[level, at]
            others = members[level, kind] - 1
            mean = (sums[level, kind] - chances[at] + DOUBT * USUAL) / (others + DOUBT) / UNIT
            even = min(1 - 1e-3, max(1e-3, mean))
            row = out[_EACH * level : _EACH * (level + 1), at]
            row[0] = np.log2(1.0 + others)
            row[1] = np.log2((1.0 + others) / (entered - left))
            row[2] = np.log(even / (1 - even))
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
