"""One quarantine file a dump, from one a shard.

Holds: `merge_quarantine`. Reads the shards' quarantine files; writes the dump's.
Not here: what goes into quarantine (`ingest/`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
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
_ORDER = ["dump_file", "char_start", "char_end", "line_start", "kind", "reason", "detail"]


def merge_quarantine(corpus: Corpus, manifests: Sequence[IngestManifest]) -> FileRef:
    """Merge the spans of all shards, sorted by dump file and first character.

    A dump file is in one shard, so shards are merged by whole dump files. In memory: the
    spans of one shard at a time. A dump without shards has an empty file.
    """
    digests = sorted(manifest.quarantine.sha256 for manifest in manifests)
    unit = fingerprint("quarantine", versions.PUBLISH, digests)
    key = layout.unit("quarantine", unit)
    if (done := corpus.find(key, FileRef)) is not None:
        return done
    sorted_shards = [_sorted(corpus, manifest.quarantine) for manifest in manifests]
    streams = [_by_dump_file(path) for path in sorted_shards]
    merged = (batch for _, batch in heapq.merge(*streams, key=lambda pair: pair[0]))
    path = corpus.scratch_file()
    rows = _write(path, merged)
    for shard in sorted_shards:
        shard.unlink()
    return corpus.finish(key, corpus.adopt("quarantine", unit, "quarantine", path, rows))


def _sorted(corpus: Corpus, ref: FileRef) -> Path:
    table = corpus.read(ref).sort_by([(name, "ascending") for name in _ORDER])
    path = corpus.scratch_file()
    pq.write_table(table, path, compression="lz4")
    return path


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
