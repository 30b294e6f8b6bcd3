"""Pieces to rows: the five tables of a shard, written in bounded batches.

Holds: `ShardWriter`. Writes local Parquet files and moves them into the corpus.
Not here: which pieces (`reader.py`), the books (`stage.py`), the kernel (`signature`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.ingest.passage_rows import passage_runs, pieces_of
from pipeline.ingest.pieces import Piece, Span, inside
from pipeline.model.files import DumpFile, FileRef
from pipeline.model.ids import document_id
from pipeline.model.schemas import (
    PARAGRAPHS,
    SAMPLES,
    SIGNATURES,
    STAGED_DOCUMENTS,
    STAGED_QUARANTINE,
)
from pipeline.signature import sign
from pipeline.storage.units import Corpus

QUARANTINE_ROWS = 1 << 14
_ROW_BYTES = 400
"""Rough memory of a row beside its text."""

_TEXT = "text"
_SIGNED = ("content_hash", "char_count", "word_count")
_GIVEN = pa.schema([field for field in STAGED_DOCUMENTS if field.name not in _SIGNED])


class ShardWriter:
    """Collects rows and writes a row group whenever `batch_bytes` are full; mutable.

    What was added since a `mark` can be taken back until a batch was written.
    """

    def __init__(self, corpus: Corpus, fingerprint: str, *, batch_bytes: int) -> None:
        """Begin the files of one shard."""
        self._corpus = corpus
        self._fingerprint = fingerprint
        self._limit = batch_bytes
        self._documents: list[tuple[object, ...]] = []
        self._quarantine: list[tuple[object, ...]] = []
        self._held = 0
        self._flushes = 0
        self._files = {
            "documents": _File(corpus.scratch_file(), STAGED_DOCUMENTS),
            "signatures": _File(corpus.scratch_file(), SIGNATURES),
            "quarantine": _File(corpus.scratch_file(), STAGED_QUARANTINE),
            "paragraphs": _File(corpus.scratch_file(), PARAGRAPHS),
            "samples": _File(corpus.scratch_file(), SAMPLES),
        }

    def add(self, file: DumpFile, piece: Piece) -> None:
        """Add the rows of one piece: a document and the spans inside it, or another span."""
        if piece.kind != "document":
            self._reject(file, piece)
            return
        name = _document_id(file, piece)
        self._documents.append(
            (
                name,
                *_provenance(file, piece.span),
                piece.title,
                piece.byline,
                piece.text,
                piece.url,
                piece.published,
                piece.published_rule,
                piece.external_id,
                piece.score,
                *_container(piece),
                piece.encoding,
                piece.mojibake_repaired,
                piece.host,
                piece.mime,
                piece.http_status,
                piece.fetched,
            )
        )
        for inner in inside(piece):
            self._reject(file, inner, name)
        self._held += sys.getsizeof(piece.text) + _ROW_BYTES
        if self._held >= self._limit:
            self._flush()

    def mark(self) -> tuple[int, int, int, int]:
        """Return a point to go back to."""
        return len(self._documents), len(self._quarantine), self._held, self._flushes

    def take_back(self, mark: tuple[int, int, int, int]) -> bool:
        """Forget the rows since `mark`; False when some of them are already written."""
        documents, quarantine, held, flushes = mark
        if flushes != self._flushes:
            return False
        del self._documents[documents:], self._quarantine[quarantine:]
        self._held = held
        return True

    def finish(self) -> dict[str, FileRef]:
        """Write what is left and move the files into the corpus; return them by table."""
        self._flush()
        return {
            name: self._corpus.adopt("ingest", self._fingerprint, name, file.close(), file.rows)
            for name, file in self._files.items()
        }

    def discard(self) -> None:
        """Remove the local files of an attempt that is begun anew."""
        for file in self._files.values():
            file.close().unlink(missing_ok=True)

    def _reject(self, file: DumpFile, piece: Piece, document: str | None = None) -> None:
        self._quarantine.append(
            (
                *_provenance(file, piece.span),
                piece.kind,
                piece.reason,
                piece.detail,
                piece.stored_bytes,
                document,
                piece.excerpt,
                *_container(piece),
            )
        )
        if len(self._quarantine) >= QUARANTINE_ROWS:
            self._flush_quarantine()

    def _flush(self) -> None:
        if self._documents:
            documents, signatures = _signed(self._documents)
            self._write_passages(documents)
            self._files["documents"].write(documents)
            self._files["signatures"].write(signatures)
            self._documents, self._held = [], 0
            self._flushes += 1
        self._flush_quarantine()

    def _write_passages(self, documents: pa.Table) -> None:
        texts = documents.column(_TEXT).combine_chunks()
        for paragraphs, samples in passage_runs(texts, self._files["documents"].rows):
            for name, run in (("paragraphs", paragraphs), ("samples", samples)):
                for piece in pieces_of(run):
                    self._files[name].write(piece)

    def _flush_quarantine(self) -> None:
        if self._quarantine:
            self._files["quarantine"].write(
                pa.Table.from_batches([_arrays(self._quarantine, STAGED_QUARANTINE)])
            )
            self._quarantine = []
            self._flushes += 1


class _File:
    """A Parquet file being written, one row group a table."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=_dictionary(schema),
        )
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows

    def close(self) -> Path:
        self._writer.close()
        return self._path


_FEW = (
    "source", "dump_file", "kind", "reason", "member", "encoding", "host", "mime", "published_rule",
)  # fmt: skip


def _dictionary(schema: pa.Schema) -> list[str]:
    """Name the columns with few values: a dictionary of texts or ids only costs memory."""
    return [name for name in _FEW if name in schema.names]


def _provenance(file: DumpFile, span: Span) -> tuple[object, ...]:
    return (
        file.source,
        file.key,
        span.char_start,
        span.char_end,
        span.line_start,
        span.line_end,
    )


def _container(piece: Piece) -> tuple[object, ...]:
    return piece.member, piece.byte_start, piece.byte_end, piece.part_start, piece.part_end


def _document_id(file: DumpFile, piece: Piece) -> str:
    """Name a document by its place: in the file, inside an archive, inside a record."""
    key = file.key if piece.member is None else f"{file.key}!{piece.member}"
    if piece.part_start is not None:
        key = f"{key}#{piece.part_start}-{piece.part_end}"
    return document_id(file.source, key, piece.span.char_start, piece.span.char_end)


def _arrays(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Turn rows into columns of the schema."""
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def _signed(rows: Sequence[tuple[object, ...]]) -> tuple[pa.Table, pa.Table]:
    """Make the rows of both tables, signing all texts in one call."""
    given = _arrays(rows, _GIVEN)
    signed = sign(given.column(_TEXT))
    hashes = np.ascontiguousarray(signed.content_hash)
    digits = hashes.tobytes().hex()
    columns = {
        **{name: given.column(name) for name in given.schema.names},
        "content_hash": pa.array([digits[at : at + 32] for at in range(0, len(digits), 32)]),
        "char_count": pc.utf8_length(given.column(_TEXT)).cast(pa.int32()),
        "word_count": pa.array(signed.tokens, pa.int32()),
    }
    documents = pa.table(
        [columns[name] for name in STAGED_DOCUMENTS.names], schema=STAGED_DOCUMENTS
    )
    ids = bytes.fromhex("".join(given.column("document_id").to_pylist()))
    signatures = pa.table(
        [
            _fixed(np.frombuffer(ids, np.uint8).reshape(-1, 16)),
            _fixed(hashes),
            pa.array(signed.shingles, pa.int32()),
            _fixed(signed.band_keys),
            _fixed(signed.minima),
        ],
        schema=SIGNATURES,
    )
    return documents, signatures


def _fixed(values: npt.NDArray[np.uint8]) -> pa.Array:
    """Turn an (n, width) byte matrix into fixed-size binary values."""
    count, width = values.shape
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), count, [None, data])
