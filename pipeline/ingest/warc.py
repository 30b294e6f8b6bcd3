"""WARC files: the records one by one, and the way back after damage.

Holds: `warc_pieces`, `skip_record`, `is_warc`, `OPENS`. Reads a `Window`; pure otherwise.
Not here: what a record says (`web.py`), HTTP (`http.py`), gzip members (`codecs.py`).

A character of a WARC file is a byte: the spans of its records tile the decoded bytes, headers and
damage included. Lines count records, of which one with its segments is one. A record whose length
is wrong costs itself alone: reading goes on at the next line that opens a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice, takewhile

from pipeline.ingest.http import header_fields
from pipeline.ingest.pieces import Piece, RefusedError, Span, excerpt
from pipeline.ingest.web import record_piece
from pipeline.ingest.window import BLOCK, Window
from pipeline.model.settings import IngestSettings

MAX_HEADER = 1 << 16
_SHOWN = 200
_NEWLINES = b"\r\n"
_TRAILER = (b"\r\n\r\n", b"\n\n")
OPENS = re.compile(rb"WARC/[01]\.\d{1,2}\r?\n[A-Za-z][A-Za-z-]{0,40}:")
_LONGEST = 60
_HEADER_END = re.compile(rb"\r\n\r\n|\n\n")
_OPENS_OR_END = re.compile(_HEADER_END.pattern + b"|" + OPENS.pattern)
_CROWD = 5
"""Records that begin before the end of a header, itself among them: no header is meant."""

_TRIALS = 20
"""Places in a block that are tried before it counts as text."""

_ANYWHERE = re.compile(rb"(\A|\n)WARC/[01]\.\d{1,2}\r?\n[A-Za-z][A-Za-z-]{0,40}:")


def is_warc(head: bytes) -> bool:
    """Whether a block of a file, the first or one after garbage, holds the start of a record.

    Behind other bytes it must be a record in earnest, one that ends where it says: pages of text
    show what records look like.
    """
    found = islice(_ANYWHERE.finditer(head), _TRIALS)
    return any(not place.end(1) or _is_whole(head, place.end(1)) for place in found)


def _is_whole(head: bytes, start: int) -> bool:
    """Whether the record at a place of a block ends where it says, or behind the block."""
    end = _HEADER_END.search(head, start, start + MAX_HEADER)
    if end is None:
        return False
    length = header_fields(head[start : end.start()]).get("content-length", "")
    if not _is_number(length):
        return False
    after = end.end() + int(length)
    return len(head) >= BLOCK if after > len(head) else _ends(head[after : after + _LONGEST])


def warc_pieces(window: Window, settings: IngestSettings) -> Iterator[Piece]:
    """Make one piece of each record and of each damaged span between records."""
    number = 0
    while window.fill(1):
        number += 1
        yield _record(window, settings, number)


def skip_record(window: Window, settings: IngestSettings) -> None:
    """Take what `warc_pieces` makes one piece of."""
    with suppress(RefusedError), _way_back(window):
        _framed(window, settings)


def _record(window: Window, settings: IngestSettings, number: int) -> Piece:
    start = window.position
    shown = window.peek(_SHOWN)
    try:
        with _way_back(window):
            fields, block = _framed(window, settings)
        piece = record_piece(fields, block, settings)
    except RefusedError as error:
        piece = Piece(
            span=Span(0, 0, 0, 0), kind="quarantine", reason=error.reason, detail=error.detail
        )
    if piece.kind != "document":
        piece.excerpt = excerpt(shown.decode("latin-1"))
    piece.span = Span(start, window.position, number, number)
    piece.byte_start, piece.byte_end = start, window.position
    return piece


@contextmanager
def _way_back(window: Window) -> Iterator[None]:
    """After a refusal go on at the next line that opens a record."""
    start = window.position
    try:
        yield
    except RefusedError:
        if window.position == start:
            window.skip_to(OPENS, longest=_LONGEST, ahead=1)
        raise


def _framed(window: Window, settings: IngestSettings) -> tuple[Mapping[str, str], bytes]:
    """Take a record and the segments behind it that continue it; return its header and content.

    What is missing behind the last one is said in `warc-truncated`.
    """
    fields, block = _segment(window, settings)
    name = fields.get("warc-record-id", "")
    if not name or fields.get("warc-segment-number") != "1":
        return fields, block
    parts, size, last = [block], len(block), fields
    with suppress(RefusedError):
        while _continues(window, name, last):
            last, block = _segment(window, settings)
            size += len(block)
            if size <= settings.max_record_bytes:
                parts.append(block)
    if size > settings.max_record_bytes:
        detail = f"expected segments of at most {settings.max_record_bytes} bytes, found {size}."
        raise RefusedError("record_too_long", detail)
    if last is fields or "warc-segment-total-length" not in last:
        fields = {"warc-truncated": "no segment that continues it follows", **fields}
    return fields, b"".join(parts)


def _continues(window: Window, name: str, last: Mapping[str, str]) -> bool:
    """Whether the next record continues that of a name, behind its last segment."""
    end = _header_end(window) if OPENS.match(window.peek(_LONGEST)) else None
    if end is None:
        return False
    fields = header_fields(window.peek(end.start()))
    is_segment = fields.get("warc-type", "").lower() == "continuation"
    number, before = (each.get("warc-segment-number", "") for each in (fields, last))
    is_next = _is_number(number) and int(number) == int(before) + 1
    return is_segment and is_next and fields.get("warc-segment-origin-id") == name


def _segment(window: Window, settings: IngestSettings) -> tuple[Mapping[str, str], bytes]:
    """Take one record and its trailing blank lines; return its header and content."""
    if not OPENS.match(window.peek(_LONGEST)):
        raise RefusedError(
            "garbage_between_records", 'expected a record ("WARC/1."), found other bytes.'
        )
    end = _header_end(window)
    if end is None:
        raise RefusedError(*_without_end(window))
    fields = header_fields(window.peek(end.start()))
    length = fields.get("content-length", "")
    if not _is_number(length):
        raise RefusedError(
            "bad_warc_header", f'expected a number in "Content-Length", found {length[:40]!r}.'
        )
    size = int(length)
    if size > settings.max_record_bytes:
        window.skip_to(OPENS, longest=_LONGEST, ahead=end.end())
        raise RefusedError(
            "record_too_long",
            f"expected a record of at most {settings.max_record_bytes} bytes, found one that says "
            f"{size}. Raise ingest.max_record_bytes to take it.",
        )
    _check_end(window, size, start=end.end())
    window.skip(end.end())
    block = window.take(size)
    while newlines := _newlines(window):
        window.skip(newlines)
    return fields, block


def _header_end(window: Window) -> re.Match[bytes] | None:
    """Find the blank line behind the header of the record here; none where others begin first."""
    found = islice(_OPENS_OR_END.finditer(window.peek(MAX_HEADER)), _CROWD)
    return next((place for place in found if not _is_start(place)), None)


def _check_end(window: Window, size: int, *, start: int) -> None:
    """Refuse a record that does not end where its length says, counted from a place.

    Raises:
        RefusedError: `truncated_record` or `wrong_length`.
    """
    held = window.fill(start + size) - start
    if held < size:
        if window.find(OPENS, start=start, limit=start + held):
            detail = f"expected {size} bytes, found the next record before that."
            raise RefusedError("wrong_length", detail)
        raise RefusedError(
            "truncated_record",
            f"expected {size} bytes, found the end of the file after {held}.",
        )
    if not _ends(window.peek(_LONGEST, start + size)):
        raise RefusedError(
            "wrong_length", f"expected a blank line after {size} bytes, found other bytes."
        )


def _ends(tail: bytes) -> bool:
    """Whether a record may end before some bytes: the end, blank lines, or the next record."""
    if not tail.strip(_NEWLINES) or tail.startswith(_TRAILER):
        return True
    return OPENS.match(tail.lstrip(_NEWLINES)) is not None


def _is_number(length: str) -> bool:
    return length.isascii() and length.isdigit() and len(length) < 16


def _newlines(window: Window) -> int:
    ahead = window.peek(_LONGEST)
    return len(ahead) - len(ahead.lstrip(_NEWLINES))


def _without_end(window: Window) -> tuple[str, str]:
    """Say why no header ends here; of many starts those are passed that begin no header either."""
    found = _OPENS_OR_END.finditer(window.peek(MAX_HEADER))
    starts = [place.start() for place in takewhile(_is_start, found)]
    if len(starts) >= _CROWD:
        window.skip(starts[1 - _CROWD])
        detail = "expected the end of a record's header, found the start of other records."
        return "bad_warc_header", detail
    if window.fill(MAX_HEADER) < MAX_HEADER:
        return "truncated_record", "expected the end of a record's header, found the end."
    return (
        "bad_warc_header",
        f"expected a header of at most {MAX_HEADER} bytes, found a longer one.",
    )


def _is_start(place: re.Match[bytes]) -> bool:
    return not place[0].startswith((b"\r", b"\n"))
