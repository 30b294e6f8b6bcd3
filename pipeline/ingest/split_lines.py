"""One pass over a page: its non-blank lines as columns of numbers, its content words as hashes.

Holds: `scan`, `Lines` and the column names. Reads UTF-8 bytes.
Not here: what the numbers mean for a boundary (`split_features.py`).

A word is a run of letters and digits; in scripts without spaces it is a pair of neighbouring
characters. Words of one letter and words that are frequent in their language (`stops`) carry no
subject and are left out of the content words.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_chars import (
    CLOSE,
    COMMA,
    DIGIT,
    HIDDEN,
    LIMIT,
    LOWER,
    MARK,
    OPEN,
    SPACE,
    SPACELESS,
    STOP,
    UPPER,
    char_table,
)

NUMBER: Final = 0  # line number in the page, from 0
CHAR: Final = 1  # first character of the line in the page
LENGTH: Final = 2  # visible characters; one of a spaceless script counts as two
INDENT: Final = 3  # white space before the first visible character
FIRST: Final = 4  # class of the first visible character
END: Final = 5  # class of the last visible character, closing marks and quotes passed over
CLOSED: Final = 6  # whether such a mark ends the line
DIGITS: Final = 7
UPPERS: Final = 8
WIDE: Final = 9  # characters of spaceless scripts
COMMAS: Final = 10
STOPS: Final = 11
WORDS: Final = 12  # all words
TOKEN: Final = 13  # index of the line's first content word
HASH: Final = 14  # of the visible characters
HEAD: Final = 15  # of the first word, digits counted as equal
CASELESSES: Final = 16  # letters without case, spaceless scripts apart
BYTE: Final = 17  # first byte of the line
COLUMNS: Final = 18

STOP_BITS: Final = 20
_PRIME: Final = 0x01000193
_SEED: Final = 0x811C9DC5

_jit = nb.njit(cache=True, nogil=True)
_inline = nb.njit(inline="always")


class Lines(NamedTuple):
    """The non-blank lines of a page and its content words, in order."""

    columns: npt.NDArray[np.int32]  # [COLUMNS, lines + 1]; the last column is the page's end
    tokens: npt.NDArray[np.uint32]
    total: int  # lines of the page, blank ones included

    @property
    def count(self) -> int:
        """How many non-blank lines there are."""
        return self.columns.shape[1] - 1


def scan(raw: bytes, stops: npt.NDArray[np.uint8]) -> Lines:
    """Measure every non-blank line and hash every content word.

    Args:
        raw: the page in UTF-8; surrogates may stand in it as three bytes.
        stops: table of `2 ** STOP_BITS` flags: words that are frequent in their language.
    """
    data = np.frombuffer(raw, dtype=np.uint8)
    classes, lower = char_table()
    columns = np.zeros((_count_lines(data) + 1, COLUMNS), dtype=np.int32)
    tokens = np.empty(len(data) // 2 + 2, dtype=np.uint32)
    lines, words, total = _scan(data, (classes, lower, stops), columns, tokens)
    return Lines(np.ascontiguousarray(columns[: lines + 1].T), tokens[:words].copy(), total)


@_jit  # type: ignore[untyped-decorator]  # numba has no annotations
def _count_lines(data: npt.NDArray[np.uint8]) -> int:
    count = 1
    for byte in data:
        count += byte == 10
    return count


@_inline  # type: ignore[untyped-decorator]
def _decode(data: npt.NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Return the code point at a byte offset and how many bytes it takes."""
    byte = np.int64(data[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (np.int64(data[at + 1]) & 0x3F), 2
    low = (np.int64(data[at + 1]) & 0x3F) << 6 | (np.int64(data[at + 2]) & 0x3F)
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | low, 3
    return (byte & 0x07) << 18 | low << 6 | (np.int64(data[at + 3]) & 0x3F), 4


@_inline  # type: ignore[untyped-decorator]
def _mix(value: int) -> int:
    """Spread every bit over all 32 (numba widens products of 32 bits: hence the casts)."""
    value = np.uint32(value)
    value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D))
    value = np.uint32((value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(value ^ (value >> np.uint32(16)))


@_inline  # type: ignore[untyped-decorator]
def _visible(row: npt.NDArray[np.int32], kind: int, code: int) -> None:
    """Count one visible character into its line."""
    if row[LENGTH] == 0:
        row[FIRST] = kind
    row[LENGTH] += 2 if kind == SPACELESS else 1
    row[HASH] = np.int32(np.uint32((np.uint32(row[HASH]) ^ np.uint32(code)) * np.uint32(_PRIME)))
    if kind == CLOSE or kind == OPEN:  # noqa: PLR1714 - numba compiles this to less than `in`
        row[CLOSED] = 1
    else:
        row[CLOSED] = 0
        row[END] = kind
    row[DIGITS] += kind == DIGIT
    row[UPPERS] += kind == UPPER
    row[WIDE] += kind == SPACELESS
    row[COMMAS] += kind == COMMA
    row[STOPS] += kind == STOP
    row[CASELESSES] += kind == 3


@_inline  # type: ignore[untyped-decorator]
def _in_word(kind: int) -> bool:
    return LOWER <= kind <= MARK and kind != SPACELESS


@_jit  # type: ignore[untyped-decorator]
def _scan(
    data: npt.NDArray[np.uint8],
    tables: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32], npt.NDArray[np.uint8]],
    columns: npt.NDArray[np.int32],
    tokens: npt.NDArray[np.uint32],
) -> tuple[int, int, int]:
    """Fill `columns` and `tokens`; return how many of each, and the number of lines."""
    classes, lower, stops = tables
    lines, words, number, char, at = 0, 0, 0, 0, 0
    row = columns[0]
    word, letters, wide = np.uint32(_SEED), 0, np.uint32(0)
    while at < len(data):
        code, size = _decode(data, at)
        kind = classes[min(code, LIMIT)]
        if 0x20000 <= code < 0x40000:
            kind = SPACELESS
        at += size
        char += 1
        if _in_word(kind):
            small = np.uint32(code) if code >= LIMIT else lower[code]
            word = np.uint32((word ^ small) * np.uint32(_PRIME))
            letters += 1
        elif letters:
            words += _emit(word, letters, row, stops, tokens[words:])
            word, letters = np.uint32(_SEED), 0
        if kind == SPACELESS:
            if wide != 0:
                pair = np.uint32(wide * np.uint32(0x9E3779B1)) ^ np.uint32(code)
                words += _emit(pair, 2, row, stops, tokens[words:])
            wide = np.uint32(code)
        elif kind != HIDDEN and code != 10:
            wide = np.uint32(0)
        if code == 10:
            number += 1
            wide = np.uint32(0)
            if row[LENGTH]:
                lines += 1
                row = columns[lines]
            row[:] = 0
            row[NUMBER], row[CHAR], row[TOKEN], row[BYTE] = number, char, words, at
        elif kind == SPACE:
            row[INDENT] += row[LENGTH] == 0
        elif kind != HIDDEN:
            _visible(row, kind, code)
    if letters:
        words += _emit(word, letters, row, stops, tokens[words:])
    if row[LENGTH]:
        lines += 1
    total = number + (1 if len(data) and data[-1] != 10 else 0)
    last = columns[lines]
    last[:] = 0
    last[NUMBER], last[CHAR], last[TOKEN], last[BYTE] = total, char, words, at
    return lines, words, total


@_inline  # type: ignore[untyped-decorator]
def _emit(
    word: int,
    letters: int,
    row: npt.NDArray[np.int32],
    stops: npt.NDArray[np.uint8],
    tokens: npt.NDArray[np.uint32],
) -> int:
    """Count a word into its line; write it down if it is a content word."""
    mixed = _mix(word)
    if row[WORDS] == 0:
        row[HEAD] = np.int32(1) if row[DIGITS] == letters else np.int32(mixed)
    row[WORDS] += 1
    if letters < 2 or stops[np.uint32(mixed >> np.uint32(32 - STOP_BITS))]:
        return 0
    tokens[0] = mixed
    return 1
