"""Cutting a page into its documents and its furniture.

Holds: `split_page`, the built-in splitter. Pure functions of text.
Not here: what a splitter is and how others are added (`splitters.py`), what a line says about a
boundary (`split_features.py`), the scorer (`split_score.py`), the choice of boundaries
(`split_path.py`), whether there are any (`split_whole.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest.segments import Segment, blank
from pipeline.ingest.split_forest import load_model
from pipeline.ingest.split_furniture import LONGEST, furniture_reason, is_weak
from pipeline.ingest.split_lines import CHAR, INDENT, NUMBER, Lines, scan
from pipeline.ingest.split_measure import measure
from pipeline.ingest.split_score import probabilities
from pipeline.ingest.split_site import marked
from pipeline.ingest.split_whole import boundaries
from pipeline.model.settings import IngestSettings

TITLE_CHARS: Final = 300
"""Characters of a first line beyond which it is the text itself."""


class _Piece(NamedTuple):
    """A segment in the making: the non-blank lines `[first, last)`."""

    first: int
    last: int
    score: float | None
    reason: str


def split_page(text: str, *, settings: IngestSettings) -> list[Segment]:
    """Find the documents of a page; the segments tile it.

    Args:
        text: the page; lone surrogates stand for bytes that could not be decoded.
        settings: `min_split_score`: boundaries less likely than this are not cut.
    """
    lines = marked(text, scan(text.encode("utf-8", "surrogatepass"), load_model().lexicon))
    if lines.size == 0:
        return blank(text)
    pieces = list(_pieces(text, lines, settings.min_split_score))
    return [_segment(text, lines, piece) for piece in pieces]


def _pieces(text: str, lines: Lines, floor: float) -> Iterator[_Piece]:
    """Take furniture off the page's ends, cut what is left, take it off the documents' ends."""
    first, last, around = _trimmed(text, lines, (0, lines.size))
    yield from around[:first]
    if first < last:
        body = lines.part(first, last)
        scores, starts = _judged(body, floor)
        for start, stop in zip(starts, [*starts[1:], body.size], strict=True):
            score = round(float(scores[start]), 4) if start else None
            low, high, found = _trimmed(text, lines, (first + start, first + stop))
            yield from found[: low - first - start]
            if low < high:
                yield _Piece(low, high, score, "")
            yield from found[low - first - start :]
    yield from around[first:]


def _judged(body: Lines, floor: float) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Return how likely a document begins at each line, and where one does."""
    if body.size == 1:
        return np.zeros(1, dtype=np.float32), [0]
    page, model = measure(body), load_model()
    scores = probabilities(page, model)
    return scores, boundaries(page, scores, floor=floor, forest=model.pages).tolist()


def _trimmed(text: str, lines: Lines, span: tuple[int, int]) -> tuple[int, int, list[_Piece]]:
    """Return what is left of a span without the furniture at its ends, and that furniture."""
    low, high = span
    before = [_Piece(at, at + 1, None, reason) for at, reason in _run(text, lines, range(*span))]
    low += len(before)
    backwards = reversed(range(low, high))
    after = [
        _Piece(at, at + 1, None, reason) for at, reason in _run(text, lines, backwards, opens=False)
    ]
    return low, high - len(after), before + after[::-1]


def _run(
    text: str, lines: Lines, span: Iterable[int], *, opens: bool = True
) -> list[tuple[int, str]]:
    """Return the lines of furniture that a span begins with, and why each is.

    Weak lines count beside others: one alone may well be the article's.
    """
    found: list[tuple[int, str]] = []
    is_sure = False
    for at in span:
        line = _line(text, lines, at)
        reason = furniture_reason(line, opens=opens)
        if reason is None and not is_weak(line):
            break
        is_sure |= reason is not None
        found.append((at, reason or "navigation"))
    return found if is_sure or len(found) > 1 else []


def _line(text: str, lines: Lines, at: int, *, limit: int = LONGEST + 2) -> str:
    """Return a line without the white space around it, cut off soon after `limit` characters."""
    start = int(lines.columns[CHAR, at] + lines.columns[INDENT, at])
    end = text.find("\n", start, start + limit)
    return text[start : end if end >= 0 else start + limit].strip()


def _segment(text: str, lines: Lines, piece: _Piece) -> Segment:
    columns = lines.columns
    opens, closes = piece.first == 0, piece.last == lines.size
    start = 0 if opens else int(columns[CHAR, piece.first])
    line_start = 1 if opens else int(columns[NUMBER, piece.first]) + 1
    end = len(text) if closes else int(columns[CHAR, piece.last])
    line_end = lines.total if closes else int(columns[NUMBER, piece.last])
    kind = "furniture" if piece.reason else "document"
    title = None if piece.reason else _title(text, lines, piece)
    return Segment(kind, start, end, line_start, line_end, title, piece.score, piece.reason)


def _title(text: str, lines: Lines, piece: _Piece) -> str | None:
    """Return a document's first line, if it is no longer than a title and text follows it."""
    if piece.last - piece.first < 2:
        return None
    line = _line(text, lines, piece.first, limit=TITLE_CHARS + 1)
    return line if len(line) <= TITLE_CHARS else None
