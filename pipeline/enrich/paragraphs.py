"""Which part of a text is in which language: runs of paragraphs, and shares of letters.

Holds: `Unit`, `units`, `sentences`, `Span`, `spans`, `shares`, `is_mixed`. Pure.
Not here: which language a paragraph is in (`language.py`), what is a letter (`codepoints.py`).

A unit is a line, with the lines after it until it has `MIN_LETTERS`: single short lines are names
and headings, and detectors are wrong about them. A line above `MAX_CHARACTERS` is cut at a space.
Units tile the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

import msgspec
import numpy as np

from pipeline.enrich.codepoints import Codes, Counts, Small, code_points, letter_weights
from pipeline.enrich.labels import NON_LINGUISTIC, UNDETERMINED
from pipeline.signature.compiled import jit

MIN_LETTERS = 40
MAX_CHARACTERS = 1000
MIXED_SHARE = 0.1
LISTED_SHARE = 0.01
PLACES = 4
LINE_FEED, SPACE = 10, 32
SENTENCE_END = re.compile(r"[.!?…|;؟।]+[^\w\s]*\s+|[。！？；]+|\n+")


class Unit(msgspec.Struct, frozen=True):
    """Characters `start` to `end` (half-open) of a text, and the letters in them."""

    start: int
    end: int
    letters: int


class Span(msgspec.Struct, frozen=True):
    """Characters `start` to `end` (half-open) of a text, all in one language."""

    start: int
    end: int
    language: str


def units(text: str) -> list[Unit]:
    """Cut a text into lines, short ones together with those that follow."""
    rows = _units(code_points(text), letter_weights())
    return [Unit(start, end, letters) for start, end, letters in rows.tolist()]


def sentences(text: str, least: int) -> list[Unit]:
    """Cut a text at ends of sentences into units of `least` letters or more, if it has so many."""
    weights = letter_weights()[code_points(text)]
    parts: list[Unit] = []
    start = 0
    for end in [match.end() for match in SENTENCE_END.finditer(text)] + [len(text)]:
        letters = int(weights[start:end].sum())
        if end == len(text) and letters < least and parts:
            last = parts.pop()
            start, letters = last.start, last.letters + letters
        if start < end and (letters >= least or end == len(text)):
            parts.append(Unit(start, end, letters))
            start = end
    return parts


def spans(parts: Sequence[Unit], languages: Sequence[str]) -> list[Span]:
    """Merge neighbours in the same language."""
    pairs = zip(parts, languages, strict=True)
    runs = [(name, list(run)) for name, run in groupby(pairs, key=itemgetter(1))]
    return [Span(run[0][0].start, run[-1][0].end, name) for name, run in runs]


def shares(parts: Sequence[Unit], languages: Sequence[str]) -> list[tuple[str, float]]:
    """Return languages by their share of the letters, largest first; crumbs are left out."""
    letters: Counter[str] = Counter()
    for part, language in zip(parts, languages, strict=True):
        letters[language] += part.letters
    total = letters.total()
    ranked = sorted(letters.items(), key=lambda item: (-item[1], item[0]))
    return [(name, round(n / total, PLACES)) for name, n in ranked if n >= LISTED_SHARE * total]


def is_mixed(found: Iterable[tuple[str, float]]) -> bool:
    """Say whether two known languages have a tenth of the letters each."""
    known = [name for name, share in found if share >= MIXED_SHARE]
    return len({*known} - {UNDETERMINED, NON_LINGUISTIC}) > 1


@jit
def _units(codes: Codes, weights: Small) -> Counts:
    """Return rows of (start, end, letters); a short rest belongs to the unit before it."""
    lines = 1
    for code in codes:
        lines += code == LINE_FEED
    found = np.empty((lines + codes.shape[0] // MAX_CHARACTERS, 3), np.int64)
    count, start, letters = 0, 0, 0
    for place in range(codes.shape[0]):
        letters += weights[codes[place]]
        last = place == codes.shape[0] - 1
        code = codes[place]
        ends = code == LINE_FEED or (code == SPACE and place - start >= MAX_CHARACTERS)
        if last or (ends and letters >= MIN_LETTERS):
            if last and letters < MIN_LETTERS and count:
                count -= 1
                start, letters = found[count, 0], letters + found[count, 2]
            found[count, 0], found[count, 1], found[count, 2] = start, place + 1, letters
            count, start, letters = count + 1, place + 1, 0
    return found[:count]
