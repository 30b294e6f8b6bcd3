"""How often phrases of several kinds stand in texts, in one pass over the bytes of a batch.

Holds: `Phrases`. Not here: which phrases (`forms.py`, `translation.py`).

An automaton (Aho and Corasick, 1975) reads each byte once, however many phrases there are. A
phrase is given in small letters and is found in small letters, in capitals, and with a capital at
its beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.utf8 import Bytes, Offsets, buffers
from pipeline.signature.compiled import i64, jit

Counts: TypeAlias = NDArray[np.int64]
Moves: TypeAlias = NDArray[np.int32]
Lengths: TypeAlias = NDArray[np.int16]


class Phrases:
    """An automaton for kinds of phrases. Immutable once made."""

    def __init__(self, *kinds: Sequence[str]) -> None:
        """Build it; phrases of one kind that overlap in a text count once."""
        written = [(form, kind) for kind, some in enumerate(kinds) for form in _forms(some)]
        self._classes = _classes(form for form, _ in written)
        children: list[dict[int, int]] = [{}]
        lengths: list[list[int]] = [[0] * len(kinds)]
        for form, kind in written:
            node = 0
            for byte in form:
                step = int(self._classes[byte])
                if step not in children[node]:
                    children[node][step] = len(children)
                    children.append({})
                    lengths.append([0] * len(kinds))
                node = children[node][step]
            lengths[node][kind] = len(form)
        self._moves, self._lengths = _joined(children, lengths, int(self._classes.max()) + 1)
        self._ends: NDArray[np.bool_] = np.asarray(self._lengths.max(axis=1) > 0)

    def count(self, texts: pa.StringArray) -> Counts:
        """Return how often phrases of each kind stand in each text: (texts, kinds)."""
        automaton = self._moves, self._ends, self._lengths
        return _count(*buffers(texts), self._classes, automaton)


def _forms(phrases: Sequence[str]) -> list[bytes]:
    """Return the ways in which phrases are written; ASCII capitals are the automaton's business."""
    ways = {way for one in phrases for way in (one, one.upper(), one[:1].upper() + one[1:])}
    return sorted({way.encode().lower() for way in ways})


def _classes(forms: Iterable[bytes]) -> Bytes:
    """Number the bytes that occur; all others are 0, and capitals of ASCII are small letters."""
    used = sorted({byte for form in forms for byte in form})
    classes = np.zeros(256, np.uint8)
    classes[used] = np.arange(1, len(used) + 1)
    classes[ord("A") : ord("Z") + 1] = classes[ord("a") : ord("z") + 1]
    return classes


def _joined(
    children: list[dict[int, int]], lengths: list[list[int]], width: int
) -> tuple[Moves, Lengths]:
    """Return for each node where each class leads, and the longest phrase that ends, by kind."""
    moves = np.zeros((len(children), width), np.int32)
    ends = np.array(lengths, np.int16)
    back = [0] * len(children)
    queue = deque([0])
    while queue:
        node = queue.popleft()
        if node:
            moves[node] = moves[back[node]]
            ends[node] = np.maximum(ends[node], ends[back[node]])
        for step, child in children[node].items():
            back[child] = int(moves[node, step]) if node else 0
            moves[node, step] = child
            queue.append(child)
    return moves, ends


@jit
def _count(
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    automaton: tuple[Moves, NDArray[np.bool_], Lengths],
) -> Counts:
    moves, ends, lengths = automaton
    kinds = lengths.shape[1]
    found = np.zeros((len(offsets) - 1, kinds), np.int64)
    free = np.empty(kinds, np.int64)
    for text in range(len(offsets) - 1):
        node = i64(0)
        free[:] = offsets[text]
        for place in range(offsets[text], offsets[text + 1]):
            node = i64(moves[node, classes[data[place]]])
            if not ends[node]:
                continue
            for kind in range(kinds):
                length = lengths[node, kind]
                if length and place + 1 - length >= free[kind]:
                    found[text, kind] += 1
                    free[kind] = place + 1
    return found
