"""A second look at likely boundaries: what they part, seen from boundary to boundary.

Holds: `outlook`, `pair_features` and their names. Pure functions.
Not here: the features of single lines (`split_features.py`), the scores (`split_score.py`).

The first look at a line knows windows of fixed length. Once the likely boundaries of a page are
known, the text from the likely boundary before to the one after can be compared as a whole, and a
line can be judged by what else the page has to offer.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_features import HEAD_WORDS
from pipeline.ingest.split_kin import KIN_NAMES, kinship
from pipeline.ingest.split_measure import REGIMES, Page
from pipeline.ingest.split_words import damped
from pipeline.signature.compiled import i64, inline, jit, u32

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LIKELY: Final = -0.85
"""Log odds above which a line counts as a boundary when others are judged (30 %)."""
NEVER: Final = -12.0
"""Log odds of lines that are none."""
LONGEST: Final = 1200
"""Words of either side that are compared: more cost time and change nothing."""
NEAR: Final = (-3, -2, -1, 1, 2, 3)
"""Neighbours whose odds are told one by one: of a title and its deck only one begins an article."""
AROUND: Final = (-3, -2, -1, 0, 1, 2, 3)
"""Lines whose odds of being the site's are told: behind what a site prints an article begins."""

PAIR_NAMES: Final = [
    "odds",
    "best_1",
    "best_3",
    "best_8",
    "best_elsewhere",
    "likely",
    "expected",
    "expected_share",
    "words_back",
    "words_ahead",
    "lines_back",
    "lines_ahead",
    "odds_back",
    "odds_ahead",
    "likeness",
    "title_ahead",
    "title_back",
    *(f"layout_{kind}" for kind in range(REGIMES)),
    *(f"odds{step:+d}" for step in NEAR),
    *(f"site{step:+d}" for step in AROUND),
    *KIN_NAMES,
]
_LAYOUT: Final = 17
_NEAR: Final = _LAYOUT + REGIMES
_AROUND: Final = _NEAR + len(NEAR)
_KIN: Final = _AROUND + len(AROUND)
_WIDTH: Final = _KIN + len(KIN_NAMES)

_BITS: Final = 14


class Outlook(NamedTuple):
    """What the whole page has to offer, by the odds of the look before."""

    odds: Floats
    furniture: Floats  # the odds that a line is the site's
    ahead: Ints  # the next likely boundary after each line
    back: Ints  # the last one before it
    best_before: Floats  # the highest odds before each line
    best_after: Floats  # the highest odds from each line on
    likely: int
    expected: float
    kin: Floats  # what the lines that look alike are, by line


@jit
def outlook(page: Page, odds: Floats, furniture: Floats) -> Outlook:
    """Survey a page once, for all the lines that are looked at again."""
    count = len(odds)
    ahead, back = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    before = np.full(count + 1, NEVER, dtype=np.float32)
    after = np.full(count + 1, NEVER, dtype=np.float32)
    last, likely, expected = 0, 0, 0.0
    for at in range(count):
        back[at] = last
        before[at + 1] = max(before[at], odds[at])
        expected += 1 / (1 + np.exp(-odds[at]))
        if odds[at] > LIKELY:
            last = at
            likely += 1
    last = count
    for at in range(count - 1, -1, -1):
        ahead[at] = last
        after[at] = max(after[at + 1], odds[at])
        last = at if odds[at] > LIKELY else last
    kin = kinship(page.kinds, odds)
    return Outlook(odds, furniture, ahead, back, before, after, likely, expected, kin)


@jit
def pair_features(page: Page, view: Outlook, lines: Ints) -> Floats:
    """Return, for each of the likely `lines` (ascending), a row in the order of `PAIR_NAMES`."""
    odds, count = view.odds, len(view.odds)
    out = np.zeros((len(lines), _WIDTH), dtype=np.float32)
    left, right = np.zeros(1 << _BITS, np.int32), np.zeros(1 << _BITS, np.int32)
    for index in range(len(lines)):
        line, row = lines[index], out[index]
        row[0] = odds[line]
        for slot, reach in ((1, 1), (2, 3), (3, 8)):
            row[slot] = _best_near(odds, line, reach)
        elsewhere = view.best_before[max(0, line - 3)]
        row[4] = max(elsewhere, view.best_after[min(count, line + 4)])
        row[5] = np.log2(1.0 + view.likely)
        row[6] = np.log2(1.0 + view.expected)
        row[7] = view.expected / count
        low, high = view.back[line], view.ahead[line]
        _compare(page, (low, line, high), (left, right), row)
        row[12] = odds[low]
        row[13] = odds[high] if high < count else 9.0
        for slot in range(len(NEAR)):
            other = line + NEAR[slot]
            row[_NEAR + slot] = odds[other] if 0 <= other < count else NEVER
        for slot in range(len(AROUND)):
            other = line + AROUND[slot]
            row[_AROUND + slot] = view.furniture[other] if 0 <= other < count else 0.0
        for kind in range(len(view.kin)):
            row[_KIN + kind] = view.kin[kind, line]
    return out


@inline
def _best_near(odds: Floats, line: int, reach: int) -> float:
    best = NEVER
    for other in range(max(0, line - reach), min(len(odds), line + reach + 1)):
        if other != line:
            best = max(best, float(odds[other]))
    return best


@inline
def _compare(
    page: Page, span: tuple[int, int, int], tables: tuple[npt.NDArray[np.int32], ...], row: Floats
) -> None:
    """Write how far the text before and after the line (up to likely boundaries) differ."""
    low, line, high = span
    left, right = tables
    columns = page.columns
    start, here, stop = columns[sl.TOKEN, low], columns[sl.TOKEN, line], columns[sl.TOKEN, high]
    row[8], row[9] = np.log2(1.0 + here - start), np.log2(1.0 + stop - here)
    row[10], row[11] = np.log2(1.0 + line - low), np.log2(1.0 + high - line)
    start, stop = max(start, here - LONGEST), min(stop, here + LONGEST)
    for at in range(start, here):
        left[page.tokens[at] >> u32(32 - _BITS)] += 1
    for at in range(here, stop):
        right[page.tokens[at] >> u32(32 - _BITS)] += 1
    _likeness(page, (start, here, stop), tables, row)
    end = min(columns[sl.TOKEN, line + 1], here + HEAD_WORDS)
    total, known, returned = 0, 0, 0
    for at in range(here, end):
        place = page.tokens[at] >> u32(32 - _BITS)
        total += page.weights[at]
        known += page.weights[at] * (left[place] > 0)
        returned += page.weights[at] * (right[place] > 1)
    row[15], row[16] = returned / max(1, total), known / max(1, total)
    for at in range(start, here):
        left[page.tokens[at] >> u32(32 - _BITS)] = 0
    for at in range(here, stop):
        right[page.tokens[at] >> u32(32 - _BITS)] = 0
    for kind in range(REGIMES):
        sums = page.sums[kind]
        after = (sums[high] - sums[min(line + 1, high)]) / max(1, high - line - 1)
        before = (sums[line] - sums[min(low + 1, line)]) / max(1, line - low - 1)
        row[_LAYOUT + kind] = after - before


@inline
def _likeness(
    page: Page, span: tuple[int, int, int], tables: tuple[npt.NDArray[np.int32], ...], row: Floats
) -> None:
    """Write the cosine of the two vocabularies."""
    left, right = tables
    cross, lefts, rights = i64(0), i64(0), i64(0)
    for at in range(span[0], span[2]):
        place = page.tokens[at] >> u32(32 - _BITS)
        weight = i64(page.weights[at])
        mine, other = damped(left[place]) * weight, damped(right[place]) * weight
        if at < span[1]:
            # a word that stands there n times is met n times: divide by n
            lefts += mine * mine // max(1, left[place])
            cross += mine * other // max(1, left[place])
        else:
            rights += other * other // max(1, right[place])
    row[14] = cross / np.sqrt(max(1.0, float(lefts)) * max(1.0, float(rights)))
