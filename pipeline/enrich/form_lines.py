"""What the lines of a text look like, counted in one pass over the bytes of a batch.

Holds: `survey`, and the names of its columns. Compiled; reads and writes nothing.
Not here: the rules (`forms.py`).

Half of the columns are only what a rule's pattern needs at the least: texts that have too little of
it are not looked at by the pattern.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.utf8 import SPACE, Bytes, Offsets, buffers, decode, flags
from pipeline.signature.compiled import i64, jit

Counts: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.int64]

COLUMNS = 10
(LINES, CHARACTERS, PROSE, ASKING, COLONS, NUMBERED, PROVISIONS, ASKED, ANSWERED, DASHES) = range(
    COLUMNS
)
"""Lines with something in them; their characters; those in lines above 80; lines that end with a
question mark; that have a colon near their beginning; that begin with a digit, # or [; that have a
digit near it, and do not begin with one; that begin like the words for question, and for answer,
with a sign near; and of the first three, those with a dash near their beginning."""

LONG_LINE, NEAR, NEARER, FIRST_LINES = 80, 60, 18, 3
LINE_FEED, COLON, WIDE_COLON, HASH, BRACKET = 10, 0x3A, 0xFF1A, 0x23, 0x5B
_ASKS = np.array([ord(one) for one in "?？؟\u037e"], np.int64)
_DASHES = np.array([ord(one) for one in "-–—"], np.int64)
_SIGNS = np.array([ord(one) for one in ":.："], np.int64)


def survey(texts: pa.StringArray, initials: tuple[str, str]) -> Counts:
    """Return the ten numbers of each text; `initials` are those of questions and of answers."""
    asked, answered = (np.array([ord(one) for one in some], np.int64) for some in initials)
    return _survey(*buffers(texts), flags(), (asked, answered))


@jit
def _is_one(code: int, some: Codes) -> bool:
    for one in some:  # noqa: SIM110 - compiled: a loop is what it becomes
        if code == one:
            return True
    return False


@jit
def _survey(data: Bytes, offsets: Offsets, flags: Bytes, initials: tuple[Codes, Codes]) -> Counts:
    found = np.zeros((len(offsets) - 1, COLUMNS), np.int64)
    for text in range(len(offsets) - 1):
        place, end = i64(offsets[text]), i64(offsets[text + 1])
        while place < end:
            place = _line(data, (place, end), flags, initials, found[text])
    return found


@jit
def _line(
    data: Bytes,
    span: tuple[int, int],
    flags: Bytes,
    initials: tuple[Codes, Codes],
    found: Counts,
) -> int:
    """Add a line's numbers; return where the next one begins."""
    place, end = span
    length, visible, last = 0, 0, 0
    first, before, signs, digits, colon, dash = 0, 0, False, False, False, False
    while place < end:
        code, place = decode(data, place)
        if code == LINE_FEED:
            break
        space = flags[code] & SPACE != 0
        if space and not length:
            continue
        first = first if length else code
        length += 1
        if length <= NEAR:
            colon |= code == WIDE_COLON or (space and before == COLON)
            dash |= _is_one(code, _DASHES)
            signs |= length <= NEARER and _is_one(code, _SIGNS)
            digits |= length <= NEARER and _is_digit(code)
        if not space:
            visible, last = length, code
        before = code
    if visible:
        found[LINES] += 1
        found[CHARACTERS] += visible
        found[PROSE] += visible if visible > LONG_LINE else 0
        found[ASKING] += _is_one(last, _ASKS)
        found[COLONS] += colon or (last == COLON and visible <= NEAR)
        found[NUMBERED] += first in (HASH, BRACKET) or _is_digit(first)
        found[PROVISIONS] += digits and not _is_digit(first)
        found[ASKED] += signs and _is_one(first, initials[0])
        found[ANSWERED] += signs and _is_one(first, initials[1])
        found[DASHES] += dash and found[LINES] <= FIRST_LINES
    return place


@jit
def _is_digit(code: int) -> bool:
    return 0x30 <= code <= 0x39
