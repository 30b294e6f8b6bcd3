"""Cutting a page into its documents and its furniture.

Holds: `Segment`, `split_page`, `whole`, `SPLITTERS`. Pure functions of text.
Not here: reading dump files (`readers`), what a line says about a boundary (`split_features.py`),
the scorer (`split_score.py`), the choice of boundaries (`split_path.py`).

A splitter is a function from text to segments that tile it. To add one: a module
`ingest/split_<layout>.py` with such a function, and an entry in `SPLITTERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_features import measure
from pipeline.ingest.split_furniture import LONGEST, furniture_reason
from pipeline.ingest.split_path import choose
from pipeline.ingest.split_score import probabilities
from pipeline.model.settings import IngestSettings

TITLE_CHARS: Final = 300
"""Characters of a first line beyond which it is the text itself."""


class Segment(msgspec.Struct, frozen=True):
    """A run of lines of a page.

    `char_start` and `char_end` are a half-open span, `line_start` and `line_end` are 1-based and
    inclusive. `score`: the probability that a document begins here, None where it goes without
    saying. `reason`: why it is furniture; empty for documents.
    """

    kind: str
    char_start: int
    char_end: int
    line_start: int
    line_end: int
    title: str | None
    score: float | None
    reason: str


class _Cut(msgspec.Struct, frozen=True):
    """A segment in the making: the non-blank lines `[first, last)`."""

    first: int
    last: int
    reason: str


def whole(text: str, *, settings: IngestSettings) -> list[Segment]:  # noqa: ARG001 - the interface of a splitter
    """Take the whole text as one document."""
    if not text or text.isspace():
        return _blank(text)
    lines = text.count("\n") + (not text.endswith("\n"))
    return [Segment("document", 0, len(text), 1, lines, None, None, "")]


def split_page(text: str, *, settings: IngestSettings) -> list[Segment]:
    """Find the documents of a page; the segments tile it.

    Args:
        text: the page; lone surrogates stand for bytes that could not be decoded.
        settings: `min_split_score`: boundaries less likely than this are not cut.
    """
    lines = sl.scan(text.encode("utf-8", "surrogatepass"), _stops())
    if lines.count == 0:
        return _blank(text)
    scores = probabilities(measure(lines), lines.count)
    scores[0] = 0.0
    starts = choose(scores, floor=settings.min_split_score)
    cuts = list(_trim(text, lines, starts))
    return [_segment(text, lines, (cut, scores)) for cut in cuts]


SPLITTERS: Final[dict[str, Callable[..., list[Segment]]]] = {"page": split_page, "none": whole}


def _stops() -> npt.NDArray[np.uint8]:
    return np.zeros(1 << sl.STOP_BITS, dtype=np.uint8)


def _blank(text: str) -> list[Segment]:
    if not text:
        return []
    lines = text.count("\n") + (not text.endswith("\n"))
    return [Segment("furniture", 0, len(text), 1, lines, None, None, "blank")]


def _trim(text: str, lines: sl.Lines, starts: npt.NDArray[np.int64]) -> Iterator[_Cut]:
    """Take furniture off both ends of every document, as segments of its own."""
    for first, last in zip(starts, [*starts[1:], lines.count], strict=True):
        low, high = int(first), int(last)
        while low < high and (reason := furniture_reason(_line(text, lines, low))):
            yield _Cut(low, low + 1, reason)
            low += 1
        end = high
        while low < end and furniture_reason(_line(text, lines, end - 1)):
            end -= 1
        if low < end:
            yield _Cut(low, end, "")
        for line in range(end, high):
            yield _Cut(line, line + 1, furniture_reason(_line(text, lines, line)) or "")


def _line(text: str, lines: sl.Lines, at: int, *, limit: int = LONGEST + 2) -> str:
    """Return a line without the white space around it, cut off soon after `limit` characters."""
    start = int(lines.columns[sl.CHAR, at])
    start += int(lines.columns[sl.INDENT, at])
    end = text.find("\n", start, start + limit)
    return text[start : end if end >= 0 else start + limit].strip()


def _segment(text: str, lines: sl.Lines, found: tuple[_Cut, npt.NDArray[np.float32]]) -> Segment:
    cut, scores = found
    columns = lines.columns
    start = 0 if cut.first == 0 else int(columns[sl.CHAR, cut.first])
    line_start = 1 if cut.first == 0 else int(columns[sl.NUMBER, cut.first]) + 1
    last = cut.last == lines.count
    end = len(text) if last else int(columns[sl.CHAR, cut.last])
    line_end = lines.total if last else int(columns[sl.NUMBER, cut.last])
    score = round(float(scores[cut.first]), 4) if cut.first else None
    if cut.reason:
        return Segment("furniture", start, end, line_start, line_end, None, score, cut.reason)
    title = _title(text, lines, cut)
    return Segment("document", start, end, line_start, line_end, title, score, "")


def _title(text: str, lines: sl.Lines, cut: _Cut) -> str | None:
    """Return a document's first line, if it is no longer than a title and text follows it."""
    if cut.last - cut.first < 2:
        return None
    line = _line(text, lines, cut.first, limit=TITLE_CHARS + 1)
    return line if 0 < len(line) <= TITLE_CHARS else None
