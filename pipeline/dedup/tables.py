"""Verdict tables, and what is counted in them.

Holds: `PROVENANCE`, `staged_ids`, `staged_rows`, `write_verdicts`, `touched_dump`, `Before`,
`moves`. Reads staged documents' provenance. Not here: who is kept (`settle.py`), writing
(`deciding.py`).

A verdict table is a function of the documents and their verdicts: sorted by id, no run, no time.
Verdicts are held as arrays, some 50 bytes a document; everything else of a table streams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.dedup.reader import fixed
from pipeline.dedup.settle import EXACT, NEAR, REASONS, TAKEN, UNIQUE
from pipeline.dedup.verdicts import Verdicts, split_names
from pipeline.errors import ContractError
from pipeline.model.files import FileRef
from pipeline.model.id_columns import among, id_bytes, id_texts
from pipeline.model.manifest import IngestManifest, TouchedDump
from pipeline.model.schemas import VERDICTS
from pipeline.storage import layout
from pipeline.storage.sorted_files import merge_sorted
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

PROVENANCE: Final = VERDICTS.names[:6]
"""What a verdict table says of a document besides its verdict."""

_SCHEMA: Final = pa.schema([VERDICTS.field(name) for name in PROVENANCE])


@dataclass(frozen=True, slots=True)
class Before:
    """Which documents of a dump were published in the parent snapshot, sorted by id."""

    ids: Array
    kept: npt.NDArray[np.bool_]

    @staticmethod
    def of(corpus: Corpus, verdicts: FileRef | None) -> Before:
        """Read a verdict table; None: the dump is new."""
        if verdicts is None:
            return Before(np.empty(0, "S16"), np.empty(0, np.bool_))
        table = corpus.read(verdicts, columns=["document_id", "kept"])
        return Before(id_bytes(table["document_id"]), table["kept"].to_numpy())


def staged_ids(corpus: Corpus, shards: tuple[str, ...]) -> Array:
    """Return the ids of all documents of a dump, given its ingest units, sorted."""
    parts = [_ids(corpus, shard) for shard in shards]
    return np.sort(np.concatenate([np.empty(0, "S16"), *parts]))


def staged_rows(corpus: Corpus, shards: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Yield the provenance of all documents of a dump, given its ingest units, sorted by id."""
    paths = [_sorted(corpus, shard) for shard in shards]
    if paths:
        yield from merge_sorted(paths, _SCHEMA, keys=("document_id",))
    for path in paths:
        path.unlink()


def write_verdicts(
    corpus: Corpus, name: tuple[str, str], rows: Iterable[pa.RecordBatch], verdicts: Verdicts
) -> FileRef:
    """Write the verdict table of a dump, a row group at a time.

    Args:
        corpus: where to.
        name: the fingerprint of the decision, and the date of the dump.
        rows: the columns `PROVENANCE` of all its documents, sorted by id.
        verdicts: of these documents.

    Raises:
        ContractError: the documents are others.
    """
    table = _with_verdicts(rows, verdicts)
    return corpus.write_batches("decide", name[0], f"verdicts-{name[1]}", table, schema=VERDICTS)


def _with_verdicts(
    batches: Iterable[pa.RecordBatch], verdicts: Verdicts
) -> Iterator[pa.RecordBatch]:
    end = 0
    for batch in batches:
        begin, end = end, end + batch.num_rows
        mine = verdicts.part(slice(begin, end))
        if not np.array_equal(mine.ids, id_bytes(batch["document_id"])):
            raise _other_documents(begin)
        yield _row_batch(batch, mine)
    if end != len(verdicts.ids):
        raise _other_documents(end)


def _row_batch(batch: pa.RecordBatch, verdicts: Verdicts) -> pa.RecordBatch:
    kept, taken = verdicts.reason == UNIQUE, verdicts.reason == TAKEN
    dates, ids = split_names(verdicts.witness)
    named = id_texts(ids)
    reasons = pa.DictionaryArray.from_arrays(pa.array(verdicts.reason), pa.array(REASONS))
    columns = {
        "kept": pa.array(kept),
        "reason": reasons.cast(pa.string()),
        "witness_id": _masked(named, kept | taken),
        "witness_dump_date": _masked(pa.array(dates.astype("U10"), pa.string()), kept | taken),
        "similarity": pa.array(verdicts.similarity, mask=kept),
        "tombstone_id": _masked(named, ~taken),
    }
    every = {name: batch[name] for name in PROVENANCE} | columns
    return pa.RecordBatch.from_arrays([every[field.name] for field in VERDICTS], schema=VERDICTS)


def moves(before: Before, after: Verdicts) -> tuple[int, int]:
    """Count retracted documents (published before, not now) and restored ones.

    A document that is no longer in the dump at all counts as retracted; a new one is not restored.
    """
    kept = after.ids[after.reason == UNIQUE]
    published = before.ids[before.kept]
    withheld = before.ids[~before.kept]
    return (
        int(np.count_nonzero(~among(published, kept))),
        int(np.count_nonzero(among(withheld, kept))),
    )


def touched_dump(
    corpus: Corpus,
    found: Verdicts,
    *,
    dump: tuple[str, str, tuple[str, ...]],
    verdicts: FileRef,
    moved: tuple[int, int],
) -> TouchedDump:
    """Count the verdicts that were written to a table.

    `dropped_exact` + `dropped_near` are all that was dropped; `dropped_history` is the part of them
    whose witness lies in another dump. Documents that are taken down are counted apart.
    """
    date, generation, shards = dump
    kept, taken = found.reason == UNIQUE, found.reason == TAKEN
    dropped = ~kept & ~taken
    foreign = split_names(found.witness[dropped])[0] != np.array(date.encode(), "S10")
    return TouchedDump(
        dump_date=date,
        generation=generation,
        shards=shards,
        kept_hashes=_kept_hashes(corpus, shards, found.ids[kept]),
        verdicts=verdicts,
        documents=len(found.ids),
        kept=int(np.count_nonzero(kept)),
        dropped_exact=int(np.count_nonzero(found.reason == EXACT)),
        dropped_near=int(np.count_nonzero(found.reason == NEAR)),
        dropped_history=int(np.count_nonzero(foreign)),
        retracted=moved[0],
        restored=moved[1],
        taken_down=int(np.count_nonzero(taken)),
    )


def _kept_hashes(corpus: Corpus, shards: tuple[str, ...], kept: Array) -> tuple[str, ...]:
    """Hash the kept ids of each shard, in the order of its documents."""
    hashes = []
    for shard in shards:
        ids = _ids(corpus, shard)
        chosen = np.ascontiguousarray(ids[among(ids, kept)])
        hashes.append(hashlib.blake2b(chosen.tobytes(), digest_size=12).hexdigest())
    return tuple(hashes)


def _ids(corpus: Corpus, shard: str) -> Array:
    """Return the ids of an ingest unit, in the order of its documents."""
    manifest = corpus.load(layout.unit("ingest", shard), IngestManifest)
    return fixed(corpus.read(manifest.signatures, columns=["document_id"]).column(0), "S16")


def _sorted(corpus: Corpus, shard: str) -> Path:
    """Write the provenance of an ingest unit, sorted by id, into a local file."""
    manifest = corpus.load(layout.unit("ingest", shard), IngestManifest)
    table = corpus.read(manifest.documents, columns=PROVENANCE).cast(_SCHEMA)
    path = corpus.scratch_file()
    pq.write_table(table.sort_by("document_id"), path, compression="zstd", compression_level=1)
    return path


def _masked(values: pa.Array, nulls: Array) -> pa.Array:
    return pc.if_else(pa.array(nulls), pa.scalar(None, values.type), values)


def _other_documents(place: int) -> ContractError:
    return ContractError(
        f"expected the documents of the dump, by id, found others from number {place} on. Run the "
        "dump again; if it repeats, ingest wrote signatures of other documents."
    )
