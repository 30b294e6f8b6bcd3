"""Which documents stand inside others: judged by the samples that they share, compiled.

Holds: `Tally`, `Containers`. Pure. Not here: where samples come from (`published.py`).

MinHash cannot see a story inside a page of twice its length: their Jaccard similarity is at most
one half. A sample can. Every shingle of the story is one of the page, so every sampled one is; and
the share of the story's samples that the page has estimates the share of its shingles.

A shingle that more than `HOT` published documents have is boilerplate and no evidence: it counts
neither as shared nor as missing. So each shingle meets at most `HOT` documents, and the work is
linear in the samples.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import jit

Array = npt.NDArray[Any]

HOT: Final = 32
"""Most documents that share a shingle which is still evidence."""

EVIDENCE: Final = 8
"""Fewest samples by which a document is judged: some 70 words."""

MARGIN: Final = 0.2
"""How far below the threshold the lower end of the 95 % interval may lie."""

HELD_PAIRS: Final = 1 << 22
"""Pairs in memory at a time: 67 MB, and some three times as much while they are joined."""

_Z2: Final = 1.645**2

_Pairs = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]
"""(smaller document, larger document) as one number each, sorted; samples that they share."""

_NO_PAIRS: Final[_Pairs] = (np.empty(0, np.uint64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Containers:
    """Documents (ascending), each with the one that contains it most, and how much of it."""

    document: npt.NDArray[np.int64]
    container: npt.NDArray[np.int64]
    share: npt.NDArray[np.float32]


class Tally:
    """Counts shared samples over slices of the keys; the counts so far are its mutable state.

    Pairs beyond `held` go to disk, sorted, and are judged a range of documents at a time.
    """

    def __init__(self, words: Array, *, held: int = HELD_PAIRS) -> None:
        """Begin with the words of every document: a container has more of them."""
        self._words = words
        self._evidence = np.zeros(len(words), np.int64)
        self._samples = np.zeros(len(words), np.int64)
        self._pairs, self._shared = _NO_PAIRS
        self._spilled: list[_Pairs] = []
        self._held = held

    def add(self, keys: Array, documents: Array) -> None:
        """Count a slice: all samples of the published documents whose keys are in it."""
        order = np.argsort(keys)  # in which order documents of one key come does not matter
        keys, documents = keys[order], documents[order].astype(np.uint32)
        size = _measure(keys)
        pairs = np.empty(size, np.uint64)
        _meet(keys, documents, self._words, (self._samples, self._evidence), pairs)
        pairs.sort()
        edge = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)])
        counted = pairs[edge], np.diff(np.append(edge, len(pairs)))
        self._pairs, self._shared = _joined([(self._pairs, self._shared), counted])
        if len(self._pairs) > self._held:
            self._spill()

    def containers(self, threshold: float) -> Containers:
        """Return who is contained by at least `threshold`; ties go to the first container."""
        runs = [*self._spilled, (self._pairs, self._shared)]
        parts = [self._judged(*_joined(part), threshold) for part in _ranges(runs, self._held)]
        columns = zip(*((one.document, one.container, one.share) for one in parts), strict=True)
        return Containers(*(np.concatenate(column) for column in columns))

    def _judged(self, pairs: Array, shared: Array, threshold: float) -> Containers:
        inner = (pairs >> np.uint64(32)).astype(np.int64)
        outer = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
        evidence = self._evidence[inner]
        share = shared / np.maximum(evidence, 1)
        sound = (evidence >= EVIDENCE) & (2 * evidence >= self._samples[inner])
        sound &= (share >= threshold) & (_least(share, evidence) >= threshold - MARGIN)
        inner, outer, share = inner[sound], outer[sound], share[sound]
        order = np.lexsort((outer, -share, inner))
        best = order[np.append(True, inner[order][1:] != inner[order][:-1])[: len(order)]]
        return Containers(inner[best], outer[best], share[best].astype(np.float32))

    def _spill(self) -> None:
        """Move the counts so far to disk."""
        self._spilled.append((_mapped(self._pairs), _mapped(self._shared)))
        self._pairs, self._shared = _NO_PAIRS


def _mapped(column: Array) -> Array:
    """Write numbers into a temporary file, which goes with the array that is returned."""
    with tempfile.TemporaryFile() as file:
        column.tofile(file)
        return np.memmap(file, column.dtype, mode="r")


def _joined(runs: Sequence[_Pairs]) -> _Pairs:
    """Add up sorted runs of pairs with their counts."""
    every, shared = (np.concatenate(column) for column in zip(*runs, strict=True))
    order = np.argsort(every, kind="stable")
    every, shared = every[order], shared[order]
    first = np.flatnonzero(np.append(True, every[1:] != every[:-1])[: len(every)])
    return every[first], np.add.reduceat(shared, first) if len(first) else shared


def _ranges(runs: Sequence[_Pairs], held: int) -> Iterator[list[_Pairs]]:
    """Cut runs by their smaller document into parts of about `held` pairs; there is one at least.

    All pairs of a smaller document are in one part.
    """
    step = max(1, held // 64)
    marks = np.sort(np.concatenate([pairs[::step] for pairs, _ in runs]))
    bounds = np.unique(marks[64::64] >> np.uint64(32) << np.uint64(32))
    cuts = [
        np.append(np.append(0, np.searchsorted(pairs, bounds)), len(pairs)) for pairs, _ in runs
    ]
    for part in range(len(bounds) + 1):
        yield [
            (pairs[cut[part] : cut[part + 1]], shared[cut[part] : cut[part + 1]])
            for (pairs, shared), cut in zip(runs, cuts, strict=True)
        ]


def _least(share: Array, count: Array) -> Array:
    """Return the lower end of the one-sided 95 % Wilson interval of a share of `count` samples."""
    count = np.maximum(count, 1)
    middle = share + _Z2 / (2 * count)
    width = np.sqrt(_Z2 * (share * (1 - share) + _Z2 / (4 * count)) / count)
    return np.asarray((middle - width) / (1 + _Z2 / count))


@jit
def _measure(keys: Array) -> int:
    """Count the pairs that `_meet` will find."""
    pairs, begin = 0, 0
    for end in range(1, keys.shape[0] + 1):
        if end == keys.shape[0] or keys[end] != keys[begin]:
            size = end - begin
            if size <= HOT:
                pairs += size * (size - 1) // 2
            begin = end
    return pairs


@jit
def _meet(
    keys: Array, documents: Array, words: Array, counts: tuple[Array, Array], pairs: Array
) -> None:
    """Fill `pairs` with (smaller document, larger document) of each key, sorted keys given.

    Of two with equally many words the later is the smaller.
    """
    samples, evidence = counts
    found, begin = 0, 0
    for end in range(1, keys.shape[0] + 1):
        if end < keys.shape[0] and keys[end] == keys[begin]:
            continue
        cold = end - begin <= HOT
        for at in range(begin, end):
            one = documents[at]
            samples[one] += 1
            if not cold:
                continue
            evidence[one] += 1
            for before in range(begin, at):
                two = documents[before]
                smaller = words[one] < words[two] or (words[one] == words[two] and one > two)
                inner, outer = (one, two) if smaller else (two, one)
                pairs[found] = (np.uint64(inner) << np.uint64(32)) | np.uint64(outer)
                found += 1
        begin = end
