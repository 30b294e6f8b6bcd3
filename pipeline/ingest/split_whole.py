"""Whether a page that looks like several articles is one after all: all its cuts seen together.

Holds: `boundaries`, `survey` and the names of its numbers. Pure functions.
Not here: the scores of single lines (`split_score.py`), the choice among them (`split_path.py`).

Every line is judged by itself and by its neighbours; here a page is judged as a whole, by what
its likely cuts have in common: how sure they are, what lines like them were left uncut, how the
lengths of the parts vary, and whether the same few words run through all of them. What says how a
page is laid out (indentation, blank lines) is left out: it would tell manuals from news, and not
one article from several.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_chars import ASK, COLON, DASH, DIGIT, STOP, SYMBOL
from pipeline.ingest.split_features import NAMES as LINE_NAMES
from pipeline.ingest.split_features import features
from pipeline.ingest.split_forest import Forest, log_odds
from pipeline.ingest.split_measure import Page, log
from pipeline.ingest.split_pairs import LIKELY, NEVER, PAIR_NAMES, outlook, pair_features
from pipeline.ingest.split_path import choose, odds_of
from pipeline.ingest.split_score import Judged
from pipeline.signature.compiled import i64, inline, jit, u32

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PROPOSED: Final = 0.4
"""The cuts that are looked at are those a page has at this `min_split_score`."""
DOUBT: Final = 0.15
"""Log odds of several articles below which a page is kept whole."""
LEAST_LINES: Final = 5
"""A shorter page has too little of everything to be judged by, or to learn from."""
DOUBTED_LINES: Final = 8
"""A shorter page is not doubted: three briefs of two lines look like one article with headings."""
MOST_CUTS: Final = 200
"""More of them are not all wrong; no page that was learned from has as many."""

_BITS: Final = 14
_TOP: Final = 8
"""Words that are frequent in the page, of which is asked in how many parts they stand."""

_EACH: Final = (
    "odds",
    "likeness",
    "title_ahead",
    "title_back",
    "back_and_new",
    "similarity_150",
    "crossings_150",
    "broad_kin_share",
    "broad_kin_odds",
    "close_kin_share",
    "length+0",
    "length_to_first",
    "length_to_next",
    "layout_0",
    "layout_6",
)
"""What is asked of each cut; of all its mean, least and greatest are told."""
_PARTS: Final = (
    "part_mean",
    "part_spread",
    "part_least",
    "part_first",
    "part_last",
    "part_biggest",
)
_ALL: Final = ("stop", "ask", "colon", "digit", "mark")
_LINES: Final = (
    "lines",
    "tokens",
    "cuts",
    "odds_sum",
    "rest_third",
    "rest_sum",
    "rest_share",
    "first_length",
    "first_digit",
    *(f"{kind}_lines" for kind in _ALL),
    *(f"{kind}_cuts" for kind in _ALL),
    "titlelike",
    "tiny",
    "long",
    "digits",
    "stops",
    "seen",
    "like_first",
    "cut_kin",
    "uncut_similar",
    "uncut_crossing",
    "fresh",
    "site",
    "site_cuts",
)
_WORDS: Final = ("top_parts", "top_parts_most", "top_words", "spread")
NAMES: Final = (
    *(f"{name}_{of}" for name in _EACH for of in ("mean", "least", "most")),
    *_PARTS,
    *_LINES,
    *_WORDS,
)
_PLACES: Final = np.array([(*LINE_NAMES, *PAIR_NAMES).index(name) for name in _EACH], np.int64)


def boundaries(page: Page, judged: Judged, *, floor: float, forest: Forest) -> Ints:
    """Return the lines at which documents begin; only the first if the page is one article.

    Args:
        page: the page measured.
        judged: how likely a document begins at each line, and what is the site's.
        floor: boundaries less likely than this are not cut.
        forest: what was learned of pages.
    """
    starts = choose(judged.starts, page.columns[sl.LENGTH, :-1], floor=floor)
    if (
        len(starts) == 1
        or len(judged.starts) < DOUBTED_LINES
        or not _doubted(page, judged, min(floor, PROPOSED), forest)
    ):
        return starts
    return starts[:1]


def _doubted(page: Page, judged: Judged, floor: float, forest: Forest) -> bool:
    """Return whether all the cuts that a page might have at `floor` are likely wrong."""
    starts = choose(judged.starts, page.columns[sl.LENGTH, :-1], floor=floor)
    if not can_tell(judged.starts, starts):
        return False
    row = survey(page, judged, starts).reshape(1, -1)
    return bool(log_odds(forest, row, -np.inf)[0] < DOUBT)


def can_tell(scores: Floats, starts: Ints) -> bool:
    """Return whether a page and its cuts are enough, and not too many, to be judged together."""
    return len(scores) >= LEAST_LINES and 0 < len(starts) - 1 <= MOST_CUTS


def survey(page: Page, judged: Judged, starts: Ints) -> Floats:
    """Return what a page and its proposed cuts look like, in the order of `NAMES`."""
    cuts = starts[1:]
    scores = judged.starts
    odds = np.where(scores > 0, odds_of(scores), NEVER).astype(np.float32)
    taken = np.zeros(len(odds), dtype=np.bool_)
    taken[cuts] = True
    known = np.where(taken, np.maximum(odds, LIKELY + 0.01), np.minimum(odds, LIKELY))
    view = outlook(page, known.astype(np.float32), judged.furniture)
    rows = np.hstack([features(page, cuts), pair_features(page, view, cuts)])
    out = np.zeros(len(NAMES), dtype=np.float32)
    at = _cuts(rows, _PLACES, out)
    at += _parts(page, starts, out[at:])
    at += _lines(page, odds, taken, out[at:])
    at += _site(judged.furniture, starts, out[at:])
    _words(page, starts, out[at:])
    return out


@jit
def _cuts(rows: Floats, places: Ints, out: Floats) -> int:
    """Write mean, least and greatest of what is known of each cut."""
    for index in range(len(places)):
        total, least, most = 0.0, np.inf, -np.inf
        for row in range(len(rows)):
            value = float(rows[row, places[index]])
            total += value
            least, most = min(least, value), max(most, value)
        out[3 * index], out[3 * index + 1], out[3 * index + 2] = total / len(rows), least, most
    return 3 * len(places)


@jit
def _parts(page: Page, starts: Ints, out: Floats) -> int:
    """Write how long the parts are (in words), and how unlike in that."""
    columns, count = page.columns, len(starts)
    total, squares, least, biggest, first, size = 0.0, 0.0, np.inf, 0, 0.0, 0.0
    for part in range(count):
        stop = starts[part + 1] if part + 1 < count else columns.shape[1] - 1
        words = columns[sl.TOKEN, stop] - columns[sl.TOKEN, starts[part]]
        size = log(words)
        first = size if part == 0 else first
        total += size
        squares += size * size
        least, biggest = min(least, size), max(biggest, words)
    mean = total / count
    out[0], out[2] = mean, least
    out[1] = np.sqrt(max(0.0, squares / count - mean * mean))
    out[3], out[4] = first - mean, size - mean
    out[5] = biggest / max(1, len(page.tokens))
    return 6


@jit
def _lines(page: Page, odds: Floats, taken: npt.NDArray[np.bool_], out: Floats) -> int:
    """Write what the lines are like, those cut and all, and what was left uncut."""
    columns, count, kinds = page.columns, len(odds), page.kinds.of
    cuts, earned, chance = 0, 0.0, 0.0
    rest, best = 0.0, np.full(3, NEVER)
    shares = np.zeros((2, 5), dtype=np.int64)
    tiny, long, digits, stops, seen, kin, length = 0, 0, 0, 0, 0, 0, i64(0)
    similar, crossing, uncut, cut_kin = 0.0, 0.0, 0, 0
    for at in range(count):
        cuts += taken[at]
        end, first = columns[sl.END, at], columns[sl.FIRST, at]
        marks = (
            (end == STOP) | (end == ASK) << 1 | (end == COLON) << 2 | (first == DIGIT) << 3
            | (first in (SYMBOL, DASH)) << 4
        )  # fmt: skip
        for mark in range(5):
            shares[0, mark] += marks >> mark & 1
            shares[1, mark] += (marks >> mark & 1) * taken[at]
        tiny += columns[sl.LENGTH, at] < 12
        long += columns[sl.LENGTH, at] > 300
        length += columns[sl.LENGTH, at]
        digits += columns[sl.DIGITS, at]
        stops += columns[sl.STOPS, at]
        seen += page.seen[at] > 0
        kin += at > 0 and kinds[0, at] == kinds[0, 0]
        cut_kin += taken[at] and kinds[0, at] == kinds[0, 0]
        even = 1 / (1 + np.exp(-float(odds[at])))
        if taken[at]:
            earned += odds[at]
            chance += even
        elif not _near(taken, at):
            rest += even
            _keep(best, float(odds[at]))
            similar += page.curves[4, at]
            crossing += page.curves[12, at]
            uncut += 1
    out[0], out[1], out[2] = log(count), log(len(page.tokens)), log(cuts)
    out[3], out[4], out[5], out[6] = earned, best[2], rest, rest / (rest + chance)
    out[7], out[8] = log(columns[sl.LENGTH, 0]), columns[sl.FIRST, 0] == DIGIT
    for mark in range(5):
        out[9 + mark] = shares[0, mark] / count
        out[14 + mark] = shares[1, mark] / max(1, cuts)
    out[19], out[20], out[21] = page.sums[6, count] / count, tiny / count, long / count
    out[22], out[23], out[24] = digits / max(1, length), stops / count, seen / count
    out[25], out[26] = kin / count, cut_kin / max(1, kin)
    out[27], out[28] = similar / max(1, uncut), crossing / max(1, uncut)
    out[29] = page.fresh[-1] / 16.0 / max(1, len(page.tokens))
    return 30


@jit
def _site(furniture: Floats, starts: Ints, out: Floats) -> int:
    """Write how many lines are the site's, and how many parts begin behind one."""
    lines, behind = 0, 0
    for at in range(len(furniture)):
        lines += furniture[at] > 0
    for part in range(1, len(starts)):
        behind += furniture[starts[part] - 1] > 0
    out[0], out[1] = lines / len(furniture), behind / max(1, len(starts) - 1)
    return 2


@inline
def _near(taken: npt.NDArray[np.bool_], at: int) -> bool:
    """Whether one of the two lines before or after is cut."""
    near = False
    for other in range(max(0, at - 2), min(len(taken), at + 3)):
        near = near or taken[other]
    return near


@inline
def _keep(best: npt.NDArray[np.float64], value: float) -> None:
    """Keep the three greatest, in order."""
    if value > best[2]:
        best[2] = value
        for place in (2, 1):
            if best[place] > best[place - 1]:
                best[place], best[place - 1] = best[place - 1], best[place]


@jit
def _words(page: Page, starts: Ints, out: Floats) -> None:
    """Write in how many parts the page's words stand: the most frequent, and all of several."""
    size, count = 1 << _BITS, len(starts)
    times, parts = np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.int32)
    last = np.full(size, -1, dtype=np.int32)
    part = 0
    for at in range(len(page.tokens)):
        while part + 1 < count and at >= page.columns[sl.TOKEN, starts[part + 1]]:
            part += 1
        place = page.tokens[at] >> u32(32 - _BITS)
        times[place] += 1
        parts[place] += last[place] != part
        last[place] = part
    several, spread = 0, 0.0
    for place in range(size):
        if times[place] > 1:
            several += 1
            spread += (parts[place] - 1) / (min(times[place], count) - 1)
    total, most, words = 0.0, 0.0, 0
    for _ in range(_TOP):
        place = np.argmax(times)
        total += parts[place] / count
        most = max(most, parts[place] / count)
        words += times[place]
        times[place] = 0
    out[0], out[1] = total / _TOP, most
    out[2], out[3] = words / max(1, len(page.tokens)), spread / max(1, several)
