"""One quarantine file a dump, from one a shard.

Holds: `merge_quarantine`, `without_excerpts`. Reads the shards' quarantine files; writes the
dump's.
Not here: what goes into quarantine (`ingest/`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import IngestManifest
from pipeline.model.schemas import QUARANTINE
from pipeline.storage import layout
from pipeline.storage.units import Corpus

ROW_GROUP_ROWS = 1 << 16
_ORDER = [
    "dump_file", "char_start", "char_end", "line_start", "kind", "reason", "text_start", "detail",
]  # fmt: skip


def merge_quarantine(
    corpus: Corpus,
    manifests: Sequence[IngestManifest],
    removed: Mapping[str, FileRef],
    taken: pa.Array | None = None,
) -> FileRef:
    """Merge the spans of all shards, sorted by dump file and first character.

    A dump file is in one shard, or its sections follow each other in several, so shards are merged
    by whole dump files. In memory: the spans of one shard at a time. A dump without shards has an
    empty file. `removed` has, by the fingerprint of their shard, the paragraphs that were taken out
    of published texts. `taken` are the ids of documents that are taken down: nothing is shown of
    the spans inside them.
    """
    parts = [_parts(manifest, removed) for manifest in manifests]
    digests = sorted([ref.sha256 for ref in refs] for refs in parts)
    down = () if taken is None or not len(taken) else (taken.to_pylist(),)
    unit = fingerprint("quarantine", versions.PUBLISH, digests, *down)
    key = layout.unit("quarantine", unit)
    if (done := corpus.find(key, FileRef)) is not None:
        return done
    sorted_shards = [_sorted(corpus, refs, taken) for refs in parts]
    streams = [_by_dump_file(path) for path in sorted_shards]
    merged = (batch for _, batch in heapq.merge(*streams, key=lambda pair: pair[0]))
    path = corpus.scratch_file()
    rows = _write(path, merged)
    for shard in sorted_shards:
        shard.unlink()
    return corpus.finish(key, corpus.adopt("quarantine", unit, "quarantine", path, rows))


def _parts(manifest: IngestManifest, removed: Mapping[str, FileRef]) -> list[FileRef]:
    more = removed.get(manifest.fingerprint)
    return [manifest.quarantine] if more is None else [manifest.quarantine, more]


def without_excerpts(table: pa.Table, taken: pa.Array | None) -> pa.Table:
    """Return quarantine rows that show nothing of the spans inside some documents."""
    if taken is None or not len(taken):
        return table
    inside = pc.is_in(table["document_id"], taken)
    place = table.schema.get_field_index("excerpt")
    shown = pc.if_else(inside, "", table["excerpt"])
    return table.set_column(place, table.schema.field(place), shown)


def _sorted(corpus: Corpus, refs: Sequence[FileRef], taken: pa.Array | None) -> Path:
    tables = [_complete(corpus.read(ref)) for ref in refs]
    table = without_excerpts(pa.concat_tables(tables), taken)
    table = table.sort_by([(name, "ascending") for name in _ORDER])
    path = corpus.scratch_file()
    pq.write_table(table, path, compression="lz4")
    return path


def _complete(table: pa.Table) -> pa.Table:
    """Fill columns that the file does not have with nulls."""
    for field in QUARANTINE:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(QUARANTINE.names).cast(QUARANTINE)


def _by_dump_file(path: Path) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the batches of a sorted file, cut where the dump file changes."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROW_GROUP_ROWS):
            runs = pc.run_end_encode(batch["dump_file"])
            start = 0
            for name, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
                yield name, batch.slice(start, end - start)
                start = end


def _write(path: Path, batches: Iterable[pa.RecordBatch]) -> int:
    """Write row groups of equal size, so that the bytes do not depend on the batches."""
    rows = 0
    with pq.ParquetWriter(path, QUARANTINE, compression="zstd", compression_level=3) as writer:
        waiting: list[pa.RecordBatch] = []
        size = 0
        for batch in batches:
            waiting.append(batch)
            size += batch.num_rows
            while size >= ROW_GROUP_ROWS:
                table = pa.Table.from_batches(waiting, QUARANTINE)
                writer.write_table(table.slice(0, ROW_GROUP_ROWS), row_group_size=ROW_GROUP_ROWS)
                waiting = table.slice(ROW_GROUP_ROWS).to_batches()
                size -= ROW_GROUP_ROWS
                rows += ROW_GROUP_ROWS
        writer.write_table(pa.Table.from_batches(waiting, QUARANTINE), ROW_GROUP_ROWS)
    return rows + size
