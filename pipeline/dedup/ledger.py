"""What is live: the states, edge files and verdicts of all dumps as this run leaves them.

Holds: `Ledger`. Reads states, edge files and verdict tables.
Not here: verdicts as arrays (`verdicts.py`), changing them (`deciding.py`), the rule (`settle.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.dedup.ranking import Ranks, ranks
from pipeline.dedup.reader import fixed
from pipeline.dedup.verdicts import NAME, Verdicts, names, split_names
from pipeline.model.manifest import EdgeFile
from pipeline.model.plan import Plan
from pipeline.model.rule import Rule
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

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
