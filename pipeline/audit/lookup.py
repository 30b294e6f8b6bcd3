"""Finding one document, published or not, in what a corpus holds.

Holds: `Found`, `find_verdict`, `staged_document`, `published_document`, `removed_paragraphs`. Reads
verdicts, quarantine, staged and published documents.
Not here: why it is so (`explain.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import InputError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.manifest import IngestManifest
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

_QUARANTINE_ROWS = 1 << 16


class Found(msgspec.Struct, frozen=True):
    """A document's verdict row and the dump that it belongs to."""

    dump_date: str
    verdict: dict[str, Any]


def find_verdict(corpus: Corpus, snapshot: Snapshot, document_id: str) -> Found:
    """Find a document by its id, or by the first digits of it when these are unique.

    Raises:
        InputError: the prefix fits several documents, or is no hexadecimal text.
        MissingError: no live dump holds such a document.
    """
    wanted = document_id.strip().lower()
    if not wanted or set(wanted) - set("0123456789abcdef"):
        raise InputError(f"expected a document id (32 hex digits), found {document_id!r}.")
    found: list[Found] = []
    for dump_date in sorted(snapshot.dumps, reverse=True):
        state = snapshots.load_state(corpus, snapshot, dump_date)
        found += (Found(dump_date, row) for row in _rows(corpus, state.verdicts, wanted))
        if len(found) > 1:
            shown = ", ".join(one.verdict["document_id"] for one in found[:3])
            raise InputError(
                f"{document_id} fits several documents ({shown}, …); give more digits."
            )
    if not found:
        raise MissingError(
            f"expected document {document_id} in snapshot {snapshot.sequence}, found none in "
            f"{len(snapshot.dumps)} dumps. Ids come from a file's key and span: a file that was "
            "replaced or split anew has other ids. `winnow explain --text FILE` searches by text."
        )
    return found[0]


def staged_document(corpus: Corpus, state: DumpState, document_id: str) -> dict[str, Any]:
    """Return the staged row (with text) of a document of this dump. Raises `MissingError`."""
    for manifest in ingest_manifests(corpus, state):
        for row in _rows(corpus, manifest.documents, document_id):
            return row
    raise MissingError(
        f"expected the text of {document_id} among the staged documents of {state.dump_date}, "
        "found none: they may have expired. Ingest the dump again with `winnow run`."
    )


def published_document(corpus: Corpus, state: DumpState, document_id: str) -> dict[str, Any]:
    """Return the published row of a kept document of this dump. Raises `MissingError`."""
    for part in state.documents:
        for ref in part.files:
            for row in _rows(corpus, ref, document_id):
                return row
    raise MissingError(
        f"expected {document_id} among the published documents of {state.dump_date}, found none. "
        "`winnow verify` says what is damaged."
    )


def removed_paragraphs(
    corpus: Corpus, state: DumpState, document_id: str
) -> list[tuple[int, int, str]]:
    """Return the paragraphs taken out of a text: start and end in it as it was split, detail."""
    columns = ["document_id", "reason", "detail", "text_start", "text_end"]
    if "text_start" not in pq.read_schema(corpus.fetch(state.quarantine)).names:
        return []
    found = []
    for batch in corpus.batches(state.quarantine, columns=columns, rows=_QUARANTINE_ROWS):
        mine = batch.filter(pc.equal(batch["document_id"], document_id))
        found += mine.filter(mine["text_start"].is_valid()).to_pylist()
    return [(row["text_start"], row["text_end"], row["detail"]) for row in found]


def ingest_manifests(corpus: Corpus, state: DumpState) -> Iterable[IngestManifest]:
    """Yield the ingest manifests of a dump, in shard order."""
    for fingerprint in state.shards:
        yield corpus.load(layout.unit("ingest", fingerprint), IngestManifest)


def _rows(corpus: Corpus, ref: FileRef, prefix: str) -> list[dict[str, Any]]:
    path = corpus.fetch(ref)
    rows: list[dict[str, Any]] = []
    with pq.ParquetFile(path, memory_map=True) as file:
        for group in range(file.num_row_groups):
            ids = file.read_row_group(group, columns=["document_id"])["document_id"]
            hits = pc.indices_nonzero(pc.starts_with(ids, prefix))
            if len(hits):
                rows += file.read_row_group(group).take(hits).to_pylist()
    return rows
