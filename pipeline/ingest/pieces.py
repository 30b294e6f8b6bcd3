"""The judged spans of a dump file: what ingest and `winnow split` both go through.

Holds: `Piece`, `Span`, `Inset`, `RefusedError`, `merged`, `shifted`, `inside`, `bad_spans`,
`excerpt`. Pure.
Not here: who makes pieces (`pages.py`, `jsonl.py`), rows of tables (`rows.py`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

import msgspec

from pipeline.errors import InputError

EXCERPT = 200
MAX_BAD_SHARE = 0.3
"""Undecodable bytes among the characters of what still counts as text."""

MAX_SPANS, NEAR = 100, 16
"""Spans of undecodable bytes in one document; characters between those that are joined first."""

_OF_RECORDS = frozenset(("not_text", "no_text"))
"""Reasons of furniture that is a record."""

_BAD = re.compile(r"[\ud800-\udfff]+")
_UNSHOWN = {
    code: f"\\x{code & 0xFF:02x}"
    for codes in (range(0x20), range(0x7F, 0xA0), range(0xD800, 0xE000))
    for code in codes
}


class RefusedError(InputError):
    """A record that cannot be a document."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the reason (a word for counting) and the detail (a sentence for people)."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Span(msgspec.Struct, frozen=True, gc=False):
    """Half-open characters and 1-based inclusive lines of the decoded file."""

    char_start: int
    char_end: int
    line_start: int
    line_end: int


class Inset(msgspec.Struct, frozen=True, kw_only=True):
    """A span inside a document that is not part of its text; see `insets.py` for the reasons."""

    span: Span
    reason: str
    excerpt: str
    part_start: int | None = None
    part_end: int | None = None


class Piece(msgspec.Struct, kw_only=True):
    """One span of the decoded file with its judgement.

    The pieces of a file tile its decoded text in order. `text` and the fields after it belong to
    documents; `inner` lists the undecodable runs inside one, and `insets` what was taken out of its
    text. `stored_bytes` counts bytes of the
    object that could not be read at all (an empty span marks where they would have been).
    `cut` says how the body of a web page or mail ends early.
    `part_start` and `part_end` are the place in the text of a record that was split.
    """

    span: Span
    kind: Literal["document", "furniture", "quarantine"]
    reason: str = ""
    detail: str = ""
    excerpt: str = ""
    stored_bytes: int = 0
    text: str = ""
    title: str | None = None
    url: str | None = None
    byline: str | None = None
    published: dt.date | None = None
    published_rule: str | None = None
    external_id: str | None = None
    score: float | None = None
    inner: tuple[Span, ...] = ()
    insets: tuple[Inset, ...] = ()
    cut: str = ""
    member: str | None = None
    byte_start: int | None = None
    byte_end: int | None = None
    part_start: int | None = None
    part_end: int | None = None
    encoding: str | None = None
    mojibake_repaired: bool = False
    host: str | None = None
    mime: str | None = None
    http_status: int | None = None
    fetched: dt.datetime | None = None


def merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join neighbouring furniture with the same reason, so that blank lines make one row.

    Records of web archives, and mails, stay apart: a row says which bytes are its record.
    """
    last: Piece | None = None
    for piece in pieces:
        if last is None:
            last = piece
        elif piece.kind == "furniture" and _belong_together(last, piece):
            last = join(last, piece)
        else:
            yield last
            last = piece
    if last is not None:
        yield last


def _belong_together(first: Piece, second: Piece) -> bool:
    """Whether two pieces are furniture of one reason in one member, and no parts of records."""
    if second.byte_start is not None or second.part_start is not None:
        return False
    if second.reason in _OF_RECORDS:
        return False
    same = first.reason == second.reason and first.member == second.member
    return first.kind == second.kind == "furniture" and same and first.part_start is None


def join(first: Piece, second: Piece) -> Piece:
    """Return one piece over two that touch, described by the first."""
    span = Span(
        first.span.char_start, second.span.char_end, first.span.line_start, second.span.line_end
    )
    shown = first.excerpt if len(first.excerpt) >= EXCERPT else first.excerpt + second.excerpt
    return msgspec.structs.replace(first, span=span, excerpt=shown)


def shifted(piece: Piece, chars: int, lines: int, *, in_bytes: bool = False) -> Piece:
    """Move a piece, and the spans inside it, behind what came before it in the file.

    `in_bytes`: a character of the file is a byte.
    """
    if chars or lines:
        piece.span = _moved(piece.span, chars, lines)
        piece.inner = tuple([_moved(span, chars, lines) for span in piece.inner])
        piece.insets = tuple(
            [
                msgspec.structs.replace(inset, span=_moved(inset.span, chars, lines))
                for inset in piece.insets
            ]
        )
        if in_bytes and piece.byte_start is not None and piece.byte_end is not None:
            piece.byte_start += chars
            piece.byte_end += chars
    return piece


def _moved(span: Span, chars: int, lines: int) -> Span:
    return Span(
        span.char_start + chars,
        span.char_end + chars,
        span.line_start + lines,
        span.line_end + lines,
    )


def inside(piece: Piece) -> Iterator[Piece]:
    """Yield the spans inside a document as pieces of their own: damage, insets, a missing end."""
    for span in piece.inner:
        yield Piece(
            span=span,
            kind="quarantine",
            reason="invalid_encoding",
            detail="expected valid text, found bytes that are none; published as U+FFFD.",
            member=piece.member,
        )
    for inset in piece.insets:
        yield Piece(
            span=inset.span,
            kind="furniture",
            reason=inset.reason,
            excerpt=inset.excerpt,
            member=piece.member,
            byte_start=piece.byte_start,
            byte_end=piece.byte_end,
            part_start=inset.part_start,
            part_end=inset.part_end,
        )
    if piece.cut:
        end, line = piece.span.char_end, piece.span.line_end
        yield Piece(
            span=Span(end, end, line, line),
            kind="quarantine",
            reason="truncated_body",
            detail=piece.cut,
            member=piece.member,
            byte_start=piece.byte_start,
            byte_end=piece.byte_end,
        )


def bad_spans(raw: str, char_start: int, line: int) -> tuple[Span, ...]:
    """Find the runs of undecodable bytes in `raw`, which starts at that character and line.

    There are at most `MAX_SPANS`, as every span is a row: text of another encoding has a run a
    word. Of more runs those close together make one span, and then those that follow each other.
    """
    if raw.isascii():
        return ()
    runs = list(islice(_runs(raw, gap=0), MAX_SPANS + 1))
    if len(runs) > MAX_SPANS:
        runs = list(_runs(raw, gap=NEAR))
    many = max(1, -(-len(runs) // MAX_SPANS))
    spans = []
    counted = 0
    for at in range(0, len(runs), many):
        start, end = runs[at][0], runs[min(at + many, len(runs)) - 1][1]
        line += raw.count("\n", counted, start)
        last = line + raw.count("\n", start, end)
        spans.append(Span(char_start + start, char_start + end, line, last))
        line, counted = last, end
    return tuple(spans)


def _runs(raw: str, *, gap: int) -> Iterator[tuple[int, int]]:
    """Yield where undecodable bytes begin and end, with up to `gap` good characters among them."""
    start = end = -1
    for run in _BAD.finditer(raw):
        if start >= 0 and run.start() - end > gap:
            yield start, end
            start = -1
        start, end = run.start() if start < 0 else start, run.end()
    if start >= 0:
        yield start, end


def count_bad(raw: str) -> int:
    """Count undecodable bytes in decoded text."""
    return sum(len(run) for run in _BAD.findall(raw))


def excerpt(raw: str) -> str:
    r"""Return the first characters with controls and undecodable bytes shown as `\x..`."""
    shown = raw[:EXCERPT]
    return shown if shown.isprintable() else shown.translate(_UNSHOWN)
