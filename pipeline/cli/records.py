"""Documents in files that people have: Parquet, or JSON lines, plain or compressed.

Holds: `found`, `batches`, `is_parquet`, `opened`, `decoded`, `lines`. Reads files and stdin in
batches of bounded size.
Not here: which rows stay (`dedup/standalone.py`), copying them (`kept_rows.py`), arguments
(`dedup_files.py`).
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dedup.standalone import id_column
from pipeline.errors import InputError
from pipeline.ingest.codecs import Decoder, open_decoded
from pipeline.model.settings import IngestSettings

STDIN: Final = Path("-")
SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("id", "text", "dump_date", "source")])

ROWS: Final = 1024
"""Of a batch of Parquet rows: few enough to stay in the caches, a sixth faster than 4,096."""
BATCH_BYTES: Final = 32 * 1024 * 1024
"""Of rows that are held before they are handed on or written."""

_BUFFER: Final = 1 << 20
_LONGEST: Final = 1 << 30
"""Bytes of a line above which a file is taken for something else."""
_LIMITS: Final = IngestSettings(max_object_bytes=1 << 62, max_ratio=1 << 31)
"""A user's own files are no bombs."""

Advance = Callable[[int], None]
"""Told how many stored bytes more have been read."""


class _Row(msgspec.Struct):
    text: str
    id: str | int | msgspec.UnsetType = msgspec.UNSET
    document_id: Any = msgspec.UNSET
    dump_date: str | None = None
    source: Any = None

    @property
    def name(self) -> str:
        """What names the document, as `id_column` says for columns."""
        name = self.document_id if self.id is msgspec.UNSET else self.id
        if name is msgspec.UNSET:
            raise msgspec.ValidationError("Object missing required field `id`")
        return str(msgspec.convert(name, str | int))


def found(files: Iterable[Path], out: Path) -> Iterator[Path]:
    """Replace folders by the Parquet files below them, in order of name, without our own."""
    for path in files:
        if path == STDIN or not path.is_dir():
            yield path
            continue
        inside = sorted(
            one
            for one in path.rglob("*.parquet")
            if not one.name.startswith(("_", ".")) and not _ours(one, out)
        )
        if not inside:
            raise InputError(
                f"{path}: expected *.parquet files in the folder, found none. "
                "Name files of JSON lines one by one."
            )
        yield from inside


def batches(path: Path, advance: Advance, *, sources: bool = False) -> Iterator[pa.RecordBatch]:
    """Yield the documents of one file or of stdin, with the columns of `SCHEMA`.

    What `source` holds counts only with `sources`; else it may be empty.

    Raises:
        InputError: it is neither Parquet nor JSON lines, is damaged, lacks `id` or `text`, or holds
            values of other types.
    """
    if is_parquet(path):
        return _parquet(path, advance, SCHEMA.names if sources else SCHEMA.names[:3])
    return _json_lines(path, advance)


def is_parquet(path: Path) -> bool:
    """Say whether a file begins as Parquet does; stdin is taken for JSON lines."""
    if path == STDIN:
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file, and name it in what Arrow says about its bytes."""
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{path}: expected a sound Parquet file, found: {said}. Write or copy it again."
        ) from error


def _ours(path: Path, out: Path) -> bool:
    """Whether a file is one that an earlier call wrote into `out`."""
    place = path.resolve()
    return place == (out / "verdicts.parquet").resolve() or place.parent == (out / "kept").resolve()


def _parquet(path: Path, advance: Advance, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    with opened(path) as file:
        names = file.schema_arrow.names
        wanted = [id_column(names), *wanted[1:]]
        columns = [name for name in wanted if name in names]
        if columns[:2] != wanted[:2] or any(names.count(name) > 1 for name in columns):
            raise InputError(
                f"{path}: expected one column id and one column text, found "
                f"{', '.join(sorted(names)[:12])}. Rename the columns and try again."
            )
        share = path.stat().st_size / max(1, file.metadata.num_rows)
        for batch in file.iter_batches(batch_size=ROWS, columns=columns):
            yield _strings(path, batch.rename_columns(["id", *columns[1:]]))
            advance(round(len(batch) * share))


def _strings(path: Path, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Cast the columns to strings; a missing `dump_date` or `source` is the empty one."""
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
        if field.name in {"id", "text"} and column.null_count:
            raise InputError(
                f"{path}: expected a value of {field.name} in each row, found "
                f"{column.null_count} nulls. Fill them or drop these rows."
            )
    return pa.record_batch(columns, schema=SCHEMA)


def _json_lines(path: Path, advance: Advance) -> Iterator[pa.RecordBatch]:
    parser = msgspec.json.Decoder(_Row)
    rows: list[tuple[str, _Row]] = []
    size = 0
    with decoded(path, advance) as decoder:
        for number, line in lines(path, decoder):
            try:
                row = parser.decode(line)
                rows.append((row.name, row))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise InputError(
                    f"{path}:{number}: expected a JSON object with `id` and `text` on a line of "
                    f"its own, found: {str(error).rstrip('.')}. Mend the line, or convert the file."
                ) from error
            size += len(line)
            if size > BATCH_BYTES:
                yield _to_batch(rows)
                rows, size = [], 0
    if rows:
        yield _to_batch(rows)


def _to_batch(rows: list[tuple[str, _Row]]) -> pa.RecordBatch:
    columns = [
        pa.array([name for name, _ in rows], pa.string()),
        pa.array([row.text for _, row in rows], pa.string()),
        pa.array([row.dump_date or "" for _, row in rows], pa.string()),
        pa.array(["" if row.source is None else str(row.source) for _, row in rows], pa.string()),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


class _Counted:
    """A stream that tells how much is read from it."""

    def __init__(self, stream: Any, advance: Advance) -> None:
        self._stream = stream
        self._advance = advance

    def read(self, size: int) -> bytes:
        data: bytes = self._stream.read(size)
        self._advance(len(data))
        return data


@contextmanager
def decoded(path: Path, advance: Advance) -> Iterator[Decoder]:
    """Open a file, or stdin for `-`, and take off what compresses it."""
    with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as stream:
        yield open_decoded(cast("BinaryIO", _Counted(stream, advance)), _LIMITS)


def lines(path: Path, decoder: Decoder, *, start: bytes = b"") -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, without their end, and their numbers from 1.

    `start` is what was read already.
    """
    for number, line in enumerate(_cut(path, decoder, start), 1):
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if text.strip():
            yield number, text


def _cut(path: Path, decoder: Decoder, start: bytes) -> Iterator[bytes]:
    rest: list[bytes] = []
    held = 0
    for block in chain([start], decoder):
        first, *others = block.split(b"\n")
        rest.append(first)
        held += len(first)
        if held > _LONGEST:
            raise InputError(
                f"{path}: expected JSON lines, found a line of more than {_LONGEST:,} bytes. "
                "Write one object a line."
            )
        if others:
            yield b"".join(rest)
            yield from others[:-1]
            rest, held = [others[-1]], len(others[-1])
    if decoder.damage is not None:
        raise InputError(f"{path}: {decoder.damage.detail}")
    yield b"".join(rest)
