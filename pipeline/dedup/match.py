"""Candidates of one key range, verified: the pure core of matching.

Holds: `within`, `between`. Reads signatures only through the function it is given.
Not here: files and manifests (`matching.py`), comparing (`buckets.py`).

Edges between two dumps are a function of these two dumps' signatures alone, whatever else is live,
whichever was processed first, and however the key space is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.dedup.buckets import Edges, Members, verified
from pipeline.dedup.entries import Entries
from pipeline.dedup.sorting import common

Array = npt.NDArray[Any]

CHUNK: Final = 1 << 19
"""Entries whose signatures are in memory at a time (a bucket is never cut): about 90 MB."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Signatures of some documents, in the order in which they were asked for."""

    ids: Array
    """(n,) 16 bytes each."""
    hashes: Array
    """(n,) 16 bytes each."""
    shingles: npt.NDArray[np.int32]
    minima: npt.NDArray[np.uint8]


Fetch = Callable[[Array, Array], Signed]
"""Returns the signatures at (shards, rows), which are sorted and unique."""


@dataclass(frozen=True, slots=True)
class Found:
    """Edges by document id (16 bytes each), and how many comparisons they took."""

    earlier: Array
    later: Array
    similarity: npt.NDArray[np.float32]
    exact: npt.NDArray[np.bool_]
    compared: int


def within(new: Entries, fetch: Fetch, *, threshold: float, chunk: int = CHUNK) -> Iterator[Found]:
    """Yield the edges inside one dump, part by part; parts may repeat an edge."""
    repeated = np.zeros(len(new), np.bool_)
    same = new.key[1:] == new.key[:-1]
    repeated[1:] |= same
    repeated[:-1] |= same
    shared = new.take(repeated)
    for part in _chunks(shared.key, chunk):
        signed, documents = _load(shared.take(part), fetch)
        yield from _edges(signed, documents, keys=shared.key[part], split=0, threshold=threshold)


def between(
    earlier: tuple[Entries, Fetch],
    later: tuple[Entries, Fetch],
    *,
    threshold: float,
    chunk: int = CHUNK,
) -> Iterator[Found]:
    """Yield the edges from documents of an earlier dump to those of a later one."""
    one, two = earlier[0], later[0]
    shared = common(one.key, two.key)
    one, two = one.take(shared[0]), two.take(shared[1])
    keys = np.sort(np.concatenate([one.key, two.key]))
    for part in _chunks(keys, chunk):
        low, high = keys[part.start], keys[part.stop - 1]
        left, right = _span(one, low, high), _span(two, low, high)
        signed, documents = _load(left, earlier[1])
        others, more = _load(right, later[1])
        joined = Signed(
            *(
                np.concatenate([getattr(signed, name), getattr(others, name)])
                for name in ("ids", "hashes", "shingles", "minima")
            )
        )
        yield from _edges(
            joined,
            np.concatenate([documents, more + len(signed.ids)]),
            keys=np.concatenate([left.key, right.key]),
            split=len(signed.ids),
            threshold=threshold,
        )


def _edges(
    signed: Signed, documents: Array, *, keys: Array, split: int, threshold: float
) -> Iterator[Found]:
    """Verify the buckets of one chunk. `documents` are indices into `signed`, a key each."""
    _, label = np.unique(signed.hashes, return_inverse=True)
    members = Members(label.astype(np.int32), signed.shingles, signed.minima, split)
    order = np.lexsort((documents, keys))
    ordered = keys[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    buckets = np.append(starts, len(ordered)).astype(np.int64)
    parts = verified(
        members, buckets, documents=documents[order].astype(np.int64), threshold=threshold
    )
    for edges, compared in parts:
        yield _name(edges, signed.ids, compared)


def _name(edges: Edges, ids: Array, compared: int) -> Found:
    earlier, later = ids[edges.earlier], ids[edges.later]
    return Found(earlier, later, edges.similarity, edges.exact, compared)


def _load(wanted: Entries, fetch: Fetch) -> tuple[Signed, Array]:
    """Fetch the entries' signatures, sorted by id; return them and each entry's place in them."""
    place = wanted.shard.astype(np.uint64) << np.uint64(32) | wanted.row
    unique, inverse = np.unique(place, return_inverse=True)
    shards = (unique >> np.uint64(32)).astype(np.int64)
    signed = fetch(shards, (unique & np.uint64(0xFFFFFFFF)).astype(np.int64))
    order = np.argsort(signed.ids, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    by_id = Signed(
        signed.ids[order], signed.hashes[order], signed.shingles[order], signed.minima[order]
    )
    return by_id, rank[inverse]


def _chunks(keys: Array, size: int) -> Iterator[slice]:
    """Cut sorted keys into slices of about `size`, never inside a run of equal keys."""
    at = 0
    while at < len(keys):
        last = keys[min(at + size, len(keys)) - 1]
        end = int(np.searchsorted(keys, last, side="right"))
        yield slice(at, end)
        at = end


def _span(entries: Entries, low: Any, high: Any) -> Entries:
    begin = np.searchsorted(entries.key, low)
    return entries.take(slice(begin, np.searchsorted(entries.key, high, side="right")))
