"""One pass from text to signature, compiled.

Holds: `sign_texts`, and the steps it is made of. Reads a string buffer, fills the arrays it is
given. Not here: Arrow and checks (`signatures.py`), what a character becomes (`fold.py`).

Only integers, no floating point: the same bits on every CPU. The constants below and in
`signatures.py` must never change, or old signatures stop matching.

Per text: fold to letters and zero bytes; find words as the transitions of a bit mask; hash each
word twice with different secrets; chain the one hashes and the other ones to the two halves of the
content hash; hash every 5 words to a 32-bit shingle; take the minimum of each of 128 functions
`a * shingle + b` (mod 2**32); hash each 6 minima to a band key. A text with no word at all has the
hash of its bytes. Working memory is about seven times the longest text.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt
from numba import int64 as i64
from numba import uint8 as u8
from numba import uint32 as u32
from numba import uint64 as u64

from pipeline.model.schemas import BANDS, PERMUTATIONS, ROWS, SHINGLE
from pipeline.signature.vector import (
    clear64,
    fold64,
    load8,
    multiply_fold,
    nonzero64,
    set_bits,
    store8,
    trailing_zeros,
)

Bytes = npt.NDArray[np.uint8]
Ints32 = npt.NDArray[np.uint32]
Ints64 = npt.NDArray[np.uint64]

# Odd 64-bit constants of well-known mixers (golden ratio, xxHash, SplitMix, Pelle Evensen's).
C1 = 0x9E3779B97F4A7C15
C2 = 0xC2B2AE3D27D4EB4F
C3 = 0xBF58476D1CE4E5B9
C4 = 0x94D049BB133111EB
C5 = 0xD6E8FEB86659FD93
C6 = 0x9FB21C651E98DF25
C7 = 0x165667B19E3779F9
C8 = 0xFF51AFD7ED558CCD

_jit = nb.njit(cache=True, nogil=True)
_inline = nb.njit(inline="always")


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def mix(value: int) -> int:
    """Spread every input bit over all 64 (the finaliser of SplitMix64)."""
    value = (value ^ (value >> u64(30))) * u64(C3)
    value = (value ^ (value >> u64(27))) * u64(C4)
    return value ^ (value >> u64(31))


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
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


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
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


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def fold_text(text: Bytes, begin: int, end: int, table: Ints64, letters: Bytes) -> int:
    """Fold `text[begin:end]` into `letters`, followed by 64 zero bytes; return the length."""
    last = i64(text.shape[0]) - 64
    at = begin
    out = i64(0)
    while at < end:
        if at <= last:
            run = min(trailing_zeros(fold64(text, at, letters, out)), end - at)
            at += run
            out += run
            if run == 64:
                continue
        while at < end:
            if at <= last and text[at] < 0x80:
                break
            packed, length = fold_char(text, at, end, table)
            store8(letters, out, packed)
            out += i64(packed >> u64(56))
            at += length
    clear64(letters, out)
    return out


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
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


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
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


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def hash_bytes(data: Bytes, begin: int, length: int, words: tuple[int, int]) -> tuple[int, int]:
    """Hash `length` bytes twice, from the two seeds `words`; reads up to 16 bytes beyond."""
    one, two = words
    at = begin
    left = length
    while left > 16:
        block = load8(data, at)
        one = (one ^ block) * u64(C6)
        one ^= one >> u64(32)
        two = (two ^ block) * u64(C5)
        two ^= two >> u64(29)
        at += 8
        left -= 8
    low = load8(data, at)
    high = u64(0)
    if left > 8:
        high = load8(data, at + 8) & (~u64(0) >> u64(128 - 8 * left))
    else:
        low &= ~u64(0) >> u64(64 - 8 * left)
    size = u64(length)
    return (
        multiply_fold(one ^ low ^ u64(C1), high ^ size ^ u64(C2)),
        multiply_fold(two ^ low ^ u64(C7), high ^ size ^ u64(C8)),
    )


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def hash_words(letters: Bytes, bounds: Ints32, words: Ints64) -> tuple[int, int]:
    """Fill `words` with word hashes; return the two chained hashes of the whole stream."""
    first, second = u64(C3), u64(C4)
    for place in range(words.shape[0]):
        begin = i64(bounds[2 * place])
        one, two = hash_bytes(letters, begin, i64(bounds[2 * place + 1]) - begin, (u64(0), u64(0)))
        words[place] = one
        first = (first ^ one) * u64(C1)
        first ^= first >> u64(32)
        second = (second ^ two) * u64(C2)
        second ^= second >> u64(29)
    size = u64(words.shape[0])
    return mix(first ^ size), mix(second + size * u64(C7))


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def hash_raw(text: Bytes, begin: int, end: int, letters: Bytes) -> tuple[int, int]:
    """Return the two hashes of a text without words, from its bytes, seeded unlike any word."""
    size = end - begin
    for place in range(size):
        letters[place] = text[begin + place]
    clear64(letters, size)
    if size == 0:
        return mix(u64(C5)), mix(u64(C6))
    one, two = hash_bytes(letters, i64(0), size, (u64(C8), u64(C3)))
    return mix(one ^ u64(C5)), mix(two ^ u64(C6))


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def hash_shingles(words: Ints64, shingles: Ints32) -> None:
    """Hash every 5 words in a row to 32 bits; the order of the words counts."""
    for at in range(shingles.shape[0]):
        value = (
            words[at]
            + words[at + 1] * u64(C1)
            + words[at + 2] * u64(C2)
            + words[at + 3] * u64(C5)
            + words[at + 4] * u64(C7)
        )
        value = (value ^ (value >> u64(29))) * u64(C3)
        shingles[at] = u32(value >> u64(32))


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def least(shingles: Ints32, factors: Ints32, terms: Ints32, minima: Ints32) -> None:
    """Take each permutation's minimum over all shingles, four a step to stay in registers."""
    for place in range(PERMUTATIONS):
        minima[place] = u32(0xFFFFFFFF)
    size = shingles.shape[0]
    whole = size - size % 8
    for at in range(0, whole, 8):
        a, b, c, d = shingles[at], shingles[at + 1], shingles[at + 2], shingles[at + 3]
        e, f, g, h = shingles[at + 4], shingles[at + 5], shingles[at + 6], shingles[at + 7]
        for place in range(PERMUTATIONS):
            x, y = factors[place], terms[place]
            low = min(min(u32(x * a + y), u32(x * b + y)), min(u32(x * c + y), u32(x * d + y)))
            up = min(min(u32(x * e + y), u32(x * f + y)), min(u32(x * g + y), u32(x * h + y)))
            minima[place] = min(minima[place], min(low, up))
    for at in range(whole, size):
        for place in range(PERMUTATIONS):
            value = u32(factors[place] * shingles[at] + terms[place])
            minima[place] = min(minima[place], value)


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def hash_bands(minima: Ints32, keys: Ints64) -> None:
    """Hash each band's number and six minima to its key."""
    for band in range(BANDS):
        value = u64(band) * u64(C1) + u64(1)
        for pair in range(ROWS // 2):
            at = band * ROWS + 2 * pair
            value ^= u64(minima[at]) | (u64(minima[at + 1]) << u64(32))
            value *= u64(C6)
            value ^= value >> u64(32)
        keys[band] = mix(value)


@_jit  # type: ignore[untyped-decorator]  # numba has no annotations
def sign_texts(
    text: Bytes,
    offsets: npt.NDArray[np.int64],
    constants: tuple[Ints64, Ints32, Ints32],
    hashes: Ints64,
    keys: Ints64,
    small: Bytes,
    counts: npt.NDArray[np.int32],
) -> None:
    """Sign every text of a buffer.

    Args:
        text: the characters of all texts, UTF-8.
        offsets: where each text begins, and where the last one ends.
        constants: `FOLD`, and factor and term of each permutation.
        hashes: out, (n, 2): content hash.
        keys: out, (n, 20): band keys; untouched when a text has fewer than 5 words.
        small: out, (n, 128): minima, 8 bits each; untouched like `keys`.
        counts: out, (n, 2): shingles and words.
    """
    table, factors, terms = constants
    longest = i64(0)
    for row in range(hashes.shape[0]):
        longest = max(longest, offsets[row + 1] - offsets[row])
    letters = np.empty(2 * longest + 256, np.uint8)
    minima = np.empty(PERMUTATIONS, np.uint32)
    room = i64(1024)
    bounds, words, shingles = _scratch(room)
    for row in range(hashes.shape[0]):
        begin, end = offsets[row], offsets[row + 1]
        length = fold_text(text, begin, end, table, letters)
        size = count_words(letters, length)
        if size == 0:
            hashes[row, 0], hashes[row, 1] = hash_raw(text, begin, end, letters)
            continue
        if size > room:
            room = size + size // 4
            bounds, words, shingles = _scratch(room)
        find_words(letters, length, bounds)
        hashes[row, 0], hashes[row, 1] = hash_words(letters, bounds, words[:size])
        counts[row, 1] = size
        if size < SHINGLE:
            continue
        counts[row, 0] = size - SHINGLE + 1
        hash_shingles(words, shingles[: size - SHINGLE + 1])
        least(shingles[: size - SHINGLE + 1], factors, terms, minima)
        hash_bands(minima, keys[row])
        for place in range(PERMUTATIONS):
            small[row, place] = u8(minima[place] ^ (minima[place] >> u32(8)))


@_inline  # type: ignore[untyped-decorator]  # numba has no annotations
def _scratch(room: int) -> tuple[Ints32, Ints64, Ints32]:
    return (
        np.empty(2 * room + 16, np.uint32),
        np.empty(room, np.uint64),
        np.empty(room, np.uint32),
    )


@_jit  # type: ignore[untyped-decorator]  # numba has no annotations
def agreements(left: Bytes, right: Bytes, pairs: npt.NDArray[np.int64], counts: Bytes) -> None:
    """Count the equal minima of `left[pairs[i, 0]]` and `right[pairs[i, 1]]` into `counts[i]`."""
    for place in range(pairs.shape[0]):
        one, two = left[pairs[place, 0]], right[pairs[place, 1]]
        equal = np.int32(0)
        for at in range(PERMUTATIONS):
            equal += np.int32(one[at] == two[at])
        counts[place] = u8(equal)
