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
from pipeline.signature.compiled import inline, jit

BROAD: Final = 24
CLOSE: Final = BROAD * 45


class Kinds(NamedTuple):
    """The kind of every line: broad (how it ends and what is around it) and close."""

    of: npt.NDArray[np.int32]  # [2, lines]
    many: npt.NDArray[np.int32]  # [2, CLOSE]: lines of the page of each kind
    back: npt.NDArray[np.int32]  # lines since the last one of the same broad kind, or since none
    ahead: npt.NDArray[np.int32]  # lines to the next one


@jit
def kinds(columns: npt.NDArray[np.int32]) -> Kinds:
    """Sort the lines of a page by their looks."""
    count = columns.shape[1] - 1
    of = np.empty((2, count), dtype=np.int32)
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
    return Kinds(of, many, back, ahead)


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
