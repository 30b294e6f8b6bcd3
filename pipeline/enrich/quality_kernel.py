"""One pass over the texts of a batch that counts words, letters and lines.

Holds: `count`, `NUMBERS`, the constants of its hash, `hashed`, `slots`. Compiled; reads and writes
nothing else. Not here: what the counts mean (`quality.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.enrich.utf8 import BULLET, END, LETTER, SPACE, Bytes, Offsets, decode
from pipeline.signature.compiled import i64, jit, u64

Codes: TypeAlias = NDArray[np.uint32]
Hashes: TypeAlias = NDArray[np.uint64]
Counts: TypeAlias = NDArray[np.int64]

NUMBERS = 13
HASH_SEED = 0xCBF29CE484222325
HASH_PRIME = 0x100000001B3

WORDS, CHARACTERS, SYMBOLS, ALPHABETIC, RUNS, STOPS = range(6)
LINES, TWICE, TWICE_CHARACTERS, LINE_CHARACTERS, ELLIPSIS, BULLETS, ENDED = range(6, 13)

LINE_FEED, HASH_SIGN, FULL_STOP, DOTS = 10, 0x23, 0x2E, 0x2026
BLOCK = 12
"""A line's bytes are multiplied by 2 ** 12 factors in turn."""
ROOM = 4
"""Slots of the table of stop words for each word."""


def hashed(word: str) -> int:
    """Hash a word as the kernel does."""
    value = HASH_SEED
    for character in word:
        value = ((value ^ ord(character)) * HASH_PRIME) & ((1 << 64) - 1)
    return value


def slots(words: Iterable[str]) -> Hashes:
    """Return a hash table of words: a power of two of slots, 0 where one is free."""
    wanted = {hashed(word) for word in words}
    table = np.zeros(1 << (ROOM * max(1, len(wanted)) - 1).bit_length(), np.uint64)
    for value in sorted(wanted):
        slot = (value >> 32) % len(table)
        while table[slot]:
            slot = (slot + 1) % len(table)
        table[slot] = value
    return table


@cache
def _factors() -> Hashes:
    """Return odd factors that look random (SplitMix64)."""
    value = np.arange(1, (1 << BLOCK) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (value ^ (value >> np.uint64(31))) | np.uint64(1)


def count(
    texts: tuple[Bytes, Offsets],
    tables: tuple[Bytes, Codes],
    *,
    lists: tuple[Hashes, Counts],
    found: Counts,
    most: int,
) -> None:
    """Fill `found` with the counts of each text.

    Args:
        texts: bytes and offsets of the batch (`utf8.buffers`).
        tables: the flags of each code point, and the small letter of each of the first ones.
        lists: the slots of all lists of stop words, one after the other; and for each text, (n, 2),
            the first slot and the number of slots of its list, 0 for no list.
        found: (n, 13) numbers.
        most: characters of a text that count.
    """
    _count(texts, (*tables, _factors()), lists, found, most)


@jit
def _count(
    texts: tuple[Bytes, Offsets],
    tables: tuple[Bytes, Codes, Hashes],
    lists: tuple[Hashes, Counts],
    found: Counts,
    most: int,
) -> None:
    data, offsets = texts
    flags, small, factors = tables
    stop, where = lists
    longest = i64(1)
    for text in range(len(offsets) - 1):
        longest = max(longest, i64(offsets[text + 1]) - i64(offsets[text]) + 1)
    hashes, lengths = np.empty(longest, np.uint64), np.empty(longest, np.int64)
    for text in range(len(offsets) - 1):
        span = (i64(offsets[text]), _end(data, i64(offsets[text]), i64(offsets[text + 1]), most))
        words = stop[where[text, 0] : where[text, 0] + where[text, 1]]
        found[text] = 0
        _words(data, span, (flags, small), words, found[text])
        _lines(data, span, (flags, factors), (hashes, lengths), found[text])


@jit
def _end(data: Bytes, place: int, last: int, most: int) -> int:
    """Return where the first `most` characters end."""
    if last - place <= most:
        return last
    seen = 0
    while place < last and seen < most:
        place += 1
        while place < last and data[place] & 0xC0 == 0x80:
            place += 1
        seen += 1
    return place


@jit
def _words(
    data: Bytes,
    span: tuple[int, int],
    tables: tuple[Bytes, Codes],
    stop: Hashes,
    found: Counts,
) -> None:
    """Count words, their characters and symbols, runs of letters, and those that are stop words."""
    flags, small = tables
    place, last = span
    inside, alphabetic, dots, seen, length = 0, 0, 0, 0, 0
    words, spaces, symbols, letters, runs, stops = 0, 0, 0, 0, 0, 0
    value = u64(HASH_SEED)
    while place < last:
        code, place = decode(data, place)
        flag = flags[code]
        seen += 1
        if flag & LETTER:
            low = i64(small[code]) if code < len(small) else code
            value = (value ^ u64(low)) * u64(HASH_PRIME)
            words += 1 - inside
            letters += 1 - alphabetic
            inside = alphabetic = length = 1
            dots = 0
            continue
        if length:
            runs += 1
            stops += _is_in(value, stop)
            value, length = u64(HASH_SEED), 0
        if flag & SPACE:
            spaces += 1
            inside = alphabetic = dots = 0
            continue
        dots = dots + 1 if code == FULL_STOP else 0
        symbols += code in (HASH_SIGN, DOTS) or dots == 3
        words += 1 - inside
        inside = 1
    if length:
        runs += 1
        stops += _is_in(value, stop)
    found[WORDS], found[CHARACTERS], found[SYMBOLS] = words, seen - spaces, symbols
    found[ALPHABETIC], found[RUNS], found[STOPS] = letters, runs, stops


@jit
def _is_in(value: int, table: Hashes) -> bool:
    """Look a hash up; the table has free slots."""
    if not len(table):
        return False
    mask = u64(len(table) - 1)
    slot = (value >> u64(32)) & mask
    while table[slot]:
        if table[slot] == value:
            return True
        slot = (slot + u64(1)) & mask
    return False


@jit
def _lines(
    data: Bytes,
    span: tuple[int, int],
    tables: tuple[Bytes, Hashes],
    room: tuple[Hashes, Counts],
    found: Counts,
) -> None:
    """Count lines that are not blank, how they begin and end, and those that came before.

    A line counts from its first to its last visible character.
    """
    flags, factors = tables
    hashes, lengths = room
    number, start = 0, span[0]
    for place in range(span[0], span[1] + 1):
        if place < span[1] and data[place] != LINE_FEED:
            continue
        first, last = _trimmed(data, start, place, flags)
        start = place + 1
        if first == last:
            continue
        opening, _ = decode(data, first)
        closing, _ = decode(data, _before(data, last))
        found[BULLETS] += flags[opening] & BULLET != 0
        found[ENDED] += flags[closing] & END != 0
        found[ELLIPSIS] += closing == DOTS or _dotted(data, first, last)
        hashes[number], lengths[number] = _line_hash(data, first, last, factors)
        found[LINE_CHARACTERS] += lengths[number]
        number += 1
    found[LINES] = number
    _repeats(hashes[:number], lengths, found)


@jit
def _trimmed(data: Bytes, first: int, last: int, flags: Bytes) -> tuple[int, int]:
    """Leave out white space at both ends."""
    while first < last:
        code, after = decode(data, first)
        if not flags[code] & SPACE:
            break
        first = after
    while last > first:
        start = _before(data, last)
        code, _ = decode(data, start)
        if not flags[code] & SPACE:
            break
        last = start
    return first, last


@jit
def _before(data: Bytes, place: int) -> int:
    """Return where the character before a place begins."""
    place -= 1
    while data[place] & 0xC0 == 0x80:
        place -= 1
    return place


@jit
def _dotted(data: Bytes, first: int, last: int) -> bool:
    if last - first < 3:
        return False
    return bool(data[last - 1] == data[last - 2] == data[last - 3] == FULL_STOP)


@jit
def _line_hash(data: Bytes, first: int, last: int, factors: Hashes) -> tuple[int, int]:
    """Return a hash of the bytes of a line, a sum that does not wait for itself, and its length."""
    value, length, mask = u64(last - first), 0, len(factors) - 1
    for place in range(first, last):
        at = place - first
        factor = factors[at & mask] + u64(at >> BLOCK) * u64(HASH_PRIME)
        value += u64(data[place] + u64(1)) * factor
        length += data[place] & 0xC0 != 0x80
    return value, length


@jit
def _repeats(hashes: Hashes, lengths: Counts, found: Counts) -> None:
    """Count the lines that are equal to another before them in order of hashes."""
    if len(hashes) < 2:
        return
    order = np.argsort(hashes, kind="mergesort")
    for rank in range(1, len(order)):
        if hashes[order[rank]] == hashes[order[rank - 1]]:
            found[TWICE] += 1
            found[TWICE_CHARACTERS] += lengths[order[rank]]
