"""One pass over the code points of a text that counts words, letters and lines.

Holds: `count`, `NUMBERS`, the constants of its hash. Compiled; reads and writes nothing else.
Not here: what the counts mean (`quality.py`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.signature.compiled import jit, u64

Codes: TypeAlias = NDArray[np.uint32]
Hashes: TypeAlias = NDArray[np.uint64]
Counts: TypeAlias = NDArray[np.int64]

NUMBERS = 13
HASH_SEED = 0xCBF29CE484222325
HASH_PRIME = 0x100000001B3

WORDS, CHARACTERS, SYMBOLS, ALPHABETIC, RUNS, STOPS = range(6)
LINES, TWICE, TWICE_CHARACTERS, LINE_CHARACTERS, ELLIPSIS, BULLETS, ENDED = range(6, 13)

LINE_FEED, HASH_SIGN, FULL_STOP, DOTS = 10, 0x23, 0x2E, 0x2026
_BULLETS = np.array([ord(one) for one in "•‣▶◀◦■□▪▫–-*·●○"], np.uint32)
_ENDS = np.array([ord(one) for one in '.!?"”»…。！？」।؟۔'], np.uint32)
_SPACES = np.array(
    [9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
     0x205F, 0x3000],
    np.uint32,
)  # fmt: skip


def count(
    codes: Codes, weights: NDArray[np.uint8], small: Codes, stop: Hashes, found: Counts
) -> None:
    """Fill `found` with the counts of one text.

    Args:
        codes: the text.
        weights: above 0 for letters.
        small: the small letter of each of the first code points.
        stop: sorted hashes of stop words; empty when the language has none.
        found: one number for each of the 13 counts.
    """
    found[:] = 0
    _words(codes, weights, found)
    _letter_runs(codes, weights, small, stop, found)
    _lines(codes, found)


@jit
def _in(code: int, some: Codes) -> bool:
    for one in some:  # noqa: SIM110 - compiled: a loop is what it becomes
        if code == one:
            return True
    return False


@jit
def _is_space(code: int) -> bool:
    if code < 128:
        return code == 32 or 9 <= code <= 13
    return _in(code, _SPACES)


@jit
def _words(codes: Codes, weights: NDArray[np.uint8], found: Counts) -> None:
    """Count words, their characters, those with a letter, and hash signs and ellipses."""
    inside, letter, stops = False, False, 0
    for code in codes:
        stops = stops + 1 if code == FULL_STOP else 0
        found[SYMBOLS] += code in (HASH_SIGN, DOTS) or stops == 3
        if _is_space(code):
            inside = letter = False
            continue
        found[CHARACTERS] += 1
        if not inside:
            found[WORDS] += 1
            inside = True
        if not letter and weights[code]:
            found[ALPHABETIC] += 1
            letter = True


@jit
def _letter_runs(
    codes: Codes, weights: NDArray[np.uint8], small: Codes, stop: Hashes, found: Counts
) -> None:
    """Count runs of letters, and those that are stop words."""
    value, length = u64(HASH_SEED), 0
    for place in range(len(codes) + 1):
        code = codes[place] if place < len(codes) else np.uint32(32)
        if weights[code]:
            low = small[code] if code < len(small) else code
            value = (value ^ u64(low)) * u64(HASH_PRIME)
            length += 1
        elif length:
            found[RUNS] += 1
            at = np.searchsorted(stop, value)
            found[STOPS] += at < len(stop) and stop[at] == value
            value, length = u64(HASH_SEED), 0


@jit
def _lines(codes: Codes, found: Counts) -> None:
    """Count lines that are not blank, how they begin and end, and those that came before."""
    most = 1
    for code in codes:
        most += code == LINE_FEED
    hashes, lengths = np.empty(most, np.uint64), np.empty(most, np.int64)
    number, start = 0, 0
    for place in range(len(codes) + 1):
        if place < len(codes) and codes[place] != LINE_FEED:
            continue
        first, last = _trimmed(codes, start, place)
        start = place + 1
        if first == last:
            continue
        found[BULLETS] += _in(codes[first], _BULLETS)
        found[ENDED] += _in(codes[last - 1], _ENDS)
        found[ELLIPSIS] += codes[last - 1] == DOTS or _dotted(codes, first, last)
        hashes[number], lengths[number] = _line_hash(codes, first, last), last - first
        number += 1
    found[LINES] = number
    order = np.argsort(hashes[:number], kind="mergesort")
    for rank in range(number):
        found[LINE_CHARACTERS] += lengths[order[rank]]
        if rank and hashes[order[rank]] == hashes[order[rank - 1]]:
            found[TWICE] += 1
            found[TWICE_CHARACTERS] += lengths[order[rank]]


@jit
def _trimmed(codes: Codes, first: int, last: int) -> tuple[int, int]:
    while first < last and _is_space(codes[first]):
        first += 1
    while last > first and _is_space(codes[last - 1]):
        last -= 1
    return first, last


@jit
def _dotted(codes: Codes, first: int, last: int) -> bool:
    if last - first < 3:
        return False
    return bool(
        codes[last - 1] == FULL_STOP
        and codes[last - 2] == FULL_STOP
        and codes[last - 3] == FULL_STOP
    )


@jit
def _line_hash(codes: Codes, first: int, last: int) -> int:
    value = u64(HASH_SEED)
    for place in range(first, last):
        value = (value ^ u64(codes[place])) * u64(HASH_PRIME)
    return value
