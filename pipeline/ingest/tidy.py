"""Two passes over UTF-8 that tell, or mend, at the pace of memory what a line's ends hold.

Holds: `tidy` (line ends, controls, blanks at line ends) and `has_insets` (whether a line may be an
inset). Pure. Not here: the rest of normalisation (`normalise.py`), which lines are insets
(`insets.py`).

Both look at bytes, so that a text of any script costs the same and no string a line is made.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import i64, inline, jit, u64
from pipeline.signature.vector import controls64, ends64, latin64, trailing_zeros

Bytes = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.int64]

TAB: Final = 0x09
NEWLINE: Final = 0x0A
RETURN: Final = 0x0D
BLANK: Final = 0x20
DELETE: Final = 0x7F
DOT: Final = 0x2E
LEAD: Final = 0xC2
HIGH: Final = 0xA0  # U+0080 to U+009F are LEAD and a byte below HIGH

_WIDTH: Final = 64
_NOTHING: Final = 0
_BLANKS: Final = 1
_CONTROLS: Final = 2

CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def tidy(raw: str) -> str:
    """Make line ends LF, leave out control characters but TAB, and blanks at line ends.

    A text that needs nothing is returned as it is.
    """
    if "\r" in raw:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    data = _bytes(raw)
    found = _look(data)
    if found == _NOTHING:
        return raw
    if found == _CONTROLS:
        raw = CONTROL.sub("", raw)
        data = _bytes(raw)
    out = np.empty_like(data)
    size = _trim(data, out)
    return raw if size == len(data) else out[:size].tobytes().decode("utf-8", "surrogatepass")


def has_insets(text: str, endings: Codes) -> bool:
    """Whether two neighbouring lines are equal or one ends in a file extension, blanks apart.

    Args:
        text: lines; those that are blank are passed over.
        endings: the extensions, as `packed` writes them.
    """
    return _has_insets(_bytes(text), endings)


def packed(ending: str) -> int:
    """Write a file extension of three or four letters, dot included, as one number."""
    return int.from_bytes(ending.encode(), "big")


def _bytes(raw: str) -> Bytes:
    return np.frombuffer(raw.encode("utf-8", "surrogatepass"), np.uint8)


@inline
def _blank_size(data: Bytes, at: int) -> int:
    """Return the bytes of the character at a place if it is white space, else 0."""
    byte = data[at]
    if byte <= BLANK:
        return int(byte == BLANK or TAB <= byte <= RETURN or byte >= 0x1C)
    if byte == 0xC2:
        return 2 * int(data[at + 1] == 0x85 or data[at + 1] == 0xA0)
    if byte == 0xE1:
        return 3 * int(data[at + 1] == 0x9A and data[at + 2] == 0x80)
    if byte == 0xE2:
        return 3 * int(_is_general_blank(data[at + 1], data[at + 2]))
    return 3 * int(byte == 0xE3 and data[at + 1] == 0x80 and data[at + 2] == 0x80)


@inline
def _is_general_blank(second: int, third: int) -> bool:
    """Whether these bytes behind E2 are white space: U+2000-200A, 2028, 2029, 202F, 205F."""
    if second == 0x80:
        return third <= 0x8A or third in (0xA8, 0xA9, 0xAF)
    return second == 0x81 and third == 0x9F


@jit
def _look(data: Bytes) -> int:
    """Tell whether there is a control character, or else white space at a line's end."""
    found, at = _NOTHING, 0
    while at + _WIDTH <= len(data):
        if controls64(data, at) or (latin64(data, at) and _has_controls(data, at, at + _WIDTH)):
            return _CONTROLS
        ends = ends64(data, at)
        while ends and found == _NOTHING:
            stop = at + trailing_zeros(ends)
            found = _BLANKS if _end(data, max(0, stop - 3), stop) < stop else found
            ends &= ends - u64(1)
        at += _WIDTH
    if _has_controls(data, at, len(data)):
        return _CONTROLS
    for stop in range(at, len(data) + 1):
        is_end = stop == len(data) or data[stop] == NEWLINE
        found = _BLANKS if is_end and _end(data, max(0, stop - 3), stop) < stop else found
    return found


@inline
def _has_controls(data: Bytes, low: int, high: int) -> bool:
    """Whether there are control characters but TAB and LF."""
    found = False
    for at in range(low, high):
        byte = data[at]
        found |= (byte < BLANK and byte not in (TAB, NEWLINE)) or byte == DELETE
        found |= byte == LEAD and at + 1 < len(data) and data[at + 1] < HIGH
    return found


@jit
def _trim(data: Bytes, out: Bytes) -> int:
    """Copy all but white space at line ends to `out`, if there is any; return the bytes left."""
    start, copied, size = 0, 0, 0
    while start <= len(data):
        stop = line_end(data, start)
        end = _end(data, start, stop)
        if end < stop:
            size = _copy(data, copied, end, out, size)
            copied = stop
        start = stop + 1
    if copied == 0:
        return len(data)
    return _copy(data, copied, len(data), out, size)


@jit
def _has_insets(data: Bytes, endings: Codes) -> bool:
    start, first, last = 0, 0, 0
    while start < len(data):
        stop = line_end(data, start)
        end = _end(data, start, stop)
        low = _start(data, start, end)
        if low < end:
            if _ends_like_one(data, low, end, endings):
                return True
            if end - low == last - first and _are_equal(data, low, first, end - low):
                return True
            first, last = low, end
        start = stop + 1
    return False


@inline
def line_end(data: Bytes, at: int) -> int:
    """Return where the line that goes on at a place ends: its line feed, or the end of all."""
    while at + 64 <= len(data):
        size = trailing_zeros(ends64(data, at))
        if size < 64:
            return at + size
        at += 64
    while at < len(data) and data[at] != NEWLINE:
        at += 1
    return at


@jit
def _start(data: Bytes, low: int, high: int) -> int:
    """Return where the white space at the start of a line ends."""
    while low < high:
        size = _blank_size(data, low)
        if size == 0:
            break
        low += size
    return low


@jit
def _end(data: Bytes, low: int, high: int) -> int:
    """Return where the white space at the end of a line begins."""
    while low < high:
        at = high - 1
        while data[at] & 0xC0 == 0x80:
            at -= 1
        if _blank_size(data, at) == 0:
            break
        high = at
    return high


@inline
def _ends_like_one(data: Bytes, low: int, high: int, endings: Codes) -> bool:
    """Whether a line ends in one of the extensions, whatever the case."""
    for size in (4, 5):
        if high - low >= size and data[high - size] == DOT:
            code = i64(0)
            for at in range(high - size, high):
                byte = i64(data[at])
                code = code << 8 | (byte | 0x20 if 0x41 <= byte <= 0x5A else byte)
            for ending in endings:
                if ending == code:
                    return True
    return False


@inline
def _are_equal(data: Bytes, first: int, second: int, size: int) -> bool:
    at = 0
    while at < size and data[first + at] == data[second + at]:
        at += 1
    return at == size


@jit
def _copy(data: Bytes, low: int, high: int, out: Bytes, size: int) -> int:
    """Copy a run of bytes behind the first `size` of `out`; return how many it holds then."""
    for at in range(low, high):
        out[size + at - low] = data[at]
    return size + high - low
