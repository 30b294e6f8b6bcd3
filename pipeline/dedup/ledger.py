"""What is live: the states, edge files and verdicts of all dumps as this run leaves them.

Holds: `Ledger`, `Verdicts`. Reads states, edge files and verdict tables.
Not here: changing verdicts (`deciding.py`), the rule (`settle.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.ranking import Ranks, ranks
from pipeline.dedup.reader import fixed
from pipeline.dedup.settle import ABSENT, EXACT, NEAR, REASONS, TAKEN, UNIQUE
from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import EdgeFile
from pipeline.model.plan import Plan
from pipeline.model.rule import Rule
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

NAME: Final = "S26"
"""A document's order key: 10 characters of dump date, 16 bytes of id; sorts as the key does."""


NO_DATE: Final = "\0" * 10
"""Stands for the date in the key of what is no document."""


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
    """Verdicts of one dump, sorted by id.

    `witness` is an order key: empty for kept documents, one without a date that ends in the id of a
    tombstone for those taken down.
    """

    ids: Array
    reason: npt.NDArray[np.int8]
    witness: Array
    similarity: npt.NDArray[np.float32]

    @staticmethod
    def of_table(table: pa.Table) -> Verdicts:
        """Read a table of schema `VERDICTS`."""
        reason = _codes(table["reason"])
        dropped = np.flatnonzero((reason == EXACT) | (reason == NEAR))
        witness = np.zeros(table.num_rows, NAME)
        if len(dropped):
            raw = np.empty((len(dropped), 26), np.uint8)
            raw[:, :10] = _dates(table["witness_dump_date"].take(dropped))
            ids = id_bytes(table["witness_id"].take(dropped))
            raw[:, 10:] = ids.view(np.uint8).reshape(-1, 16)
            witness[dropped] = raw.view(NAME)[:, 0]
        taken = np.flatnonzero(reason == TAKEN)
        if len(taken):
            witness[taken] = names(NO_DATE, id_bytes(table["tombstone_id"].take(taken)))
        similarity = table["similarity"].fill_null(0).to_numpy().astype(np.float32)
        return Verdicts(id_bytes(table["document_id"]), reason, witness, similarity)

    def among(self, ids: Array) -> Verdicts:
        """Return the rows of some documents, which must be there, in the order asked."""
        return self.part(np.searchsorted(self.ids, ids))

    def part(self, rows: Array | slice) -> Verdicts:
        """Return some rows."""
        return Verdicts(
            self.ids[rows], self.reason[rows], self.witness[rows], self.similarity[rows]
        )

    def with_(self, others: Verdicts) -> Verdicts:
        """Return the verdicts with those of some documents, which must be there, replaced."""
        at = np.searchsorted(self.ids, others.ids)
        after = Verdicts(self.ids, self.reason.copy(), self.witness.copy(), self.similarity.copy())
        after.reason[at], after.witness[at] = others.reason, others.witness
        after.similarity[at] = others.similarity
        return after

    @staticmethod
    def blank(ids: Array) -> Verdicts:
        """Return verdicts of documents that are in no snapshot yet: neither kept nor dropped."""
        return Verdicts._all(ids, ABSENT)

    @staticmethod
    def alone(ids: Array) -> Verdicts:
        """Return verdicts of documents that nothing is like: all kept."""
        return Verdicts._all(ids, UNIQUE)

    @staticmethod
    def _all(ids: Array, reason: int) -> Verdicts:
        return Verdicts(
            ids,
            np.full(len(ids), reason, np.int8),
            np.zeros(len(ids), NAME),
            np.zeros(len(ids), np.float32),
        )

    @staticmethod
    def joined(parts: Iterable[Verdicts]) -> Verdicts:
        """Put verdicts one behind the other; there must be some."""
        columns = [(one.ids, one.reason, one.witness, one.similarity) for one in parts]
        return Verdicts(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _codes(reasons: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    """Return the number of each reason in `REASONS`."""
    found = pc.index_in(reasons, pa.array(REASONS, pa.string()))
    return np.asarray(pc.fill_null(found, 0).to_numpy(), np.int8)


def _dates(dates: pa.ChunkedArray) -> Array:
    """Return dates as rows of ten bytes; there are few different ones."""
    coded = dates.combine_chunks().dictionary_encode()
    known = "".join(coded.dictionary.to_pylist()).encode("ascii")
    return np.asarray(np.frombuffer(known, np.uint8).reshape(-1, 10)[coded.indices.to_numpy()])


Pairs = tuple[Array, Array, Array, Array]
"""Edges as columns: order keys without rank of both sides, similarity, exact."""

_COLUMNS: Final = (
    "document_id", "reason", "witness_id", "witness_dump_date", "similarity", "tombstone_id"
)  # fmt: skip


class Ledger:
    """Live dumps after this run: `snapshot` with the run's own dump replaced.

    States are read when first asked for; `verdicts` grows by those of dumps decided so far.
    """

    def __init__(
        self,
        corpus: Corpus,
        plan: Plan | None,
        *,
        snapshot: Snapshot,
        edges: Iterable[EdgeFile] = (),
    ) -> None:
        """Bind to the parent snapshot and the edge files that this run's match found.

        Without a plan no dump is replaced.
        """
        self.corpus = corpus
        self.own = plan.dump_date if plan else ""
        self.snapshot = snapshot
        self.edges = tuple(edges)
        self.live = {date: ref.generation for date, ref in snapshot.dumps.items()}
        self.decided: dict[str, Verdicts] = {}
        self._rule = Rule.of(plan.settings.dedup) if plan else Rule()
        self._ranks: dict[str, Ranks] = {}
        self._shards = tuple(shard.fingerprint for shard in plan.shards) if plan else ()
        self._states: dict[str, DumpState] = {}
        if plan:
            self.live[plan.dump_date] = plan.generation

    def state(self, date: str) -> DumpState:
        """Return a dump's published state."""
        if date not in self._states:
            self._states[date] = snapshots.load_state(self.corpus, self.snapshot, date)
        return self._states[date]

    def shards(self, date: str) -> tuple[str, ...]:
        """Return the ingest units of a live dump, in plan order."""
        return self._shards if date == self.own else self.state(date).shards

    def rule(self, date: str) -> Rule:
        """Return what a live dump says about pairs."""
        return self._rule if date == self.own else self.snapshot.dumps[date].rule

    @property
    def ranked(self) -> bool:
        """Whether a document may come before one of an earlier dump, or did before this run."""
        before = (ref.rule for ref in self.snapshot.dumps.values())
        return self._rule.ranked or any(rule.ranked for rule in before)

    def rank(self, date: str, ids: Array) -> Array:
        """Return what comes before the date in the order keys of documents of a live dump."""
        if not self.rule(date).ranked:
            return np.zeros(len(ids), np.int64)
        return self._ranks_of(date).of(ids)

    def linked(self) -> Array:
        """Return the ids of the run's own documents that have an edge, sorted."""
        found = [np.empty(0, NAME)]
        for file in self.edges:
            for date, keys in zip((file.earlier, file.later), self.pairs(file), strict=False):
                found += [keys] if date == self.own else []
        return split_names(np.unique(np.concatenate(found)))[1]

    def later(self) -> list[str]:
        """Return the dates of the live dumps after the run's own."""
        return sorted(date for date in self.live if date > self.own)

    def gone(self) -> list[EdgeFile]:
        """Return the edge files between the run's own dump, as it was, and other live ones."""
        if self.own not in self.snapshot.dumps:
            return []
        before = self.live | {self.own: self.snapshot.dumps[self.own].generation}
        return [
            file
            for file in self._listed()
            if self.own in (file.earlier, file.later)
            and file.earlier != file.later
            and _lives(file, before)
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
            and _lives(file, self.live)
        ]
        return mine + others

    def touching(self, dates: Collection[str]) -> list[EdgeFile]:
        """Return the live edge files of some dumps, the run's own among them."""
        if set(dates) == {self.own}:
            return list(self.edges)
        others = [
            file
            for file in self._listed()
            if (file.earlier in dates or file.later in dates)
            and self.own not in (file.earlier, file.later)
            and _lives(file, self.live)
        ]
        return [*self.edges, *others]

    def verdicts(self, date: str) -> Verdicts:
        """Return the verdicts of a dump: as decided by this run, else as published."""
        if date not in self.decided:
            self.decided[date] = self.published(date)
        return self.decided[date]

    def published(self, date: str) -> Verdicts:
        """Read the verdicts of a dump in the snapshot."""
        file = self.state(date).verdicts
        return Verdicts.of_table(self.corpus.read_known(file, _COLUMNS))

    def pairs(self, file: EdgeFile) -> Pairs:
        """Read an edge file."""
        table = self.corpus.read(file.file)
        exact = table["exact"].to_numpy(zero_copy_only=False)
        earlier, later = fixed(table["earlier_id"], "S16"), fixed(table["later_id"], "S16")
        return (
            names(file.earlier, earlier),
            names(file.later, later),
            table["similarity"].to_numpy(),
            exact,
        )

    def of_firsts(self, file: EdgeFile, pairs: Pairs) -> Pairs:
        """Move the edges of copies of one dump to the first of them in order.

        The match stage has them at the one with the least id. Copies have equal signatures, so they
        have the same neighbours; an edge between two copies stays one, from the first to the other.
        """
        earlier, later, similarity, exact = pairs
        one, two = self.firsts(file.earlier, earlier), self.firsts(file.later, later)
        if file.earlier == file.later:
            two = np.where(exact, np.where(later == one, earlier, later), two)
        return one, two, similarity, exact

    def firsts(self, date: str, keys: Array) -> Array:
        """Return the first copies of documents of a dump."""
        if not self.rule(date).source_priority:
            return keys
        return names(date, self._ranks_of(date).firsts(split_names(keys)[1]))

    def _ranks_of(self, date: str) -> Ranks:
        if date not in self._ranks:
            self._ranks[date] = ranks(self.corpus, self.shards(date), self.rule(date))
        return self._ranks[date]

    def _listed(self) -> list[EdgeFile]:
        """Return every edge file that any state lists, live or not, each once."""
        found = {
            file.file.key: file for date in sorted(self.snapshot.dumps) for file in self._of(date)
        }
        return list(found.values())

    def _of(self, date: str) -> tuple[EdgeFile, ...]:
        return self.state(date).edges


def _lives(file: EdgeFile, live: Mapping[str, str]) -> bool:
    """Say whether both dumps of an edge file are as they were when it was made."""
    return (live.get(file.earlier), live.get(file.later)) == (
        file.earlier_generation,
        file.later_generation,
    )
