"""Rows that stay, copied unchanged out of the files that they were read from.

Holds: `Seen`, `copy_kept`. Reads a file a second time and writes one of the same format.
Not here: the first time (`records.py`), how columns are packed (`packing.py`), which rows stay
(`dedup/standalone.py`), where copies go (`dedup_files.py`).
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Final, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from pipeline.cli.packing import is_all_zstd
from pipeline.cli.records import BATCH_BYTES, ROWS, Advance, decoded, is_parquet, lines, opened
from pipeline.errors import InputError

_AGAIN: Final = "The file was changed meanwhile: run the command again."


class Seen(NamedTuple):
    """What tells a file that was changed from the one that was read."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at a file; before it is read, so that a change while it is read counts too."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


def copy_kept(path: Path, kept: pa.Array, target: Path, advance: Advance, *, seen: Seen) -> Path:
    """Copy the rows of a file whose number is true in `kept`, unchanged, and return the new file.

    It is named by `target` and the format: Parquet with the same columns, or JSON lines with the
    same bytes, compressed with zstd if they were compressed. Parquet in zstd of which all rows stay
    is copied byte by byte: most of the time of copying goes into packing it again.

    Raises:
        InputError: the file is not as it was `seen` before, or its rows are fewer or more.
    """
    _unchanged(path, seen)
    if is_parquet(path):
        copy = _copy_parquet(path, kept, target.with_suffix(".parquet"), advance)
    else:
        copy = _copy_lines(path, kept, target, advance)
    _unchanged(path, seen)
    return copy


def _copy_parquet(path: Path, kept: pa.Array, target: Path, advance: Advance) -> Path:
    at = 0
    with opened(path) as file:
        _same(path, file.metadata.num_rows, len(kept))
        if kept.true_count == len(kept) and _may_be_as_it_is(path, file):
            shutil.copyfile(path, target)
            advance(path.stat().st_size)
            return target
        share = path.stat().st_size / max(1, len(kept))
        with pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
            held: list[pa.RecordBatch] = []
            for batch in file.iter_batches(batch_size=ROWS):
                held.append(batch.filter(kept.slice(at, len(batch))))
                if sum(rows.nbytes for rows in held) > BATCH_BYTES:
                    writer.write_table(pa.Table.from_batches(held))
                    held = []
                at += len(batch)
                advance(round(len(batch) * share))
            if held:
                writer.write_table(pa.Table.from_batches(held))
    return target


def _may_be_as_it_is(path: Path, file: pq.ParquetFile) -> bool:
    """Say whether a copy of all rows may have the same bytes: all columns are packed with zstd.

    A row is read first, without its text, which was read before: so an encrypted column is refused.
    """
    others = [name for name in file.schema_arrow.names if name != "text"]
    next(file.iter_batches(batch_size=1, columns=others), None)
    return is_all_zstd(path)


def _copy_lines(path: Path, kept: pa.Array, target: Path, advance: Advance) -> Path:
    marks = kept.to_numpy(zero_copy_only=False)
    rows = 0
    with decoded(path, advance) as decoder:
        plain = decoder.codec == "plain"
        target = target.with_suffix(".jsonl" if plain else ".jsonl.zst")
        with target.open("wb") as raw:
            packed = zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False)
            with nullcontext(raw) if plain else packed as file:
                for _, line in lines(path, decoder):
                    if rows < len(marks) and marks[rows]:
                        file.write(line.rstrip(b"\r") + b"\n")
                    rows += 1
    _same(path, rows, len(marks))
    return target


def _unchanged(path: Path, seen: Seen) -> None:
    found = Seen.of(path)
    if found != seen:
        other = "others, written since" if found.size == seen.size else f"{found.size:,}"
        raise InputError(
            f"{path}: expected the {seen.size:,} bytes that were read before, found {other}. "
            f"{_AGAIN}"
        )


def _same(path: Path, rows: int, expected: int) -> None:
    """Check also what a file's times may be too coarse for."""
    if rows != expected:
        raise InputError(
            f"{path}: expected the {expected:,} documents that were read before, found {rows:,}. "
            f"{_AGAIN}"
        )
