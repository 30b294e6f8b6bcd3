"""What was ever taken down: the table of tombstones that a snapshot names.

Holds: `load`, `active`, `mark`, `save`, `EMPTY`. Reads and writes one small file of the
corpus store. Not here: which documents a tombstone covers (`dedup/taken.py`), taking down
(`runner/takedown.py`).

A tombstone has a document's hash and signature, and never its text.
"""

from __future__ import annotations

import pyarrow as pa

from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.schemas import TOMBSTONES
from pipeline.model.snapshot import Snapshot
from pipeline.storage.units import Corpus

EMPTY = TOMBSTONES.empty_table()


def load(corpus: Corpus, snapshot: Snapshot) -> pa.Table:
    """Return every take-down of a snapshot, undone ones too, the oldest first."""
    return corpus.read(snapshot.tombstones) if snapshot.tombstones else EMPTY


def active(table: pa.Table) -> pa.Table:
    """Return the tombstones in force, by id; an id is in force once at most."""
    return table.filter(table["undone_at"].is_null()).sort_by("tombstone_id")


def mark(stones: pa.Table) -> str:
    """Name the tombstones in force, so that a page can say under which it was made."""
    return fingerprint("mark", stones["tombstone_id"].to_pylist())


def save(corpus: Corpus, table: pa.Table) -> FileRef:
    """Write a table of tombstones, which no snapshot names yet."""
    ids = fingerprint("tombstones", *table["tombstone_id"].to_pylist())
    return corpus.write("tombstones", ids, "tombstones", table, compression_level=3)
