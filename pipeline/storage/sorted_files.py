"""Parquet files whose bytes depend on their rows alone, sorted and bounded in size.

Holds: `RowFormat`, `SortedWriter`, `write_sorted`, `merge_sorted`, `sort_table`. Reads and writes
local Parquet files. Not here: the store (`units.py`), which rows (`enrich/`, `publish/`).

Row groups are cut at an exact number of rows or bytes of text, counted from the first row, so how
rows arrive in batches leaves no trace. No time, host or run enters a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.model.settings import PublishSettings

KEYS = ("topic", "source", "document_id")
"""The order of published documents; null topics last."""

DICTIONARY = (
    "source", "language_bcp47", "language_script", "language_status", "language_model", "topic",
    "topic_label", "topic_2", "topic_2_label", "topic_narrow", "topic_narrow_label",
    "topic_status", "topic_model", "published_rule",
)  # fmt: skip
"""Columns with few values. A dictionary of ids, titles or texts costs more than it saves."""

BLOOM = "document_id"
BLOOM_FPP = 0.01
TEXT = "text"
MERGE_BYTES = 128 * 1024 * 1024
"""Rows at hand in a merge, all files together."""


class SortedWriter:
    """Writes rows that arrive in order into local files of bounded size.

    State: the open file, the rows not yet written, and the sizes of both. Use `write` for every
    batch and `close` once; `files` then lists each path with its number of rows.
    """

    def __init__(
        self,
        schema: pa.Schema,
        settings: PublishSettings,
        *,
        scratch: Callable[[], Path],
        keys: Sequence[str] = KEYS,
    ) -> None:
        """Bind the writer to a schema; `scratch` returns the path of a new empty file."""
        self.files: list[tuple[Path, int]] = []
        self._schema = schema.remove_metadata()
        self._settings = settings
        self._scratch = scratch
        self._keys = keys
        self._writer: pq.ParquetWriter | None = None
        self._pending: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; every full row group goes to disk at once."""
        sizes = _text_bytes(batch)
        start = 0
        while start < batch.num_rows:
            taken = self._room(sizes[start:])
            self._pending.append(batch.slice(start, taken))
            self._rows += taken
            self._bytes += int(sizes[start : start + taken].sum())
            start += taken
            if start < batch.num_rows:
                self._flush()

    def close(self) -> list[tuple[Path, int]]:
        """Write what is left, finish the last file and return all files."""
        self._flush(last=True)
        self._finish()
        return self.files

    def _room(self, sizes: NDArray[np.int64]) -> int:
        """Count the leading rows that still fit the row group; one row always fits an empty one."""
        limit = self._settings.row_group_bytes - self._bytes
        fitting = int(np.searchsorted(np.cumsum(sizes), limit, side="right"))
        fitting = min(fitting, self._settings.row_group_rows - self._rows, len(sizes))
        if fitting == 0 and self._rows == 0:
            return 1
        if fitting == 0:
            self._flush()
            return self._room(sizes)
        return fitting

    def _flush(self, *, last: bool = False) -> None:
        if not self._rows:
            return
        # A file of one small row group needs a small bloom filter; others get the full one.
        writer = self._open(self._rows if last else self._settings.row_group_rows)
        table = pa.Table.from_batches(self._pending, self._schema).combine_chunks()
        writer.write_table(table, row_group_size=self._rows)
        path, rows = self.files[-1]
        self.files[-1] = (path, rows + self._rows)
        self._pending, self._rows, self._bytes = [], 0, 0
        if path.stat().st_size >= self._settings.file_bytes:
            self._finish()

    def _open(self, distinct: int) -> pq.ParquetWriter:
        if self._writer is None:
            path = self._scratch()
            self._writer = pq.ParquetWriter(path, self._schema, **self._options(distinct))
            self.files.append((path, 0))
        return self._writer

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _options(self, distinct: int) -> dict[str, object]:
        names = set(self._schema.names)
        bloom = {BLOOM: {"ndv": distinct, "fpp": BLOOM_FPP}} if BLOOM in names else None
        order = [(key, "ascending") for key in self._keys]
        return {
            "compression": "zstd",
            "compression_level": self._settings.compression_level,
            "use_dictionary": [name for name in DICTIONARY if name in names],
            "write_page_index": True,
            "store_schema": True,
            "sorting_columns": pq.SortingColumn.from_ordering(self._schema, order, "at_end"),
            "bloom_filter_options": bloom,
        }


def write_sorted(
    batches: Iterator[pa.RecordBatch],
    settings: PublishSettings,
    scratch: Callable[[], Path],
    *,
    keys: Sequence[str] = KEYS,
) -> list[tuple[Path, int]]:
    """Write batches that are already in order; return (path, rows) of each file, none for none."""
    writer: SortedWriter | None = None
    for batch in batches:
        writer = writer or SortedWriter(batch.schema, settings, scratch=scratch, keys=keys)
        writer.write(batch)
    return writer.close() if writer else []


def sort_table(table: pa.Table, keys: Sequence[str] = KEYS) -> pa.Table:
    """Sort rows by `keys`, nulls last. Keys must tell all rows apart for the order to be total."""
    order = pc.sort_indices(table, sort_keys=[(key, "ascending", "at_end") for key in keys])
    return table.take(order)


def merge_sorted(
    paths: Sequence[Path],
    schema: pa.Schema,
    *,
    keys: Sequence[str] = KEYS,
    budget: int = MERGE_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Merge sorted files into one sorted stream, holding about `budget` bytes of rows twice.

    In every round each file has rows at hand; all rows up to the smallest of the last keys at
    hand can be emitted, because no file still hides a smaller one.
    """
    sources = [_Source(path, schema, budget=budget // len(paths)) for path in paths]
    try:
        while sources := [source for source in sources if source.fill()]:
            last = [source.last(keys) for source in sources]
            bound = min(last)
            parts = [source.take(keys, bound) for source in sources]
            yield from sort_table(pa.concat_tables(parts), keys).combine_chunks().to_batches()
    finally:
        for source in sources:
            source.close()


class _Source:
    """One file of a merge: its reader and the rows at hand."""

    def __init__(self, path: Path, schema: pa.Schema, *, budget: int) -> None:
        self._file = pq.ParquetFile(path, memory_map=True)
        rows = max(1, budget // _widest(self._file.metadata))
        self._batches = self._file.iter_batches(batch_size=rows, columns=schema.names)
        self._table = schema.empty_table()
        self._schema = schema

    def fill(self) -> bool:
        """Have rows at hand; False when the file has no more."""
        while not self._table.num_rows:
            batch = next(self._batches, None)
            if batch is None:
                self._file.close()
                return False
            self._table = pa.Table.from_batches([batch.cast(self._schema)], self._schema)
        return True

    def last(self, keys: Sequence[str]) -> tuple[tuple[bool, str], ...]:
        """Return the key of the last row at hand, comparable with nulls last."""
        return _key(self._table, keys, self._table.num_rows - 1)

    def take(self, keys: Sequence[str], bound: tuple[tuple[bool, str], ...]) -> pa.Table:
        """Take the rows at hand with keys up to `bound` (rows are sorted: bisect)."""
        low, high = 0, self._table.num_rows
        while low < high:
            middle = (low + high) // 2
            if _key(self._table, keys, middle) <= bound:
                low = middle + 1
            else:
                high = middle
        taken, self._table = self._table.slice(0, low), self._table.slice(low)
        return taken

    def close(self) -> None:
        """Release the file of an abandoned merge."""
        self._file.close()


def _widest(metadata: pq.FileMetaData) -> int:
    """Return the mean bytes of a row in the row group where it is largest, at least one."""
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    return max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=1) + 1


def _key(table: pa.Table, keys: Sequence[str], row: int) -> tuple[tuple[bool, str], ...]:
    values = [table.column(key)[row].as_py() for key in keys]
    return tuple((value is None, "" if value is None else value) for value in values)


def _text_bytes(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Bytes of text per row; rows of tables without text count by their number alone."""
    if TEXT not in batch.schema.names:
        return np.zeros(batch.num_rows, np.int64)
    lengths: NDArray[np.int64] = pc.binary_length(batch.column(TEXT)).to_numpy().astype(np.int64)
    return lengths
