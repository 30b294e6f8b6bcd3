"""What kind of line each line is, by how it looks: lines of one kind are judged together.

Holds: `kinds`, `Kinds`. Pure function, in time linear in the length of the page.
Not here: what the lines of a kind were judged to be (`split_kin.py`).

The first line of a page begins a document. Lines of its kind, if they are few and far between,
are what the titles of this page look like.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_chars import ASK, COLON, COMMA, DIGIT, OPEN, STOP, SYMBOL
from pipeline.signature.compiled import inline, jit, u32

BROAD: Final = 24
CLOSE: Final = BROAD * 45
PLACES: Final = 1 << 12
"""Numbers that pairs of kinds, and equal lines, are told by: a few of those near share one."""

BROAD_KIND: Final = 0
CLOSE_KIND: Final = 1
AFTER_KIND: Final = 2
BEFORE_KIND: Final = 3
AFTER_EQUAL: Final = 4
SAME_OPENING: Final = 5
AFTER_ALIKE: Final = 6
_WAYS: Final = 7
_OPENING: Final = 1
_END: Final = 2
"""Rows of what is counted of the lines that begin or end alike (`split_measure.py`)."""


class Kinds(NamedTuple):
    """The kind of every line: broad (how it ends and what is around it) and close.

    Then its close kind with that of the line before it, with that of the line after it, and which
    line it follows, if that one has equals nearby; how it begins, if others do so, and how the
    line that it follows begins or ends (else -1).
    """

    of: npt.NDArray[np.int32]  # [7, lines]
    many: npt.NDArray[np.int32]  # [2, CLOSE]: lines of the page of each kind
    back: npt.NDArray[np.int32]  # lines since the last one of the same broad kind, or since none
    ahead: npt.NDArray[np.int32]  # lines to the next one


@jit
def kinds(
    columns: npt.NDArray[np.int32], repeats: npt.NDArray[np.int32], alike: npt.NDArray[np.int32]
) -> Kinds:
    """Sort the lines of a page by their looks.

    Args:
        columns: of the page's lines.
        repeats: how many equal lines stand near each.
        alike: how many begin or end like each.
    """
    count = columns.shape[1] - 1
    of = np.empty((_WAYS, count), dtype=np.int32)
    many = np.zeros((2, CLOSE), dtype=np.int32)
    back, ahead = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    last = np.full(BROAD, -1, dtype=np.int32)
    for at in range(count):
        broad, close = _kinds(columns, at)
        of[0, at], of[1, at] = broad, close
        many[0, broad] += 1
        many[1, close] += 1
        back[at] = at - last[broad]
        if last[broad] >= 0:
            ahead[last[broad]] = back[at]
        last[broad] = at
    for kind in range(BROAD):
        if last[kind] >= 0:
            ahead[last[kind]] = count - last[kind]
    _neighbours(columns, repeats, of)
    _printed(columns, alike, of)
    return Kinds(of, many, back, ahead)


@inline
def _neighbours(
    columns: npt.NDArray[np.int32], repeats: npt.NDArray[np.int32], of: npt.NDArray[np.int32]
) -> None:
    """Write how each line and its neighbours look together."""
    count = of.shape[1]
    for at in range(count):
        own = _sized(of, at)
        before = _sized(of, at - 1) if at else CLOSE
        after = _sized(of, at + 1) if at + 1 < count else CLOSE
        of[AFTER_KIND, at] = _place(before * CLOSE + own)
        of[BEFORE_KIND, at] = _place(own * CLOSE + after)
        known = at > 0 and repeats[at - 1] > 0
        of[AFTER_EQUAL, at] = _place(columns[sl.HASH, at - 1]) if known else -1


@inline
def _printed(
    columns: npt.NDArray[np.int32], alike: npt.NDArray[np.int32], of: npt.NDArray[np.int32]
) -> None:
    """Write how each line, and the one before it, begins or ends, if others do so."""
    for at in range(of.shape[1]):
        opens = alike[_OPENING, at] > 0
        of[SAME_OPENING, at] = _place(columns[sl.OPENS, at]) if opens else -1
        of[AFTER_ALIKE, at] = -1
        if at and alike[_OPENING, at - 1] > 0:
            of[AFTER_ALIKE, at] = _place(columns[sl.OPENS, at - 1])
        elif at and alike[_END, at - 1] > 0:
            of[AFTER_ALIKE, at] = _place(columns[sl.CLOSES, at - 1])


@inline
def _sized(of: npt.NDArray[np.int32], at: int) -> int:
    """Return a line's broad kind and size: its close kind less how it opens and the gap."""
    return int(of[BROAD_KIND, at] * 5 + of[CLOSE_KIND, at] // 3 % 5)


@inline
def _place(number: int) -> int:
    """Return a number below `PLACES` for a greater one."""
    return int(u32(u32(number) * u32(0x9E3779B1)) >> u32(20))


@inline
def _kinds(columns: npt.NDArray[np.int32], at: int) -> tuple[int, int]:
    length = columns[sl.LENGTH, at]
    end = columns[sl.END, at]
    ends = 0 if end == STOP else 1 if end in (COMMA, COLON) else 2
    before = columns[sl.END, at - 1] if at else STOP  # the page's first line follows a full stop
    after = before in (STOP, ASK)
    leads = columns[sl.LENGTH, min(at + 1, columns.shape[1] - 2)] > length
    broad = ((ends * 2 + after) * 2 + (columns[sl.INDENT, at] > 0)) * 2 + leads
    first = columns[sl.FIRST, at]
    opens = 1 if first == DIGIT else 2 if SYMBOL <= first <= OPEN else 0
    size = (length > 19) + (length > 39) + (length > 90) + (length > 200)
    under = max(at, 1)  # and as many blank lines as the second
    gap = min(2, columns[sl.NUMBER, under] - columns[sl.NUMBER, under - 1] - 1)
    return broad, ((broad * 3 + opens) * 5 + size) * 3 + gap
