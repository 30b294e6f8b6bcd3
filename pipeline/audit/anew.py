"""Deciding stored signatures again from nothing: no edge file, no index, no earlier verdict.

Holds: `Standing`, `standing`, `decide`, `blocks`. Reads provenance of staged documents where a
rank counts.
Not here: comparing with what is published (`recompute.py`).

Dumps of one rule without limits of scope and without ranks are decided as one dump. Others are
compared pair by pair of dumps, as their rules say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.audit.signed import Signed, take
from pipeline.dedup import match
from pipeline.dedup.at_once import Columns, decide_all
from pipeline.dedup.buckets import needed
from pipeline.dedup.entries import Entries, entries, key_range
from pipeline.dedup.groups import Ties, bind
from pipeline.dedup.ranking import ranks
from pipeline.dedup.settle import Nodes, State, settle, sorted_links
from pipeline.model.rule import Rule, day, in_scope, span, stricter
from pipeline.model.schemas import BANDS
from pipeline.model.snapshot import Snapshot
from pipeline.signature import Signatures
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]
Side = tuple[Entries, Callable[[Array, Array], match.Signed]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where documents stand beside each other, by row of `Signed`."""

    rules: Mapping[str, Rule]
    dates: Array
    rank: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    span: npt.NDArray[np.int64]

    def before(self, one: Array, two: Array) -> Array:
        """Say of pairs of rows whether the first comes before the second in order."""
        equal = self.rank[one] == self.rank[two]
        return np.asarray((self.rank[one] < self.rank[two]) | (equal & (one < two)))

    def in_scope(self, one: Array, two: Array) -> Array:
        """Say of pairs of rows whether the documents are compared at all."""
        apart = np.abs(self.day[one] - self.day[two])
        return np.asarray(apart < np.minimum(self.span[one], self.span[two]))

    def among(self, rows: Array) -> Standing:
        """Return how some rows stand."""
        return Standing(
            self.rules, self.dates[rows], self.rank[rows], self.day[rows], self.span[rows]
        )


def standing(corpus: Corpus, snapshot: Snapshot, documents: Signed) -> Standing:
    """Look up rules and ranks of all documents."""
    rules = {date: ref.rule for date, ref in snapshot.dumps.items()}
    dates = documents.names.astype("U10")
    found = Standing(rules, dates, *(np.zeros(len(dates), np.int64) for _ in range(3)))
    for date, rows in blocks(dates):
        found.day[rows], found.span[rows] = day(date), span(rules[date])
        if rules[date].ranked:
            state = snapshots.load_state(corpus, snapshot, date)
            ids = b"".join(bytes.fromhex(name[11:]) for name in documents.names[rows])
            found.rank[rows] = ranks(corpus, state.shards, rules[date]).of(
                np.frombuffer(ids, "S16")
            )
    return found


def decide(signatures: Signatures, standing: Standing) -> State:
    """Decide documents that are sorted by date and id; verdicts and witnesses are by row."""
    rules = {standing.rules[date] for date, _ in blocks(standing.dates)}
    plain = all(rule.scope == "all" and not rule.ranked for rule in rules)
    if plain and len(rules) <= 1:
        threshold = max((rule.threshold for rule in rules), default=1.0)
        return decide_all(Columns.of(signatures), threshold)
    order = np.argsort(standing.rank, kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    state = _settled(take(signatures, order), standing.among(order))
    witness = np.where(state.witness >= 0, order[state.witness], -1)
    return State(state.reason[number], witness[number], state.similarity[number])


def _settled(signatures: Signatures, standing: Standing) -> State:
    """Decide documents in order."""
    pairs = list(_pairs(signatures, standing))
    one, two, score, exact = (
        np.concatenate([np.empty(0, kind), *(pair[place] for _, pair in pairs)])
        for place, kind in enumerate((np.int64, np.int64, np.float32, np.bool_))
    )
    edge = score > 0
    size = len(signatures)
    links = sorted_links(size, one[edge], two[edge], similarity=score[edge], exact=exact[edge])
    ties = [
        Ties(one[score == 0], two[score == 0], need=needed(least))
        for least, (one, two, score, _) in pairs
        if (score == 0).any()
    ]
    groups, _ = bind(ties, np.zeros(size, np.bool_))
    bands = signatures.band_keys.view("<u8").reshape(-1, BANDS)
    state, every = State.blank(size), np.ones(size, np.bool_)
    settle(
        links,
        groups.signed(np.arange(size), signatures.minima, bands),
        state=state,
        nodes=Nodes.of(every, every, day=standing.day, span=standing.span),
    )
    return state


def _pairs(signatures: Signatures, standing: Standing) -> Iterator[tuple[float, list[Array]]]:
    """Yield the pairs of each two dumps in scope, the earlier in order first."""
    order = np.argsort(standing.dates, kind="stable")
    sides = [(date, _side(signatures, order[rows])) for date, rows in blocks(standing.dates[order])]
    for (one, left), (two, right) in combinations_with_replacement(sides, 2):
        rules = standing.rules[one], standing.rules[two]
        if not in_scope((one, rules[0]), (two, rules[1])):
            continue
        least = stricter(*rules)
        found = (
            match.within(*left, threshold=least)
            if one == two
            else match.between(left, right, threshold=least)
        )
        parts = list(found)
        if parts:
            ends = [
                np.concatenate([getattr(part, side) for part in parts])
                for side in ("earlier", "later")
            ]
            score, exact = (
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("similarity", "exact")
            )
            yield least, [np.minimum(*ends), np.maximum(*ends), score, exact]


def _side(signatures: Signatures, rows: Array) -> Side:
    """Return the keys of one dump's documents, and how to fetch them; ids are places in order."""
    some = take(signatures, rows)
    hashes = np.ascontiguousarray(some.content_hash).view("S16")[:, 0]
    bands = some.shingles, some.band_keys.view("<u8").reshape(-1, BANDS)
    keys = entries(rows, hashes, bands=bands, shard=0, owned=key_range(0, 1))

    def fetch(_: Array, wanted: Array) -> match.Signed:
        return match.Signed(
            rows[wanted], hashes[wanted], some.shingles[wanted], some.minima[wanted]
        )

    return Entries.join([keys]), fetch


def blocks(dates: Array) -> Iterator[tuple[str, slice]]:
    """Yield each of sorted dates with the rows that it has."""
    found, start = np.unique(dates, return_index=True)
    for date, begin, end in zip(found, start, np.append(start, len(dates))[1:], strict=True):
        yield str(date), slice(int(begin), int(end))
