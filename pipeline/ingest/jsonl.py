"""JSON lines: one document a line.

Holds: `jsonl_pieces`, `object_piece`. Pure; memory is bounded by `max_record_bytes`.
Not here: lines (`lines.py`), records that are not a line each (`json_files.py`), which files are
JSON lines (`formats.py`).

Fields: `text` (needed); `id`, `url`, `title`, `byline` or `author`, and `published`, `date` or
`published_at` (the first that holds a date). Others are ignored, and optional ones of another type
count as absent. Two records with one `id` are two documents: identity comes from provenance,
equality from the text.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from pipeline.ingest import normalise
from pipeline.ingest.file_layout import Layout
from pipeline.ingest.json_advice import next_step
from pipeline.ingest.json_ends import WS, Ending
from pipeline.ingest.json_objects import Objects
from pipeline.ingest.lines import Long, lines
from pipeline.ingest.pieces import (
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


_AROUND = "[], \t\r\n\ufeff"
_GAP = re.compile(r"[\[\], \t\r\n\ufeff]*")
"""What stands around the records of an array."""

_OBJECT = re.compile(rf'\{{{WS}*["}}]')
"""How every object begins."""

_LONGEST_NUMBER = 1000
"""Digits: the library refuses to make numbers of more than 4,300."""

_fast = msgspec.json.Decoder(_Record)


def _number(digits: str) -> int | float:
    """Return a number; of one that is longer than any id is, that it is one."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf


_slow = json.JSONDecoder(strict=False, parse_int=_number)


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
            end = start + line.size
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
            piece = object_piece(line, Span(start, end, number, number))
            if piece.reason == "invalid_json":
                yield from _records_of(line, piece)
            else:
                yield piece
        start = end


def object_piece(line: str, span: Span) -> Piece:
    """Make the piece of a line, or of an object that stands elsewhere."""
    if line.isspace():
        return Piece(span=span, kind="furniture", reason="blank_line", excerpt=excerpt(line))
    try:
        return _document(line, span)
    except RefusedError as refused:
        if not line.strip(_AROUND):
            return Piece(span=span, kind="furniture", reason="brackets", excerpt=excerpt(line))
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
    """Yield the piece of a broken line, or those of records that stand on it.

    Line ends may be wrong or missing, at one place or everywhere; that costs no record.
    """
    cuts = _cuts(line)
    if len(cuts) < 2:
        yield piece
        return
    number, at = piece.span.line_start, piece.span.char_start
    for low, high in pairwise((*cuts, len(line))):
        yield object_piece(line[low:high], Span(at + low, at + high, number, number))


def _cuts(line: str) -> list[int]:
    """Return where the parts of a line begin, when one of them is an object."""
    if not _OBJECT.search(line):
        return []
    held = Objects([line], len(line), layout=Layout())
    cuts, at, found = [], 0, 0
    while (start := held.past(at, _GAP)) < len(line):
        cuts.append(start)
        ending = held.end(start) if line.startswith("{", start) else Ending(-1, start)
        if ending.is_cut:
            break
        found += ending.end > 0
        at = ending.end if ending.end > 0 else held.next_record(start, ending.fault)
    return [0, *cuts[1:]] if found else []


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
    """Return a line without what joined files and arrays put around records: a mark, brackets."""
    said = line.strip().removeprefix("\ufeff")
    within = said.strip(_AROUND)
    return within if within.startswith("{") and within.endswith("}") else said


def _decode_slowly(line: str) -> _Record:
    try:
        fields = _slow.decode(normalise.without_surrogates(line))
    except RecursionError as error:
        detail = "expected a record nested less than about 1,000 deep, found a deeper one."
        raise RefusedError("too_deep", detail) from error
    except ValueError as error:
        detail = f"expected one JSON object, found: {error}."
        raise RefusedError("invalid_json", detail) from error
    if not isinstance(fields, dict):
        detail = f"expected a JSON object, found {type(fields).__name__}."
        raise RefusedError("not_an_object", detail)
    if "text" not in fields:
        names = normalise.without_surrogates(f"{sorted(fields)[:20]}")[:400]
        detail = f'expected a field "text", found {names}. {next_step(fields)}'
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
