"""Where digits stand close together: the places at which numbers and dates are worth looking for.

Holds: `Windows`, `numbers`, `years`. Compiled; reads and writes nothing.
Not here: what a number is (`personal.py`), what a date is (`dates/written.py`).

Both go over the bytes of a whole batch and return windows in characters. Most texts have none, and
are never looked at by a regular expression.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.utf8 import Bytes, Offsets, buffers
from pipeline.signature.compiled import i64, jit

Windows: TypeAlias = NDArray[np.int64]
"""Rows of (text, first character, character after the last), in order; none overlaps another."""

ZERO, NINE, LINE_FEED = 0x30, 0x39, 10
LEAST, GAP, MARGIN = 7, 4, 24
DAYS_BEFORE, DAYS_AFTER, AROUND = 48, 30, 60

_JOINS = np.zeros(256, np.bool_)
_JOINS[list(" ().+-ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00a0\u202f\u2011".encode())] = True


def numbers(texts: pa.StringArray) -> Windows:
    """Return the surroundings of groups of seven digits or more.

    Digits are one group while no more than four characters stand between two, and these are what
    stands inside phone, account and identity numbers: spaces, brackets, full stops, hyphens, plus
    signs, capitals of ASCII. 24 characters are added on both sides.
    """
    return _numbers(*buffers(texts), _JOINS)


def years(texts: pa.StringArray) -> Windows:
    """Return the surroundings of years that may belong to a date.

    A year is four digits alone, from 1600 to 2099. One or two digits must stand in its line, among
    the 48 characters before it or the 30 behind it. 60 characters are added on both sides.
    """
    return _years(*buffers(texts))


@jit
def _add(found: Windows, count: int, text: int, low: int, high: int) -> int:
    """Add a window, or make the last one longer that it touches; return how many there are."""
    low = max(0, low)
    if count and found[count - 1, 0] == text and low <= found[count - 1, 2]:
        found[count - 1, 2] = max(found[count - 1, 2], high)
        return count
    found[count, 0], found[count, 1], found[count, 2] = text, low, high
    return count + 1


@jit
def _numbers(data: Bytes, offsets: Offsets, joins: NDArray[np.bool_]) -> Windows:
    found = np.empty((i64(offsets[-1] - offsets[0]) // LEAST + 1, 3), np.int64)
    count = 0
    for text in range(len(offsets) - 1):
        digits, start, last, at = 0, 0, 0, -1
        for place in range(offsets[text], offsets[text + 1]):
            byte = data[place]
            at += byte & 0xC0 != 0x80
            if ZERO <= byte <= NINE:
                start = start if digits else at
                digits, last = digits + 1, at
            elif digits and (not joins[byte] or at - last > GAP):
                if digits >= LEAST:
                    count = _add(found, count, text, start - MARGIN, last + 1 + MARGIN)
                digits = 0
        if digits >= LEAST:
            count = _add(found, count, text, start - MARGIN, last + 1 + MARGIN)
    return found[:count]


@jit
def _years(data: Bytes, offsets: Offsets) -> Windows:
    found = np.empty((i64(offsets[-1] - offsets[0]) // 4 + 1, 3), np.int64)
    count = 0
    for text in range(len(offsets) - 1):
        digits, number, at, day = 0, 0, -1, -1 - DAYS_BEFORE
        end = i64(offsets[text + 1])
        for place in range(offsets[text], end + 1):
            byte = data[place] if place < end else np.uint8(LINE_FEED)
            at += byte & 0xC0 != 0x80
            if ZERO <= byte <= NINE:
                digits += 1
                number = i64(number * 10 + byte - ZERO) if digits <= 4 else 0
                continue
            if digits == 4 and 1600 <= number < 2100:
                start = at - 4
                if day >= start - DAYS_BEFORE or _day_after(data, place, end):
                    count = _add(found, count, text, start - AROUND, at + AROUND)
            elif 0 < digits <= 2:
                day = at
            digits = number = 0
            if byte == LINE_FEED:
                day = -1 - DAYS_BEFORE
    return found[:count]


@jit
def _day_after(data: Bytes, place: int, end: int) -> bool:
    """Whether a digit stands among the next characters of the line."""
    seen = 0
    while place < end and seen < DAYS_AFTER and data[place] != LINE_FEED:
        if ZERO <= data[place] <= NINE:
            return True
        seen += data[place] & 0xC0 != 0x80
        place += 1
    return False
