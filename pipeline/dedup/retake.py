"""Deciding published dumps again because other tombstones are in force.

Holds: `decide_again`, `Again`, `write_again`. Reads signatures, edge files and verdicts; writes
whole verdict tables.
Not here: the rule (`settle.py`), which documents tombstones cover (`taken.py`), nights
(`deciding.py`).

Verdicts are a function of the dumps and of the tombstones in force. When these change, documents
that are covered now leave: those for which they were the witness are decided again, and so on.
Documents that are covered no more are decided as if they had just come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from pipeline.dedup.graph import Settled, settled
from pipeline.dedup.ledger import Ledger, Verdicts
from pipeline.dedup.settle import TAKEN, UNIQUE
from pipeline.dedup.tables import Before, moves, revised_table, touched_dump
from pipeline.dedup.taken import Tombs, taken_verdicts
from pipeline.model import versions
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import TouchedDump
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Again:
    """A dump with other verdicts than a snapshot has, before anything is written."""

    state: DumpState
    before: pa.Table
    after: Verdicts

    @property
    def table(self) -> pa.Table:
        """The new verdict table."""
        return revised_table(self.before, self.after)

    @property
    def moved(self) -> tuple[int, int]:
        """How many documents are retracted, taken down ones too, and how many are restored."""
        return moves(Before.of(self.before), self.after)


def decide_again(corpus: Corpus, snapshot: Snapshot, stones: pa.Table) -> list[Again]:
    """Return the dumps of a snapshot whose verdicts are others under tombstones; writes nothing.

    Args:
        corpus: what is published.
        snapshot: with verdicts under whatever tombstones.
        stones: those in force now, sorted by id.
    """
    ledger = Ledger(corpus, None, snapshot=snapshot)
    marked = dict(_marked(corpus, ledger, Tombs.of(stones)))
    if not marked:
        return []
    found = _settled(ledger, marked)
    return [
        Again(ledger.state(date), corpus.read(ledger.state(date).verdicts), found.verdicts[date])
        for date in sorted(found.verdicts)
        if date in marked or len(found.changed[date])
    ]


def write_again(corpus: Corpus, snapshot: Snapshot, dumps: list[Again]) -> tuple[TouchedDump, ...]:
    """Write the new verdict tables; return what they say of their dumps."""
    name = fingerprint(
        "retake",
        versions.DECIDE,
        sorted((date, ref.state.key) for date, ref in snapshot.dumps.items()),
        [one.state.dump_date for one in dumps],
    )
    return tuple(_written(corpus, name, one) for one in dumps)


def _written(corpus: Corpus, name: str, one: Again) -> TouchedDump:
    state, table = one.state, one.table
    ref = corpus.write("decide", name, f"verdicts-{state.dump_date}", table)
    dump = (state.dump_date, state.generation, state.shards)
    return touched_dump(corpus, table, dump=dump, verdicts=ref, moved=one.moved)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Documents of a dump that are kept no more, and those to be decided again."""

    gone: Array
    back: Array


def _marked(corpus: Corpus, ledger: Ledger, tombs: Tombs) -> Iterator[tuple[str, _Mark]]:
    """Put tombstones into the verdicts of the ledger; yield the dumps in which they are others."""
    for date in sorted(ledger.snapshot.dumps):
        covered = taken_verdicts(corpus, ledger.shards(date), tombs)
        if not len(covered.ids) and not ledger.state(date).counts.taken_down:
            continue
        before = ledger.verdicts(date)
        was = before.reason == TAKEN
        after = before.with_(Verdicts.blank(before.ids[was])).with_(covered)
        taken = after.reason == TAKEN
        other = (was != taken) | (taken & (before.witness != after.witness))
        if other.any():
            ledger.decided[date] = after
            gone = before.ids[taken & (before.reason == UNIQUE)]
            yield date, _Mark(gone, before.ids[was & ~taken])


def _settled(ledger: Ledger, marked: dict[str, _Mark]) -> Settled:
    """Decide the marked dumps, with those whose verdicts follow from them, until none is left."""
    free = set(marked)
    while True:
        found = settled(
            ledger,
            ledger.touching(free),
            dirty={date: mark.back for date, mark in marked.items()},
            free=free,
            gone={date: mark.gone for date, mark in marked.items()},
        )
        if not found.reached:
            return found
        free |= found.reached
