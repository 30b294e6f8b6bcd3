"""Verdict tables, and what is counted in them.

Holds: `fresh_table`, `revised_table`, `touched_dump`, `moves`. Reads staged documents' provenance.
Not here: who is kept (`settle.py`), writing (`deciding.py`).

A verdict table is a function of the documents and their verdicts: sorted by id, no run, no time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.ledger import Verdicts, split_names
from pipeline.dedup.reader import hexes, ids_of
from pipeline.dedup.settle import EXACT, NEAR, REASONS, TAKEN, UNIQUE
from pipeline.model.files import FileRef
from pipeline.model.manifest import IngestManifest, TouchedDump
from pipeline.model.schemas import VERDICTS
from pipeline.storage import layout
from pipeline.storage.units import Corpus, concat

Array = npt.NDArray[Any]

_PROVENANCE: Final = VERDICTS.names[:6]


@dataclass(frozen=True, slots=True)
class Before:
    """Which documents of a dump were published in the parent snapshot, sorted by id."""

    ids: Array
    kept: npt.NDArray[np.bool_]

    @staticmethod
    def of(table: pa.Table | None) -> Before:
        """Read a verdict table; None: the dump is new."""
        if table is None:
            return Before(np.empty(0, "S16"), np.empty(0, np.bool_))
        return Before(ids_of(table["document_id"]), table["kept"].to_numpy(zero_copy_only=False))


def fresh_table(corpus: Corpus, shards: tuple[str, ...]) -> pa.Table:
    """Return a table for all documents of a dump, each unique for now, sorted by id."""
    parts = []
    for shard in shards:
        manifest = corpus.load(layout.unit("ingest", shard), IngestManifest)
        parts.append(corpus.read(manifest.documents, columns=_PROVENANCE))
    schema = pa.schema([VERDICTS.field(name) for name in _PROVENANCE])
    table = concat(parts, schema).cast(schema).sort_by("document_id")
    rows = table.num_rows
    values: dict[str, Any] = {"kept": pa.repeat(True, rows), "reason": pa.repeat("unique", rows)}  # noqa: FBT003 - a value, not a flag
    for field in list(VERDICTS)[len(_PROVENANCE) :]:
        table = table.append_column(field, values.get(field.name, pa.nulls(rows, field.type)))
    return table


def revised_table(table: pa.Table, verdicts: Verdicts) -> pa.Table:
    """Return the table with other verdicts for the same documents."""
    kept, taken = verdicts.reason == UNIQUE, verdicts.reason == TAKEN
    dates, ids = split_names(verdicts.witness)
    named = hexes(ids)
    reasons = pa.DictionaryArray.from_arrays(pa.array(verdicts.reason), pa.array(REASONS))
    columns = {
        "kept": pa.array(kept),
        "reason": reasons.cast(pa.string()),
        "witness_id": _masked(named, kept | taken),
        "witness_dump_date": _masked(pa.array(dates.astype("U10"), pa.string()), kept | taken),
        "similarity": pa.array(verdicts.similarity, mask=kept),
        "tombstone_id": _masked(named, ~taken),
    }
    every = {name: table[name] for name in table.schema.names} | columns
    arrays = [every[field.name] for field in VERDICTS]
    return pa.Table.from_arrays(arrays, schema=VERDICTS).combine_chunks()


def moves(before: Before, after: Verdicts) -> tuple[int, int]:
    """Count retracted documents (published before, not now) and restored ones.

    A document that is no longer in the dump at all counts as retracted; a new one is not restored.
    """
    kept = after.ids[after.reason == UNIQUE]
    published = before.ids[before.kept]
    withheld = before.ids[~before.kept]
    return (
        int(np.count_nonzero(~np.isin(published, kept))),
        int(np.count_nonzero(np.isin(withheld, kept))),
    )


def touched_dump(
    corpus: Corpus,
    table: pa.Table,
    *,
    dump: tuple[str, str, tuple[str, ...]],
    verdicts: FileRef,
    moved: tuple[int, int],
) -> TouchedDump:
    """Count a verdict table.

    `dropped_exact` + `dropped_near` are all that was dropped; `dropped_history` is the part of them
    whose witness lies in another dump. Documents that are taken down are counted apart.
    """
    date, generation, shards = dump
    found = Verdicts.of_table(table)
    kept, taken = found.reason == UNIQUE, found.reason == TAKEN
    foreign = split_names(found.witness)[0] != np.array(date.encode(), "S10")
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
        dropped_history=int(np.count_nonzero(foreign & ~kept & ~taken)),
        retracted=moved[0],
        restored=moved[1],
        taken_down=int(np.count_nonzero(taken)),
    )


def _kept_hashes(corpus: Corpus, shards: tuple[str, ...], kept: Array) -> tuple[str, ...]:
    """Hash the kept ids of each shard, in the order of its documents."""
    hashes = []
    for shard in shards:
        manifest = corpus.load(layout.unit("ingest", shard), IngestManifest)
        ids = ids_of(corpus.read(manifest.documents, columns=["document_id"])["document_id"])
        chosen = np.ascontiguousarray(ids[np.isin(ids, kept)])
        hashes.append(hashlib.blake2b(chosen.tobytes(), digest_size=12).hexdigest())
    return tuple(hashes)


def _masked(values: pa.Array, nulls: Array) -> pa.Array:
    return pc.if_else(pa.array(nulls), pa.scalar(None, values.type), values)
