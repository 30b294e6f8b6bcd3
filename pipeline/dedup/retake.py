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
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.graph import Settled, settled
from pipeline.dedup.ledger import Ledger
from pipeline.dedup.settle import TAKEN, UNIQUE
from pipeline.dedup.tables import PROVENANCE, Before, moves, touched_dump, write_verdicts
from pipeline.dedup.taken import Tombs, taken_verdicts
from pipeline.dedup.verdicts import Verdicts, split_names
from pipeline.model import versions
from pipeline.model.id_columns import id_texts
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import TouchedDump
from pipeline.model.schemas import VERDICTS
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage.units import Corpus, concat

Array = npt.NDArray[Any]

_PLACE: Final = PROVENANCE[:5]


@dataclass(frozen=True, slots=True)
class Again:
    """A dump with other verdicts than a snapshot has, before anything is written."""

    state: DumpState
    before: Verdicts
    after: Verdicts

    @property
    def moved(self) -> tuple[int, int]:
        """How many documents are retracted, taken down ones too, and how many are restored."""
        return moves(Before(self.before.ids, self.before.reason == UNIQUE), self.after)

    def newly_taken(self, corpus: Corpus) -> pa.Table:
        """Return the documents that are taken down and were not, and whether they were published.

        Columns: those of its place, `similarity` to the tombstone `tombstone_id`, `was_published`.
        """
        taken = np.flatnonzero((self.after.reason == TAKEN) & (self.before.reason != TAKEN))
        after = self.after.part(taken)
        wanted = id_texts(after.ids)
        schema = pa.schema([VERDICTS.field(name) for name in _PLACE])
        rows = (
            pa.Table.from_batches([batch.filter(pc.is_in(batch["document_id"], wanted))])
            for batch in corpus.batches(self.state.verdicts, columns=_PLACE)
        )
        columns = {
            "similarity": pa.array(after.similarity),
            "tombstone_id": id_texts(split_names(after.witness)[1]),
            "was_published": pa.array(self.before.reason[taken] == UNIQUE),
        }
        table = concat(rows, schema)
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table


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
        Again(ledger.state(date), ledger.published(date), found.verdicts[date])
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
    state = one.state
    rows = corpus.batches(state.verdicts, columns=PROVENANCE)
    ref = write_verdicts(corpus, (name, state.dump_date), rows, one.after)
    dump = (state.dump_date, state.generation, state.shards)
    return touched_dump(corpus, one.after, dump=dump, verdicts=ref, moved=one.moved)


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
