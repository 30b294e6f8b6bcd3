"""What is live: the states, edge files and verdicts of all dumps as this run leaves them.

Holds: `Ledger`, `Verdicts`. Reads states, edge files and verdict tables.
Not here: changing verdicts (`deciding.py`), the rule (`settle.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.dedup.reader import fixed, ids_of
from pipeline.dedup.settle import REASONS
from pipeline.model.manifest import EdgeFile
from pipeline.model.plan import Plan
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

NAME: Final = "S26"
"""A document's order key: 10 characters of dump date, 16 bytes of id; sorts as the key does."""


def names(date: str, ids: Array) -> Array:
    """Return the order keys of documents of one dump, given their 16-byte ids."""
    out = np.empty((len(ids), 26), np.uint8)
    out[:, :10] = np.frombuffer(date.encode("ascii"), np.uint8)
    out[:, 10:] = np.ascontiguousarray(ids).view(np.uint8).reshape(-1, 16)
    return out.view(NAME)[:, 0]


def split_names(keys: Array) -> tuple[Array, Array]:
    """Return dates (10 characters each) and 16-byte ids of order keys."""
    raw = np.ascontiguousarray(keys).view(np.uint8).reshape(-1, 26)
    dates = np.ascontiguousarray(raw[:, :10]).view("S10")[:, 0]
    return dates, np.ascontiguousarray(raw[:, 10:]).view("S16")[:, 0]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts of one dump, sorted by id. `witness` is an order key, empty for kept documents."""

    ids: Array
    reason: npt.NDArray[np.int8]
    witness: Array
    similarity: npt.NDArray[np.float32]

    @staticmethod
    def of_table(table: pa.Table) -> Verdicts:
        """Read a table of schema `VERDICTS`."""
        reason = np.zeros(table.num_rows, np.int8)
        found = np.asarray(table["reason"].to_numpy(zero_copy_only=False), object)
        for code, name in enumerate(REASONS):
            reason[found == name] = code
        dropped = np.flatnonzero(reason)
        witness = np.zeros(table.num_rows, NAME)
        if len(dropped):
            dates = table["witness_dump_date"].take(dropped).to_pylist()
            ids = ids_of(table["witness_id"].take(dropped)).view(np.uint8).reshape(-1, 16)
            raw = np.empty((len(dropped), 26), np.uint8)
            raw[:, :10] = np.frombuffer("".join(dates).encode("ascii"), np.uint8).reshape(-1, 10)
            raw[:, 10:] = ids
            witness[dropped] = raw.view(NAME)[:, 0]
        similarity = table["similarity"].fill_null(0).to_numpy().astype(np.float32)
        return Verdicts(ids_of(table["document_id"]), reason, witness, similarity)

    def among(self, ids: Array) -> Verdicts:
        """Return the rows of some documents, which must be there, in the order asked."""
        at = np.searchsorted(self.ids, ids)
        return Verdicts(ids, self.reason[at], self.witness[at], self.similarity[at])


_COLUMNS: Final = ["document_id", "reason", "witness_id", "witness_dump_date", "similarity"]


class Ledger:
    """Live dumps after this run: `snapshot` with the run's own dump replaced.

    States are read when first asked for; `verdicts` grows by those of dumps decided so far.
    """

    def __init__(
        self, corpus: Corpus, plan: Plan, *, snapshot: Snapshot, edges: Iterable[EdgeFile]
    ) -> None:
        """Bind to the parent snapshot and the edge files that this run's match found."""
        self.corpus = corpus
        self.own = plan.dump_date
        self.snapshot = snapshot
        self.edges = tuple(edges)
        self.live = {date: ref.generation for date, ref in snapshot.dumps.items()}
        self.live[plan.dump_date] = plan.generation
        self.decided: dict[str, Verdicts] = {}
        self._threshold = plan.settings.dedup.threshold
        self._shards = tuple(shard.fingerprint for shard in plan.shards)
        self._states: dict[str, DumpState] = {}

    def state(self, date: str) -> DumpState:
        """Return a dump's published state."""
        if date not in self._states:
            self._states[date] = snapshots.load_state(self.corpus, self.snapshot, date)
        return self._states[date]

    def shards(self, date: str) -> tuple[str, ...]:
        """Return the ingest units of a live dump, in plan order."""
        return self._shards if date == self.own else self.state(date).shards

    def threshold(self, earlier: str, later: str) -> float:
        """Return the least similarity of edges between two live dumps, or inside one."""
        return max(self._rule(earlier), self._rule(later))

    def later(self) -> list[str]:
        """Return the dates of the live dumps after the run's own."""
        return sorted(date for date in self.live if date > self.own)

    def gone(self, date: str) -> list[EdgeFile]:
        """Return the edge files from the run's own dump, as it was, to a later one."""
        if self.own not in self.snapshot.dumps:
            return []
        old = self.snapshot.dumps[self.own].generation
        wanted = (self.own, old, date, self.live[date])
        return [
            file
            for file in self._listed()
            if (file.earlier, file.earlier_generation, file.later, file.later_generation) == wanted
        ]

    def into(self, date: str) -> list[EdgeFile]:
        """Return the live edge files whose later dump is `date`."""
        if date == self.own:
            return [file for file in self.edges if file.later == date]
        mine = [file for file in self.edges if file.later == date]
        others = [
            file
            for file in self._listed()
            if file.later == date
            and self.own not in (file.earlier, file.later)
            and self.live.get(file.earlier) == file.earlier_generation
            and self.live.get(file.later) == file.later_generation
        ]
        return mine + others

    def verdicts(self, date: str) -> Verdicts:
        """Return the verdicts of a dump: as decided by this run, else as published."""
        if date not in self.decided:
            table = self.corpus.read(self.state(date).verdicts, columns=_COLUMNS)
            self.decided[date] = Verdicts.of_table(table)
        return self.decided[date]

    def pairs(self, file: EdgeFile) -> tuple[Array, Array, Array, Array]:
        """Read an edge file: order keys of both sides, similarity, exact."""
        table = self.corpus.read(file.file)
        return (
            names(file.earlier, fixed(table["earlier_id"], "S16")),
            names(file.later, fixed(table["later_id"], "S16")),
            table["similarity"].to_numpy(),
            table["exact"].to_numpy(zero_copy_only=False),
        )

    def _rule(self, date: str) -> float:
        return self._threshold if date == self.own else self.snapshot.dumps[date].threshold

    def _listed(self) -> list[EdgeFile]:
        """Return every edge file that any state lists, live or not, each once."""
        found = {
            file.file.key: file for date in sorted(self.snapshot.dumps) for file in self._of(date)
        }
        return list(found.values())

    def _of(self, date: str) -> tuple[EdgeFile, ...]:
        return self.state(date).edges
