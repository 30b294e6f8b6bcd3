"""What speaks for and against a new document beginning at a line, as numbers.

Holds: `Page`, `measure`, `features` and the names of the features. Pure functions.
Not here: what the numbers add up to (`split_score.py`).

Nothing here knows a language or a layout: lengths are compared with those of neighbours, layout
is what the lines around do, subjects are hashed words.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest import split_words as sw
from pipeline.ingest.split_chars import CASELESS, STOP, SYMBOL

Floats = npt.NDArray[np.float32]

WINDOWS: Final = (50, 150, 400)
REACHES: Final = (150, 600)
SPANS: Final = (3, 10)
AROUND: Final = (-2, -1, 0, 1, 2)
REGIMES: Final = 8
"""Properties of a layout whose means are compared."""
HEAD_WORDS: Final = 30
"""Words of a line that are looked up in the text after and before it."""

_SHAPE: Final = ("length", "first", "end", "closed", "indent", "digits")
_REGIME: Final = ("length", "indent", "open_end", "gap", "wide", "caseless", "titlelike", "closed")
_OWN: Final = (
    "uppers_per_word commas stops words wide gap_before gap_after gap_before_last same_as_next "
    "same_as_last seen_before head_before head_after indent_change end_alike"
).split()
_LINKS: Final = (
    "back_near back_far known_near known_far back_and_new count next_line_share third_line_share "
    "next_back_far next_known_near"
).split()
_PLACE: Final = (
    "words_before words_after lines_before lines_after page_words page_titlelike page_indent "
    "page_gap page_length page_similarity page_open_end"
).split()

NAMES: Final = (
    *(f"{name}{at:+d}" for at in AROUND for name in _SHAPE),
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
)

_jit = nb.njit(cache=True, nogil=True)
_inline = nb.njit(inline="always")


class Page(NamedTuple):
    """A page measured: everything that the features of a line are read from."""

    columns: npt.NDArray[np.int32]
    weights: npt.NDArray[np.uint8]
    before: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]
    tokens: npt.NDArray[np.uint32]
    sums: npt.NDArray[np.float64]  # [regimes, lines + 1]: sums over the lines before
    fresh: npt.NDArray[np.int64]  # weight of the words before that were new to the page there
    curves: Floats  # [4 x windows + reaches, lines]
    seen: npt.NDArray[np.uint8]  # how often the same line stood in the page before (up to 255)


def measure(lines: sl.Lines) -> Page:
    """Make the tables of a page, in time linear in its length."""
    columns, tokens = lines.columns, lines.tokens
    starts = np.ascontiguousarray(columns[sl.TOKEN, :-1])
    weights = sw.weigh(tokens)
    before, after = sw.neighbours(tokens)
    curves = np.zeros((4 * len(WINDOWS) + len(REACHES), lines.count), dtype=np.float32)
    for index, window in enumerate(WINDOWS):
        curve = sw.similarity(tokens, weights, starts, window)
        curves[4 * index] = curve
        curves[4 * index + 1 : 4 * index + 4] = _relief(curve, starts, window)
    for index, reach in enumerate(REACHES):
        curves[4 * len(WINDOWS) + index] = sw.crossings(before, weights, starts, reach)
    sums, seen = _sums(columns), _seen(columns)
    return Page(
        columns, weights, before, after, tokens, sums, _fresh(before, weights), curves, seen
    )


@_jit  # type: ignore[untyped-decorator]  # numba has no annotations
def _relief(curve: Floats, starts: npt.NDArray[np.int32], window: int) -> Floats:
    """Return how deep each point lies below its surroundings, and above their lowest point."""
    count = len(curve)
    result = np.zeros((3, count), dtype=np.float32)
    sums = np.zeros(count + 1, dtype=np.float64)
    squares = 0.0
    for at in range(count):
        sums[at + 1] = sums[at] + curve[at]
        squares += curve[at] * curve[at]
    mean = sums[count] / max(1, count)
    spread = np.sqrt(max(1e-6, squares / max(1, count) - mean * mean))
    low, high = 0, 0
    queue = np.empty(count, dtype=np.int32)  # lines of rising value: the first is the lowest
    head, tail = 0, 0
    for at in range(count):
        while high < count and starts[high] <= starts[at] + window:
            while tail > head and curve[queue[tail - 1]] >= curve[high]:
                tail -= 1
            queue[tail] = high
            tail += 1
            high += 1
        while starts[low] < starts[at] - window:
            low += 1
        while queue[head] < low:
            head += 1
        result[0, at] = (sums[high] - sums[low]) / (high - low) - curve[at]
        result[1, at] = curve[at] - curve[queue[head]]
        result[2, at] = (curve[at] - mean) / spread
    return result


@_inline  # type: ignore[untyped-decorator]
def _log(value: float) -> float:
    return np.log2(1.0 + value)


@_inline  # type: ignore[untyped-decorator]
def _open_end(columns: npt.NDArray[np.int32], at: int) -> bool:
    """Whether a line ends without a mark that ends a sentence."""
    return columns[sl.END, at] != STOP


@_jit  # type: ignore[untyped-decorator]
def _sums(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Sum up what makes a layout, so that the mean of any run of lines takes one subtraction."""
    count = columns.shape[1] - 1
    sums = np.zeros((REGIMES, count + 1), dtype=np.float64)
    for at in range(count):
        length = columns[sl.LENGTH, at]
        gap = columns[sl.NUMBER, at + 1] - columns[sl.NUMBER, at]
        short = 8 <= length <= 200 and length < columns[sl.LENGTH, min(at + 1, count - 1)]
        row = sums[:, at]
        row_next = sums[:, at + 1]
        row_next[0] = row[0] + _log(length)
        row_next[1] = row[1] + (columns[sl.INDENT, at] > 0)
        row_next[2] = row[2] + _open_end(columns, at)
        row_next[3] = row[3] + min(gap, 6)
        row_next[4] = row[4] + 2.0 * columns[sl.WIDE, at] / length
        row_next[5] = row[5] + columns[sl.CASELESSES, at] / length
        row_next[6] = row[6] + (short and _open_end(columns, at) and columns[sl.INDENT, at] == 0)
        row_next[7] = row[7] + columns[sl.CLOSED, at]
    return sums


@_jit  # type: ignore[untyped-decorator]
def _seen(columns: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Count for each line how often an equal one stood before it."""
    count = columns.shape[1] - 1
    table = np.zeros(1 << 16, dtype=np.uint8)
    seen = np.zeros(count, dtype=np.uint8)
    for at in range(count):
        mixed = np.uint32(np.uint32(columns[sl.HASH, at]) * np.uint32(0x9E3779B1))
        place = np.uint32(mixed >> np.uint32(16))
        seen[at] = table[place]
        table[place] = min(255, table[place] + 1)
    return seen


@_jit  # type: ignore[untyped-decorator]
def _fresh(before: npt.NDArray[np.int32], weights: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Sum up the words that had not been used for 800 words."""
    sums = np.zeros(len(before) + 1, dtype=np.int64)
    for at in range(len(before)):
        sums[at + 1] = sums[at] + (weights[at] if at - before[at] > 800 else 0)
    return sums


def features(page: Page, lines: npt.NDArray[np.int64]) -> Floats:
    """Return the features of some lines, one row a line, in the order of `NAMES`."""
    out = np.zeros((len(lines), len(NAMES)), dtype=np.float32)
    _fill(page, lines, out)
    return out


@_jit  # type: ignore[untyped-decorator]
def _fill(page: Page, lines: npt.NDArray[np.int64], out: Floats) -> None:
    for index in range(len(out)):
        row, line = out[index], lines[index]
        at = _shape(page, line, row)
        at += _own(page, line, row[at:])
        at += _regimes(page, line, row[at:])
        at += _curves(page, line, row[at:])
        at += _links(page, line, row[at:])
        _place(page, line, row[at:])


@_inline  # type: ignore[untyped-decorator]
def _shape(page: Page, line: int, out: Floats) -> int:
    """Write what the line and its neighbours look like."""
    columns, count = page.columns, page.columns.shape[1] - 1
    at = 0
    for step in AROUND:
        other = line + step
        if 0 <= other < count:
            length = columns[sl.LENGTH, other]
            out[at] = _log(length)
            out[at + 1] = columns[sl.FIRST, other]
            out[at + 2] = columns[sl.END, other]
            out[at + 3] = columns[sl.CLOSED, other]
            out[at + 4] = min(columns[sl.INDENT, other], 12)
            out[at + 5] = columns[sl.DIGITS, other] / length
        else:
            out[at : at + 6] = -1
        at += 6
    return at


@_inline  # type: ignore[untyped-decorator]
def _own(page: Page, line: int, out: Floats) -> int:
    """Write what else is known of the line itself."""
    columns, count = page.columns, page.columns.shape[1] - 1
    length = columns[sl.LENGTH, line]
    out[0] = columns[sl.UPPERS, line] / max(1, columns[sl.WORDS, line])
    out[1] = columns[sl.COMMAS, line] / length * 100
    out[2] = columns[sl.STOPS, line]
    out[3] = _log(columns[sl.WORDS, line])
    out[4] = 2.0 * columns[sl.WIDE, line] / length
    out[5] = min(9, columns[sl.NUMBER, line] - columns[sl.NUMBER, line - 1]) if line else 0
    out[6] = min(9, columns[sl.NUMBER, line + 1] - columns[sl.NUMBER, line])
    out[7] = min(9, columns[sl.NUMBER, line - 1] - columns[sl.NUMBER, line - 2]) if line > 1 else 0
    out[8] = line + 1 < count and columns[sl.HASH, line] == columns[sl.HASH, line + 1]
    out[9] = line > 0 and columns[sl.HASH, line] == columns[sl.HASH, line - 1]
    out[10] = page.seen[line]
    alike_before, alike_after, ends = 0, 0, 0
    for other in range(max(0, line - 12), min(count, line + 13)):
        alike = columns[sl.HEAD, other] == columns[sl.HEAD, line]
        alike_before += alike and other < line
        alike_after += alike and other > line
        ends += columns[sl.END, other] == columns[sl.END, line]
    out[11], out[12], out[14] = alike_before, alike_after, ends
    out[13] = columns[sl.INDENT, line] - columns[sl.INDENT, line - 1] if line else 0
    return 15


@_inline  # type: ignore[untyped-decorator]
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


@_inline  # type: ignore[untyped-decorator]
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


@_inline  # type: ignore[untyped-decorator]
def _links(page: Page, line: int, out: Floats) -> int:
    """Write whether the words of the line return after it, and whether they were known before."""
    _echo(page, line, out)
    count = page.columns.shape[1] - 1
    if line + 1 < count:
        echo = np.zeros(6, dtype=np.float32)
        _echo(page, line + 1, echo)
        out[8], out[9] = echo[1], echo[2]
    return 10


@_inline  # type: ignore[untyped-decorator]
def _echo(page: Page, line: int, out: Floats) -> None:
    columns, count = page.columns, page.columns.shape[1] - 1
    start, stop = columns[sl.TOKEN, line], columns[sl.TOKEN, line + 1]
    second = columns[sl.TOKEN, min(count, line + 2)]
    third = columns[sl.TOKEN, min(count, line + 3)]
    total = np.int64(0)
    sums = np.zeros(7, dtype=np.int64)
    for at in range(start, min(stop, start + HEAD_WORDS)):
        weight = np.int64(page.weights[at])
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


@_inline  # type: ignore[untyped-decorator]
def _place(page: Page, line: int, out: Floats) -> None:
    """Write where in the page the line stands, and what kind of page it is."""
    columns, count = page.columns, page.columns.shape[1] - 1
    out[0] = _log(columns[sl.TOKEN, line])
    out[1] = _log(len(page.tokens) - columns[sl.TOKEN, line])
    out[2] = _log(line)
    out[3] = _log(count - line)
    out[4] = _log(len(page.tokens))
    out[5] = page.sums[6, count] / count
    out[6] = page.sums[1, count] / count
    out[7] = page.sums[3, count] / count
    out[8] = page.sums[0, count] / count
    out[9] = page.curves[4, 0]
    out[10] = page.sums[2, count] / count
