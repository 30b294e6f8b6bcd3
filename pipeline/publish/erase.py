"""Blanking the staged texts of documents that are taken down.

Holds: `erased`, `erase_shard`, `erase_dump`, `stones_in`, `taken_rows`, `manifest_ref`. Reads and
writes staged documents and quarantine, and puts the manifest of an ingest unit in the place of
another. Not here: which documents (`dedup/taken.py`), other objects that hold such a text
(`audit/remains.py`).

A unit of ingest is what others are made from for as long as its dump is live, so it stays: rows
keep their places, ids, hashes and provenance, and lose all that an author wrote. What is left is a
function of the unit and of the tombstones in force, so that erasing in several steps, or again,
ends in the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.model.files import FileRef
from pipeline.model.manifest import IngestManifest, TouchedDump
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.publish.quarantine import without_excerpts
from pipeline.storage import layout
from pipeline.storage.units import Corpus, encode

WRITTEN = ("title", "byline", "url", "external_id", "host", "published", "published_rule")
"""What an author or an address wrote, beside the text."""


def erase_dump(corpus: Corpus, dump: TouchedDump) -> None:
    """Blank the staged texts of the documents of a dump that are taken down."""
    if dump.taken_down:
        taken = taken_rows(corpus, dump.verdicts)
        for shard in dump.shards:
            erase_shard(corpus, shard, taken)


def taken_rows(corpus: Corpus, verdicts: FileRef) -> pa.Table:
    """Return `document_id` and `tombstone_id` of the documents that a verdict table takes down."""
    table = corpus.read_known(verdicts, ["document_id", "reason", "tombstone_id"])
    down = table.filter(pc.equal(table["reason"], TAKEN_DOWN))
    return down.drop_columns("reason")


def erase_shard(corpus: Corpus, shard: str, taken: pa.Table) -> bool:
    """Blank what is taken down of a staged shard; say whether there was something to do.

    Killed between its writes it leaves files that nothing names, which `winnow takedown --sweep`
    finds.
    """
    key = layout.unit("ingest", shard)
    before = corpus.load(key, IngestManifest)
    after = erased(corpus, before, taken)
    if after == before:
        return False
    corpus.store.put(key, encode(after))
    old = {before.documents.key, before.quarantine.key}
    corpus.store.delete(sorted(old - {after.documents.key, after.quarantine.key}))
    return True


def erased(corpus: Corpus, manifest: IngestManifest, taken: pa.Table) -> IngestManifest:
    """Return a shard's manifest as it is when texts are blank; writes its files and not itself.

    Args:
        corpus: where the shard is.
        manifest: of the shard, some texts of which may be blank already.
        taken: `document_id` and `tombstone_id` of all that is taken down, in this shard or not.
    """
    stones = stones_in(corpus, manifest, taken)
    if stones == manifest.erased:
        return manifest
    down = taken["document_id"].combine_chunks()
    name = manifest.fingerprint

    def blank(rows: pa.Table) -> pa.Table:
        return _blank(rows, down)

    def unseen(rows: pa.Table) -> pa.Table:
        return without_excerpts(rows, down)

    return msgspec.structs.replace(
        manifest,
        documents=_written(corpus, (name, "documents"), manifest.documents, blank),
        quarantine=_written(corpus, (name, "quarantine"), manifest.quarantine, unseen),
        erased=stones,
    )


def stones_in(corpus: Corpus, manifest: IngestManifest, taken: pa.Table) -> tuple[str, ...]:
    """Return the tombstones of the documents of a shard that are taken down, sorted.

    If they are those for which the shard was erased, the same documents are: each document is
    covered by the tombstone that it names.
    """
    ids = corpus.read(manifest.documents, columns=["document_id"])["document_id"].combine_chunks()
    mine = taken.filter(pc.is_in(taken["document_id"], ids))
    return tuple(sorted(set(mine["tombstone_id"].to_pylist())))


def manifest_ref(manifest: IngestManifest) -> FileRef:
    """Return the reference of a shard's manifest, stored or not."""
    data = encode(manifest)
    key = layout.unit("ingest", manifest.fingerprint)
    return FileRef(key, hashlib.sha256(data).hexdigest(), len(data), 0)


def _blank(table: pa.Table, down: pa.Array) -> pa.Table:
    gone = pc.is_in(table["document_id"], down)
    for place, field in enumerate(table.schema):
        if field.name == "text":
            table = table.set_column(place, field, pc.if_else(gone, "", table["text"]))
        elif field.name in WRITTEN:
            nothing = pa.scalar(None, field.type)
            table = table.set_column(place, field, pc.if_else(gone, nothing, table[field.name]))
    return table


def _written(
    corpus: Corpus, name: tuple[str, str], ref: FileRef, change: Callable[[pa.Table], pa.Table]
) -> FileRef:
    """Write a staged file again, row group by row group."""
    path = corpus.scratch_file()
    with pq.ParquetFile(corpus.fetch(ref), memory_map=True) as file:
        schema = file.schema_arrow
        with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
            for group in range(file.num_row_groups):
                rows = change(file.read_row_group(group)).cast(schema)
                writer.write_table(rows, row_group_size=max(1, rows.num_rows))
    return corpus.adopt("ingest", *name, path, ref.rows)
