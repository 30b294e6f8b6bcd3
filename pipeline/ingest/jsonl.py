"""JSON lines: one document a line.

Holds: `jsonl_pieces`, `lines`, `Long`. Pure; memory is bounded by `max_record_bytes`.
Not here: bytes to characters (`decode.py`), which files are JSON lines (`formats.py`).

Fields: `text` (needed); `id`, `url`, `title`, `byline` or `author`, and `published`, `date` or
`published_at` (the first that holds a date). Others are ignored, and optional ones of another type
count as absent. Two records with one `id` are two documents: identity comes from provenance,
equality from the text.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from pipeline.ingest import normalise
from pipeline.ingest.pieces import (
    EXCERPT,
    MAX_BAD_SHARE,
    Piece,
    RefusedError,
    Span,
    bad_spans,
    count_bad,
    excerpt,
)
from pipeline.model.settings import IngestSettings


class _Record(msgspec.Struct, gc=False):
    """The shape of nearly all records, decoded without making Python objects of the rest."""

    text: str
    id: str | int | None = None
    url: str | None = None
    title: str | None = None
    published: str | None = None
    date: str | None = None
    published_at: str | None = None
    byline: Any = None
    author: Any = None


class Long(msgspec.Struct):
    """A line that is dropped because it is too long: its start and how long it was."""

    start: str
    chars: int
    ended: bool


_GAP = " \t\r\n,"
_MAX_BROKEN = 16
"""Broken objects of a line behind which others are looked for: each may cost a look at all."""

_scanner = json.JSONDecoder(strict=False)
_fast = msgspec.json.Decoder(_Record)


def jsonl_pieces(
    blocks: Iterable[str], settings: IngestSettings, *, start: int = 0
) -> Iterator[Piece]:
    """Make one piece of each line; `start` is the number of characters before the first.

    The last line may lack its newline; whether the file was cut there is known by the caller only
    (see `reader.py`, which calls such a broken line truncated).
    """
    number = 0
    for line in lines(blocks, settings.max_record_bytes):
        number += 1  # noqa: SIM113 - no tuple a line
        if isinstance(line, Long):
            end = start + line.chars + line.ended
            detail = (
                f"expected a line of at most {settings.max_record_bytes} bytes, found one of "
                f"{line.chars} characters. Raise ingest.max_record_bytes, or split the record."
            )
            yield Piece(
                span=Span(start, end, number, number),
                kind="quarantine",
                reason="record_too_long",
                detail=detail,
                excerpt=excerpt(line.start),
            )
        else:
            end = start + len(line)
            piece = _piece(line, Span(start, end, number, number))
            if piece.reason == "invalid_json":
                yield from _records_of(line, piece)
            else:
                yield piece
        start = end


def lines(blocks: Iterable[str], limit: int) -> Iterator[str | Long]:
    r"""Yield lines with their "\n"; of lines longer than `limit` bytes only the first part."""
    held = _Held(limit)
    for block in blocks:
        *whole, rest = block.split("\n")
        if whole:
            yield held.end(whole[0])
            for line in whole[1:]:
                yield line + "\n" if 4 * len(line) <= limit else _checked(line, limit)
        held.add(rest)
    if held.chars:
        yield held.last()


class _Held:
    """The line that the blocks so far have begun; mutable."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self.chars = 0

    def add(self, part: str) -> None:
        """Hold another part; of a line that is too long only the first one is kept."""
        self.chars += len(part)
        if part and (self.chars <= self._limit or not self._parts):
            self._parts.append(part)
        elif self.chars > self._limit:
            self._parts = [self._parts[0][:EXCERPT]]

    def end(self, part: str) -> str | Long:
        """Return the line that `part` ends."""
        self.add(part)
        return self._take(ended=True)

    def last(self) -> str | Long:
        """Return the last line of the file, which has no newline."""
        return self._take(ended=False)

    def _take(self, *, ended: bool) -> str | Long:
        parts, chars = self._parts, self.chars
        self._parts, self.chars = [], 0
        if chars > self._limit:
            return Long("".join(parts)[:EXCERPT], chars, ended)
        line = "".join(parts)
        if 4 * chars > self._limit:
            return _checked(line, self._limit, ended=ended)
        return line + "\n" if ended else line


def _checked(line: str, limit: int, *, ended: bool = True) -> str | Long:
    """Measure a line that may be too long in bytes."""
    if len(line) > limit or len(line.encode("utf-8", "surrogatepass")) > limit:
        return Long(line[:EXCERPT], len(line), ended)
    return line + "\n" if ended else line


def _piece(line: str, span: Span) -> Piece:
    if line.isspace():
        return Piece(span=span, kind="furniture", reason="blank_line", excerpt=excerpt(line))
    try:
        return _document(line, span)
    except RefusedError as refused:
        return Piece(
            span=span,
            kind="quarantine",
            reason=refused.reason,
            detail=refused.detail,
            excerpt=excerpt(line),
        )


def _document(line: str, span: Span) -> Piece:
    """Decode the fast way; what that refuses is looked at again, to mend it or to say why."""
    inner: tuple[Span, ...] = ()
    try:
        record = _fast.decode(line)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        inner = bad_spans(line, span.char_start, span.line_start)
        _refuse_undecodable(line, count_bad(line) if inner else 0)
        record = _decode_slowly(_bare(line))
    text, mended = normalise.mended(record.text)
    if not text:
        raise RefusedError("empty_text", 'expected some text in "text", found none.')
    return Piece(
        span=span,
        kind="document",
        text=text,
        title=normalise.title(record.title, mend=mended) if record.title else None,
        mojibake_repaired=mended,
        url=normalise.line(record.url) if record.url else None,
        byline=_byline(record, mended=mended),
        published=_published(record),
        external_id=normalise.line(None if record.id is None else str(record.id)),
        inner=inner,
    )


def _records_of(line: str, piece: Piece) -> Iterator[Piece]:
    """Yield the piece of a broken line, or those of several records that stand on it.

    Line ends may be wrong or missing, at one place or everywhere; that costs no record.
    """
    cuts, found = _cuts(normalise.without_surrogates(line))
    if found < 2:
        yield piece
        return
    number, at = piece.span.line_start, piece.span.char_start
    for low, high in pairwise((*cuts, len(line))):
        yield _piece(line[low:high], Span(at + low, at + high, number, number))


def _cuts(line: str) -> tuple[list[int], int]:
    """Return where the parts of a line begin, and how many of them are objects.

    Behind a broken object the next one is looked for where objects touch: inside of one they never
    do.
    """
    cuts, at, found, failed = [0], 0, 0, 0
    while failed < _MAX_BROKEN and (start := line.find("{", at)) >= 0:
        if line[at:start].strip(_GAP):
            cuts.append(at)
        cuts.append(start)
        try:
            at = _scanner.raw_decode(line, start)[1]
            found += 1
        except (ValueError, RecursionError):
            failed += 1
            touching = line.find("}{", start)
            if touching < 0:
                break
            at = touching + 1
    else:
        if line[at:].strip(_GAP):
            cuts.append(at)
    return sorted({*cuts}), found


def _refuse_undecodable(line: str, found: int) -> None:
    if found > MAX_BAD_SHARE * len(line):
        raise RefusedError(
            "undecodable",
            f"expected UTF-8 or another known encoding, found {found} undecodable bytes among "
            f"{len(line)} characters.",
        )


def _published(record: _Record) -> dt.date | None:
    for value in (record.published, record.date, record.published_at):
        if value and (date := normalise.published(value)):
            return date
    return None


def _byline(record: _Record, *, mended: bool) -> str | None:
    named = record.byline if isinstance(record.byline, str) else record.author
    return normalise.title(named, mend=mended) if isinstance(named, str) else None


def _bare(line: str) -> str:
    """Return a line without what joined files and arrays put around records: a mark, a comma."""
    said = line.strip().removeprefix("\ufeff")
    return said[:-1] if said.startswith("{") and said.endswith("},") else said


def _decode_slowly(line: str) -> _Record:
    try:
        fields = json.loads(normalise.without_surrogates(line), strict=False)
    except RecursionError as error:
        detail = "expected a record nested less than about 1,000 deep, found a deeper one."
        raise RefusedError("too_deep", detail) from error
    except ValueError as error:
        detail = f"expected one JSON object on the line, found: {error}."
        raise RefusedError("invalid_json", detail) from error
    if not isinstance(fields, dict):
        detail = f"expected a JSON object, found {type(fields).__name__}."
        raise RefusedError("not_an_object", detail)
    if "text" not in fields:
        names = normalise.without_surrogates(f"{sorted(fields)[:20]}")[:400]
        detail = f'expected a field "text", found {names}. Write the dump with that name.'
        raise RefusedError("missing_text", detail)
    if not isinstance(fields["text"], str):
        detail = f'expected a string in "text", found {type(fields["text"]).__name__}.'
        raise RefusedError("wrong_type", detail)
    return _record(fields)


def _record(fields: dict[str, object]) -> _Record:
    """Keep the known fields that have the right type, without lone surrogates."""
    kept: dict[str, str] = {}
    for name in _Record.__struct_fields__:
        value = fields.get(name)
        if name == "id" and type(value) is int:
            kept[name] = str(value)
        elif isinstance(value, str):
            kept[name] = normalise.without_surrogates(value)
    return _Record(**kept)
