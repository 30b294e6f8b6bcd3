"""Long pages: cut into windows that no reader of the result can tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from pipeline.ingest.pages import text_pieces
from pipeline.ingest.pieces import Piece
from pipeline.ingest.segments import Segment, documents_at
from pipeline.ingest.splitters import Splitter
from pipeline.model.settings import IngestSettings

TEXT = "".join(f"# {n}\nline one of {n}\n\nline two of {n}\n\n" for n in range(30))


def hashed(text: str, *, settings: IngestSettings) -> Sequence[Segment]:
    """Begin a document at every line with a hash; its score is its number."""
    assert settings.splitter == "page"
    found = documents_at(text, [(m.start(), m[0]) for m in re.finditer(r"(?m)^# \d+$", text)])
    return [
        Segment(
            s.kind,
            *_place(s),
            s.title,
            float(s.title[2:]) if s.title and number else None,
            s.reason,
        )
        for number, s in enumerate(found)
    ]


def _place(segment: Segment) -> tuple[int, int, int, int]:
    return segment.char_start, segment.char_end, segment.line_start, segment.line_end


SPLITTER = Splitter(name="hashed", version="1", split=hashed)


def pieces(text: str, limit: int, *, block: int = 64) -> list[Piece]:
    """Split a text in windows of at most `limit` characters."""
    blocks = [text[at : at + block] for at in range(0, len(text), block)]
    settings = IngestSettings(max_page_chars=limit)
    return list(text_pieces(blocks, settings, splitter=SPLITTER))


@pytest.mark.parametrize("limit", [90, 100, 137, 400, 5000])
def test_the_end_of_a_window_cuts_no_short_document(limit: int) -> None:
    """Documents shorter than half a window come out as from one page: text, place, score."""
    assert pieces(TEXT, limit) == pieces(TEXT, len(TEXT))


def test_what_is_read_at_a_time_changes_nothing() -> None:
    """Windows are the same whether a text comes by characters or at once."""
    assert pieces(TEXT, 100, block=1) == pieces(TEXT, 100, block=len(TEXT))


def test_a_document_longer_than_half_a_window_is_cut() -> None:
    """Memory is bounded: what fills a window is published with it, up to a line's end."""
    text = "# 1\n" + "a line of text\n" * 20
    found = pieces(text, 100)

    assert len(found) > 1
    assert all(piece.span.char_end - piece.span.char_start <= 100 for piece in found)
    assert "".join(text[p.span.char_start : p.span.char_end] for p in found) == text


def test_a_document_that_goes_on_keeps_its_score() -> None:
    """The boundary was judged where it was found; the next window does not forget it."""
    scores = [piece.score for piece in pieces(TEXT, 100)]

    assert scores == [None, *map(float, range(1, 30))]
