"""One pass from text to signature, compiled.

Holds: `sign_texts`, and the steps it is made of. Reads a string buffer, fills the arrays it is
given. Not here: Arrow and checks (`signatures.py`), folding and finding words (`letters.py`).

Only integers, no floating point: the same bits on every CPU. The constants below and in
`signatures.py` must never change, or old signatures stop matching.

Per text: fold to letters and zero bytes; find words as the transitions of a bit mask; hash each
word twice with different secrets; chain the one hashes and the other ones to the two halves of the
content hash; hash every 5 words to a 32-bit shingle; take the minimum of each of 128 functions
`a * shingle + b` (mod 2**32); hash each 6 minima to a band key. A text with no word at all has the
hash of its bytes. Working memory is about nine times the longest text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.model.schemas import BANDS, PERMUTATIONS, ROWS, SHINGLE
from pipeline.signature.compiled import i64, inline, jit, u8, u32, u64
from pipeline.signature.letters import count_words, find_words, fold_text
from pipeline.signature.vector import clear64, load8, multiply_fold

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


MASKS = np.array(
    [[(1 << 8 * min(size, 8)) - 1, (1 << 8 * max(size - 8, 0)) - 1] for size in range(17)],
    np.uint64,
)
"""Which bits of two times 8 bytes belong to a word, by its bytes."""


@inline
def mix(value: int) -> int:
    """Spread every input bit over all 64 (the finaliser of SplitMix64)."""
    value = (value ^ (value >> u64(30))) * u64(C3)
    value = (value ^ (value >> u64(27))) * u64(C4)
    return value ^ (value >> u64(31))


@inline
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
    # Masks and no branch: words are shorter or longer than 8 bytes in no order, so that a branch
    # would be guessed wrong at every third word.
    low = load8(data, at) & MASKS[u64(left), 0]
    high = load8(data, at + 8) & MASKS[u64(left), 1]
    size = u64(length)
    return (
        multiply_fold(one ^ low ^ u64(C1), high ^ size ^ u64(C2)),
        multiply_fold(two ^ low ^ u64(C7), high ^ size ^ u64(C8)),
    )


@inline
def hash_words(letters: Bytes, bounds: Ints32, words: Ints64) -> tuple[int, int]:
    """Fill `words` with word hashes; return the two chained hashes of the whole stream."""
    first, second = u64(C3), u64(C4)
    for place in range(words.shape[0]):
        begin = i64(bounds[2 * place])
        one, two = hash_bytes(letters, begin, i64(bounds[2 * place + 1]) - begin, (u64(0), u64(0)))
        words[place] = one
        first, second = _link(first, second, one, two)
    return _linked(first, second, words.shape[0])


@inline
def hash_each(letters: Bytes, bounds: Ints32, words: Ints64, others: Ints64) -> None:
    """Fill `words` and `others` with the two hashes of each word."""
    for place in range(words.shape[0]):
        begin = i64(bounds[2 * place])
        one, two = hash_bytes(letters, begin, i64(bounds[2 * place + 1]) - begin, (u64(0), u64(0)))
        words[place], others[place] = one, two


@inline
def _link(first: int, second: int, one: int, two: int) -> tuple[int, int]:
    """Chain a word to those before it: each link waits for the last one, some 6 cycles."""
    first = (first ^ one) * u64(C1)
    second = (second ^ two) * u64(C2)
    return first ^ (first >> u64(32)), second ^ (second >> u64(29))


@inline
def _linked(first: int, second: int, size: int) -> tuple[int, int]:
    return mix(first ^ u64(size)), mix(second + u64(size) * u64(C7))


@inline
def chain(words: Ints64, others: Ints64) -> tuple[int, int]:
    """Return the two chained hashes of a stream of words."""
    first, second = u64(C3), u64(C4)
    for place in range(words.shape[0]):
        first, second = _link(first, second, words[place], others[place])
    return _linked(first, second, words.shape[0])


@inline
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


@inline
def hash_shingle(words: Ints64, at: int) -> int:
    """Hash the 5 words from `at` on to 64 bits, of which the upper ones are the best mixed."""
    value: int = (
        words[at]
        + words[at + 1] * u64(C1)
        + words[at + 2] * u64(C2)
        + words[at + 3] * u64(C5)
        + words[at + 4] * u64(C7)
    )
    return (value ^ (value >> u64(29))) * u64(C3)


@inline
def hash_shingles(words: Ints64, shingles: Ints32) -> None:
    """Hash every 5 words in a row to 32 bits; the order of the words counts."""
    for at in range(shingles.shape[0]):
        shingles[at] = u32(hash_shingle(words, at) >> u64(32))


@inline
def least(
    shingles: Ints32, permutations: tuple[Ints32, Ints32], minima: Ints32,
    hashed: tuple[Ints64, Ints64],
) -> tuple[int, int]:  # fmt: skip
    """Take each permutation's minimum over all shingles, eight a step to stay in registers.

    Returns what `chain` does of the two hashes of each word: the processor makes these links, of
    which each waits for the last, beside the vectors of the minima, and so nearly for nothing.
    """
    factors, terms = permutations
    words, others = hashed
    first, second = u64(C3), u64(C4)
    for place in range(PERMUTATIONS):
        minima[place] = u32(0xFFFFFFFF)
    size = shingles.shape[0]
    whole = size - size % 8
    for at in range(0, whole, 8):
        a, b, c, d = shingles[at], shingles[at + 1], shingles[at + 2], shingles[at + 3]
        e, f, g, h = shingles[at + 4], shingles[at + 5], shingles[at + 6], shingles[at + 7]
        for place in range(PERMUTATIONS):
            x, y = factors[place], terms[place]
            # Nested on purpose: a flat `min` is one long chain of dependent instructions.
            low = min(min(u32(x * a + y), u32(x * b + y)), min(u32(x * c + y), u32(x * d + y)))  # noqa: PLW3301
            up = min(min(u32(x * e + y), u32(x * f + y)), min(u32(x * g + y), u32(x * h + y)))  # noqa: PLW3301
            minima[place] = min(minima[place], min(low, up))  # noqa: PLW3301
        for place in range(at, at + 8):
            first, second = _link(first, second, words[place], others[place])
    for at in range(whole, size):
        for place in range(PERMUTATIONS):
            value = u32(factors[place] * shingles[at] + terms[place])
            minima[place] = min(minima[place], value)
    for place in range(whole, words.shape[0]):
        first, second = _link(first, second, words[place], others[place])
    return _linked(first, second, words.shape[0])


@inline
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


@jit
def sign_texts(
    text: Bytes,
    offsets: npt.NDArray[np.int64],
    constants: tuple[Ints64, Ints32, Ints32],
    out: tuple[Ints64, Ints64, Bytes, npt.NDArray[np.int32]],
) -> None:
    """Sign every text of a buffer.

    Args:
        text: the characters of all texts, UTF-8.
        offsets: where each text begins, and where the last one ends.
        constants: `FOLD`, and factor and term of each permutation.
        out: content hashes (n, 2), band keys (n, 20), minima of 8 bits (n, 128), shingles and
            words (n, 2); of a text with fewer than 5 words, keys and minima stay untouched.
    """
    hashes, keys, small, counts = out
    table, factors, terms = constants
    longest = i64(0)
    for row in range(hashes.shape[0]):
        longest = max(longest, offsets[row + 1] - offsets[row])
    letters = np.empty(2 * longest + 256, np.uint8)
    minima = np.empty(PERMUTATIONS, np.uint32)
    room = i64(1024)
    bounds, words, others, shingles = _scratch(room)
    for row in range(hashes.shape[0]):
        begin, end = offsets[row], offsets[row + 1]
        length = fold_text(text, begin, end, table, letters)
        size = count_words(letters, length)
        if size == 0:
            hashes[row, 0], hashes[row, 1] = hash_raw(text, begin, end, letters)
            continue
        if size > room:
            room = size + size // 4
            bounds, words, others, shingles = _scratch(room)
        find_words(letters, length, bounds)
        hash_each(letters, bounds, words[:size], others[:size])
        counts[row, 1] = size
        if size < SHINGLE:
            hashes[row, 0], hashes[row, 1] = chain(words[:size], others[:size])
            continue
        counts[row, 0] = size - SHINGLE + 1
        hash_shingles(words, shingles[: size - SHINGLE + 1])
        hashes[row, 0], hashes[row, 1] = least(
            shingles[: size - SHINGLE + 1], (factors, terms), minima, (words[:size], others[:size])
        )
        hash_bands(minima, keys[row])
        for place in range(PERMUTATIONS):
            small[row, place] = u8(minima[place] ^ (minima[place] >> u32(8)))


@inline
def _scratch(room: int) -> tuple[Ints32, Ints64, Ints64, Ints32]:
    return (
        np.empty(2 * room + 16, np.uint32),
        np.empty(room, np.uint64),
        np.empty(room, np.uint64),
        np.empty(room, np.uint32),
    )


@jit
def agreements(left: Bytes, right: Bytes, pairs: npt.NDArray[np.int64], counts: Bytes) -> None:
    """Count the equal minima of `left[pairs[i, 0]]` and `right[pairs[i, 1]]` into `counts[i]`."""
    for place in range(pairs.shape[0]):
        one, two = left[pairs[place, 0]], right[pairs[place, 1]]
        equal = np.int32(0)
        for at in range(PERMUTATIONS):
            equal += np.int32(one[at] == two[at])
        counts[place] = u8(equal)
