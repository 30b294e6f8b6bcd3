"""The decide stage: every verdict that this run changes, in its own dump and in others.

Holds: `decide`, `decide_fingerprint`. Reads match manifests, edge files, published verdicts and
provenance of staged documents; writes whole verdict tables.
Not here: the rule (`settle.py`), documents and edges as arrays (`graph.py`), what is live
(`ledger.py`), rows and counts (`tables.py`).

While the date alone decides who comes first, dumps are decided in date order, beginning with the
run's own: earlier ones cannot change. A later dump is opened only if an edge leads into it from a
document whose verdict changed, or led into it from the run's dump as it was before. So a new latest
night opens none. Where a rank comes before the date (`ranking.py`), any dump can change: those that
do are decided together, beginning with the run's own, and others join when a change reaches them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline import telemetry
from pipeline.dedup.graph import Settled, settled
from pipeline.dedup.ledger import Ledger
from pipeline.dedup.matching import match_fingerprint
from pipeline.dedup.tables import (
    PROVENANCE,
    Before,
    moves,
    staged_ids,
    staged_rows,
    touched_dump,
    write_verdicts,
)
from pipeline.dedup.taken import Tombs, taken_verdicts
from pipeline.dedup.verdicts import Verdicts, names, split_names
from pipeline.model import versions
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import Decision, EdgeFile, MatchManifest, TouchedDump
from pipeline.model.plan import Plan
from pipeline.model.snapshot import Snapshot
from pipeline.storage import layout
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]


def decide_fingerprint(plan: Plan, snapshot: Snapshot) -> str:
    """Name the verdict files by all that they depend on."""
    matches = [match_fingerprint(plan, snapshot, owned) for owned in plan.key_ranges]
    states = sorted((date, ref.state.key) for date, ref in snapshot.dumps.items())
    tombs = snapshot.tombstones.sha256 if snapshot.tombstones else ""
    return fingerprint(versions.DECIDE, plan.dump_date, plan.generation, matches, states, tombs)


def decide(corpus: Corpus, plan: Plan, snapshot: Snapshot) -> Decision:
    """Decide what the run changes against `snapshot`."""
    name = decide_fingerprint(plan, snapshot)
    key = layout.unit("decide", fingerprint(name, plan.run_id, snapshot.sequence))
    done = corpus.find(key, Decision)
    if done is not None:
        return done
    matches = [
        corpus.load(layout.unit("match", match_fingerprint(plan, snapshot, owned)), MatchManifest)
        for owned in plan.key_ranges
    ]
    edges = tuple(file for match in matches for file in match.edges)
    with telemetry.stage("decide", dump_date=plan.dump_date) as span:
        ledger = Ledger(corpus, plan, snapshot=snapshot, edges=edges)
        touched = _Run(corpus, plan, ledger=ledger, name=name).touched()
        span.update(touched=len(touched), documents=touched[0].documents, kept=touched[0].kept)
    decision = Decision(
        fingerprint=name,
        run_id=plan.run_id,
        dump_date=plan.dump_date,
        generation=plan.generation,
        parent=snapshot.sequence,
        touched=touched,
        edges=edges,
        index=tuple(match.index for match in matches),
    )
    return corpus.finish(key, decision)


class _Run:
    """Decides dump after dump; `changed` and `flipped` hold what did so far, by date."""

    def __init__(self, corpus: Corpus, plan: Plan, *, ledger: Ledger, name: str) -> None:
        self.corpus = corpus
        self.plan = plan
        self.ledger = ledger
        self.name = name
        self.changed: dict[str, Array] = {}
        self.flipped: dict[str, Array] = {}

    def touched(self) -> tuple[TouchedDump, ...]:
        date = self.plan.dump_date
        shards = tuple(shard.fingerprint for shard in self.plan.shards)
        ids = staged_ids(self.corpus, shards)
        taken = taken_verdicts(self.corpus, shards, Tombs.load(self.corpus, self.ledger.snapshot))
        linked = self.ledger.linked()
        alone = Verdicts.alone(ids)
        self.ledger.decided[date] = alone.with_(Verdicts.blank(linked)).with_(taken)
        if self.ledger.ranked:
            self._together(linked)
        else:
            self._in_turn(linked)
        parent = self.ledger.snapshot.dumps.get(date)
        old = self.ledger.state(date).verdicts if parent is not None else None
        rows = staged_rows(self.corpus, shards)
        own = self._write((date, self.plan.generation, shards), rows, Before.of(self.corpus, old))
        return (own, *(self._other(one) for one in sorted(self.changed) if one != date))

    def _in_turn(self, own: Array) -> None:
        """Decide the run's own documents with edges, then each later dump if one leads into it."""
        self._settle({self.plan.dump_date: own})
        for date in self.ledger.later():
            dirty = self._reached(date)
            if len(dirty):
                self._settle({date: dirty})

    def _settle(self, dirty: dict[str, Array]) -> None:
        """Decide documents of one dump, all earlier ones being decided."""
        (date,) = dirty
        self._note(settled(self.ledger, self.ledger.into(date), dirty=dirty, free=(date,)))

    def _together(self, own: Array) -> None:
        """Decide dumps at once, with those whose verdicts follow from them, until none is left."""
        dirty = {self.plan.dump_date: own, **self._left()}
        free = set(dirty)
        while True:
            files = self.ledger.touching(free)
            found = settled(self.ledger, files, dirty=dirty, free=free)
            if not found.reached:
                break
            free |= found.reached
        self._note(found)

    def _note(self, found: Settled) -> None:
        """Keep the verdicts of dumps in which something changed; the own dump is always one."""
        for date, ids in found.changed.items():
            if len(ids) or date == self.plan.dump_date:
                self.ledger.decided[date] = found.verdicts[date]
                self.changed[date] = names(date, ids)
                self.flipped[date] = names(date, found.flipped[date])

    def _reached(self, date: str) -> Array:
        """Return the documents of a dump to which an edge leads from changed or gone ones."""
        found = [np.empty(0, "S26")]
        gone = (
            file for file in self._gone if (file.earlier, file.later) == (self.ledger.own, date)
        )
        found.extend(self.ledger.pairs(file)[1] for file in gone)
        for file in self.ledger.into(date):
            if file.earlier in self.changed and file.earlier != date:
                earlier, later, similarity, exact = self.ledger.pairs(file)
                moved = np.isin(earlier, self.flipped[file.earlier])
                moved |= exact & np.isin(earlier, self.changed[file.earlier])
                tied = similarity == 0  # a group's ties lead from its first document alone
                found.append(later[moved | (tied & (tied & moved).any())])
        return split_names(np.unique(np.concatenate(found)))[1]

    def _left(self) -> dict[str, Array]:
        """Return the documents of other dumps that had an edge to the run's dump as it was."""
        found: dict[str, list[Array]] = {}
        for file in self._gone:
            place, date = (1, file.later) if file.earlier == self.ledger.own else (0, file.earlier)
            ends = self.ledger.firsts(date, self.ledger.pairs(file)[place])
            found.setdefault(date, []).append(split_names(ends)[1])
        return {date: np.unique(np.concatenate(ids)) for date, ids in found.items()}

    @cached_property
    def _gone(self) -> list[EdgeFile]:
        return self.ledger.gone()

    def _other(self, date: str) -> TouchedDump:
        state = self.ledger.state(date)
        rows = self.corpus.batches(state.verdicts, columns=PROVENANCE)
        before = Before.of(self.corpus, state.verdicts)
        return self._write((date, state.generation, state.shards), rows, before)

    def _write(
        self,
        dump: tuple[str, str, tuple[str, ...]],
        rows: Iterable[pa.RecordBatch],
        before: Before,
    ) -> TouchedDump:
        after = self.ledger.decided[dump[0]]
        ref = write_verdicts(self.corpus, (self.name, dump[0]), rows, after)
        moved = moves(before, after)
        return touched_dump(self.corpus, after, dump=dump, verdicts=ref, moved=moved)
