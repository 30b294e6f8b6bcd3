"""Parquet files: one document a row, row group by row group.

Holds: `ParquetPart`. Reads blocks of decoded bytes through a temporary file (the footer stands at
the end). Not here: which columns hold what (`columns.py`), where files end (`footers.py`).

Characters are those of the text column, row after row; lines count rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.codecs import RATIO_GRACE
from pipeline.ingest.columns import Columns, chosen_columns, document
from pipeline.ingest.footers import Slice, files_in
from pipeline.ingest.pieces import Piece, RefusedError, Span, excerpt
from pipeline.model.settings import IngestSettings

BATCH_ROWS = 256
DELTA_ROWS = 16
"""Rows at once of texts that may say how others begin: then few bytes may be long texts."""
_NO_DICTIONARY = "DictAccumulator"
"""What the library names when texts are stored as differences, which it cannot read as a
dictionary. The footer says so too, but one that is broken ends the process when it is asked."""


class ParquetPart:
    """The rows of one file, or of joined ones; mutable counts of characters and rows."""

    def __init__(self, blocks: Iterable[bytes], settings: IngestSettings) -> None:
        """Read the blocks as one file."""
        self._blocks = blocks
        self._settings = settings
        self._size = 0
        self._row = 0
        self._plain: pq.ParquetFile | None = None  # the file again, its texts no dictionary
        self.chars = 0

    def __iter__(self) -> Iterator[Piece]:
        """Yield one piece a row.

        Raises:
            RefusedError: no Parquet file, no column of texts, or a bomb.
        """
        with tempfile.TemporaryFile() as spool:
            for block in self._blocks:
                self._size += spool.write(block)
            yield from self._files(cast("BinaryIO", spool))

    def _files(self, spool: BinaryIO) -> Iterator[Piece]:
        """Yield the rows of each file; of several, one that is refused is a row of quarantine."""
        files, size = files_in(spool, self._size)
        for start, end in files:
            try:
                yield from self._rows(cast("BinaryIO", Slice(spool, start, end)))
            except RefusedError as error:
                if error.reason == "bomb" or len(files) == 1:
                    raise
                yield self._refused(error.reason, error.detail)
        if size < self._size:
            found = self._size - size
            detail = f"expected the end of a Parquet file behind its footer, found {found} bytes."
            yield self._refused("garbage_tail", detail)

    def _refused(self, reason: str, detail: str) -> Piece:
        """Make the piece of bytes that hold no rows."""
        line = max(1, self._row)
        span = Span(self.chars, self.chars, line, line)
        return Piece(span=span, kind="quarantine", reason=reason, detail=detail)

    def _rows(self, spool: BinaryIO) -> Iterator[Piece]:
        self._plain = None
        try:
            schema = pq.read_schema(spool)
            columns = Columns.of(schema.names, chosen_columns(self._settings))
            text = _text_name(schema, columns)
            file = _opened(spool, [text])
        except _BROKEN as error:
            detail = f"expected a whole Parquet file, found: {_short(error)}. Upload it again."
            raise RefusedError("corrupt_parquet", detail) from error
        wanted = {field: schema.names[at] for field, at in columns.places.items() if at >= 0}
        for group in range(file.num_row_groups):
            yield from self._group(file, group, wanted, spool)

    def _group(
        self, file: pq.ParquetFile, group: int, wanted: dict[str, str], spool: BinaryIO
    ) -> Iterator[Piece]:
        """Yield the rows of one group; a group that breaks is one row of quarantine."""
        start = self._row
        end = start + file.metadata.row_group(group).num_rows
        try:
            try:
                yield from self._batches(file, group, wanted)
            except OSError as error:
                if _NO_DICTIONARY not in str(error):
                    raise
                self._plain = self._plain or _opened(spool, [])
                yield from self._batches(self._plain, group, wanted, seen=self._row - start)
        except _BROKEN as error:
            detail = f"expected rows {self._row + 1} to {end}, found: {_short(error)}."
            yield Piece(
                span=Span(self.chars, self.chars, self._row + 1, max(end, self._row + 1)),
                kind="quarantine",
                reason="corrupt_row_group",
                detail=detail,
            )
        self._row = max(self._row, end)

    def _batches(
        self, file: pq.ParquetFile, group: int, wanted: dict[str, str], *, seen: int | None = None
    ) -> Iterator[Piece]:
        """Yield the rows of a group; few at once behind those `seen` where some were read."""
        names = sorted(set(wanted.values()))
        rows = BATCH_ROWS if seen is None else DELTA_ROWS
        left = seen or 0
        for batch in file.iter_batches(rows, row_groups=[group], columns=names):
            cells = {key: batch[batch.schema.names.index(wanted[key])] for key in wanted}
            for at in range(min(left, batch.num_rows), batch.num_rows):
                yield self._piece({key: column[at] for key, column in cells.items()})
            left = max(0, left - batch.num_rows)

    def _piece(self, cells: dict[str, pa.Scalar]) -> Piece:
        self._row += 1
        span = Span(self.chars, self.chars, self._row, self._row)
        text = ""
        try:
            text = _value(cells.pop("text"), is_text=True) or ""
            span = Span(self.chars, self.chars + len(text), self._row, self._row)
            self._check(len(text))
            fields = {name: _value(cell) for name, cell in cells.items()}
            return document({"text": text, **fields}, span)
        except RefusedError as error:
            if error.reason == "bomb":
                raise
            return Piece(
                span=span, kind="quarantine", reason=error.reason, detail=error.detail,
                excerpt=excerpt(text),
            )  # fmt: skip

    def _check(self, chars: int) -> None:
        self.chars += chars
        if self.chars > RATIO_GRACE and self.chars > self._settings.max_ratio * self._size:
            raise RefusedError("bomb", "expected less text for the size of the file, found more.")
        if chars > self._settings.max_record_bytes:
            detail = f"expected a shorter text, found {chars} characters."
            raise RefusedError("record_too_long", detail)


_BROKEN = (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError)
"""What the library raises about damaged files, names that are no UTF-8 among it."""


_TEXTS = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view,
)  # fmt: skip
"""Texts, and bytes that many writers put where a text is meant."""


def _text_name(schema: pa.Schema, columns: Columns) -> str:
    field = schema.field(columns.places["text"])
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if not any(is_text(kind) for is_text in _TEXTS):
        detail = f"expected texts in the column {field.name[:100]!r}, found {str(kind)[:100]}."
        raise RefusedError("wrong_type", detail)
    return str(field.name)


def _opened(spool: BinaryIO, packed: list[str]) -> pq.ParquetFile:
    return pq.ParquetFile(
        spool, read_dictionary=packed, pre_buffer=False, page_checksum_verification=True
    )


def _value(cell: pa.Scalar, *, is_text: bool = False) -> str | None:
    """Return a cell as text; None when it is null, nested, or wrongly encoded.

    Raises:
        RefusedError: the bytes are no UTF-8.
    """
    try:
        value = cell.as_py()
        value = value.decode() if is_text and isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        raise RefusedError("invalid_encoding", "expected UTF-8 in the row, found none.") from error
    except (ValueError, OverflowError):
        return None
    return None if value is None or isinstance(value, bytes | list | dict) else str(value)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
