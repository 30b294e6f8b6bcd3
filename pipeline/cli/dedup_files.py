"""`winnow dedup`: any Parquet or JSON lines in, verdicts out.

Holds: `run`. Reads the named files in batches; writes `verdicts.parquet` into a folder.
Not here: which document of a family stays (`dedup/standalone.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cli import output
from pipeline.dedup import standalone
from pipeline.errors import InputError
from pipeline.model.settings import DedupSettings

_ROWS = 4096
_BATCH_BYTES = 32 * 1024 * 1024
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("dump_date", pa.string())])


class _Row(msgspec.Struct):
    text: str
    id: str | int
    dump_date: str = ""


def run(files: Iterable[Path], out: Path, *, threshold: float, as_json: bool) -> None:
    """Deduplicate the documents of `files` and write `out/verdicts.parquet`.

    Raises:
        InputError: a file is neither Parquet nor JSON lines, or lacks `id` or `text`.
    """
    started = time.perf_counter()
    batches = (batch for path in files for batch in _batches(path))
    verdicts = standalone.deduplicate(batches, settings=DedupSettings(threshold=threshold))
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(verdicts, out / "verdicts.parquet", compression="zstd")
    counts = _counts(verdicts) | {"seconds": round(time.perf_counter() - started, 2)}
    if as_json:
        click.echo(json.dumps(counts))
    else:
        output.table(f"{out / 'verdicts.parquet'}", list(counts), [list(counts.values())], left=0)


def _counts(verdicts: pa.Table) -> dict[str, Any]:
    reasons = {
        row["values"]: row["counts"] for row in verdicts["reason"].value_counts().to_pylist()
    }
    exact, near = reasons.get("exact", 0), reasons.get("near", 0)
    total = verdicts.num_rows
    return {"documents": total, "kept": total - exact - near, "exact": exact, "near": near}


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        return _parquet(path)
    return _json_lines(path)


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, memory_map=True) as file:
        names = set(file.schema_arrow.names)
        missing = {"id", "text"} - names
        if missing:
            raise InputError(
                f"{path}: expected columns id and text, found {', '.join(sorted(names)[:12])}. "
                "Rename the columns and try again."
            )
        columns = [name for name in SCHEMA.names if name in names]
        for batch in file.iter_batches(batch_size=_ROWS, columns=columns):
            table = pa.table({name: batch.column(name).cast(pa.string()) for name in columns})
            if "dump_date" not in columns:
                table = table.append_column("dump_date", pa.array([""] * len(batch), pa.string()))
            yield from table.select(SCHEMA.names).cast(SCHEMA).to_batches()


def _json_lines(path: Path) -> Iterator[pa.RecordBatch]:
    decoder = msgspec.json.Decoder(_Row)
    rows: list[_Row] = []
    size = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                rows.append(decoder.decode(line))
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
        pa.array([row.dump_date for row in rows], pa.string()),
    ]
    return pa.record_batch(columns, schema=SCHEMA)
