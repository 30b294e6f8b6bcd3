"""What speaks for and against a new document beginning at a line, as numbers.

Holds: `features` and their names. Pure functions.
Not here: measuring the page (`split_measure.py`), what the numbers add up to (`split_score.py`).

Nothing here knows a layout: lengths are compared with those of neighbours, layout is what the
lines around do, subjects are hashed words. Of a language, what lines begin with may be known.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest import split_words as sw
from pipeline.ingest.split_measure import ALIKE, REACHES, REGIMES, WINDOWS, Page, log
from pipeline.signature.compiled import i64, inline, jit

Floats = npt.NDArray[np.float32]

SPANS: Final = (3, 10)
AROUND: Final = (-2, -1, 0, 1, 2)
SENTENCE: Final = 90
"""Visible characters of a line that is a sentence or more."""
LONGEST_RUN: Final = 32
HEAD_WORDS: Final = 30
"""Words of a line that are looked up in the text after and before it."""

_LOOKS: Final = ("length", "first", "end", "closed", "indent", "digits")
_TOLD: Final = {
    "early": sl.EARLY,
    "capitals": sl.CAPITALS,
    "signs": sl.SIGNS,
    "site": sl.SITE,
    "begins": sl.BEGINS,
    "ends": sl.ENDS,
    "serves": sl.SERVES,
    "familiar": sl.FAMILIAR,
}
"""What is told of a line, and of those around it, as the column has it."""
_TOLD_COLUMNS: Final = np.array(list(_TOLD.values()), np.int64)
_SHAPE: Final = (*_LOOKS, *_TOLD)
_REGIME: Final = ("length", "indent", "open_end", "gap", "wide", "caseless", "titlelike", "closed")
_OWN: Final = [
    "uppers_per_word",
    "commas",
    "stops",
    "words",
    "wide",
    "gap_before",
    "gap_after",
    "gap_before_last",
    "same_as_next",
    "same_as_last",
    "seen_before",
    "head_before",
    "head_after",
    "indent_change",
    "end_alike",
    "indented_less",
    "indented_more",
    "repeats",
    "repeats_last",
    "repeats_last_two",
    "repeats_next",
    "short_run_before",
    "short_run_after",
]
_LINKS: Final = [
    "back_near",
    "back_far",
    "known_near",
    "known_far",
    "back_and_new",
    "count",
    "next_line_share",
    "third_line_share",
    "next_back_far",
    "next_known_near",
]
_PLACE: Final = [
    "words_before",
    "words_after",
    "lines_before",
    "lines_after",
    "page_words",
    "page_titlelike",
    "page_indent",
    "page_gap",
    "page_length",
    "page_similarity",
    "page_open_end",
]
_KIND: Final = [
    "like_first",
    "length_to_first",
    "length_to_page",
    "length_to_next",
    "kind_share",
    "close_share",
    "kind_back",
    "kind_ahead",
]
FIRST_REACH: Final = 400
"""Lines over which the first line of a page says what its titles look like."""

NAMES: Final = (
    *(f"{name}{at:+d}" for at in AROUND for name in _SHAPE),
    *(f"{name}{at:+d}" for at in AROUND for name in ALIKE),
    *_OWN,
    *(
        f"{name}_{side}{span}"
        for span in SPANS
        for name in _REGIME
        for side in ("before", "change")
    ),
    *(f"{name}_{w}" for w in WINDOWS for name in ("similarity", "similarity_dip", "lowest", "z")),
    *(f"crossings_{reach}" for reach in REACHES),
    "fresh_before",
    "fresh_after",
    *_LINKS,
    *_PLACE,
    *_KIND,
)


def features(page: Page, lines: npt.NDArray[np.int64]) -> Floats:
    """Return the features of some lines, one row a line, in the order of `NAMES`."""
    out = np.zeros((len(lines), len(NAMES)), dtype=np.float32)
    _fill(page, lines, out)
    return out


@jit
def _fill(page: Page, lines: npt.NDArray[np.int64], out: Floats) -> None:
    for index in range(len(out)):
        row, line = out[index], lines[index]
        at = _shape(page, line, row)
        at += _alike(page, line, row[at:])
        at += _own(page, line, row[at:])
        at += _regimes(page, line, row[at:])
        at += _curves(page, line, row[at:])
        at += _links(page, line, row[at:])
        at += _place(page, line, row[at:])
        _kind(page, line, row[at:])


@inline
def _shape(page: Page, line: int, out: Floats) -> int:
    """Write what the line and its neighbours look like."""
    columns, count = page.columns, page.columns.shape[1] - 1
    at = 0
    for step in AROUND:
        other = line + step
        if 0 <= other < count:
            length = columns[sl.LENGTH, other]
            out[at] = log(length)
            out[at + 1] = columns[sl.FIRST, other]
            out[at + 2] = columns[sl.END, other]
            out[at + 3] = columns[sl.CLOSED, other]
            out[at + 4] = min(columns[sl.INDENT, other], 12)
            out[at + 5] = columns[sl.DIGITS, other] / length
            for kind in range(len(_TOLD_COLUMNS)):
                out[at + 6 + kind] = columns[_TOLD_COLUMNS[kind], other]
        else:
            out[at : at + 6] = -1
        at += 6 + len(_TOLD_COLUMNS)
    return at


@inline
def _alike(page: Page, line: int, out: Floats) -> int:
    """Write how many lines near begin or end like the line and its neighbours."""
    count, ways = page.alike.shape[1], len(page.alike)
    for slot in range(len(AROUND)):
        other = line + AROUND[slot]
        for way in range(ways):
            inside = 0 <= other < count
            out[slot * ways + way] = log(page.alike[way, other]) if inside else -1
    return len(AROUND) * ways


@inline
def _own(page: Page, line: int, out: Floats) -> int:
    """Write what else is known of the line itself."""
    columns, count = page.columns, page.columns.shape[1] - 1
    length = columns[sl.LENGTH, line]
    out[0] = columns[sl.UPPERS, line] / max(1, columns[sl.WORDS, line])
    out[1] = columns[sl.COMMAS, line] / length * 100
    out[2] = columns[sl.STOPS, line]
    out[3] = log(columns[sl.WORDS, line])
    out[4] = 2.0 * columns[sl.WIDE, line] / length
    out[5] = min(9, columns[sl.NUMBER, line] - columns[sl.NUMBER, line - 1]) if line else 0
    out[6] = min(9, columns[sl.NUMBER, line + 1] - columns[sl.NUMBER, line])
    out[7] = min(9, columns[sl.NUMBER, line - 1] - columns[sl.NUMBER, line - 2]) if line > 1 else 0
    out[8] = line + 1 < count and columns[sl.HASH, line] == columns[sl.HASH, line + 1]
    out[9] = line > 0 and columns[sl.HASH, line] == columns[sl.HASH, line - 1]
    out[10] = page.seen[line]
    alike_before, alike_after, ends, less, more = 0, 0, 0, 0, 0
    for other in range(max(0, line - 12), min(count, line + 13)):
        alike = columns[sl.HEAD, other] == columns[sl.HEAD, line]
        alike_before += alike and other < line
        alike_after += alike and other > line
        ends += columns[sl.END, other] == columns[sl.END, line]
        less += columns[sl.INDENT, other] < columns[sl.INDENT, line]
        more += columns[sl.INDENT, other] > columns[sl.INDENT, line]
    out[11], out[12], out[14] = alike_before, alike_after, ends
    out[13] = columns[sl.INDENT, line] - columns[sl.INDENT, line - 1] if line else 0
    out[15], out[16] = less, more
    out[17] = log(page.repeats[line])
    out[18] = log(page.repeats[line - 1]) if line else 0
    out[19] = log(page.repeats[line - 2]) if line > 1 else 0
    out[20] = log(page.repeats[line + 1]) if line + 1 < count else 0
    out[21], out[22] = _short_run(columns, line, -1), _short_run(columns, line, 1)
    return 23


@inline
def _short_run(columns: npt.NDArray[np.int32], line: int, step: int) -> int:
    """Return how many lines from the next one on, up or down, are no sentences (at most 32)."""
    run = 0
    other = line + step
    while run < LONGEST_RUN and 0 <= other < columns.shape[1] - 1:
        if columns[sl.LENGTH, other] >= SENTENCE:
            break
        run += 1
        other += step
    return run


@inline
def _regimes(page: Page, line: int, out: Floats) -> int:
    """Write the layout before the line, and how it differs after it (the line itself left out)."""
    sums, count = page.sums, page.columns.shape[1] - 1
    at = 0
    for span in SPANS:
        low, high = max(0, line - span), min(count, line + 1 + span)
        for kind in range(REGIMES):
            old = (sums[kind, line] - sums[kind, low]) / max(1, line - low)
            new = (sums[kind, high] - sums[kind, min(count, line + 1)]) / max(1, high - line - 1)
            out[at] = old
            out[at + 1] = new - old
            at += 2
    return at


@inline
def _curves(page: Page, line: int, out: Floats) -> int:
    """Write how much the subject changes at the line."""
    kinds = len(page.curves)
    for kind in range(kinds):
        out[kind] = page.curves[kind, line]
    here, count = page.columns[sl.TOKEN, line], len(page.tokens)
    low, high = max(0, here - 120), min(count, here + 120)
    out[kinds] = (page.fresh[here] - page.fresh[low]) / 16.0 / max(1, here - low)
    out[kinds + 1] = (page.fresh[high] - page.fresh[here]) / 16.0 / max(1, high - here)
    return kinds + 2


@inline
def _links(page: Page, line: int, out: Floats) -> int:
    """Write whether the words of the line return after it, and whether they were known before."""
    _echo(page, line, out)
    count = page.columns.shape[1] - 1
    if line + 1 < count:
        echo = np.zeros(6, dtype=np.float32)
        _echo(page, line + 1, echo)
        out[8], out[9] = echo[1], echo[2]
    return 10


@inline
def _echo(page: Page, line: int, out: Floats) -> None:
    columns, count = page.columns, page.columns.shape[1] - 1
    start, stop = columns[sl.TOKEN, line], columns[sl.TOKEN, line + 1]
    second = columns[sl.TOKEN, min(count, line + 2)]
    third = columns[sl.TOKEN, min(count, line + 3)]
    total = i64(0)
    sums = np.zeros(7, dtype=np.int64)
    for at in range(start, min(stop, start + HEAD_WORDS)):
        weight = i64(page.weights[at])
        total += weight
        ahead = page.after[at]
        while ahead < stop:
            ahead = page.after[ahead]
        behind = start - page.before[at] if page.before[at] < start else sw.NEVER
        sums[0] += weight if ahead < stop + 100 else 0
        sums[1] += weight if ahead < stop + 400 else 0
        sums[2] += weight if behind <= 300 else 0
        sums[3] += weight if behind <= 1500 else 0
        sums[4] += weight if ahead < stop + 400 and behind > 800 else 0
        sums[5] += weight if ahead < second else 0
        sums[6] += weight if ahead < third else 0
    for kind in range(5):
        out[kind] = sums[kind] / max(1, total)
    out[5] = min(HEAD_WORDS, stop - start)
    if len(out) > 6:
        out[6] = sums[5] / max(1, total)
        out[7] = sums[6] / max(1, total)


@inline
def _place(page: Page, line: int, out: Floats) -> int:
    """Write where in the page the line stands, and what kind of page it is."""
    columns, count = page.columns, page.columns.shape[1] - 1
    out[0] = log(columns[sl.TOKEN, line])
    out[1] = log(len(page.tokens) - columns[sl.TOKEN, line])
    out[2] = log(line)
    out[3] = log(count - line)
    out[4] = log(len(page.tokens))
    out[5] = page.sums[6, count] / count
    out[6] = page.sums[1, count] / count
    out[7] = page.sums[3, count] / count
    out[8] = page.sums[0, count] / count
    out[9] = page.usual
    out[10] = page.sums[2, count] / count
    return 11


@inline
def _kind(page: Page, line: int, out: Floats) -> None:
    """Write what lines look like this one: the page's first, and how many how near."""
    columns, count, kinds = page.columns, page.columns.shape[1] - 1, page.kinds
    broad, close = kinds.of[0, line], kinds.of[1, line]
    own = log(columns[sl.LENGTH, line])
    out[0] = -1
    if line < FIRST_REACH:
        out[0] = (broad == kinds.of[0, 0]) + (close == kinds.of[1, 0])
        out[1] = own - log(columns[sl.LENGTH, 0])
    out[2] = own - page.sums[0, count] / count
    out[3] = log(columns[sl.LENGTH, min(line + 1, count - 1)]) - own
    out[4] = np.log2(kinds.many[0, broad] / count)
    out[5] = np.log2(kinds.many[1, close] / count)
    out[6] = log(kinds.back[line])
    out[7] = log(kinds.ahead[line])
