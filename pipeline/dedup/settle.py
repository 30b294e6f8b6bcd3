"""The rule that decides verdicts: the lexicographically first maximal independent set.

Holds: `settle`, `State`, `sorted_links`. Pure, compiled. Not here: which documents (`deciding.py`).

Nodes are documents in order-key order. A document with an earlier exact copy follows the earliest
one: it has it as witness if it is kept, and shares its verdict if it is dropped. Any other document
is kept unless an earlier *kept* neighbour exists; its witness is the most similar such neighbour,
the earliest of equals. Neighbours are those linked by an edge, and the members of a group (see
`groups.py`) that turn out to be similar.

That is the same as deciding over classes of equal content hash, each acting as its earliest member:
copies have equal signatures, so they have the same neighbours, and the earliest copy of each dump
has a near edge wherever another member of its class has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.dedup.buckets import agreement
from pipeline.dedup.groups import Groups
from pipeline.signature import SIMILARITY
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


def settle(
    links: Links, groups: Groups, *, state: State, first: int, marks: tuple[Array, Array]
) -> None:
    """Decide again every node from `first` on that is dirty or has a changed earlier neighbour.

    Nodes before `first` are fixed. `marks` are `dirty` and `changed` by node; the latter is filled.
    """
    _settle(
        (links.start, links.earlier, links.similarity, links.exact),
        (groups.start, groups.group, groups.inside, groups.room, groups.nodes),
        (groups.size.copy(), np.zeros(len(groups.size), np.bool_)),
        (groups.row, groups.minima, groups.keys, groups.need),
        (state.reason, state.witness, state.similarity, first, *marks),
    )


@jit
def _settle(edges: Any, groups: Any, filled: Any, signed: Any, state: Any) -> None:
    reason, witness, similarity, first, dirty, changed = state
    belongs, group, inside, room, nodes = groups
    size, stirred = filled
    for node in range(first, belongs.shape[0] - 1):
        again = dirty[node] or _stirred(node, edges, groups, (changed, stirred))
        if again:
            verdict, who, how = _verdict(node, edges, (groups, size, signed), state)
            if verdict != reason[node] or who != witness[node] or how != similarity[node]:
                changed[node] = True
            reason[node], witness[node], similarity[node] = verdict, who, how
        for place in range(belongs[node], belongs[node + 1]):
            here = group[place]
            if inside[here]:
                stirred[here] = stirred[here] or changed[node]
                if reason[node] == 0:
                    nodes[room[here] + size[here]] = node
                    size[here] += 1


@jit
def _stirred(node: int, edges: Any, groups: Any, marks: Any) -> bool:
    """Whether an earlier neighbour, or an earlier document of a group, has changed."""
    changed, stirred = marks
    for place in range(edges[0][node], edges[0][node + 1]):
        if changed[edges[1][place]]:
            return True
    found = False
    for place in range(groups[0][node], groups[0][node + 1]):
        found = found or stirred[groups[1][place]]
    return found


@jit
def _verdict(node: int, edges: Any, hot: Any, state: Any) -> tuple[int, int, Any]:
    start, earlier, likeness, exact = edges
    reason, witness, similarity = state[0], state[1], state[2]
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
    best, most = _in_groups(node, hot, best, most)
    if best >= 0:
        return 2, best, most
    return 0, -1, np.float32(0)


@jit
def _in_groups(node: int, hot: Any, best: int, most: Any) -> tuple[int, Any]:
    """Compare a node with the kept documents before it in its groups; return the best witness."""
    groups, size, signed = hot
    belongs, group, _, room, nodes = groups
    row, minima, keys, need = signed
    for place in range(belongs[node], belongs[node + 1]):
        here = group[place]
        for at in range(room[here], room[here] + size[here]):
            other = nodes[at]
            one, two = row[other], row[node]
            equal = agreement(minima[one], minima[two])
            like = SIMILARITY[equal]
            better = like > most or (like == most and other < best)
            if equal >= need[here] and (best < 0 or better) and _met(keys[one], keys[two]):
                best, most = other, like
    return best, most


@jit
def _met(one: Array, two: Array) -> bool:
    """Whether two documents share a band key."""
    for band in range(one.shape[0]):  # noqa: SIM110 - compiled: a loop is what it becomes
        if one[band] == two[band]:
            return True
    return False
