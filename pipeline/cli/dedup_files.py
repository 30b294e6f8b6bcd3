"""`winnow dedup`: any Parquet or JSON lines in, verdicts out.

Holds: `run`. Reads the named files, folders or stdin in batches; writes `verdicts.parquet` into a
folder.
Not here: which document of a family stays (`dedup/standalone.py`).
"""

from __future__ import annotations

import codecs
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cli import output
from pipeline.dedup import standalone
from pipeline.errors import InputError
from pipeline.model.settings import DedupSettings

STDIN: Final = Path("-")
VERDICTS: Final = "verdicts.parquet"
_ROWS: Final = 4096
_BATCH_BYTES: Final = 32 * 1024 * 1024
SCHEMA: Final = pa.schema([("id", pa.string()), ("text", pa.string()), ("dump_date", pa.string())])


class _Row(msgspec.Struct):
    text: str
    id: str | int
    dump_date: str | None = None


def run(files: Iterable[Path], out: Path, *, threshold: float, as_json: bool) -> None:
    """Deduplicate the documents of `files` and write `out/verdicts.parquet`.

    Args:
        files: files, folders of Parquet files, or `-` for JSON lines on stdin.
        out: the folder to write into.
        threshold: the least similarity of near-duplicates.
        as_json: print counts as JSON, not as a table.

    Raises:
        InputError: a file is neither Parquet nor JSON lines, lacks `id` or `text`, or holds
            values of other types; or `out` cannot be made.
    """
    started = time.perf_counter()
    _make(out)
    target = out / VERDICTS
    batches = (batch for path in _found(files, target) for batch in _batches(path))
    verdicts = standalone.deduplicate(batches, settings=DedupSettings(threshold=threshold))
    pq.write_table(verdicts, target, compression="zstd")
    counts = _counts(verdicts) | {"seconds": round(time.perf_counter() - started, 2)}
    if as_json:
        click.echo(json.dumps(counts))
    else:
        output.table(str(target), list(counts), [list(counts.values())], left=0)


def _make(out: Path) -> None:
    """Make the folder before any work is done for it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {out}: expected a folder or a place for one, found: {error.strerror}. "
            "Name another folder."
        ) from error


def _found(files: Iterable[Path], target: Path) -> Iterator[Path]:
    """Replace folders by the Parquet files below them, in order of name, without our own."""
    for path in files:
        if path == STDIN or not path.is_dir():
            yield path
            continue
        inside = sorted(
            one
            for one in path.rglob("*.parquet")
            if not one.name.startswith(("_", ".")) and one.resolve() != target.resolve()
        )
        if not inside:
            raise InputError(
                f"{path}: expected *.parquet files in the folder, found none. "
                "Name files of JSON lines one by one."
            )
        yield from inside


def _counts(verdicts: pa.Table) -> dict[str, Any]:
    reasons = {
        row["values"]: row["counts"] for row in verdicts["reason"].value_counts().to_pylist()
    }
    exact, near = reasons.get("exact", 0), reasons.get("near", 0)
    total = verdicts.num_rows
    return {"documents": total, "kept": total - exact - near, "exact": exact, "near": near}


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if path == STDIN:
        return _json_lines(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        return _parquet(path)
    return _json_lines(path)


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with _sound(path), pq.ParquetFile(path, memory_map=True) as file:
        names = file.schema_arrow.names
        columns = [name for name in SCHEMA.names if name in names]
        if columns[:2] != ["id", "text"] or any(names.count(name) > 1 for name in columns):
            raise InputError(
                f"{path}: expected one column id and one column text, found "
                f"{', '.join(sorted(names)[:12])}. Rename the columns and try again."
            )
        for batch in file.iter_batches(batch_size=_ROWS, columns=columns):
            yield _strings(path, batch)


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Name the file in what Arrow says about its bytes."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        found = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{path}: expected a sound Parquet file, found: {found}. Write or copy it again."
        ) from error


def _strings(path: Path, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Cast the columns to strings; a missing `dump_date` is the empty one."""
    columns = []
    for field in SCHEMA:
        if field.name not in batch.schema.names:
            columns.append(pa.repeat("", len(batch)))
            continue
        column = batch.column(field.name)
        try:
            columns.append(column.cast(pa.string()))
        except pa.ArrowException as error:
            raise InputError(
                f"{path}: expected strings in UTF-8 in column {field.name}, found {column.type} "
                f"({' '.join(str(error).split())}). Convert the column and try again."
            ) from error
        if field.name != "dump_date" and column.null_count:
            raise InputError(
                f"{path}: expected a value of {field.name} in each row, found "
                f"{column.null_count} nulls. Fill them or drop these rows."
            )
    return pa.record_batch(columns, schema=SCHEMA)


def _json_lines(path: Path) -> Iterator[pa.RecordBatch]:
    decoder = msgspec.json.Decoder(_Row)
    rows: list[_Row] = []
    size = 0
    with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not text.strip():
                continue
            try:
                rows.append(decoder.decode(text))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise InputError(
                    f"{path}:{number}: expected an object with `id` and `text`, found: {error}."
                ) from error
            size += len(line)
            if size > _BATCH_BYTES:
                yield _to_batch(rows)
                rows, size = [], 0
    if rows:
        yield _to_batch(rows)


def _to_batch(rows: list[_Row]) -> pa.RecordBatch:
    columns = [
        pa.array([str(row.id) for row in rows], pa.string()),
        pa.array([row.text for row in rows], pa.string()),
        pa.array([row.dump_date or "" for row in rows], pa.string()),
    ]
    return pa.record_batch(columns, schema=SCHEMA)
