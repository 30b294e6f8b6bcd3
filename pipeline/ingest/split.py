"""Cutting a page into its documents and its furniture.

Holds: `split_page`, the built-in splitter. Pure functions of text.
Not here: what a splitter is and how others are added (`splitters.py`), what a line says about a
boundary (`split_features.py`), the scorer (`split_score.py`), the choice of boundaries
(`split_path.py`), whether there are any (`split_whole.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from pipeline.ingest.segments import Segment, blank
from pipeline.ingest.split_edges import Edge, line_text, trimmed
from pipeline.ingest.split_forest import load_model
from pipeline.ingest.split_lines import CHAR, NUMBER, Lines, scan
from pipeline.ingest.split_measure import measure
from pipeline.ingest.split_pairs import NEVER
from pipeline.ingest.split_score import Judged, judged
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
    odds = np.full(lines.size, NEVER, dtype=np.float32)
    before, after = trimmed(text, lines, (0, lines.size), odds)
    yield from _furniture(before)
    first, last = len(before), lines.size - len(after)
    if first < last:
        found = list(_cut(text, lines, (first, last), floor))
        # odds alone take no page out of the corpus: a list of errands looks like a menu
        is_document = any(not piece.reason for piece in found)
        yield from found if is_document else [_Piece(first, last, None, "")]
    yield from _furniture(after)


def _cut(text: str, lines: Lines, span: tuple[int, int], floor: float) -> Iterator[_Piece]:
    """Cut lines `[first, last)` of a page, and take what is likely furniture off each part."""
    first, last = span
    body = lines.part(first, last)
    found, starts = _judged(body, floor)
    odds = np.full(lines.size, NEVER, dtype=np.float32)
    odds[first:last] = found.furniture
    for start, stop in zip(starts, [*starts[1:], body.size], strict=True):
        score = round(float(found.starts[start]), 4) if start else None
        low, high = trimmed(text, lines, (first + start, first + stop), odds)
        yield from _furniture(low)
        if len(low) + len(high) < stop - start:
            yield _Piece(first + start + len(low), first + stop - len(high), score, "")
        yield from _furniture(high)


def _furniture(edge: Edge) -> Iterator[_Piece]:
    return (_Piece(at, at + 1, None, reason) for at, reason in edge)


def _judged(body: Lines, floor: float) -> tuple[Judged, list[int]]:
    """Return what the lines were judged to be, and where documents begin."""
    if body.size == 1:
        alone = np.zeros(1, dtype=np.float32)
        return Judged(alone, alone + np.float32(NEVER)), [0]
    page, model = measure(body), load_model()
    found = judged(page, model)
    return found, boundaries(page, found, floor=floor, forest=model.pages).tolist()


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
    line = line_text(text, lines, piece.first, limit=TITLE_CHARS + 1)
    return line if len(line) <= TITLE_CHARS else None
