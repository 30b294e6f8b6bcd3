"""Some dumps' documents with all that links them, as arrays in order-key order, decided anew.

Holds: `settled`, `Settled`. Reads edge files, verdicts, ranks and signatures through the ledger.
Not here: the rule (`settle.py`), which dumps and documents to look at (`deciding.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.dedup.buckets import needed
from pipeline.dedup.groups import Groups, Ties, bind
from pipeline.dedup.ledger import Ledger
from pipeline.dedup.reader import DumpSignatures
from pipeline.dedup.settle import TAKEN, Nodes, State, settle, sorted_links
from pipeline.dedup.verdicts import Verdicts, names, split_names
from pipeline.model.manifest import EdgeFile
from pipeline.model.rule import day, span, stricter

Array = npt.NDArray[Any]

_NOBODY: Final = np.zeros(1, "S26")
_COLUMNS: Final[tuple[Any, ...]] = ("S26", "S26", np.float32, np.bool_)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of it. Dumps by date, their documents by 16-byte id."""

    verdicts: Mapping[str, Verdicts]
    """Of the free dumps: all documents."""
    changed: Mapping[str, Array]
    """Of the free dumps: the documents with another verdict."""
    flipped: Mapping[str, Array]
    """Of the free dumps: the documents that are kept now and were not, or were and are not."""
    reached: frozenset[str]
    """The other dumps whose verdicts may change by what changed here."""


def settled(
    ledger: Ledger,
    files: Iterable[EdgeFile],
    *,
    dirty: Mapping[str, Array],
    free: Collection[str],
    gone: Mapping[str, Array] | None = None,
) -> Settled:
    """Decide documents again: the dirty ones, and all in free dumps that follow from them.

    Documents that are taken down stay so.

    Args:
        ledger: what is live, and the verdicts so far.
        files: all edges that lead to documents of the free dumps from earlier ones.
        dirty: documents to decide in any case, by dump.
        free: the dumps whose verdicts may change.
        gone: documents that were kept and have just been taken down, by dump.
    """
    graph = _Graph(ledger, files, dirty=dirty, free=free)
    graph.flip(gone or {})
    settle(graph.links(), graph.groups(), state=graph.state, nodes=graph.nodes)
    return graph.settled()


class _Graph:
    """Documents are numbered by place in order-key order; `state` and `nodes` change by `settle`.

    A witness that is no node has a number behind them.
    """

    def __init__(
        self,
        ledger: Ledger,
        files: Iterable[EdgeFile],
        *,
        dirty: Mapping[str, Array],
        free: Collection[str],
    ) -> None:
        self.ledger = ledger
        self.free = free
        self.pairs = [(file, ledger.of_firsts(file, ledger.pairs(file))) for file in files]
        marked = [names(date, ids) for date, ids in dirty.items()]
        ends = [side for _, columns in self.pairs for side in columns[:2]]
        self.keys = np.unique(np.concatenate([np.empty(0, "S26"), *ends, *marked]))
        self.blocks = dict(_blocks(self.keys))
        before = self._before()
        rank = [ledger.rank(date, ids) for date, (_, ids) in self.blocks.items()]
        order = np.argsort(np.concatenate([np.empty(0, np.int64), *rank]), kind="stable")
        self.every = _Numbering(self.keys[order], before.witness)
        self.state = State(
            before.reason[order], self.every.of(before.witness[order]), before.similarity[order]
        )
        wanted = np.isin(self.keys, np.concatenate([_NOBODY, *marked]))
        here = np.isin(split_names(self.keys)[0], [date.encode() for date in free])
        self.taken = self.state.reason == TAKEN
        self.nodes = Nodes.of(here[order] & ~self.taken, wanted[order], **self._scopes())

    def flip(self, gone: Mapping[str, Array]) -> None:
        """Mark documents as kept before and not now, for those that follow from them."""
        marked = [names(date, ids) for date, ids in gone.items()]
        there = np.intersect1d(self.keys, np.concatenate([np.empty(0, "S26"), *marked]))
        self.nodes.flipped[self.every.of(there)] = True

    def links(self) -> Any:
        """Return the edges, from the earlier to the later document."""
        one, two, similarity, exact = _joined(columns for _, columns in self.pairs)
        edge = similarity > 0
        ends = self.every.of(one[edge]), self.every.of(two[edge])
        return sorted_links(
            len(self.keys),
            np.minimum(*ends),
            np.maximum(*ends),
            similarity=similarity[edge],
            exact=exact[edge],
        )

    def groups(self) -> Groups:
        """Bind the tied documents of each pair of dumps, whatever files their ties are in."""
        ties = []
        for one, two in sorted({(file.earlier, file.later) for file, _ in self.pairs}):
            here = (
                columns for file, columns in self.pairs if (file.earlier, file.later) == (one, two)
            )
            earlier, later, similarity, _ = _joined(here)
            tie = similarity == 0
            if tie.any():
                need = needed(stricter(self.ledger.rule(one), self.ledger.rule(two)))
                ties.append(Ties(self.every.of(earlier[tie]), self.every.of(later[tie]), need=need))
        groups, members = bind(ties, ~self.nodes.free & (self.state.reason != 0))
        return groups.signed(members, *self._signatures(members)) if len(members) else groups

    def settled(self) -> Settled:
        """Read off what came of it."""
        after = Verdicts(
            split_names(self.keys)[1],
            *(values[self.every.of(self.keys)] for values in self._verdicts()),
        )
        nowhere = slice(0, 0), self.keys[:0].astype("S16")
        verdicts, changed, flipped = {}, {}, {}
        for date in self.free:
            where, ids = self.blocks.get(date, nowhere)
            place = self.every.of(self.keys[where])
            verdicts[date] = self.ledger.verdicts(date).with_(after.part(where))
            changed[date] = ids[self.nodes.changed[place]]
            flipped[date] = ids[self.nodes.flipped[place]]
        reached_now = np.flatnonzero(self.nodes.reached & ~self.taken)
        others = split_names(self.every.names(reached_now))[0]
        reached = {date.decode() for date in np.unique(others)}.difference(self.free)
        return Settled(verdicts, changed, flipped, frozenset(reached))

    def _verdicts(self) -> tuple[Array, Array, Array]:
        state = self.state
        return state.reason, self.every.names(state.witness), state.similarity

    def _before(self) -> Verdicts:
        """Return the verdicts of all nodes so far, in the order of `keys`."""
        blank = Verdicts.blank(np.empty(0, "S16"))
        parts = [self.ledger.verdicts(date).among(ids) for date, (_, ids) in self.blocks.items()]
        return Verdicts.joined([blank, *parts])

    def _scopes(self) -> dict[str, Array]:
        """Return day and span by number of node or witness."""
        dates = split_names(self.every.every)[0]
        found, which = np.unique(dates, return_inverse=True)
        known = [date.decode() for date in found]
        days = [day(date) if date else 0 for date in known]
        spans = [span(self.ledger.rule(date)) if date else 0 for date in known]
        return {"day": np.array(days)[which], "span": np.array(spans)[which]}

    def _signatures(self, members: Array) -> tuple[Array, Array]:
        """Read what the members of groups are compared by."""
        order = np.argsort(self.every.names(members))
        minima, keys = [], []
        for date, (_, ids) in _blocks(self.every.names(members[order])):
            parts = DumpSignatures(self.ledger.corpus, self.ledger.shards(date)).compared(ids)
            minima.append(parts[0])
            keys.append(parts[1])
        back = np.argsort(order)
        return np.concatenate(minima)[back], np.concatenate(keys)[back]


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


def _blocks(keys: Array) -> Iterable[tuple[str, tuple[slice, Array]]]:
    """Yield the dates of sorted order keys, where each one's keys are, and their ids."""
    dates, ids = split_names(keys)
    found, start = np.unique(dates, return_index=True)
    for date, begin, end in zip(found, start, np.append(start, len(keys))[1:], strict=True):
        yield date.decode(), (slice(int(begin), int(end)), ids[begin:end])


def _joined(parts: Iterable[Any]) -> list[Array]:
    """Join edges column by column."""
    some = list(parts)
    return [
        np.concatenate([np.empty(0, kind), *(part[place] for part in some)])
        for place, kind in enumerate(_COLUMNS)
    ]
