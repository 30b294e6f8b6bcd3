"""Shards made by hand, so that annotating is tested without the stages before it.

Holds: `DATE`, `staged`, `ingest`, `verdicts`, `unit_of`, `rows_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline.model.ids import document_id
from pipeline.model.manifest import AnnotateManifest, AnnotateUnit, IngestManifest
from pipeline.model.schemas import QUARANTINE, SIGNATURES, STAGED_DOCUMENTS, VERDICTS
from pipeline.storage import layout
from pipeline.storage.units import Corpus

DATE = "2026-11-21"


def staged(texts: Sequence[str]) -> pa.Table:
    """Return rows as ingest would stage them."""
    rows = [
        {
            "document_id": document_id("wire", "wire/a.txt", place, place + len(text)),
            "source": "wire", "dump_file": "wire/a.txt", "char_start": place,
            "char_end": place + len(text), "line_start": 1, "line_end": 1, "text": text,
            "content_hash": f"{place:032x}", "char_count": len(text),
            "word_count": len(text.split()),
        }
        for place, text in enumerate(texts)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, STAGED_DOCUMENTS)


def ingest(corpus: Corpus, texts: Sequence[str]) -> pa.Table:
    """Store a finished ingest unit of one shard and return its documents."""
    documents = staged(texts)
    empty = corpus.write("ingest", "shard", "none", SIGNATURES.empty_table())
    manifest = IngestManifest(
        fingerprint="shard",
        documents=corpus.write("ingest", "shard", "documents", documents),
        signatures=empty,
        quarantine=corpus.write("ingest", "shard", "none", QUARANTINE.empty_table()),
        files=(),
    )
    corpus.finish(layout.unit("ingest", "shard"), manifest)
    return documents


def verdicts(documents: pa.Table, kept: Sequence[bool]) -> pa.Table:
    """Return verdicts for documents, sorted by id as decide leaves them."""
    names = ("document_id", "source", "dump_file", "char_start", "char_end", "content_hash")
    rows = documents.select(names).to_pylist()
    for row, keep in zip(rows, kept, strict=True):
        row.update(kept=keep, reason="unique" if keep else "exact")
    return pa.Table.from_pylist(rows, VERDICTS).sort_by("document_id")


def unit_of(corpus: Corpus, table: pa.Table, name: str = "unit") -> AnnotateUnit:
    """Return a unit over stored verdicts."""
    ref = corpus.write("decide", "night", "verdicts", table)
    return AnnotateUnit(dump_date=DATE, shard="shard", verdicts=ref, fingerprint=name)


def rows_of(corpus: Corpus, manifest: AnnotateManifest) -> dict[str, list[dict[str, Any]]]:
    """Read the runs of a manifest by language."""
    return {run.language: corpus.read(run.file).to_pylist() for run in manifest.runs}
