"""Deciding documents of several nights at once, pair by pair, as their rules say.

Holds: `Standing`, `decide_apart`, `blocks`. Pure.
Not here: one rule without limits of scope (`at_once.py`), stored signatures (`audit/anew.py`),
nights as they come (`deciding.py`).

Without limits of scope nights of one threshold are compared as one: pairs of thresholds are few.
With limits each night is compared with those in its scope. Where they meet nights without limits,
these are compared night by night too, so that many of them take time by their square.

Next to the signatures, the keys of all documents are in memory: 294 bytes a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dedup import match
from pipeline.dedup.at_once import Columns
from pipeline.dedup.buckets import needed
from pipeline.dedup.entries import Entries, entries, key_range
from pipeline.dedup.groups import Ties, bind
from pipeline.dedup.settle import Nodes, State, settle, sorted_links
from pipeline.model.rule import Rule, in_scope, stricter

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


def decide_apart(columns: Columns, standing: Standing) -> State:
    """Decide documents that are in order of rank, date and id."""
    pairs = list(_pairs(columns, standing))
    one, two, score, exact = (
        np.concatenate([np.empty(0, kind), *(pair[place] for _, pair in pairs)])
        for place, kind in enumerate((np.int64, np.int64, np.float32, np.bool_))
    )
    edge = score > 0
    size = len(columns)
    links = sorted_links(size, one[edge], two[edge], similarity=score[edge], exact=exact[edge])
    ties = [
        Ties(one[score == 0], two[score == 0], need=needed(least))
        for least, (one, two, score, _) in pairs
        if (score == 0).any()
    ]
    groups, _ = bind(ties, np.zeros(size, np.bool_))
    state, every = State.blank(size), np.ones(size, np.bool_)
    settle(
        links,
        groups.signed(np.arange(size), columns.minima, columns.bands),
        state=state,
        nodes=Nodes.of(every, every, day=standing.day, span=standing.span),
    )
    return state


def _pairs(columns: Columns, standing: Standing) -> Iterator[tuple[float, list[Array]]]:
    """Yield the pairs of each two parts in scope, the earlier in order first."""
    sides = [(date, _side(columns, rows)) for date, rows in _parts(standing)]
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


def _parts(standing: Standing) -> Iterator[tuple[str, Array]]:
    """Yield rows that are compared as those of one dump, and a date that has their rule's limits.

    All copies act as their earliest one when nothing is out of scope, so it does not matter in
    which night a later one is (see `settle.py`).
    """
    dates, which = np.unique(standing.dates, return_inverse=True)
    rules = [standing.rules[str(date)] for date in dates]
    first = part = np.arange(len(dates))
    if unlimited(rules):
        thresholds = np.array([rule.threshold for rule in rules], np.float64)
        _, first, part = np.unique(thresholds, return_index=True, return_inverse=True)
    belongs = part[which]
    order = np.argsort(belongs, kind="stable")
    ends = np.cumsum(np.bincount(belongs, minlength=len(first)))
    for date, begin, end in zip(dates[first], np.append(0, ends)[:-1], ends, strict=True):
        yield str(date), order[begin:end]


def unlimited(rules: Iterable[Rule]) -> bool:
    """Say whether no rule limits which dumps are compared."""
    return all(rule.scope == "all" for rule in rules)


def _side(columns: Columns, rows: Array) -> Side:
    """Return the keys of one part's documents, and how to fetch them; ids are places in order."""
    hashes, bands = columns.hashes[rows], (columns.shingles[rows], columns.bands[rows])
    keys = entries(rows, hashes, bands=bands, shard=0, owned=key_range(0, 1))

    def fetch(_: Array, wanted: Array) -> match.Signed:
        some = rows[wanted]
        return match.Signed(
            some, columns.hashes[some], columns.shingles[some], columns.minima[some]
        )

    return Entries.join([keys]), fetch


def blocks(dates: Array) -> Iterator[tuple[str, slice]]:
    """Yield each of sorted dates with the rows that it has."""
    found, start = np.unique(dates, return_index=True)
    for date, begin, end in zip(found, start, np.append(start, len(dates))[1:], strict=True):
        yield str(date), slice(int(begin), int(end))
