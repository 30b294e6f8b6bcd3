"""CSV and TSV files: one document a row.

Holds: `delimited_pieces`, `table_of`. Pure; memory is bounded by `max_record_bytes`.
Not here: rows and cells (`delimited_rows.py`), which columns hold what (`columns.py`), bytes to
characters (`decode.py`).

A row that does not parse, or has another number of fields than the header, costs its first line
alone: reading goes on at the next line, so an unbalanced quote cannot swallow what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile

from pipeline.ingest.columns import NAMES, Columns, chosen_columns, document
from pipeline.ingest.delimited_rows import Rows, cells_of
from pipeline.ingest.file_layout import Layout
from pipeline.ingest.lines import lines
from pipeline.ingest.pieces import Piece, RefusedError, Span, bad_spans, excerpt
from pipeline.model.settings import IngestSettings

DELIMITERS = (",", "\t", ";", "|", "\x01")
_COLON = ":"
"""What prose has too, so that names must be written as they are in tables alone."""

NO_DELIMITER = "\x1f"
"""That of a table with one column: a character that texts do not hold."""

PROBE_ROWS, PROBE_LINES = 5, 100
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_LOOSE_NAME = re.compile(r"(?:[\w#][^\n\"]{0,63})?")
"""What people and programs write above columns: words, other scripts, nothing above an index."""

_SHORT_NAME = re.compile(r"(?:[^\s.!?。！？]+(?: [^\s.!?。！？]+){0,2})?")
_SEPARATOR = re.compile(r"sep=([,;|\t])\r?")
"""The first line by which spreadsheets tell each other the delimiter."""

_COMMENT = re.compile(r"#|\s*$")
_RULE = re.compile(r"[\s|:-]*---[\s|:-]*")
"""What stands below the header of a table in Markdown."""

_IDS = NAMES["id"]
_LINE_END = re.compile(r"\r\n?|\n")
_NULLS = frozenset(("NULL", r"\N"))
"""How databases write that a field has no value."""


def table_of(head: str, text_names: Iterable[str]) -> tuple[str, int]:
    """Return the delimiter of a table that begins with `head`, and the lines above its header.

    The delimiter is "" when it is none. The first line must be a header: one of its names is that
    of the text, or the next rows have as many fields each. The less it looks like a header, and the
    more like a sentence with a comma, the more the rows must confirm it. Below comments it must
    look like nothing else, and name the text as they do: it may be a row, and they the header.
    """
    head = head.replace("\r", "\n") if ends_in_cr(head) else head
    first, *rest = found = head.removesuffix("\n").split("\n", PROBE_LINES)[:PROBE_LINES]
    if said := _SEPARATOR.fullmatch(first):
        return (said[1], 1) if rest and said[1] in rest[0] else ("", 0)
    wanted = set(text_names)
    above = len(list(takewhile(_COMMENT.match, found))) if first.startswith("#") else 0
    for sign in (*DELIMITERS, _COLON) if above else ():
        known = wanted & {name for line in found[:above] for name in _small(line, sign)}
        if _heads_plainly(found[above:], sign, wanted=known or wanted):
            return sign, above
    if _is_column(first, rest, wanted):
        return NO_DELIMITER, 0
    signs = [sign for sign in DELIMITERS if _heads(first, rest, sign, wanted=wanted)]
    if not signs and _heads_plainly(found, _COLON, wanted=wanted):
        return _COLON, 0
    return "".join(signs[:1]), 0


def ends_in_cr(head: str) -> bool:
    """Whether the first line of a file ends as those of old Macs do."""
    end = _LINE_END.search(head)
    return end is not None and end[0] == "\r"


def _is_column(first: str, rest: Sequence[str], wanted: set[str]) -> bool:
    """Whether a line is the name of a text above a column of texts, and not a title.

    A table has quotes around texts with commas, and a page has paragraphs with commas alone.
    A broken row makes no page of a table.
    """
    name = first.strip()
    if name.strip('"').lower() not in wanted:
        return False
    rows = list(_probed(rest))
    return len(rows) > 1 and (_are_cells(rows, name) or _are_mostly_cells(rest))


def _are_mostly_cells(rest: Sequence[str]) -> bool:
    """Whether most lines are rows in quotes, up to the last that ends one; others may be broken."""
    ends = [number for number, line in enumerate(rest, 1) if line.rstrip().endswith('"')]
    held: Iterator[str] = (f"{line}\n" for line in rest[: max(ends, default=0)])
    quoted = others = 0
    for row, _, _, cells in Rows(held, len(rest) << 20, Layout(NO_DELIMITER, width=1)):
        is_quoted = cells is not None and row.startswith('"')
        quoted += is_quoted
        others += not is_quoted and (cells is None or "," in row)
    return quoted >= PROBE_ROWS and quoted > others


def _are_cells(rows: Sequence[str], name: str) -> bool:
    """Whether all rows are texts, with quotes where they hold commas."""
    cells = [cells_of(row, NO_DELIMITER) for row in rows]
    if any(cell is None or not cell[0].strip() for cell in cells):
        return False
    quoted = [row for row in rows if row.startswith('"')]
    if any("," in row for row in rows if not row.startswith('"')):
        return False
    if quoted:
        return len(quoted) == len(rows) or any("," in row or '""' in row for row in quoted)
    return name.islower() and len(rows) >= PROBE_ROWS


def _heads(first: str, rest: Sequence[str], delimiter: str, *, wanted: set[str]) -> bool:
    """Whether a line is the header of the rows that follow it."""
    cells = cells_of(first, delimiter) or []
    names = [name.strip() for name in cells]
    if len(names) < 2 or names.count("") > 1 or not all(map(_LOOSE_NAME.fullmatch, names)):
        return False
    small = [name.lower() for name in names]
    texts = [name for name in small if name in wanted]
    if len(set(texts)) < len(texts):
        return False
    is_plain = all(map(_NAME.fullmatch, names)) and len(set(small)) == len(small)
    rows = [cells_of(row, delimiter) for row in islice(_probed(rest), PROBE_ROWS)]
    fits = sum(cells is not None and len(cells) == len(names) for cells in rows)
    is_sure = len(names) > 2 or delimiter != ","
    if texts and is_plain:
        return is_sure or names == cells or 2 * fits >= len(rows)
    if texts:
        return 2 * fits > len(rows) and (is_sure or not names[0] or fits == PROBE_ROWS)
    if fits < PROBE_ROWS:
        return False
    return is_plain or (all(map(_SHORT_NAME.fullmatch, names)) and _has_quotes(rest, delimiter))


def _heads_plainly(found: Sequence[str], delimiter: str, *, wanted: set[str]) -> bool:
    """Whether the first of some lines is names, that of a text among them, and most are rows.

    Pages have tables below their heading too, and between colons a key and its value.
    """
    names = (cells_of(found[0], delimiter) or []) if found else []
    small = {name.lower() for name in names}
    if len(small) < len(names) or not small & wanted or not all(map(_NAME.fullmatch, names)):
        return False
    if len(names) < 2 or (delimiter == _COLON and len(names) == 2 and small.isdisjoint(_IDS)):
        return False
    held: Iterator[str] = (f"{line}\n" for line in found[1:])
    rows = [row[-1] for row in Rows(held, len(found) << 20, Layout(delimiter, width=len(names)))]
    fits = sum(cells is not None for cells in rows)
    return len(rows) > 1 and 3 * fits >= 2 * len(rows) and not _RULE.fullmatch(found[1])


def _small(line: str, delimiter: str) -> list[str]:
    return [name.strip().lower() for name in cells_of(line, delimiter) or []]


def _has_quotes(rest: Sequence[str], delimiter: str) -> bool:
    return any(line.startswith('"') or f'{delimiter}"' in line for line in rest)


def _probed(rest: Sequence[str]) -> Iterator[str]:
    """Yield the first rows, each of as many lines as its quotes want."""
    held = ""
    for line in rest:
        held += line + "\n"
        if held.count('"') % 2 == 0:
            yield held
            held = ""


def delimited_pieces(
    texts: Iterable[str], settings: IngestSettings, *, layout: Layout, start: int = 0
) -> Iterator[Piece]:
    """Make one piece of each row; the first is the header unless `layout` knows it already.

    Raises:
        RefusedError: no column holds text; the whole file is refused.
    """
    limit = settings.max_record_bytes
    texts = (text.replace("\r", "\n") for text in texts) if layout.by_cr else texts
    source, line = lines(texts, limit), 1
    for above in islice(source, layout.above if layout.columns is None else 0):
        raw, chars = (above, len(above)) if isinstance(above, str) else (above.start, above.size)
        span = Span(start, start + chars, line, line)
        yield Piece(span=span, kind="furniture", reason="header", excerpt=excerpt(raw))
        start, line = span.char_end, line + 1
    for raw, chars, count, cells in Rows(source, limit, layout):
        span = Span(start, start + chars, line, line + count - 1)
        if layout.columns is None and cells is not None:
            layout.header = _names(cells)
            layout.columns = Columns.of(layout.header, chosen_columns(settings))
            layout.width = len(cells)
            yield Piece(span=span, kind="furniture", reason="header", excerpt=excerpt(raw))
        else:
            yield _piece(raw, span, cells, layout)
        start, line = span.char_end, line + count


def _piece(raw: str, span: Span, cells: list[str] | None, layout: Layout) -> Piece:
    if raw.isspace():
        return Piece(span=span, kind="furniture", reason="blank_line", excerpt=excerpt(raw))
    try:
        if cells is None or layout.columns is None:
            return _broken(raw, span, layout)
        if _names(cells) == layout.header:  # of a table that was joined to it
            return Piece(span=span, kind="furniture", reason="header", excerpt=excerpt(raw))
        fields = layout.columns.pick([None if cell in _NULLS else cell for cell in cells])
        piece = document(fields, span)
        piece.inner = bad_spans(raw, span.char_start, span.line_start)
    except RefusedError as error:
        return Piece(
            span=span, kind="quarantine", reason=error.reason, detail=error.detail,
            excerpt=excerpt(raw),
        )  # fmt: skip
    return piece


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip("\ufeff \t") for cell in cells)


def _broken(raw: str, span: Span, layout: Layout) -> Piece:
    chars = span.char_end - span.char_start
    if chars > len(raw):
        reason, detail = "record_too_long", f"expected a shorter row, found {chars} characters."
    elif raw.count('"') % 2:
        reason, detail = "unbalanced_quotes", "expected a closing quote, found none that fits."
    else:
        found = len(cells_of(raw, layout.delimiter) or [])
        shown = f"{found} fields" if found else "quotes that close before a field ends"
        reason = "wrong_field_count"
        detail = f"expected {layout.width} fields, as the header has names, found {shown}."
    return Piece(span=span, kind="quarantine", reason=reason, detail=detail, excerpt=excerpt(raw))
