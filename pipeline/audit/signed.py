"""All that a corpus has signed, in one order: the input of every recomputation.

Holds: `Signed`, `load`, `take`, `signatures`, `hexes`. Reads staged signatures and verdicts of a
snapshot's dumps; about 400 bytes of memory a document.
Not here: what is concluded from it (`recompute.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.audit.lookup import ingest_manifests
from pipeline.model.schemas import BANDS, PERMUTATIONS
from pipeline.model.snapshot import Snapshot
from pipeline.signature import Signatures
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

NO_WITNESS = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """Documents of all live dumps by order key (dump date, id), with what is published of them.

    `names` are `<dump_date>/<id>`. The witness of what is taken down is its tombstone, by its id
    alone. `missing` counts documents with a verdict but no signature, or
    the reverse; they are left out.
    """

    names: Array
    signatures: Signatures
    kept: npt.NDArray[np.bool_]
    reason: Array
    witness: Array
    similarity: npt.NDArray[np.float32]
    missing: int


def load(corpus: Corpus, snapshot: Snapshot) -> Signed:
    """Read the signatures and verdicts of every dump of a snapshot."""
    parts: list[Signatures] = []
    names: list[Array] = [np.empty(0, "U43")]
    tables: list[pa.Table] = []
    told: list[Array] = [np.empty(0, "U43")]
    for date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, date)
        for manifest in ingest_manifests(corpus, state):
            table = corpus.read(manifest.signatures).combine_chunks()
            names.append(_names(date, hexes(table["document_id"])))
            parts.append(signatures(table))
        tables.append(corpus.read(state.verdicts))
        told.append(_names(date, tables[-1]["document_id"].to_pylist()))
    signed, published = np.concatenate(names), np.concatenate(told)
    order, ranks = np.argsort(signed), np.argsort(published)
    both, ours, theirs = np.intersect1d(signed[order], published[ranks], return_indices=True)
    missing = len(signed) + len(published) - 2 * len(both)
    verdicts = pa.concat_tables(tables, promote_options="default") if tables else None
    return Signed(
        both,
        take(Signatures.concat(parts), order[ours]),
        *_columns(verdicts, ranks[theirs]),
        missing,
    )


def _columns(verdicts: pa.Table | None, rows: Array) -> tuple[Array, Array, Array, Array]:
    if verdicts is None:
        return np.empty(0, bool), np.empty(0, "U10"), np.empty(0, "U43"), np.empty(0, np.float32)
    picked = verdicts.take(rows)
    dates = picked["witness_dump_date"].to_pylist()
    ids = picked["witness_id"].to_pylist()
    stones = _stones(picked)
    witness = [
        stone or (NO_WITNESS if one is None else f"{date}/{one}")
        for date, one, stone in zip(dates, ids, stones, strict=True)
    ]
    return (
        picked["kept"].to_numpy(),
        np.array(picked["reason"].to_pylist(), "U10"),
        np.array(witness, "U43"),
        picked["similarity"].fill_null(0).to_numpy(),
    )


def _stones(verdicts: pa.Table) -> list[str | None]:
    if "tombstone_id" not in verdicts.column_names:
        return [None] * verdicts.num_rows
    return list(verdicts["tombstone_id"].to_pylist())


def _names(date: str, ids: list[str]) -> Array:
    return np.array([f"{date}/{one}" for one in ids], "U43")


def hexes(column: pa.ChunkedArray) -> list[str]:
    """Return binary ids as hexadecimal text."""
    return [value.hex() for value in column.to_pylist()]


def signatures(table: pa.Table) -> Signatures:
    """Return stored signatures; tokens are not stored and count as 0."""
    rows = table.num_rows
    return Signatures(
        _bytes(table["content_hash"], rows, 16),
        _bytes(table["band_keys"], rows, BANDS * 8),
        _bytes(table["minima"], rows, PERMUTATIONS),
        table["shingles"].to_numpy().astype(np.int32),
        np.zeros(rows, np.int32),
    )


def _bytes(column: pa.ChunkedArray, rows: int, width: int) -> npt.NDArray[np.uint8]:
    joined = b"".join(column.to_pylist())
    return np.frombuffer(joined, np.uint8).reshape(rows, width)


def take(signatures: Signatures, rows: Array) -> Signatures:
    """Pick rows of signatures, in the order given."""
    return Signatures(
        signatures.content_hash[rows],
        signatures.band_keys[rows],
        signatures.minima[rows],
        signatures.shingles[rows],
        signatures.tokens[rows],
    )
