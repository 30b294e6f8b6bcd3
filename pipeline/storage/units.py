"""Writing and reading units: data files first, one manifest last.

Holds: `Corpus`, the store of one corpus with its working folder, and the helpers with which every
stage writes Parquet files and commits its unit. Reads and writes the corpus store.
Not here: keys (`layout.py`), which rows (the stages), the pointer (`publish/commit.py`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ConflictError, CorruptError, MissingError
from pipeline.model.files import FileRef
from pipeline.storage import layout
from pipeline.storage.row_groups import ROWS, row_groups
from pipeline.storage.store import Store

T = TypeVar("T")

SCRATCH_BYTES = 8 << 30
"""Downloaded files that stay in the scratch folder for the next reader; the oldest go first."""

_DIGITS = 64
"""Length of the name of a downloaded file, which is its sha256."""

_encoder = msgspec.json.Encoder(order="deterministic")


class Corpus:
    """A corpus store plus a scratch folder for files on their way in and out.

    Use as a context manager: the scratch folder goes when the block ends.
    """

    def __init__(self, store: Store, scratch: Path, *, scratch_bytes: int = SCRATCH_BYTES) -> None:
        """Bind the store to an existing scratch folder."""
        self.store = store
        self.scratch = scratch
        self._scratch_bytes = scratch_bytes
        self._reads = 0
        self._last_read: dict[str, int] = {}
        self._held = 0

    def read(self, ref: FileRef, *, columns: list[str] | None = None) -> pa.Table:
        """Read a whole small Parquet file after checking its hash."""
        path = self.fetch(ref)
        return pq.read_table(path, columns=columns, memory_map=True, partitioning=None)

    def read_known(self, ref: FileRef, columns: Iterable[str]) -> pa.Table:
        """Read those of some columns that the file has: an older schema may not have all."""
        there = pq.read_schema(self.fetch(ref)).names
        return self.read(ref, columns=[name for name in columns if name in there])

    def batches(
        self, ref: FileRef, *, columns: list[str] | None = None, rows: int = 4096
    ) -> Iterator[pa.RecordBatch]:
        """Stream a Parquet file in batches of at most `rows`, after checking its hash."""
        path = self.fetch(ref)
        with pq.ParquetFile(path, memory_map=True) as file:
            yield from file.iter_batches(batch_size=rows, columns=columns)

    def fetch(self, ref: FileRef) -> Path:
        """Return a checked local file that holds `ref`; open it before the next call.

        A later call may remove its name when the scratch folder is full; who has it open or mapped
        reads on.
        """
        return self._noted(self.store.fetch(ref, self.scratch))

    def fetch_part(self, ref: FileRef) -> Path:
        """Return a local file like `fetch`; one that never travels is compared by size alone.

        For large files of which little is read: the reader looks at what it uses.
        """
        path = self.store.fetch(ref, self.scratch, whole=False)
        return self._noted(path)

    def _noted(self, path: Path) -> Path:
        """Note that a file was read; look at all only when those that came may be too many.

        `_held` is never less than what they take: others may have removed some.
        """
        if path.parent == self.scratch:
            if not self._reads:
                self._held = sum(stat.st_size for _, stat in self._downloaded())
            elif path.name not in self._last_read:
                self._held += path.stat().st_size
            self._reads += 1
            self._last_read[path.name] = self._reads
            if self._held > self._scratch_bytes:
                self._make_room(path)
        return path

    def _make_room(self, latest: Path) -> None:
        """Remove downloaded files, least recently read first, until the others fit."""
        held = self._downloaded()
        size = sum(stat.st_size for _, stat in held)
        held.sort(key=lambda one: (self._last_read.get(one[0], 0), one[1].st_mtime_ns))
        there = {name for name, _ in held}
        for name, stat in held:
            if size <= self._scratch_bytes:
                break
            if name != latest.name:
                (self.scratch / name).unlink(missing_ok=True)
                there.remove(name)
                size -= stat.st_size
        self._last_read = {name: at for name, at in self._last_read.items() if name in there}
        self._held = size

    def _downloaded(self) -> list[tuple[str, os.stat_result]]:
        with os.scandir(self.scratch) as entries:
            return [(entry.name, entry.stat()) for entry in entries if len(entry.name) == _DIGITS]

    def write(
        self, stage: str, fingerprint: str, name: str, table: pa.Table, **options: object
    ) -> FileRef:
        """Write one table as one data file (row groups of 64k rows unless `options` differ)."""
        path = self.scratch_file()
        merged = {"compression": "zstd", "compression_level": 1, "row_group_size": ROWS}
        merged.update(options)
        pq.write_table(table, path, **merged)
        return self.adopt(stage, fingerprint, name, path, table.num_rows)

    def write_batches(
        self,
        stage: str,
        fingerprint: str,
        name: str,
        batches: Iterable[pa.RecordBatch],
        *,
        schema: pa.Schema,
    ) -> FileRef:
        """Write rows as `write` writes a table of them: the same bytes, a row group at a time."""
        path, rows = self.scratch_file(), 0
        with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
            for table in row_groups(batches, schema):
                writer.write_table(table, row_group_size=ROWS)
                rows += table.num_rows
        return self.adopt(stage, fingerprint, name, path, rows)

    def adopt(self, stage: str, fingerprint: str, name: str, path: Path, rows: int) -> FileRef:
        """Move a finished local file into the store under the hash of its bytes."""
        digest = _sha256(path)
        key = layout.data(stage, fingerprint, name, digest, path.suffix.removeprefix("."))
        size = path.stat().st_size
        self.store.put_file(key, path)
        path.unlink()
        return FileRef(key, digest, size, rows)

    def scratch_file(self, suffix: str = ".parquet") -> Path:
        """Return the path of a new, empty file in the scratch folder."""
        handle, name = tempfile.mkstemp(suffix=suffix, dir=self.scratch)
        os.close(handle)
        return Path(name)

    def finish(self, key: str, manifest: T) -> T:
        """Commit a unit: write its manifest unless another attempt already did.

        Returns the manifest that counts, which is the first one written.
        """
        try:
            self.store.put(key, _encoder.encode(manifest), if_absent=True)
        except ConflictError:
            return self.load(key, type(manifest))
        return manifest

    def load(self, key: str, kind: type[T]) -> T:
        """Read a manifest. Raises `MissingError` when the unit was never finished.

        Raises:
            CorruptError: what is stored is no such manifest.
        """
        return decode(key, self.store.get(key)[0], kind)

    def find(self, key: str, kind: type[T]) -> T | None:
        """Read a manifest, or return None when the unit was never finished."""
        try:
            return self.load(key, kind)
        except MissingError:
            return None

    def reference(self, key: str) -> FileRef:
        """Return a reference to a small stored object as it is now."""
        data, _ = self.store.get(key)
        return FileRef(key, hashlib.sha256(data).hexdigest(), len(data), 0)

    def save(self, value: object, key_of: Callable[[str], str]) -> FileRef:
        """Write an immutable JSON value at the key made from its sha256; return a reference."""
        data = _encoder.encode(value)
        digest = hashlib.sha256(data).hexdigest()
        key = key_of(digest)
        with suppress(ConflictError):
            self.store.put(key, data, if_absent=True)
        return FileRef(key, digest, len(data), 0)


@contextmanager
def open_corpus(store: Store) -> Iterator[Corpus]:
    """Yield a `Corpus` with a scratch folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="winnow-") as folder:
        yield Corpus(store, Path(folder))


def encode(value: object) -> bytes:
    """Encode a model value as deterministic JSON."""
    return _encoder.encode(value)


def decode(key: str, data: bytes, kind: type[T]) -> T:
    """Decode a stored JSON value.

    Raises:
        CorruptError: it is no such value.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise CorruptError(
            f"{key}: expected a {kind.__name__}, found {len(data)} bytes that are none: {error}. "
            "`winnow heal` mends what can be made again."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def concat(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Concatenate tables of one schema; no tables give an empty one."""
    parts = list(tables)
    return pa.concat_tables(parts) if parts else schema.empty_table()
