"""Deciding any number of documents at once, as if they were one dump.

Holds: `decide_all`, and `Columns`, what it decides about. Pure.
Not here: reading and signing documents (`standalone.py`), nights (`deciding.py`).

The same cores as a night: buckets, verified edges, the verdict rule. Keys are worked through band
by band, for keys of different bands never meet. So one band's keys are in memory at a time, next
to the signatures: 308 bytes a document and some 40 more while a band is sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.dedup.buckets import needed
from pipeline.dedup.entries import Entries, exact_keys, first_copies
from pipeline.dedup.groups import Ties, bind
from pipeline.dedup.match import Found, Signed, within
from pipeline.dedup.settle import Nodes, State, settle, sorted_links
from pipeline.model.schemas import BANDS
from pipeline.signature import Signatures

Array = npt.NDArray[Any]

STEPS: Final = BANDS + 1
"""Steps that `decide_all` reports: the content hashes, and each band."""

_HELD: Final = 1 << 22
"""Edges held before those that several bands found are made one."""

_CHUNK: Final = 1 << 17
"""Entries whose signatures are compared at a time: about 20 MB."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of n documents, in order-key order."""

    hashes: Array
    """(n,) 16 bytes each."""
    bands: npt.NDArray[np.uint64]
    """(n, 20)."""
    minima: npt.NDArray[np.uint8]
    """(n, 128)."""
    shingles: npt.NDArray[np.int32]

    @staticmethod
    def of(signed: Signatures) -> Columns:
        """Look at the signatures of documents that are in order already."""
        hashes = np.ascontiguousarray(signed.content_hash).view("S16")[:, 0]
        bands = np.ascontiguousarray(signed.band_keys).view("<u8").reshape(-1, BANDS)
        return Columns(hashes, bands, signed.minima, signed.shingles)

    def __len__(self) -> int:
        return len(self.shingles)


def decide_all(
    columns: Columns, threshold: float, *, done: Callable[[], None] = lambda: None
) -> State:
    """Settle all documents at once. Calls `done` after each of `STEPS` steps."""
    size = len(columns)
    ranks = np.arange(size)

    def fetch(_: Array, rows: Array) -> Signed:
        return Signed(rows, columns.hashes[rows], columns.shingles[rows], columns.minima[rows])

    match = partial(within, fetch=fetch, threshold=threshold, chunk=_CHUNK)
    edges = _Edges()
    edges.add(match(_entries(exact_keys(columns.hashes), ranks)))
    done()
    able = np.flatnonzero(first_copies(ranks, columns.hashes) & (columns.shingles > 0))
    for band in range(BANDS):
        edges.add(match(_entries(columns.bands[able, band], able)))
        done()
    earlier, later, score, exact = edges.unique()
    near = score > 0
    links = sorted_links(
        size, earlier[near], later[near], similarity=score[near], exact=exact[near]
    )
    ties = [Ties(earlier[~near], later[~near], need=needed(threshold))]
    groups, _ = bind(ties, np.zeros(size, np.bool_))
    state = State.blank(size)
    signed = groups.signed(ranks, columns.minima, columns.bands)
    settle(links, signed, state=state, nodes=Nodes.fresh(size))
    return state


def _entries(keys: npt.NDArray[np.uint64], rows: Array) -> Entries:
    """Sort keys of documents, which are given in order, and their rows."""
    order = np.argsort(keys, kind="stable")
    return Entries(keys[order], np.zeros(len(keys), np.uint16), rows[order].astype(np.uint32))


class _Edges:
    """Edges as they are found; those held are its mutable state."""

    def __init__(self) -> None:
        self._parts: list[tuple[Array, Array, Array]] = []
        self._rows = 0

    def add(self, found: Iterable[Found]) -> None:
        """Hold the edges of some buckets."""
        for part in found:
            pairs = part.earlier.astype(np.uint64) << np.uint64(32) | part.later.astype(np.uint64)
            self._parts.append((pairs, part.similarity, part.exact))
            self._rows += len(pairs)
            if self._rows > _HELD:
                self._merge()

    def unique(self) -> tuple[Array, Array, Array, Array]:
        """Return earlier and later documents, similarities and exactness, each edge once."""
        self._merge()
        pairs, score, exact = self._parts[0]
        earlier = (pairs >> np.uint64(32)).astype(np.int64)
        return earlier, (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64), score, exact

    def _merge(self) -> None:
        """Keep one of each pair, and beside it one tie: the same pair has the same similarity."""
        empty = (np.empty(0, np.uint64), np.empty(0, np.float32), np.empty(0, np.bool_))
        columns = zip(empty, *self._parts, strict=True)
        pairs, score, exact = (np.concatenate(column) for column in columns)
        order = np.lexsort((score > 0, pairs))
        pairs, score, exact = pairs[order], score[order], exact[order]
        near = score > 0
        fresh = (pairs[1:] != pairs[:-1]) | (near[1:] != near[:-1])
        keep = np.append(True, fresh)[: len(pairs)]
        self._parts = [(pairs[keep], score[keep], exact[keep])]
        self._rows = int(np.count_nonzero(keep)) // 2
