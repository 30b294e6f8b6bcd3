"""From text to folded letters, and where the words begin and end; compiled.

Holds: `fold_text`, `count_words`, `find_words`. Reads and writes the arrays it is given.
Not here: the table of characters and its rule (`fold.py`), hashing (`kernel.py`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import i64, inline, u32, u64
from pipeline.signature.vector import (
    clear64,
    fold64,
    nonzero64,
    set_bits,
    store8,
    trailing_zeros,
)

Bytes = npt.NDArray[np.uint8]
Ints32 = npt.NDArray[np.uint32]
Ints64 = npt.NDArray[np.uint64]


@inline
def fold_astral(code: int) -> int:
    """Fold a code point above U+FFFF by rule, packed as in `FOLD`.

    Han planes: a word each. Musical and game symbols, pictographs, emoji: separators. Tags and
    selectors: dropped. All others are letters of small scripts and stay as they are.
    """
    if code >= 0xE0000:
        return u64(0)
    if 0x1D000 <= code < 0x1E000 or 0x1F000 <= code < 0x20000:
        return u64(1) << u64(56)
    letters = (
        u64(0xF0 | (code >> 18))
        | (u64(0x80 | ((code >> 12) & 0x3F)) << u64(8))
        | (u64(0x80 | ((code >> 6) & 0x3F)) << u64(16))
        | (u64(0x80 | (code & 0x3F)) << u64(24))
    )
    if code >= 0x20000:
        return (letters << u64(8)) | (u64(6) << u64(56))
    return letters | (u64(4) << u64(56))


@inline
def fold_char(text: Bytes, at: int, end: int, table: Ints64) -> tuple[int, int]:
    """Return one character, packed as in `FOLD`, and its length in bytes.

    A character that the text's end cuts off is a separator.
    """
    lead = i64(text[at])
    if lead < 0x80:
        return table[lead], i64(1)
    length = i64(2) if lead < 0xE0 else (i64(3) if lead < 0xF0 else i64(4))
    if at + length > end:
        return u64(1) << u64(56), end - at
    second = i64(text[at + 1]) & 0x3F
    if length == 2:
        return table[((lead & 0x1F) << 6) | second], length
    third = i64(text[at + 2]) & 0x3F
    if length == 3:
        return table[((lead & 0x0F) << 12) | (second << 6) | third], length
    code = ((lead & 7) << 18) | (second << 12) | (third << 6) | (i64(text[at + 3]) & 0x3F)
    if 0x1D400 <= code < 0x1D800:
        return table[code - 0x1D400 + 0x10000], length
    return fold_astral(code), length


@inline
def fold_text(text: Bytes, begin: int, end: int, table: Ints64, letters: Bytes) -> int:
    """Fold `text[begin:end]` into `letters`, followed by 64 zero bytes; return the length."""
    last = i64(text.shape[0]) - 64
    whole = min(last, end - 64)
    at = begin
    out = i64(0)
    while at < end:
        if at <= last:
            other = fold64(text, at, letters, out)
            # A branch that is foretold: where the next 64 bytes begin need not wait for the mask.
            if other == u64(0) and at <= whole:
                at += 64
                out += 64
                continue
            run = min(trailing_zeros(other), end - at)
            at += run
            out += run
        while at < end:
            if at <= last and text[at] < 0x80:
                break
            packed, length = fold_char(text, at, end, table)
            store8(letters, out, packed)
            out += i64(packed >> u64(56))
            at += length
    clear64(letters, out)
    return out


@inline
def count_words(letters: Bytes, length: int) -> int:
    """Count the runs of nonzero bytes."""
    words = i64(0)
    carry = u64(0)
    for at in range(0, length, 64):
        mask = nonzero64(letters, at)
        if length - at < 64:
            mask &= (u64(1) << u64(length - at)) - u64(1)
        words += set_bits(mask & ~((mask << u64(1)) | carry))
        carry = mask >> u64(63)
    return words


@inline
def find_words(letters: Bytes, length: int, bounds: Ints32) -> None:
    """Fill `bounds` with start and end of each word (it has 8 entries of slack)."""
    carry = u64(0)
    found = i64(0)
    at = i64(0)
    while at <= length:  # one block past the end closes the last word
        mask = nonzero64(letters, at)
        turns = mask ^ ((mask << u64(1)) | carry)
        carry = mask >> u64(63)
        here = set_bits(turns)
        done = i64(0)
        while done < here:  # eight a step: one branch for eight transitions
            for ahead in range(8):
                bounds[found + done + ahead] = u32(at + trailing_zeros(turns))
                turns &= turns - u64(1)
            done += 8
        found += here
        at += 64
