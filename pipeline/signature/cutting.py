"""One pass from text to paragraphs and sampled shingles, compiled.

Holds: `cut_texts`. Reads a string buffer, returns arrays. Not here: Arrow and the names of the
arrays (`passages.py`), folding and hashing (`letters.py`, `kernel.py`), of which these are the
same: a paragraph's hash is that of its words, however they are spelt or spaced.

A paragraph is a line with a word in it. A shingle, here of 64 bits, is sampled when its hash is
among the lowest in `RATE`: so the samples of a text embedded in another are samples of the other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.model.schemas import SHINGLE
from pipeline.signature.compiled import i64, inline, jit, u64
from pipeline.signature.kernel import hash_shingle, hash_words
from pipeline.signature.letters import count_words, find_words, fold_text
from pipeline.signature.vector import ends64, heads64, set_bits, trailing_zeros

Bytes = npt.NDArray[np.uint8]
Ints32 = npt.NDArray[np.uint32]
Ints64 = npt.NDArray[np.uint64]

LINE_FEED: Final = 10
RATE_BITS: Final = 3
"""One shingle in 8 is sampled."""
KEY_BITS: Final = 48
"""Bits of a sampled shingle's hash that are kept; the upper `RATE_BITS` of them are zero."""


@inline
def _line(text: Bytes, begin: int, end: int) -> tuple[int, int]:
    """Return where the line that begins there ends, and its characters."""
    at, chars = begin, i64(0)
    while at + 64 <= text.shape[0] and at < end:
        size = min(trailing_zeros(ends64(text, at)), end - at)
        heads = heads64(text, at)
        if size < 64:
            return at + size, chars + set_bits(heads & ((u64(1) << u64(size)) - u64(1)))
        chars += set_bits(heads)
        at += 64
    while at < end and text[at] != LINE_FEED:
        chars += i64((text[at] & 0xC0) != 0x80)
        at += 1
    return at, chars


@inline
def _sample(words: Ints64, size: int, keys: Ints64, found: int) -> int:
    """Append the sampled shingles of a text, each once; return how many there are by then."""
    first = found
    for at in range(size - SHINGLE + 1):
        value = hash_shingle(words, at)
        if value >> u64(64 - RATE_BITS) == u64(0):
            keys[found] = value >> u64(64 - KEY_BITS)
            found += 1
    keys[first:found].sort()
    fresh = first
    for at in range(first, found):
        if at == first or keys[at] != keys[fresh - 1]:
            keys[fresh] = keys[at]
            fresh += 1
    return fresh


@jit
def cut_texts(
    text: Bytes, offsets: npt.NDArray[np.int64], table: Ints64
) -> tuple[Ints64, Ints32, Ints64, Ints32]:
    """Return hashes and places (text, first and end character, words) of paragraphs, then samples.

    Both are in the order of the texts. Working memory is about nine times the longest text.

    Args:
        text: the characters of all texts, UTF-8.
        offsets: where each text begins, and where the last one ends.
        table: `FOLD`.
    """
    rows = offsets.shape[0] - 1
    longest, most = i64(0), i64(rows)
    for row in range(rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    for at in range(offsets[0], offsets[rows]):
        most += i64(text[at] == LINE_FEED)
    hashes, places = np.empty(most, np.uint64), np.empty((most, 4), np.uint32)
    keys, owners = np.empty(1024, np.uint64), np.empty(1024, np.uint32)
    letters = np.empty(2 * longest + 256, np.uint8)
    words, bounds = np.empty(1024, np.uint64), np.empty(2064, np.uint32)
    paragraphs, samples = i64(0), i64(0)
    for row in range(rows):
        at, end, char, total = offsets[row], offsets[row + 1], i64(0), i64(0)
        while at < end:
            stop, width = _line(text, at, end)
            length = fold_text(text, at, stop, table, letters)
            size = count_words(letters, length)
            if total + size > words.shape[0]:
                more = np.empty(2 * (total + size), np.uint64)
                more[:total] = words[:total]
                words, bounds = more, np.empty(4 * (total + size) + 16, np.uint32)
            if size > 0:
                find_words(letters, length, bounds)
                hashes[paragraphs], _ = hash_words(letters, bounds, words[total : total + size])
                places[paragraphs, 0], places[paragraphs, 1] = row, char
                places[paragraphs, 2], places[paragraphs, 3] = char + width, size
                paragraphs += 1
                total += size
            at, char = stop + 1, char + width + 1
        if samples + total > keys.shape[0]:
            wider = np.empty(2 * (samples + total), np.uint64)
            wider[:samples] = keys[:samples]
            spare = np.empty(2 * (samples + total), np.uint32)
            spare[:samples] = owners[:samples]
            keys, owners = wider, spare
        before = samples
        samples = _sample(words, total, keys, samples)
        owners[before:samples] = row
    return hashes[:paragraphs], places[:paragraphs], keys[:samples], owners[:samples]
