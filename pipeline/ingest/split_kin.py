"""Lines that look alike near each other: what the first look thought of a line's own kind.

Holds: `kinship` and its names. Pure function, in time linear in the length of the page.
Not here: the features of single lines (`split_features.py`), the second look (`split_pairs.py`).

On a page of news the lines without a full stop are titles; in a law or an interview they are
headings and questions. What a kind of line is here shows in its other members: where most of them
are likely boundaries a doubtful one is one too, and where few are, it is not. Kin are lines that
look alike, lines that look alike and follow, or are followed by, such as look alike, and lines
that follow equal ones: what a site prints under every article. So are lines that begin alike, and
those that follow lines which begin or end alike: "Filed under", "3 comments".
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_kinds import (
    AFTER_ALIKE,
    AFTER_EQUAL,
    AFTER_KIND,
    BEFORE_KIND,
    BROAD_KIND,
    CLOSE_KIND,
    PLACES,
    SAME_OPENING,
    Kinds,
)
from pipeline.signature.compiled import i64, jit

Floats = npt.NDArray[np.float32]

LEVELS: Final = (
    ("broad", BROAD_KIND, 400),
    ("close", CLOSE_KIND, 400),
    ("near", CLOSE_KIND, 60),
    ("after_kind", AFTER_KIND, 400),
    ("before_kind", BEFORE_KIND, 400),
    ("after_equal", AFTER_EQUAL, 400),
    ("opening", SAME_OPENING, 400),
    ("after_alike", AFTER_ALIKE, 400),
)
"""By what lines are kin, and the lines before and after among which kin are looked for."""
KIN_NAMES: Final = [
    f"{level}_kin_{name}" for level, _, _ in LEVELS for name in ("many", "share", "odds")
]
_EACH: Final = 3
_ROWS: Final = np.array([row for _, row, _ in LEVELS], np.int64)
_REACHES: Final = np.array([reach for _, _, reach in LEVELS], np.int64)
UNIT: Final = 1024
"""Probabilities are summed as whole numbers, so that sums do not depend on their order."""
DOUBT: Final = 2
"""Members of a kind, as likely as a line anywhere, that are taken to be there unseen."""
USUAL: Final = 0.1 * UNIT


@jit
def kinship(kinds: Kinds, odds: Floats) -> Floats:
    """Return three numbers a line, for each of `LEVELS`.

    How many kin it has near it, which share of the lines that is, how likely they are boundaries.
    """
    count = len(odds)
    out = np.zeros((_EACH * len(_ROWS), count), dtype=np.float32)
    chances = np.empty(count, dtype=np.int64)
    for at in range(count):
        chances[at] = i64(UNIT / (1.0 + np.exp(-np.float64(odds[at]))))
    chances[0] = UNIT  # a page begins with the beginning of a document
    for level in range(len(_ROWS)):
        _level(kinds.of[_ROWS[level]], chances, _REACHES[level], out[_EACH * level :])
    return out


@jit
def _level(
    of: npt.NDArray[np.int32], chances: npt.NDArray[np.int64], reach: int, out: Floats
) -> None:
    """Let lines enter and leave the surroundings of each line, and write what its kin are."""
    count = len(of)
    members, sums = np.zeros(PLACES, dtype=np.int64), np.zeros(PLACES, dtype=np.int64)
    entered, left = 0, 0
    for at in range(count):
        while entered < min(count, at + reach + 1):
            if of[entered] >= 0:
                members[of[entered]] += 1
                sums[of[entered]] += chances[entered]
            entered += 1
        while left < at - reach:
            if of[left] >= 0:
                members[of[left]] -= 1
                sums[of[left]] -= chances[left]
            left += 1
        others, chance = 0, 0
        if of[at] >= 0:
            others = members[of[at]] - 1
            chance = sums[of[at]] - chances[at]
        mean = (chance + DOUBT * USUAL) / (others + DOUBT) / UNIT
        even = min(1 - 1e-3, max(1e-3, mean))
        out[0, at] = np.log2(1.0 + others)
        out[1, at] = np.log2((1.0 + others) / (entered - left))
        out[2, at] = np.log(even / (1 - even))
