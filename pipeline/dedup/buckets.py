"""From buckets of equal keys to verified edges, compiled.

Holds: `verified`, which walks buckets, and `Edges`, what it finds. Pure.
Not here: which documents share a key (`match.py`), files (`matching.py`).

Inside a bucket, copies (equal content hash) of one dump stand behind the earliest of them: an exact
edge leads from it to each other copy, and it alone is compared with documents of other content. So
20,000 exact copies cost 20,000 edges. Other documents of a bucket cost a comparison a pair.

In a hot bucket (one boilerplate page, many variants) no pair is compared here. Ties, edges of
similarity 0, bind its documents into a group: inside a dump, the first to each other; between two,
the first of each to all of the other. `settle.py` compares each of a group with the kept ones
before it, which are few, and counts those that share a key. So a hot bucket costs what it holds,
and every verdict is that of all verified pairs.
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

HOT: Final = 64
"""Buckets in which more than HOT**2 pairs would meet are tied together, not compared."""

_EXACT: Final = 255
"""Marks an exact edge where near ones have their number of equal minima."""

_TIE: Final = 0
"""Marks a tie: its similarity is 0, which no edge has."""


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
    """Verified pairs and ties of members, `earlier` < `later`, sorted, each once."""

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
    room = max(room, 2 * longest + HOT * HOT)
    out = (np.empty((room, 2), np.uint32), np.empty(room, np.uint8))
    labels = int(members.label.max(initial=-1)) + 1
    memory = (np.full((2, labels), -1, np.int64), np.zeros(labels, np.int64))
    leaders = np.empty((2, longest), np.int64)
    state = np.zeros(3, np.int64)
    facts = (members.label, members.shingles, members.minima)
    while state[0] < len(buckets) - 1:
        state[1:] = 0
        limits = (members.split, needed(threshold))
        _walk((buckets, documents), facts, limits, (*memory, leaders, state), out)
        yield _unique(out[0][: state[1]], out[1][: state[1]]), int(state[2])


@jit
def _walk(
    lists: tuple[Array, Array],
    facts: tuple[Array, Array, Array],
    limits: tuple[int, int],
    memory: tuple[Array, Array, Array, Array],
    out: tuple[Array, Array],
) -> None:
    """Go on from `state` (bucket, edges, comparisons) until `out` may not hold one bucket more."""
    buckets = lists[0]
    leaders, state = memory[2], memory[3]
    while state[0] < buckets.shape[0] - 1:
        size = buckets[state[0] + 1] - buckets[state[0]]
        if state[1] + 2 * size + HOT * HOT > out[0].shape[0]:
            return
        left, right = _collapse(lists, facts[0], limits[0], memory, out)
        _meet(leaders[0, :left], leaders[1, :right], facts, limits, (out, state))
        state[0] += 1


@jit
def _meet(
    one: Array, two: Array, facts: tuple[Array, Array, Array], limits: tuple[int, int], found: Any
) -> None:
    """Tie or compare the first copies of a bucket: `two` with `one`, or among themselves."""
    out, state = found
    left, right = one.shape[0], two.shape[0]
    inside = limits[0] == 0
    pairs = right * (right - 1) // 2 if inside else left * right
    if pairs <= HOT * HOT:
        for place in range(right):
            before = two[:place] if inside else one
            _compare(two[place], before, facts, limits[1], found)
        return
    for place in range(1 if inside else 0, right):
        _emit(two[0] if inside else one[0], two[place], _TIE, out, state)
    for place in range(1, left):
        _emit(one[place], two[0], _TIE, out, state)


@jit
def _collapse(
    lists: tuple[Array, Array],
    label: Array,
    split: int,
    memory: tuple[Array, Array, Array, Array],
    out: tuple[Array, Array],
) -> tuple[int, int]:
    """List the first copies of a bucket by side; inside one dump, emit edges to the others."""
    buckets, documents = lists
    stamp, first, leaders, state = memory
    bucket = state[0]
    left, right = 0, 0
    for place in range(buckets[bucket], buckets[bucket + 1]):
        document = documents[place]
        own = label[document]
        side = 1 if document >= split else 0
        if stamp[side, own] == bucket:
            if split == 0:
                _emit(first[own], document, _EXACT, out, state)
            continue
        stamp[side, own] = bucket
        first[own] = document
        if side == 1:
            leaders[1, right] = document
            right += 1
        else:
            leaders[0, left] = document
            left += 1
    return left, right


@jit
def _compare(
    document: int, leaders: Array, facts: tuple[Array, Array, Array], need: int, found: Any
) -> None:
    """Emit the edges between a document and the leaders before it."""
    label, shingles, minima = facts
    out, state = found
    for place in range(leaders.shape[0]):
        leader = leaders[place]
        if label[leader] == label[document]:
            _emit(leader, document, _EXACT, out, state)
        elif shingles[leader] > 0 and shingles[document] > 0:
            state[2] += 1
            equal = agreement(minima[leader], minima[document])
            if equal >= need:
                _emit(leader, document, equal, out, state)


@jit
def agreement(one: Array, two: Array) -> Any:
    """Count the equal minima of two documents."""
    equal = np.int32(0)
    for at in range(PERMUTATIONS):
        equal += np.int32(one[at] == two[at])
    return equal


@jit
def _emit(earlier: int, later: int, count: Any, out: tuple[Array, Array], state: Array) -> None:
    at = state[1]
    out[0][at, 0] = earlier
    out[0][at, 1] = later
    out[1][at] = count
    state[1] = at + 1


def _unique(pairs: Array, counts: Array) -> Edges:
    packed = pairs[:, 0].astype(np.uint64) << np.uint64(32) | pairs[:, 1]
    order = np.lexsort((counts, packed))
    packed, counts = packed[order], counts[order]
    fresh = (packed[1:] != packed[:-1]) | (counts[1:] != counts[:-1])
    keep = np.append(True, fresh)[: len(packed)]
    packed, counts = packed[keep], counts[keep]
    exact = counts == _EXACT
    return Edges(
        (packed >> np.uint64(32)).astype(np.int64),
        (packed & np.uint64(0xFFFFFFFF)).astype(np.int64),
        SIMILARITY[np.where(exact, PERMUTATIONS, counts)],
        exact,
    )
