"""Rows of a table of text: which lines make one, and its cells.

Holds: `Rows`, `cells_of`. Pure.
Not here: what a table is, and what its rows say (`delimited.py`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator

from pipeline.ingest.file_layout import Layout
from pipeline.ingest.lines import Long

_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')

csv.field_size_limit((1 << 31) - 1)  # rows are bounded before they are parsed


class Rows:
    """Joins lines to rows of as many fields as the header, once that is known.

    Yields (characters, how many, lines, cells); cells are None for a line that is no row.
    """

    def __init__(self, source: Iterator[str | Long], limit: int, layout: Layout) -> None:
        """Read lines; rows have at most `limit` characters, but for those of one line."""
        self._source = source
        self._limit = limit
        self._layout = layout
        self._ahead: list[str | Long] = []
        self._has_escapes = False
        """Whether a quote behind a backslash is in the latest lines that were no row."""

    def __iter__(self) -> Iterator[tuple[str, int, int, list[str] | None]]:
        """Yield the rows in order."""
        while (line := self._next()) is not None:
            if isinstance(line, Long):
                yield line.start, line.size, 1, None
                continue
            taken, cells = self._row(line, mend=_as_it_is)
            if cells is None and self._has_escapes:
                taken, cells = self._row(line, mend=_unescaped)
            row = "".join(taken)
            yield row, len(row), len(taken), cells

    def _row(self, line: str, *, mend: Callable[[str], str]) -> tuple[list[str], list[str] | None]:
        """Return the lines of the row that a line begins, and its cells, if it is one."""
        taken = self._joined(line, mend)
        row = "".join(taken)
        cells = self._fitting(mend(row))
        self._has_escapes = cells is None and '\\"' in row
        if cells is None and len(taken) > 1:
            self._ahead.extend(reversed(taken[1:]))
            return [line], self._fitting(mend(line))  # a quote in a field without any around it
        return taken, cells

    def _fitting(self, row: str) -> list[str] | None:
        cells = cells_of(row, self._layout.delimiter)
        return cells if cells is not None and self._layout.width in {0, len(cells)} else None

    def _next(self) -> str | Long | None:
        return self._ahead.pop() if self._ahead else next(self._source, None)

    def _joined(self, line: str, mend: Callable[[str], str]) -> list[str]:
        """Return the line with those after it, up to the one that closes its quotes."""
        taken, size, quotes = [line], len(line), mend(line).count('"')
        while quotes % 2 and size <= self._limit and (after := self._next()) is not None:
            if isinstance(after, Long):
                self._ahead.append(after)
                break
            taken.append(after)
            size += len(after)
            quotes += mend(after).count('"')
        return taken


def _as_it_is(row: str) -> str:
    return row


def _unescaped(row: str) -> str:
    """Double the quotes that a backslash marks, as some databases and Spark write them."""
    return _ESCAPED.sub(r'\1""', row) if '\\"' in row else row


def cells_of(row: str, delimiter: str) -> list[str] | None:
    """Parse one row; None when its quotes are wrong."""
    row = row.removesuffix("\n").removesuffix("\r")
    if '"' not in row and "\r" not in row and "\0" not in row:
        return row.split(delimiter)
    try:
        rows = list(csv.reader([row], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
