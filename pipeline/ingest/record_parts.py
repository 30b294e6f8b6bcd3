"""A record that holds several articles: its text is split as a page is.

Holds: `parts_of`. Pure. Not here: reading records (`parts.py`), splitting pages (`pages.py`).

Only with `ingest.split_records`. Where a part stands is told by two numbers more, `part_start` and
`part_end`: characters of the record's text as it would be published whole. The characters of the
file belong to the record: its first document has the record's span, and the other parts have an
empty one, before or behind it. So spans still tile the file, and each character counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pipeline.ingest.pages import text_pieces
from pipeline.ingest.pieces import Piece, Span
from pipeline.ingest.splitters import Splitter
from pipeline.model.settings import IngestSettings

_OF_THE_RECORD = (
    "url", "external_id", "member", "byte_start", "byte_end", "encoding", "mojibake_repaired",
    "host", "mime", "http_status", "fetched",
)  # fmt: skip
"""What a record states of all that is in it."""


def parts_of(record: Piece, settings: IngestSettings, *, splitter: Splitter) -> Iterator[Piece]:
    """Split the text of a record that is a document; a single article gives the record itself.

    What the record states as url, date or author holds for each part; what it does not state is
    looked for in the part, as in a page.
    """
    found = list(text_pieces([record.text], settings, splitter=splitter))
    documents = [number for number, piece in enumerate(found) if piece.kind == "document"]
    first = documents[0] if documents else 0
    for number, part in enumerate(found):
        start, end = part.span.char_start, part.span.char_end
        part.span = _span(record.span, after=number - first)
        part.part_start, part.part_end = start, end
        part.insets = tuple(
            msgspec.structs.replace(
                inset,
                span=_span(record.span, after=1),
                part_start=inset.span.char_start,
                part_end=inset.span.char_end,
            )
            for inset in part.insets
        )
        for name in _OF_THE_RECORD:
            setattr(part, name, getattr(record, name))
        if part.kind == "document":
            _state(part, record, is_first=number == first)
    if documents:
        found[documents[-1]].cut = record.cut
    if _is_whole(found):
        found[0].part_start = found[0].part_end = None
        found[0].title = record.title or found[0].title
    yield from found


def _span(record: Span, *, after: int) -> Span:
    """Return the record's span, or an empty one before or behind it."""
    if after == 0:
        return record
    edge = record.char_end if after > 0 else record.char_start
    return Span(edge, edge, record.line_start, record.line_end)


def _state(part: Piece, record: Piece, *, is_first: bool) -> None:
    """Let a part state what the record does."""
    if is_first:
        part.inner = record.inner
        part.title = part.title or record.title
    part.byline = record.byline or part.byline
    if record.published:
        part.published, part.published_rule = record.published, record.published_rule


def _is_whole(found: Sequence[Piece]) -> bool:
    """Whether a record is one document, all of it."""
    return len(found) == 1 and found[0].kind == "document" and not found[0].insets
