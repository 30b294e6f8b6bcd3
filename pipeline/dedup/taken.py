"""Which documents tombstones cover, by content hash and signature.

Holds: `Tombs`, `taken_verdicts`. Reads the signatures of a dump and the tombstones of a snapshot.
Not here: what follows for other documents (`deciding.py`, `retake.py`), making tombstones
(`runner/takedown.py`).

A document is covered if it is an exact copy, or as similar as the tombstone's own threshold says.
No band key need be shared, and no scope, rank or date counts: every document is compared with
every tombstone, which costs a few nanoseconds a pair. Copies have equal signatures, so all or none
of a class of copies are covered. Of several tombstones the most similar is named, the least id of
equals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.dedup.buckets import agreement, needed
from pipeline.dedup.reader import fixed
from pipeline.dedup.settle import TAKEN
from pipeline.dedup.verdicts import NO_DATE, Verdicts, names
from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import IngestManifest
from pipeline.model.schemas import PERMUTATIONS
from pipeline.model.snapshot import Snapshot
from pipeline.signature import SIMILARITY
from pipeline.signature.compiled import jit
from pipeline.storage import layout, tombstones
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

ROWS: Final = 1 << 16
_COLUMNS: Final = ["document_id", "content_hash", "shingles", "minima"]


@dataclass(frozen=True, slots=True)
class Tombs:
    """Tombstones in force, by id."""

    ids: Array
    """(n,) 16 bytes each."""
    hashes: npt.NDArray[np.uint64]
    """(n, 2)."""
    shingles: npt.NDArray[np.int32]
    minima: npt.NDArray[np.uint8]
    need: npt.NDArray[np.int64]
    """The least number of equal minima of a document that is covered."""

    @staticmethod
    def of(table: pa.Table) -> Tombs:
        """Read rows of schema `TOMBSTONES` that are in force, sorted by id."""
        return Tombs(
            id_bytes(table["tombstone_id"]),
            id_bytes(table["content_hash"]).view("<u8").reshape(-1, 2),
            table["shingles"].to_numpy(),
            np.frombuffer(bytes.fromhex("".join(table["minima"].to_pylist())), np.uint8).reshape(
                -1, PERMUTATIONS
            ),
            np.array([needed(one) for one in table["threshold"].to_pylist()], np.int64),
        )

    @staticmethod
    def load(corpus: Corpus, snapshot: Snapshot) -> Tombs:
        """Read those of a snapshot."""
        return Tombs.of(tombstones.active(tombstones.load(corpus, snapshot)))

    def __len__(self) -> int:
        return len(self.ids)

    def cover(
        self, hashes: Array, shingles: Array, minima: Array
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the number of the tombstone of each document, -1 for none, and the similarity.

        Args:
            hashes: content hashes, 16 bytes each.
            shingles: the number of each.
            minima: (n, 128).
        """
        which = np.full(len(shingles), -1, np.int64)
        score = np.zeros(len(shingles), np.float32)
        if len(self):
            mine = (np.ascontiguousarray(hashes).view("<u8").reshape(-1, 2), shingles, minima)
            _cover((self.hashes, self.shingles, self.minima, self.need), mine, which, score)
        return which, score


def taken_verdicts(corpus: Corpus, shards: Iterable[str], tombs: Tombs) -> Verdicts:
    """Return the verdicts of the documents of a dump, given its ingest units, that are covered."""
    parts = [Verdicts.blank(np.empty(0, "S16"))]
    for shard in shards if len(tombs) else ():
        manifest = corpus.load(layout.unit("ingest", shard), IngestManifest)
        for batch in corpus.batches(manifest.signatures, columns=_COLUMNS, rows=ROWS):
            which, score = tombs.cover(
                fixed(batch["content_hash"], "S16"),
                batch["shingles"].to_numpy(),
                fixed(batch["minima"], "u1").reshape(-1, PERMUTATIONS),
            )
            rows = np.flatnonzero(which >= 0)
            ids = fixed(batch["document_id"], "S16")[rows]
            reason = np.full(len(rows), TAKEN, np.int8)
            stones = names(NO_DATE, tombs.ids[which[rows]])
            parts.append(Verdicts(ids, reason, stones, score[rows]))
    found = Verdicts.joined(parts)
    return found.part(np.argsort(found.ids, kind="stable"))


@jit
def _cover(tombs: Any, documents: Any, which: Array, score: Array) -> None:
    hashes, shingles, minima, need = tombs
    for at in range(which.shape[0]):
        best = np.int32(-1)
        for stone in range(need.shape[0]):
            equal = np.int32(-1)
            if hashes[stone, 0] == documents[0][at, 0] and hashes[stone, 1] == documents[0][at, 1]:
                equal = np.int32(PERMUTATIONS)
            elif shingles[stone] > 0 and documents[1][at] > 0:
                equal = agreement(minima[stone], documents[2][at])
                if equal < need[stone]:
                    continue
            if equal > best:
                best = equal
                which[at] = stone
        if which[at] >= 0:
            score[at] = SIMILARITY[best]
