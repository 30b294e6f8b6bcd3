"""Tombstones of documents, and finding those that people mean.

Holds: `stone`, `named`. Reads verdicts and signatures.
Not here: what they cover (`dedup/taken.py`), the table of them (`storage/tombstones.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.audit import lookup
from pipeline.errors import InputError, MissingError
from pipeline.model.ids import tombstone_id
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import snapshots, tombstones
from pipeline.storage.units import Corpus

Row = dict[str, Any]

_ROWS = 1 << 16


def stone(corpus: Corpus, snapshot: Snapshot, document_id: str, threshold: float | None) -> Row:
    """Return the tombstone of a document, without who, when and why.

    Raises:
        InputError, MissingError: see `lookup.find_verdict`; or the threshold is out of range.
    """
    if threshold is not None and not 0.5 <= threshold <= 1:
        raise InputError(f"expected a threshold of 0.5 to 1, found {threshold}.")
    found = lookup.find_verdict(corpus, snapshot, document_id)
    verdict, date = found.verdict, found.dump_date
    signature = _signature(
        corpus, snapshots.load_state(corpus, snapshot, date), verdict["document_id"]
    )
    content = signature["content_hash"].hex()
    rule = snapshot.dumps[date].rule.threshold
    return {
        "tombstone_id": tombstone_id(verdict["document_id"], content),
        "document_id": verdict["document_id"],
        "dump_date": date,
        "source": verdict["source"],
        "dump_file": verdict["dump_file"],
        "content_hash": content,
        "shingles": signature["shingles"],
        "minima": signature["minima"].hex(),
        "threshold": rule if threshold is None else threshold,
    }


def named(table: pa.Table, ids: Sequence[str]) -> list[str]:
    """Return the tombstones in force that ids of documents or tombstones name, or first digits.

    Raises:
        MissingError: an id names none.
    """
    rows = tombstones.active(table).to_pylist()
    found: list[str] = []
    for one in ids:
        start = one.strip().lower()
        hits = [
            row["tombstone_id"]
            for row in rows
            if start
            and any(row[name].startswith(start) for name in ("tombstone_id", "document_id"))
        ]
        if not hits:
            raise MissingError(
                f"expected a take-down of {one} in force, found none. `winnow takedown --list` "
                "shows all of them."
            )
        found += hits
    return found


def _signature(corpus: Corpus, state: DumpState, document_id: str) -> Row:
    wanted = pa.scalar(bytes.fromhex(document_id), pa.binary(16))
    columns = ["document_id", "content_hash", "shingles", "minima"]
    for manifest in lookup.ingest_manifests(corpus, state):
        for batch in corpus.batches(manifest.signatures, columns=columns, rows=_ROWS):
            hit = batch.filter(pc.equal(batch["document_id"], wanted))
            if hit.num_rows:
                row: Row = hit.to_pylist()[0]
                return row
    raise MissingError(
        f"expected the signature of {document_id} among those of {state.dump_date}, found none. "
        f"`winnow heal {state.dump_date}` mends what is damaged."
    )
