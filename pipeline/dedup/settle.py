"""The rule that decides verdicts: the lexicographically first maximal independent set.

Holds: `settle`, `State`, `sorted_links`. Pure, compiled. Not here: which documents (`deciding.py`).

Nodes are documents in order-key order. A document with an earlier exact copy follows the earliest
one: it has it as witness if it is kept, and shares its verdict if it is dropped. Any other document
is kept unless an earlier *kept* neighbour exists; its witness is the most similar such neighbour,
the earliest of equals.

That is the same as deciding over classes of equal content hash, each acting as its earliest member:
copies have equal signatures, so they have the same neighbours, and the earliest copy of each dump
has a near edge wherever another member of its class has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import jit

Array = npt.NDArray[Any]

UNIQUE: Final = 0
EXACT: Final = 1
NEAR: Final = 2
REASONS: Final = ("unique", "exact", "near")
NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class State:
    """One verdict a node. `settle` changes the arrays in place; `reason` 0 means kept."""

    reason: npt.NDArray[np.int8]
    witness: npt.NDArray[np.int64]
    """Number of the witness, -1 for kept documents. Numbers beyond the nodes are allowed."""
    similarity: npt.NDArray[np.float32]
    """0 for kept documents."""

    @staticmethod
    def blank(size: int) -> State:
        """Return verdicts of documents about which nothing is known: all kept."""
        return State(
            np.zeros(size, np.int8), np.full(size, NOBODY, np.int64), np.zeros(size, np.float32)
        )


@dataclass(frozen=True, slots=True)
class Links:
    """Edges by later node: those of node v are at `start[v]:start[v + 1]`."""

    start: npt.NDArray[np.int64]
    earlier: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]
    exact: npt.NDArray[np.bool_]


def sorted_links(
    nodes: int, earlier: Array, later: Array, *, similarity: Array, exact: Array
) -> Links:
    """Index edges by their later node; edges may be repeated and come in any order."""
    order = np.argsort(later, kind="stable")
    start = np.searchsorted(later[order], np.arange(nodes + 1)).astype(np.int64)
    return Links(
        start,
        earlier[order].astype(np.int64),
        similarity[order].astype(np.float32),
        exact[order].astype(np.bool_),
    )


def settle(links: Links, state: State, *, first: int, dirty: Array, changed: Array) -> None:
    """Decide again every node from `first` on that is dirty or has a changed earlier neighbour.

    Nodes before `first` are fixed. `dirty` and `changed` are marks a node; `changed` is filled in.
    """
    edges = (links.start, links.earlier, links.similarity, links.exact)
    _settle(edges, (state.reason, state.witness, state.similarity), first, (dirty, changed))


@jit
def _settle(
    edges: tuple[Array, Array, Array, Array],
    state: tuple[Array, Array, Array],
    first: int,
    marks: tuple[Array, Array],
) -> None:
    start, earlier = edges[0], edges[1]
    reason, witness, similarity = state
    dirty, changed = marks
    for node in range(first, start.shape[0] - 1):
        again = dirty[node]
        for place in range(start[node], start[node + 1]):
            again = again or changed[earlier[place]]
        if not again:
            continue
        verdict, who, how = _verdict(node, edges, state)
        if verdict != reason[node] or who != witness[node] or how != similarity[node]:
            changed[node] = True
        reason[node], witness[node], similarity[node] = verdict, who, how


@jit
def _verdict(
    node: int, edges: tuple[Array, Array, Array, Array], state: tuple[Array, Array, Array]
) -> tuple[int, int, Any]:
    start, earlier, likeness, exact = edges
    reason, witness, similarity = state
    copy, best, most = -1, -1, np.float32(0)
    for place in range(start[node], start[node + 1]):
        other = earlier[place]
        if exact[place]:
            copy = other if copy < 0 or other < copy else copy
        elif reason[other] == 0:
            like = likeness[place]
            if best < 0 or like > most or (like == most and other < best):
                best, most = other, like
    if copy >= 0:
        if reason[copy] == 0:
            return 1, copy, np.float32(1)
        return reason[copy], witness[copy], similarity[copy]
    if best >= 0:
        return 2, best, most
    return 0, -1, np.float32(0)
