"""One pass over a page: its non-blank lines as columns of numbers, its content words as hashes.

Holds: `scan`, `Lines`, `Lexicon` and the column names. Reads UTF-8 bytes.
Not here: what the numbers mean for a boundary (`split_features.py`).

A word is a run of letters and digits; in scripts without spaces it is a pair of neighbouring
characters. Words of one letter and words that are frequent in their language (`stops`) carry no
subject and are left out of the content words. What lines that begin with a word mostly are, the
beginning of an article, its end or neither, is known of the words that articles were learned from.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_chars import (
    ASK,
    CASELESS,
    CLOSE,
    COLON,
    COMMA,
    DASH,
    DIGIT,
    HIDDEN,
    KINDS,
    LIMIT,
    LOWER,
    MARK,
    OPEN,
    OTHER,
    SPACE,
    SPACELESS,
    STOP,
    UPPER,
    char_table,
)
from pipeline.ingest.tidy import line_end
from pipeline.signature.compiled import i64, inline, jit, u8, u32

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint32]
Tables = tuple[Bytes, Words, Bytes]

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
BEGINS: Final = 17  # how likely lines with such a first word begin an article: 16 times log odds
ENDS: Final = 18  # how likely they end one
SERVES: Final = 19  # how likely they are the site's
EARLY: Final = 20  # digits among the first characters: a date that stands before the text
CAPITALS: Final = 21  # capitals among the first characters: a place before the text, a heading
SIGNS: Final = 22  # brackets, dashes and colons there: agencies and reporters
SITE: Final = 23  # 2 where the line is the site's, 1 where it may be; `split_site.py` tells
FAMILIAR: Final = 24  # share of its content words that sites use, in percent; of short lines
OPENS: Final = 25  # hash of the line's first characters, numbers counted as equal
CLOSES: Final = 26  # and of its last
COLUMNS: Final = 27

STOP_BITS: Final = 20
HEAD_BITS: Final = 16
NEWLINE: Final = 10
STEM: Final = 6
"""Letters by which a word is known: what follows is mostly inflection."""
OPENING: Final = 32
"""Characters of a line, white space before it left out, that count as its first."""
EDGE: Final = 6
"""Columns that the first and the last characters of a line take which are hashed."""
_PRIME: Final = 0x01000193
_SEED: Final = 0x811C9DC5


class Lexicon(NamedTuple):
    """What is known of words, by their hashes: nothing, for those of languages never seen."""

    stops: Bytes  # 2 ** STOP_BITS flags: words that are frequent in their language
    heads: npt.NDArray[np.int8]  # [3, 2 ** HEAD_BITS]: `BEGINS` to `SERVES` of first words

    @classmethod
    def empty(cls) -> Lexicon:
        """Return that of a language of which nothing is known."""
        stops = np.zeros(1 << STOP_BITS, dtype=np.uint8)
        return cls(stops, np.zeros((3, 1 << HEAD_BITS), dtype=np.int8))


class Lines(NamedTuple):
    """The non-blank lines of a page and its content words, in order."""

    columns: npt.NDArray[np.int32]  # [COLUMNS, lines + 1]; the last column is the page's end
    tokens: npt.NDArray[np.uint32]
    total: int  # lines of the page, blank ones included

    @property
    def size(self) -> int:
        """How many non-blank lines there are."""
        return int(self.columns.shape[1]) - 1

    def part(self, first: int, last: int) -> Lines:
        """Return the lines `[first, last)` as a page of their own, at the places they have."""
        if (first, last) == (0, self.size):
            return self
        columns = self.columns[:, first : last + 1].copy()
        low, high = int(columns[TOKEN, 0]), int(columns[TOKEN, -1])
        columns[TOKEN] -= low
        return Lines(columns, self.tokens[low:high], self.total)


def scan(raw: bytes, lexicon: Lexicon) -> Lines:
    """Measure every non-blank line and hash every content word.

    Args:
        raw: the page in UTF-8; surrogates may stand in it as three bytes.
        lexicon: which words are no content words, and what lines begin with.
    """
    data = np.frombuffer(raw, dtype=np.uint8)
    classes, lower = char_table()
    columns = np.empty((COLUMNS, _count_lines(data) + 1), dtype=np.int32)
    tokens = np.empty(len(data) // 2 + 2, dtype=np.uint32)
    lines, words, total = _scan(data, (classes, lower, lexicon.stops), columns, tokens)
    columns = _shrunk(columns, lines + 1)
    columns[BEGINS : SERVES + 1] = lexicon.heads[:, head_places(columns[HEAD])]
    return Lines(columns, tokens[:words].copy(), total)


def head_places(heads: Ints) -> npt.NDArray[np.uint32]:
    """Return where first words stand in a lexicon; numbers, and lines without words, at 0."""
    return heads.view(np.uint32) >> np.uint32(32 - HEAD_BITS)


def _shrunk(columns: Ints, size: int) -> Ints:
    """Drop the columns of blank lines, unless there are too few to be worth a copy."""
    if size > 0.9 * columns.shape[1]:
        return columns[:, :size]
    return columns[:, :size].copy()


@jit
def _count_lines(data: Bytes) -> int:
    count = 1
    for byte in data:
        count += byte == NEWLINE
    return count


@inline
def _decode(data: Bytes, at: int) -> tuple[int, int]:
    """Return the code point at a byte offset and how many bytes it takes."""
    byte = i64(data[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (i64(data[at + 1]) & 0x3F), 2
    low = (i64(data[at + 1]) & 0x3F) << 6 | (i64(data[at + 2]) & 0x3F)
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | low, 3
    return (byte & 0x07) << 18 | low << 6 | (i64(data[at + 3]) & 0x3F), 4


@inline
def _kind(classes: Bytes, code: int) -> int:
    """Return the class of a code point; those above the table are ideographs or nothing."""
    if code < LIMIT:
        return i64(classes[code])
    return SPACELESS if code < 0x40000 else OTHER


@jit
def _scan(data: Bytes, tables: Tables, columns: Ints, tokens: Words) -> tuple[int, int, int]:
    """Fill `columns` and `tokens`; return how many of each, and the number of lines."""
    lines, words, number, char, start = 0, 0, 0, 0, 0
    counts = np.zeros(KINDS, dtype=np.int64)
    while start < len(data):
        stop = line_end(data, start)
        row = columns[:, lines]
        row[:] = 0
        row[NUMBER], row[CHAR], row[TOKEN] = number, char, words
        chars, found = _measure(data, (start, stop), (tables, counts), row, tokens[words:])
        char += chars
        if row[LENGTH]:
            row[OPENS], row[CLOSES] = (
                _edge(data, start, stop, 1),
                _edge(data, stop - 1, start - 1, -1),
            )
            words += found
            lines += 1
        number += 1
        char += stop < len(data)
        start = stop + 1
    row = columns[:, lines]
    row[:] = 0
    row[NUMBER], row[CHAR], row[TOKEN] = number, char, words
    return lines, words, number


@inline
def _measure(
    data: Bytes,
    span: tuple[int, int],
    tables: tuple[Tables, npt.NDArray[np.int64]],
    row: Ints,
    out: Words,
) -> tuple[int, int]:
    """Fill in what a line looks like and hash its words; return its characters, content words.

    Letters a to z come in runs, need no table and are most of what many languages write.
    """
    maps, counts = tables
    counts[:] = 0
    chars, indent, hashed = 0, 0, u32(0)
    first, end, closed = -1, OTHER, 0
    word, letters, digits, wide, words = u32(_SEED), 0, 0, u32(0), 0
    at = span[0]
    while at < span[1]:
        if _is_plain(data[at]):
            first = LOWER if first < 0 else first
            end, closed, wide, begin = LOWER, 0, u32(0), at
            while at < span[1] and _is_plain(data[at]):
                small = u32(data[at])
                hashed = u32((hashed ^ small) * u32(_PRIME))
                word = u32((word ^ small) * u32(_PRIME)) if letters < STEM else word
                letters += 1
                at += 1
            chars += at - begin
            continue
        code, size = _decode(data, at)
        kind = _kind(maps[0], code)
        at += size
        chars += 1
        counts[kind] += 1
        _open(kind, chars - indent, row)
        if kind < SPACE:
            first = kind if first < 0 else first
            hashed = u32((hashed ^ u32(code)) * u32(_PRIME))
            closed = int(OPEN <= kind <= CLOSE)
            end = end if closed else kind
        else:
            indent += first < 0 and kind == SPACE
        if LOWER <= kind <= MARK:
            small = u32(maps[1][min(code, LIMIT)])
            word = u32((word ^ small) * u32(_PRIME)) if letters < STEM else word
            letters += 1
            digits += kind == DIGIT
        elif letters:
            words += _emit(word, (letters, digits), maps[2], row, out[words:])
            word, letters, digits = u32(_SEED), 0, 0
        is_wide = kind == SPACELESS
        words += _pair((wide if is_wide else u32(0), code), maps[2], row, out[words:])
        wide = u32(code) if is_wide else (wide if kind == HIDDEN else u32(0))
    if letters:
        words += _emit(word, (letters, digits), maps[2], row, out[words:])
    row[INDENT], row[FIRST], row[END], row[CLOSED], row[HASH] = indent, first, end, closed, hashed
    _note(counts, chars, row)
    return chars, words


@inline
def _open(kind: int, place: int, row: Ints) -> None:
    """Count what stands among a line's first characters."""
    if place <= OPENING:
        row[EARLY] += kind == DIGIT
        row[CAPITALS] += kind == UPPER
        row[SIGNS] += DASH <= kind <= CLOSE or kind == COLON


@inline
def _note(counts: npt.NDArray[np.int64], chars: int, row: Ints) -> None:
    """Write down how often the classes of characters occur in a line of so many."""
    row[LENGTH] = chars - counts[SPACE] - counts[HIDDEN] + counts[SPACELESS]
    row[DIGITS], row[UPPERS], row[WIDE] = counts[DIGIT], counts[UPPER], counts[SPACELESS]
    row[COMMAS], row[CASELESSES] = counts[COMMA], counts[CASELESS]
    row[STOPS] = counts[STOP] + counts[ASK]


@inline
def _edge(data: Bytes, at: int, stop: int, step: int) -> int:
    """Hash the characters at an end of a line, to a colon; white space left out, digits as one.

    What a site prints under every article begins or ends alike: "Tags: …", "3 comments".
    """
    hashed, width, in_number = u32(_SEED), 0, False
    byte = u8(0)
    while at != stop and width < EDGE and byte != 0x3A:
        byte = u8(data[at])
        at += step
        if byte <= 0x20:
            continue
        is_digit = u8(byte - u8(0x30)) < 10
        if not (is_digit and in_number):
            hashed = u32((hashed ^ u32(0x30 if is_digit else byte)) * u32(_PRIME))
            width += (byte & 0xC0) != 0x80
            width += byte >= 0xE3
        in_number = is_digit
    return hashed


@inline
def _is_plain(byte: int) -> bool:
    """Whether a byte is one of the letters a to z."""
    return u8(byte - u8(0x61)) < 26


@inline
def _pair(chars: tuple[int, int], stops: Bytes, row: Ints, out: Words) -> int:
    """Count two characters of a spaceless script as a word, if there are two."""
    if not chars[0]:
        return 0
    pair = u32(u32(chars[0]) * u32(0x9E3779B1)) ^ u32(chars[1])
    return _emit(pair, (2, 0), stops, row, out)


@inline
def _mix(value: int) -> int:
    """Spread every bit over all 32 (numba widens products of 32 bits: hence the casts)."""
    value = u32(value)
    value = u32((value ^ (value >> u32(16))) * u32(0x7FEB352D))
    value = u32((value ^ (value >> u32(15))) * u32(0x846CA68B))
    return u32(value ^ (value >> u32(16)))


@inline
def _emit(word: int, size: tuple[int, int], stops: Bytes, row: Ints, out: Words) -> int:
    """Count a word of so many letters and digits into its line; write down content words."""
    mixed = _mix(word)
    if row[WORDS] == 0:
        row[HEAD] = 1 if size[0] == size[1] else mixed
    row[WORDS] += 1
    if size[0] < 2 or stops[u32(mixed >> u32(32 - STOP_BITS))]:
        return 0
    out[0] = mixed
    return 1
