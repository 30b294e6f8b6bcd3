"""Helper to read one dump file with its books closed."""

from __future__ import annotations

import io

from pipeline.ingest.books import Books
from pipeline.ingest.pieces import Piece
from pipeline.ingest.reader import Reading
from pipeline.model.files import DumpFile
from pipeline.model.settings import IngestSettings


def read_whole(stored: bytes, settings: IngestSettings, *, kind: str = "") -> list[Piece]:
    """Read a file, close its books, and assert that the spans of its pieces tile it exactly.

    `kind`: the format that it must be recognised as, if any.
    """
    reading = Reading(io.BytesIO(stored), settings, size=len(stored))
    books = Books(DumpFile("source", "2026-11-21", "source/2026-11-21/a", "etag", len(stored)))
    pieces = []
    for piece in reading:
        books.count(piece)
        pieces.append(piece)
    assert books.close(reading).balanced
    edges = [0, *(piece.span.char_end for piece in pieces)]
    assert [piece.span.char_start for piece in pieces] == edges[:-1]
    assert edges[-1] == reading.chars
    assert kind in {"", reading.format}
    return pieces
