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
from pipeline.signature.vector import clear64, least16, load8, multiply_fold, weigh8

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

STEP = 8
"""Shingles that are taken at once: as many as stay in registers."""

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
def _link(first: int, second: int, one: int, two: int) -> tuple[int, int]:
    """Chain a word to those before it: each link waits for the last one, some 6 cycles."""
    first = (first ^ one) * u64(C1)
    second = (second ^ two) * u64(C2)
    return first ^ (first >> u64(32)), second ^ (second >> u64(29))


@inline
def _linked(first: int, second: int, size: int) -> tuple[int, int]:
    return mix(first ^ u64(size)), mix(second + u64(size) * u64(C7))


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
def _hash_shingles(words: Ints64, at: int, shingles: Ints32) -> None:
    """Hash the shingles of `STEP` places, as `hash_shingle` does, to their upper 32 bits."""
    weigh8(words, at, shingles, at, (u64(1), u64(C1), u64(C2), u64(C5), u64(C7), u64(C3)))


@inline
def _hash_next(
    letters: Bytes, bounds: Ints32, place: int, words: Ints64, before: tuple[int, int]
) -> tuple[int, int]:
    """Hash one word and link it to those before."""
    at = u64(place)
    begin, end = i64(bounds[u64(2) * at]), i64(bounds[u64(2) * at + u64(1)])
    one, two = hash_bytes(letters, begin, end - begin, (u64(0), u64(0)))
    words[at] = one
    return _link(before[0], before[1], one, two)


@inline
def least(
    letters: Bytes, bounds: Ints32, size: int, scratch: tuple[Ints64, Ints32, Ints32]
) -> tuple[int, int]:
    """Take each permutation's minimum over all shingles of a text of `size` words, 5 at least.

    Returns what `hash_words` does. Eight shingles a step stay in registers. Words are hashed and
    linked ahead of the shingles, one after every 16 permutations: the processor does this beside
    the vectors, and so nearly for nothing.

    Args:
        letters: the folded text.
        bounds: where its words begin and end.
        size: how many they are.
        scratch: room for hashed words and for shingles, two steps more than there are; `_lanes`.
    """
    words, shingles, lanes = scratch
    for place in range(2 * PERMUTATIONS, 3 * PERMUTATIONS):
        lanes[place] = u32(0xFFFFFFFF)
    # The next shingles need words up to 2 * STEP + SHINGLE - 2 while these are taken.
    done = min(size, 3 * STEP)
    linked = (u64(C3), u64(C4))
    for place in range(done):
        linked = _hash_next(letters, bounds, place, words, linked)
    _hash_shingles(words, 0, shingles)
    count = size - SHINGLE + 1
    whole = count - count % STEP
    for here in range(0, whole, STEP):
        at = u64(here)  # unsigned, or a check for places from the end would come with each
        now = (
            *(shingles[at], shingles[at + u64(1)], shingles[at + u64(2)], shingles[at + u64(3)]),
            *(shingles[at + u64(4)], shingles[at + u64(5)], shingles[at + u64(6)]),
            shingles[at + u64(7)],
        )
        _hash_shingles(words, here + STEP, shingles)
        for group in range(PERMUTATIONS // 16):
            least16(now, lanes, 16 * group, PERMUTATIONS)
            if done < size:
                linked = _hash_next(letters, bounds, done, words, linked)
                done += 1
    for here in range(whole, count):
        for group in range(PERMUTATIONS // 16):
            least16((shingles[here],), lanes, 16 * group, PERMUTATIONS)
    return _linked(linked[0], linked[1], size)


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
    lanes = _lanes(factors, terms)
    minima = lanes[2 * PERMUTATIONS :]
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
        counts[row, 1] = size
        if size < SHINGLE:
            hashes[row, 0], hashes[row, 1] = hash_words(letters, bounds, words[:size])
            continue
        counts[row, 0] = size - SHINGLE + 1
        hashes[row, 0], hashes[row, 1] = least(letters, bounds, size, (words, shingles, lanes))
        hash_bands(minima, keys[row])
        for place in range(PERMUTATIONS):
            small[row, place] = u8(minima[place] ^ (minima[place] >> u32(8)))


@inline
def _lanes(factors: Ints32, terms: Ints32) -> Ints32:
    """Return factors, terms and room for minima in a row, from where a line of the cache begins.

    A vector that lies across two lines costs twice as much to load.
    """
    wide = np.empty(3 * PERMUTATIONS + 16, np.uint32)
    first = (-wide.ctypes.data // 4) % 16
    lanes = wide[first : first + 3 * PERMUTATIONS]
    lanes[:PERMUTATIONS], lanes[PERMUTATIONS : 2 * PERMUTATIONS] = factors, terms
    return lanes


@inline
def _scratch(room: int) -> tuple[Ints32, Ints64, Ints32]:
    """Return room for the bounds, hashes and shingles of so many words."""
    more = room + 4 * STEP
    return np.empty(2 * more, np.uint32), np.empty(more, np.uint64), np.empty(more, np.uint32)


@jit
def agreements(left: Bytes, right: Bytes, pairs: npt.NDArray[np.int64], counts: Bytes) -> None:
    """Count the equal minima of `left[pairs[i, 0]]` and `right[pairs[i, 1]]` into `counts[i]`."""
    for place in range(pairs.shape[0]):
        one, two = left[pairs[place, 0]], right[pairs[place, 1]]
        equal = np.int32(0)
        for at in range(PERMUTATIONS):
            equal += np.int32(one[at] == two[at])
        counts[place] = u8(equal)
