"""What differs between two texts, word by word.

Holds: `compare`, `Comparison`, `Hunk`, `Part`. Pure, bounded: the first 400,000 characters of each
text count, and a stretch without anything in common is not searched for single words.
Not here: similarity (`explain.py`), colours (`cli/output.py`).

Words are cut as people read them: a character each in scripts without spaces, marks with their
letter. White space is shown and not compared. Runs of five words that both texts have once, the
shingles that deduplication sees, are where they are lined up; `difflib` fills the gaps between.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Final, Literal

from pipeline.model.schemas import SHINGLE
from pipeline.signature.fold import SPACELESS

CHARACTERS: Final = 400_000
"""Characters of each text that are compared."""

_GAP: Final = 1 << 16
"""Pairs of words up to which a gap is searched for single words in common."""

_CONTEXT: Final = 8
"""Words that are shown around what differs."""

_LONG: Final = 60
"""Words of one piece that are shown; the middle of longer ones is left out."""

_HUNKS: Final = 100

Kind = Literal["same", "witness", "document"]
Block = tuple[int, int, int]
"""Where equal words begin in the witness and in the document, and how many there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text: in both texts, in the witness alone, or in the document alone."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Parts that stand together, and where they begin in both texts (characters from 0)."""

    witness: int
    document: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. `hidden`: differences that are not listed; `cut`: the texts are longer."""

    same: int
    """Words that both texts have, in the same order."""
    only_document: int
    only_witness: int
    hunks: tuple[Hunk, ...]
    hidden: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    """A text as words, each with the place of its first and one past its last character."""

    text: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def place(self, at: int) -> int:
        return self.spans[at][0] if at < len(self.spans) else len(self.text)

    def piece(self, begin: int, end: int) -> str:
        """Return the text of words `begin` to `end` and the space before, the middle left out."""
        if end <= begin:
            return ""
        if end - begin <= _LONG:
            return self._exact(begin, end)
        half = _LONG // 2
        first, last = self._exact(begin, begin + half), self._exact(end - half, end)
        return f"{first} … ({end - begin - 2 * half:,} words) … {last.lstrip()}"

    def _exact(self, begin: int, end: int) -> str:
        """Return the words as they stand, with one space for any white space."""
        start = self.spans[begin - 1][1] if begin else self.spans[0][0]
        return re.sub(r"\s+", " ", self.text[start : self.spans[end - 1][1]])


def compare(document: str, witness: str, *, hunks: int = _HUNKS) -> Comparison:
    """Compare a document with its witness and list at most `hunks` places that differ."""
    old, new = _words(witness), _words(document)
    blocks = [block for block in _blocks(old.words, new.words) if block[2]]
    same = sum(size for _, _, size in blocks)
    found = _hunks(old, new, blocks)
    return Comparison(
        same=same,
        only_document=len(new.words) - same,
        only_witness=len(old.words) - same,
        hunks=tuple(found[:hunks]),
        hidden=max(0, len(found) - hunks),
        cut=max(len(document), len(witness)) > CHARACTERS,
    )


def _words(text: str) -> _Words:
    matches = list(_pattern().finditer(text[:CHARACTERS]))
    return _Words(
        text, tuple(match[0] for match in matches), tuple(match.span() for match in matches)
    )


@cache
def _pattern() -> re.Pattern[str]:
    """Match a word, a character of a script without spaces, or a sign; each with its marks."""
    marks = "".join(
        rf"\u{code:04x}" for code in range(0x10000) if unicodedata.category(chr(code))[0] == "M"
    )
    alone = "".join(rf"\u{block.start:04x}-\u{block.stop - 1:04x}" for block in SPACELESS)
    return re.compile(rf"[{alone}][{marks}]*|(?:(?![{alone}])\w[{marks}]*)+|[^\w\s]")


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[Block]:
    """Yield stretches of equal words in the order of both texts; some are empty."""
    at_old, at_new = 0, 0
    for begin_old, begin_new, size in [*_anchors(old, new), (len(old), len(new), 0)]:
        gap_old, gap_new = old[at_old:begin_old], new[at_new:begin_new]
        for one, two, length in _filled(gap_old, gap_new):
            yield at_old + one, at_new + two, length
        yield begin_old, begin_new, size
        at_old, at_new = begin_old + size, begin_new + size


def _filled(old: Sequence[str], new: Sequence[str]) -> Iterator[Block]:
    """Yield equal words inside a gap: at its ends, and between them unless that is too long."""
    limit = min(len(old), len(new))
    head = next((at for at in range(limit) if old[at] != new[at]), limit)
    tail = next((at for at in range(limit - head) if old[-1 - at] != new[-1 - at]), limit - head)
    yield 0, 0, head
    middle = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(middle[0]) * len(middle[1]) <= _GAP:
        for one, two, size in SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks():
            yield head + one, head + two, size
    yield len(old) - tail, len(new) - tail, tail


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Line the texts up by shingles that each has once: the longest ascending series of them."""
    pairs = _shared_once(_shingles(old), _shingles(new))
    blocks: list[Block] = []
    for one, two in _ascending(pairs):
        if blocks:
            begin_old, begin_new, size = blocks[-1]
            if one - begin_old == two - begin_new and one <= begin_old + size:
                blocks[-1] = (begin_old, begin_new, one - begin_old + SHINGLE)
                continue
            if one < begin_old + size or two < begin_new + size:
                continue
        blocks.append((one, two, SHINGLE))
    return blocks


def _shingles(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(words[at:] for at in range(SHINGLE)), strict=False))


def _shared_once(
    old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]]
) -> list[tuple[int, int]]:
    """Return places of shingles that come once in each text, in the order of the first."""
    counts = Counter(old), Counter(new)
    place = {shingle: at for at, shingle in enumerate(new) if counts[1][shingle] == 1}
    return [
        (at, place[shingle])
        for at, shingle in enumerate(old)
        if shingle in place and counts[0][shingle] == 1
    ]


def _ascending(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest series of pairs that ascends on both sides (patience sorting)."""
    tops: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (_, two) in enumerate(pairs):
        pile = bisect_left(tops, two)
        before.append(last[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [two]
        last[pile : pile + 1] = [at]
    series = []
    at = last[-1] if last else -1
    while at >= 0:
        series.append(pairs[at])
        at = before[at]
    return series[::-1]


def _hunks(old: _Words, new: _Words, blocks: Sequence[Block]) -> list[Hunk]:
    """Turn what lies between equal stretches into hunks with some equal words around."""
    changes: list[tuple[int, int, int, int]] = []
    at_old, at_new = 0, 0
    for begin_old, begin_new, size in [*blocks, (len(old.words), len(new.words), 0)]:
        if begin_old > at_old or begin_new > at_new:
            changes.append((at_old, begin_old, at_new, begin_new))
        at_old, at_new = begin_old + size, begin_new + size
    hunks: list[Hunk] = []
    group: list[tuple[int, int, int, int]] = []
    for change in changes:
        if group and change[2] - group[-1][3] > 2 * _CONTEXT:
            hunks.append(_hunk(old, new, group))
            group = []
        group.append(change)
    return [*hunks, _hunk(old, new, group)] if group else hunks


def _hunk(old: _Words, new: _Words, changes: Sequence[tuple[int, int, int, int]]) -> Hunk:
    begin = max(0, changes[0][2] - _CONTEXT)
    parts: list[tuple[Kind, str]] = []
    at = begin
    for old_begin, old_end, new_begin, new_end in changes:
        parts.append(("same", new.piece(at, new_begin)))
        parts.append(("witness", old.piece(old_begin, old_end)))
        parts.append(("document", new.piece(new_begin, new_end)))
        at = new_end
    parts.append(("same", new.piece(at, min(len(new.words), at + _CONTEXT))))
    first = max(0, changes[0][0] - (changes[0][2] - begin))
    shown = [Part(kind, text) for kind, text in parts if text]
    if begin == 0 or shown[0].kind == "same":
        shown[0] = Part(shown[0].kind, shown[0].text.lstrip())
    return Hunk(old.place(first), new.place(begin), tuple(shown))
