"""CSV and TSV files: one document a row.

Holds: `delimited_pieces`, `delimiter_of`, `Layout`. Pure; memory is bounded by `max_record_bytes`.
Not here: which columns hold what (`columns.py`), bytes to characters (`decode.py`).

A row that does not parse, or has another number of fields than the header, costs its first line
alone: reading goes on at the next line, so an unbalanced quote cannot swallow what follows it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

import msgspec

from pipeline.ingest.columns import Columns, chosen_columns, document
from pipeline.ingest.jsonl import Long, lines
from pipeline.ingest.pieces import Piece, RefusedError, Span, bad_spans, excerpt
from pipeline.model.settings import IngestSettings

DELIMITERS = (",", "\t", ";", "|")
PROBE_ROWS = 5
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")

csv.field_size_limit((1 << 31) - 1)  # rows are bounded before they are parsed


class Layout(msgspec.Struct):
    """How a file is laid out; filled when its header is read, kept behind damage."""

    delimiter: str = ""
    columns: Columns | None = None
    width: int = 0


def delimiter_of(head: str, text_names: Iterable[str]) -> str:
    """Return the delimiter of a CSV file that begins with `head`, "" when it is none.

    The first line must be a header of distinct names: one of them names the text, or the next
    rows have as many fields each.
    """
    first, *rest = head.split("\n", PROBE_ROWS + 1)
    for delimiter in DELIMITERS:
        names = [name.strip() for name in _cells(first, delimiter) or []]
        if len(names) < 2 or len(set(names)) < len(names):
            continue
        if not all(_NAME.fullmatch(name) for name in names):
            continue
        if any(name.lower() in set(text_names) for name in names):
            return delimiter
        probe = [_cells(row, delimiter) for row in rest[:PROBE_ROWS]]
        if len(probe) == PROBE_ROWS and all(row and len(row) == len(names) for row in probe):
            return delimiter
    return ""


def delimited_pieces(
    texts: Iterable[str], settings: IngestSettings, *, layout: Layout, start: int = 0
) -> Iterator[Piece]:
    """Make one piece of each row; the first is the header unless `layout` knows it already.

    Raises:
        RefusedError: no column holds text; the whole file is refused.
    """
    limit = settings.max_record_bytes
    rows = _Rows(lines(texts, limit), limit, layout)
    line = 1
    for raw, chars, count, cells in rows:
        span = Span(start, start + chars, line, line + count - 1)
        if layout.columns is None and cells is not None:
            layout.columns = Columns.of([name.strip() for name in cells], chosen_columns(settings))
            layout.width = len(cells)
            yield Piece(span=span, kind="furniture", reason="header", excerpt=excerpt(raw))
        else:
            yield _piece(raw, span, cells, layout.columns)
        start, line = span.char_end, line + count


def _piece(raw: str, span: Span, cells: list[str] | None, columns: Columns | None) -> Piece:
    if raw.isspace():
        return Piece(span=span, kind="furniture", reason="blank_line", excerpt=excerpt(raw))
    try:
        if cells is None or columns is None:
            return _broken(raw, span)
        piece = document(columns.pick(cells), span)
        piece.inner = bad_spans(raw, span.char_start, span.line_start)
    except RefusedError as error:
        return Piece(
            span=span, kind="quarantine", reason=error.reason, detail=error.detail,
            excerpt=excerpt(raw),
        )  # fmt: skip
    return piece


def _broken(raw: str, span: Span) -> Piece:
    chars = span.char_end - span.char_start
    if chars > len(raw):
        reason, detail = "record_too_long", f"expected a shorter row, found {chars} characters."
    elif raw.count('"') % 2:
        reason, detail = "unbalanced_quotes", "expected a closing quote, found none that fits."
    else:
        reason, detail = "wrong_field_count", "expected as many fields as the header has names."
    return Piece(span=span, kind="quarantine", reason=reason, detail=detail, excerpt=excerpt(raw))


class _Rows:
    """Joins lines to rows of as many fields as the header, once that is known.

    Yields (characters, how many, lines, cells); cells are None for a line that is no row.
    """

    def __init__(self, source: Iterator[str | Long], limit: int, layout: Layout) -> None:
        self._source = source
        self._limit = limit
        self._layout = layout
        self._ahead: list[str | Long] = []

    def __iter__(self) -> Iterator[tuple[str, int, int, list[str] | None]]:
        while (line := self._next()) is not None:
            if isinstance(line, Long):
                yield line.start, line.chars + line.ended, 1, None
                continue
            taken = self._joined(line)
            cells = _cells("".join(taken), self._layout.delimiter)
            if cells is not None and self._layout.width in {0, len(cells)}:
                row = "".join(taken)
                yield row, len(row), len(taken), cells
            else:
                self._ahead.extend(reversed(taken[1:]))
                yield line, len(line), 1, None

    def _next(self) -> str | Long | None:
        return self._ahead.pop() if self._ahead else next(self._source, None)

    def _joined(self, line: str) -> list[str]:
        """Return the line with those after it, up to the one that closes its quotes."""
        taken, size, quotes = [line], len(line), line.count('"')
        while quotes % 2 and size <= self._limit and (after := self._next()) is not None:
            if isinstance(after, Long):
                self._ahead.append(after)
                break
            taken.append(after)
            size += len(after)
            quotes += after.count('"')
        return taken


def _cells(row: str, delimiter: str) -> list[str] | None:
    """Parse one row; None when its quotes are wrong."""
    row = row.removesuffix("\n").removesuffix("\r")
    if '"' not in row and "\r" not in row and "\0" not in row:
        return row.split(delimiter)
    try:
        rows = list(csv.reader([row], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
