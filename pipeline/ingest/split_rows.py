"""Lines that consist of nothing but known phrases and numbers: menus, share rows, pagination.

Holds: `folded`, the form in which lines and phrases are compared; `Row`, `read_row`. Pure functions
of one line. Not here: which rows are furniture (`split_furniture.py`), the phrases
(`furniture.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import Final, NamedTuple
from unicodedata import normalize

from pipeline.ingest.split_phrases import NO_LANGUAGE, languages, of_language

KINDS: Final = (
    "menus",
    "navigation",
    "posts",
    "comments",
    "skips",
    "homes",
    "counted",
    "networks",
    "shares",
    "turns",
    "entries",
    "glue",
)
"""The kinds whose phrases stand in rows; a set of them is a number, the n-th bit for the n-th."""
EVERYWHERE: Final = ("en", NO_LANGUAGE)
"""Languages that stand beside any other: half of all sites are translated by half."""

_SAME: Final = str.maketrans(
    {
        **dict(zip("：｜／！，（）’ıё", ":|/!,()'ie", strict=True)),
        **dict(zip("άέήίόύώΐΰϊϋşţيىكأإآة", "αεηιουωιυιυșțییکاااه", strict=True)),
        **dict.fromkeys(
            [0x307, 0xAD, 0x640, 0xFE0F, 0xFEFF, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F]
        ),
        **dict.fromkeys([*range(0x64B, 0x653), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
        "\u00a0": " ",
        "\u3000": "\t",
    }
)
_CUTS: Final = "|¦•·∙▪■●◆★♦»«›‹<>←→↑↓⇐⇒⇑⇧↩▲△▼▽▶►▸◀◄◂…()[]{}【】〔〕「」《》〈〉/"
"""What stands between the cells of a row, beside blanks and numbers."""
_DIVIDERS = re.compile(rf"\.{{2,}}|\s{{2,}}|\s[-–—]+\s|[\t\d{re.escape(_CUTS)}]")
_TOKEN = re.compile(r"[^\s.,:;!+*=~_#、。،؛–—]+\+?")
_FIRST = re.compile(
    rf"[\s\-.,:;!*=~_#、。،؛–—{re.escape(_CUTS)}]*(\d|[^\s.,:;!*+=~_#、。،؛–—\d{re.escape(_CUTS)}]+\+?)"
)
_NUMBER = re.compile(r"\d+")


class Word(NamedTuple):
    """What is known of a phrase: of which kinds it is, and of which languages, as sets of bits."""

    kinds: int
    tongues: int


class Row(NamedTuple):
    """A line of known phrases: each of them, in how many cells they stand, and the numbers."""

    words: tuple[Word, ...]
    cells: int
    numbers: tuple[int, ...]

    @property
    def agrees(self) -> bool:
        """Whether the phrases are of one language, English apart."""
        return reduce(and_, (word.tongues for word in self.words), -1) != 0

    def all_of(self, kinds: int) -> bool:
        """Whether every phrase is of one of these kinds."""
        return all(word.kinds & kinds for word in self.words)

    def count(self, kinds: int) -> int:
        """Return how many phrases are of one of these kinds."""
        return sum(1 for word in self.words if word.kinds & kinds)


def bits(*kinds: str) -> int:
    """Return a set of kinds as the number that a `Word` has."""
    return sum(1 << KINDS.index(kind) for kind in kinds)


def folded(line: str) -> str:
    """Return a line in the form in which it is compared: in small letters, alike letters as one."""
    small = line.casefold()
    return small if small.isascii() else normalize("NFC", small).translate(_SAME)


def read_row(line: str) -> Row | None:
    """Return what a folded line consists of, None if anything in it is unknown."""
    first = _FIRST.match(line)
    if first is None or not (first[1].isdecimal() or first[1].strip("-+") in _LENGTHS):
        return None
    words: list[Word] = []
    cells = 0
    for cell in _DIVIDERS.split(line):
        before = len(words)
        for word in _words(cell):
            if word is None:
                return None
            if word.kinds != _GLUE:
                words.append(word)
        cells += len(words) > before
    return Row(tuple(words), cells, tuple(map(int, _NUMBER.findall(line))))


def _words(cell: str) -> Iterator[Word | None]:
    """Yield the phrases of a cell, the longest that fits each time; None where there is none."""
    tokens = _tokens(cell)
    at = 0
    while at < len(tokens):
        most = min(_LENGTHS.get(tokens[at], 0), len(tokens) - at)
        for length in range(most, 0, -1):
            if word := _WORDS.get(" ".join(tokens[at : at + length])):
                yield word
                at += length
                break
        else:
            yield None
            return


def _tokens(cell: str) -> list[str]:
    return [token for part in _TOKEN.findall(cell) if (token := part.strip("-"))]


def _known() -> dict[str, Word]:
    tongues = dict.fromkeys(EVERYWHERE, -1)
    found: dict[str, Word] = {}
    for kind in KINDS:
        for language in languages(kind):
            own = tongues.setdefault(language, 1 << len(tongues))
            for phrase in of_language(kind, language):
                key = " ".join(_tokens(folded(phrase)))
                old = found.get(key, Word(0, 0))
                found[key] = Word(old.kinds | bits(kind), old.tongues | own)
    return found


def _lengths(phrases: dict[str, Word]) -> dict[str, int]:
    """Return how many tokens the longest phrase has that begins with a token."""
    found: dict[str, int] = {}
    for phrase in phrases:
        tokens = phrase.split(" ")
        found[tokens[0]] = max(found.get(tokens[0], 0), len(tokens))
    return found


_GLUE = bits("glue")
_WORDS = _known()
_LENGTHS = _lengths(_WORDS)
