"""Texts whose similarity is known, because they were made to have it.

Holds: `plant`, `Canary`. Pure: the same texts every time, on every machine.
Not here: deduplicating them (`selftest.py`).

A token has a number; its letters are a hash of it. A text of 200 shingles and a copy that shares
`s` of them, at its beginning or at its end, have the Jaccard similarity `s / (400 - s)`. Half of
the alphabets are written without spaces, so that a token is one character there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.model.schemas import SHINGLE

Array = npt.NDArray[Any]

LEVELS: Final = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Similarities at which copies are planted, as nearly as whole shingles allow."""

PAIRS: Final = 64
"""Pairs of each similarity; a quarter of them in each alphabet."""

COPY: Final = "copy"
"""The kind of pairs whose second text is a copy of the first."""

STRANGERS: Final = 16
"""Pairs of each kind of documents that look alike and are not."""

_SHINGLES: Final = 200
_WORDS: Final = _SHINGLES + SHINGLE - 1
_FAMILY: Final = 10_000
"""Numbers of tokens that belong to one pair."""
_COPIES: Final = _FAMILY // 2
"""From here on they are of the second text alone."""


@dataclass(frozen=True, slots=True)
class Canary:
    """Two texts, the second later than the first. `kind`: `copy`, or how strangers look alike."""

    kind: str
    similarity: float
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class _Alphabet:
    letters: Array
    length: int
    """Letters of a token."""
    space: str

    def text(self, tokens: Array) -> str:
        """Write tokens, given by number, as a text.

        Tokens of copies have every other letter, so that none happens to equal one of a first text.
        """
        mixed = _mixed(tokens)
        half = tokens % np.uint64(_FAMILY) // np.uint64(_COPIES)
        shifts = np.arange(self.length, dtype=np.uint64) * np.uint64(8)
        places = (mixed[:, None] >> shifts) % np.uint64(len(self.letters) // 2)
        rows = self.letters[(2 * places + half[:, None]).astype(np.int64)]
        spaces = np.full((len(tokens), len(self.space)), ord(self.space or " "), "<u4")
        return np.concatenate([rows, spaces], axis=1).tobytes().decode("utf-32-le").strip()


def plant() -> Iterator[Canary]:
    """Yield all pairs: copies of every similarity, then strangers of every kind."""
    family = 0
    for level in LEVELS:
        for _ in range(PAIRS):
            yield _copy(level, family)
            family += 1
    for kind in _STRANGERS:
        for _ in range(STRANGERS):
            yield _stranger(kind, family)
            family += 1


def _copy(level: float, family: int) -> Canary:
    alphabet = _ALPHABETS[family % len(_ALPHABETS)]
    own = _tokens(family)
    if level == 1:
        text = alphabet.text(own)
        return Canary(COPY, 1.0, text, f"“{text.upper()}” …")
    shared = round(2 * _SHINGLES * level / (1 + level))
    fresh = _tokens(family, _SHINGLES - shared, copies=True)
    kept = shared + SHINGLE - 1
    at_end = family // len(_ALPHABETS) % 2
    other = np.concatenate([fresh, own[-kept:]] if at_end else [own[:kept], fresh])
    similarity = shared / (2 * _SHINGLES - shared)
    return Canary(COPY, similarity, alphabet.text(own), alphabet.text(other))


def _stranger(kind: str, family: int) -> Canary:
    alphabet = _ALPHABETS[family % len(_ALPHABETS)]
    one, other, similarity = _STRANGERS[kind](family)
    return Canary(kind, similarity, alphabet.text(one), alphabet.text(other))


def _swapped(family: int) -> tuple[Array, Array, float]:
    """The same words in another order: each two neighbours change places."""
    return _tokens(family), _tokens(family) ^ np.uint64(1), 0.0


def _filled_in(family: int) -> tuple[Array, Array, float]:
    """A form filled in anew: every fifth word differs, and so does every shingle."""
    other = _tokens(family)
    other[::SHINGLE] = _tokens(family, len(other[::SHINGLE]), copies=True)
    return _tokens(family), other, 0.0


def _contained(family: int) -> tuple[Array, Array, float]:
    """A quarter of the other text, word by word."""
    part = _SHINGLES // 4
    return _tokens(family)[: part + SHINGLE - 1], _tokens(family), part / _SHINGLES


def _framed(family: int) -> tuple[Array, Array, float]:
    """Different articles in the same frame, which is nearly half of each."""
    shared = 92
    fresh = _tokens(family, _SHINGLES - shared, copies=True)
    other = np.concatenate([_tokens(family)[: shared + SHINGLE - 1], fresh])
    return _tokens(family), other, shared / (2 * _SHINGLES - shared)


def _short(family: int) -> tuple[Array, Array, float]:
    """Four words, of which the last differs: too short for shingles."""
    own = _tokens(family, SHINGLE - 1)
    return own, np.append(own[:-1], _tokens(family, 1, copies=True)), 0.0


_STRANGERS: Final = {
    "other order": _swapped,
    "filled in": _filled_in,
    "contained": _contained,
    "same frame": _framed,
    "short": _short,
}

KINDS: Final = tuple(_STRANGERS)


def _tokens(family: int, count: int = _WORDS, *, copies: bool = False) -> Array:
    first = family * _FAMILY + (_COPIES if copies else 0)
    return np.arange(first, first + count, dtype=np.uint64)


def _mixed(values: Array) -> Array:
    """Hash numbers with SplitMix64."""
    state = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _range(first: str, last: str) -> Array:
    return np.arange(ord(first), ord(last) + 1, dtype="<u4")


_ALPHABETS: Final = (
    _Alphabet(_range("a", "z"), 7, " "),
    _Alphabet(_range("一", "龥"), 1, ""),
    _Alphabet(np.setdiff1d(_range("а", "я"), [ord("й")]).astype("<u4"), 7, " "),
    _Alphabet(np.concatenate([_range("ก", "ฮ"), _range("က", "အ"), _range("ក", "អ")]), 1, ""),
)
"""Latin, Han, Cyrillic without its one letter that decomposes; consonants of Thai, Burmese and
Khmer, which are few, in one."""

ALPHABETS: Final = len(_ALPHABETS)
"""Pairs that follow each other go through all of them."""
