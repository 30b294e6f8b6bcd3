"""From buckets of equal keys to verified edges, compiled.

Holds: `verified`, which walks buckets, and `Edges`, what it finds. Pure.
Not here: which documents share a key (`match.py`), files (`matching.py`).

Inside a bucket, copies (equal content hash) of one dump stand behind the earliest of them: an exact
edge leads from it to each other copy, and it alone is compared with documents of other content. So
20,000 exact copies cost 20,000 edges. Pairs are verified where they are found and only edges are
ever held; unequal documents of one bucket cost a comparison a pair (about 10 ns), more if near.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.model.schemas import PERMUTATIONS
from pipeline.signature import SIMILARITY
from pipeline.signature.compiled import jit

Array = npt.NDArray[Any]

ROOM: Final = 1 << 21
"""Edges found before duplicates among them are removed."""

_EXACT: Final = 255
"""Marks an exact edge where near ones have their number of equal minima."""


@dataclass(frozen=True, slots=True)
class Members:
    """The documents of some buckets, in order-key order.

    Those before `split` belong to the earlier dump. `split` 0: all belong to one.
    """

    label: npt.NDArray[np.int32]
    """Equal for documents of equal content hash."""
    shingles: npt.NDArray[np.int32]
    minima: npt.NDArray[np.uint8]
    split: int


@dataclass(frozen=True, slots=True)
class Edges:
    """Verified pairs of members, `earlier` < `later`, sorted and unique."""

    earlier: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    exact: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.earlier)


def needed(threshold: float) -> int:
    """Return the least number of equal minima whose similarity reaches the threshold."""
    return int(np.searchsorted(SIMILARITY, np.float32(threshold)))


def verified(
    members: Members, buckets: Array, *, documents: Array, threshold: float, room: int = ROOM
) -> Iterator[tuple[Edges, int]]:
    """Yield the edges inside buckets in parts of bounded size, with the comparisons they took.

    Args:
        members: the documents.
        buckets: where each bucket begins in `documents`, and where the last ends.
        documents: members by bucket, ascending in each.
        threshold: the least similarity of a near edge.
        room: the size of a part; parts may repeat each other's edges.
    """
    longest = int(np.max(np.diff(buckets), initial=0))
    out = np.empty((max(room, longest + 1), 2), np.uint32)
    counts = np.empty(len(out), np.uint8)
    labels = int(members.label.max(initial=-1)) + 1
    stamps = (np.full((2, labels), -1, np.int64), np.zeros(labels, np.int64))
    leaders = np.empty(longest, np.int64)
    state = np.zeros(5, np.int64)
    facts = (members.label, members.shingles, members.minima)
    while state[0] < len(buckets) - 1:
        state[3:] = 0
        _walk(
            (buckets, documents),
            facts,
            (members.split, needed(threshold)),
            (stamps[0], stamps[1], leaders, state),
            (out, counts),
        )
        yield _unique(out[: state[3]], counts[: state[3]]), int(state[4])


@jit
def _walk(
    lists: tuple[Array, Array],
    facts: tuple[Array, Array, Array],
    limits: tuple[int, int],
    memory: tuple[Array, Array, Array, Array],
    out: tuple[Array, Array],
) -> None:
    """Go on from `state` (bucket, place in it, leaders, edges, comparisons) until `out` is full."""
    buckets, documents = lists
    label = facts[0]
    split = limits[0]
    stamp, first, leaders, state = memory
    while state[0] < buckets.shape[0] - 1:
        bucket = state[0]
        begin, end = buckets[bucket], buckets[bucket + 1]
        while begin + state[1] < end:
            if state[3] + state[2] + 1 > out[0].shape[0]:
                return
            document = documents[begin + state[1]]
            own = label[document]
            side = 1 if document >= split else 0
            state[1] += 1
            if stamp[side, own] == bucket:
                if split == 0:
                    _emit(first[own], document, _EXACT, out, state)
                continue
            stamp[side, own] = bucket
            first[own] = document
            if side == 1:
                _compare(document, facts, limits[1], leaders, (out, state))
            if side == 0 or split == 0:
                leaders[state[2]] = document
                state[2] += 1
        state[0] += 1
        state[1] = 0
        state[2] = 0


@jit
def _compare(
    document: int,
    facts: tuple[Array, Array, Array],
    need: int,
    leaders: Array,
    found: tuple[Any, Any],
) -> None:
    """Emit the edges between a document and the leaders before it."""
    label, shingles, minima = facts
    out, state = found
    for place in range(state[2]):
        leader = leaders[place]
        if label[leader] == label[document]:
            _emit(leader, document, _EXACT, out, state)
        elif shingles[leader] > 0 and shingles[document] > 0:
            equal = np.int32(0)
            one, two = minima[leader], minima[document]
            for at in range(PERMUTATIONS):
                equal += np.int32(one[at] == two[at])
            state[4] += 1
            if equal >= need:
                _emit(leader, document, equal, out, state)


@jit
def _emit(earlier: int, later: int, count: Any, out: tuple[Array, Array], state: Array) -> None:
    at = state[3]
    out[0][at, 0] = earlier
    out[0][at, 1] = later
    out[1][at] = count
    state[3] = at + 1


def _unique(pairs: Array, counts: Array) -> Edges:
    packed = pairs[:, 0].astype(np.uint64) << np.uint64(32) | pairs[:, 1]
    order = np.argsort(packed, kind="stable")
    packed, counts = packed[order], counts[order]
    keep = np.append(True, packed[1:] != packed[:-1])[: len(packed)]
    packed, counts = packed[keep], counts[keep]
    exact = counts == _EXACT
    return Edges(
        (packed >> np.uint64(32)).astype(np.int64),
        (packed & np.uint64(0xFFFFFFFF)).astype(np.int64),
        SIMILARITY[np.where(exact, PERMUTATIONS, counts)],
        exact,
    )
