"""The decide stage: every verdict that this run changes, in its own dump and in others.

Holds: `decide`, `decide_fingerprint`. Reads match manifests, edge files, published verdicts and
provenance of staged documents; writes whole verdict tables.
Not here: the rule (`settle.py`), what is live (`ledger.py`), rows and counts (`tables.py`).

Dumps are decided in date order, beginning with the run's own: earlier ones cannot change. A later
dump is opened only if an edge leads into it from a document whose verdict changed, or led into it
from the run's dump as it was before. So a new latest night opens none.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline import telemetry
from pipeline.dedup.buckets import needed
from pipeline.dedup.groups import Groups, Ties, bind
from pipeline.dedup.ledger import Ledger, Verdicts, names, split_names
from pipeline.dedup.matching import match_fingerprint
from pipeline.dedup.reader import DumpSignatures
from pipeline.dedup.settle import State, settle, sorted_links
from pipeline.dedup.tables import Before, fresh_table, moves, revised_table, touched_dump
from pipeline.model import versions
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import Decision, EdgeFile, MatchManifest, TouchedDump
from pipeline.model.plan import Plan
from pipeline.model.snapshot import Snapshot
from pipeline.storage import layout
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

Pair = tuple[EdgeFile, Array, Array, Array, Array]
"""An edge file and its columns: order keys of both sides, similarity, exact."""

_NOBODY: Final = np.zeros(1, "S26")


def decide_fingerprint(plan: Plan, snapshot: Snapshot) -> str:
    """Name the verdict files by all that they depend on."""
    matches = [match_fingerprint(plan, snapshot, owned) for owned in plan.key_ranges]
    states = sorted((date, ref.state.key) for date, ref in snapshot.dumps.items())
    return fingerprint(versions.DECIDE, plan.dump_date, plan.generation, matches, states)


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
    """Decides dump after dump; `changed` holds the order keys of changed documents so far."""

    def __init__(self, corpus: Corpus, plan: Plan, *, ledger: Ledger, name: str) -> None:
        self.corpus = corpus
        self.plan = plan
        self.ledger = ledger
        self.name = name
        self.changed: dict[str, Array] = {}

    def touched(self) -> tuple[TouchedDump, ...]:
        own = self._own()
        later = [self._other(date) for date in self.ledger.later()]
        return (own, *(dump for dump in later if dump is not None))

    def _own(self) -> TouchedDump:
        """Decide all documents of the run's own dump."""
        date = self.plan.dump_date
        shards = tuple(shard.fingerprint for shard in self.plan.shards)
        table = fresh_table(self.corpus, shards)
        blank = Verdicts.of_table(table)
        dirty = np.ones(len(blank.ids), np.bool_)
        after, _ = _settled(self.ledger, date, before=blank, dirty=dirty)
        self.ledger.decided[date] = after
        self.changed[date] = names(date, after.ids)
        parent = self.ledger.snapshot.dumps.get(date)
        old = self.ledger.state(date).verdicts if parent is not None else None
        published = Before.of(None if old is None else self.corpus.read(old))
        return self._write((date, self.plan.generation, shards), table, moves(published, after))

    def _other(self, date: str) -> TouchedDump | None:
        """Decide again what may change in a later dump; None when nothing did."""
        dirty = self._reached(date)
        if not len(dirty):
            return None
        state = self.ledger.state(date)
        before = self.ledger.verdicts(date)
        marks = np.isin(before.ids, split_names(dirty)[1])
        after, changed = _settled(self.ledger, date, before=before, dirty=marks)
        if not changed.any():
            return None
        self.ledger.decided[date] = after
        self.changed[date] = names(date, after.ids[changed])
        table = self.corpus.read(state.verdicts)
        moved = moves(Before(before.ids, before.reason == 0), after)
        return self._write((date, state.generation, state.shards), table, moved)

    def _reached(self, date: str) -> Array:
        """Return the documents of a dump to which an edge leads from changed or gone ones."""
        found = [np.empty(0, "S26")]
        found.extend(self.ledger.pairs(file)[1] for file in self.ledger.gone(date))
        for file in self.ledger.into(date):
            if file.earlier in self.changed and file.earlier != date:
                earlier, later, similarity, _ = self.ledger.pairs(file)
                moved = np.isin(earlier, self.changed[file.earlier])
                tied = similarity == 0  # a group's ties lead from its first document alone
                found.append(later[moved | (tied & (tied & moved).any())])
        return np.unique(np.concatenate(found))

    def _write(
        self, dump: tuple[str, str, tuple[str, ...]], table: pa.Table, moved: tuple[int, int]
    ) -> TouchedDump:
        revised = revised_table(table, self.ledger.decided[dump[0]])
        ref = self.corpus.write("decide", self.name, f"verdicts-{dump[0]}", revised)
        return touched_dump(self.corpus, revised, dump=dump, verdicts=ref, moved=moved)


def _settled(
    ledger: Ledger, date: str, *, before: Verdicts, dirty: Array
) -> tuple[Verdicts, Array]:
    """Decide the dirty documents of a dump and all that follow from them."""
    pairs = [(file, *ledger.pairs(file)) for file in ledger.into(date)]
    foreign = _foreign(ledger, date, pairs)
    first = len(foreign[0])
    nodes = np.concatenate([foreign[0], names(date, before.ids)])
    witness = np.concatenate([foreign[1].witness, before.witness])
    every = _Numbering(nodes, witness)
    state = State(
        np.concatenate([foreign[1].reason, before.reason]),
        every.of(witness),
        np.concatenate([foreign[1].similarity, before.similarity]),
    )
    similarity = _column(pairs, 3, np.float32)
    edge = similarity > 0
    links = sorted_links(
        len(nodes),
        every.of(_column(pairs, 1, "S26")[edge]),
        every.of(_column(pairs, 2, "S26")[edge]),
        similarity=similarity[edge],
        exact=_column(pairs, 4, np.bool_)[edge],
    )
    groups = _groups(ledger, pairs, every=every, nodes=nodes, reason=state.reason)
    changed = np.zeros(len(nodes), np.bool_)
    marks = np.concatenate([np.zeros(first, np.bool_), dirty])
    settle(links, groups, state=state, first=first, marks=(marks, changed))
    who = every.names(state.witness[first:])
    after = Verdicts(before.ids, state.reason[first:], who, state.similarity[first:])
    return after, changed[first:]


def _groups(
    ledger: Ledger, pairs: list[Pair], *, every: _Numbering, nodes: Array, reason: Array
) -> Groups:
    """Bind the tied documents of each pair of dumps, whatever files their ties are in."""
    ties = []
    for date in sorted({file.earlier for file, *_ in pairs}):
        some = [pair for pair in pairs if pair[0].earlier == date]
        tie = _column(some, 3, np.float32) == 0
        if tie.any():
            earlier = every.of(_column(some, 1, "S26")[tie])
            later = every.of(_column(some, 2, "S26")[tie])
            owner = some[0][0].later
            need = needed(ledger.threshold(date, owner))
            ties.append(Ties(earlier, later, inside=owner == date, need=need))
    groups, members = bind(ties, reason)
    if not len(members):
        return groups
    dates, ids = split_names(nodes[members])
    parts = [
        DumpSignatures(ledger.corpus, ledger.shards(date.decode())).compared(ids[dates == date])
        for date in np.unique(dates)
    ]
    minima, keys = (np.concatenate(column) for column in zip(*parts, strict=True))
    return groups.signed(members, minima, keys)


def _foreign(ledger: Ledger, date: str, pairs: list[Pair]) -> tuple[Array, Verdicts]:
    """Return order keys and verdicts of the documents in earlier dumps that edges lead from."""
    by_date: dict[str, list[Array]] = {}
    for file, earlier, *_ in pairs:
        if file.earlier != date:
            by_date.setdefault(file.earlier, []).append(split_names(earlier)[1])
    keys, parts = [np.empty(0, "S26")], []
    for other in sorted(by_date):
        ids = np.unique(np.concatenate(by_date[other]))
        keys.append(names(other, ids))
        parts.append(ledger.verdicts(other).among(ids))
    joined = Verdicts(
        np.concatenate([np.empty(0, "S16"), *(part.ids for part in parts)]),
        np.concatenate([np.empty(0, np.int8), *(part.reason for part in parts)]),
        np.concatenate([np.empty(0, "S26"), *(part.witness for part in parts)]),
        np.concatenate([np.empty(0, np.float32), *(part.similarity for part in parts)]),
    )
    return np.concatenate(keys), joined


class _Numbering:
    """Numbers for order keys: nodes by place, then witnesses that are no nodes; -1 for nobody."""

    def __init__(self, nodes: Array, witness: Array) -> None:
        others = np.setdiff1d(witness, np.append(nodes, _NOBODY))
        self.every = np.concatenate([nodes, others, _NOBODY])
        self.order = np.argsort(self.every, kind="stable")

    def of(self, keys: Array) -> Array:
        """Return the numbers of order keys, all of which must be known."""
        place = self.order[np.searchsorted(self.every, keys, sorter=self.order)]
        return np.where(keys == _NOBODY, -1, place)

    def names(self, numbers: Array) -> Array:
        """Return the order keys with these numbers; -1 is the last, which is nobody's."""
        return np.asarray(self.every[numbers])


def _column(pairs: list[Any], place: int, kind: Any) -> Array:
    return np.concatenate([np.empty(0, kind), *(pair[place] for pair in pairs)])
