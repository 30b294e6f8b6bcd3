"""The rule that decides verdicts: the lexicographically first maximal independent set.

Holds: `settle`, `State`, `Nodes`, `sorted_links`. Pure, compiled.
Not here: which documents (`graph.py`).

Nodes are documents in order-key order. A document with an earlier kept copy has it as witness, the
earliest of several. If all its earlier copies are dropped, it shares the verdict of the earliest,
provided that the witness is within its scope. Any other document is kept unless an earlier *kept*
neighbour exists; its witness is the most similar such neighbour, the earliest of equals. Neighbours
are those linked by an edge, and the members of a group (see `groups.py`) that turn out to be
similar.

In a corpus without limits of scope that is the same as deciding over classes of equal content hash,
each acting as its earliest member: copies have equal signatures, so they have the same neighbours,
and the earliest copy of each dump has a near edge wherever another member of its class has one.
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

ABSENT: Final = -1
UNIQUE: Final = 0
EXACT: Final = 1
NEAR: Final = 2
TAKEN: Final = 3
"""Not kept, and nobody's witness, whatever else there is: never free (see `graph.py`)."""
REASONS: Final = ("unique", "exact", "near", "taken_down")
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
class Nodes:
    """What is known of nodes beyond their verdicts, and what `settle` finds out about them."""

    free: npt.NDArray[np.bool_]
    """Whether the verdict may change. That of other nodes is taken as it is."""
    dirty: npt.NDArray[np.bool_]
    """Whether to decide again in any case."""
    day: npt.NDArray[np.int64]
    """By number of node or witness: the day of its dump."""
    span: npt.NDArray[np.int64]
    """By number: documents of dumps fewer days apart are in its scope."""
    changed: npt.NDArray[np.bool_]
    """Filled: has another verdict."""
    flipped: npt.NDArray[np.bool_]
    """Filled: is kept now and was not, or was and is not."""
    reached: npt.NDArray[np.bool_]
    """Filled: was decided again, or would have to be if it were free."""

    @staticmethod
    def of(free: Array, dirty: Array, *, day: Array, span: Array) -> Nodes:
        """Return nodes about which nothing was found yet."""
        blank = [np.zeros(len(free), np.bool_) for _ in range(3)]
        return Nodes(free, dirty, day.astype(np.int64), span.astype(np.int64), *blank)

    @staticmethod
    def fresh(size: int) -> Nodes:
        """Return nodes of one dump, all to be decided."""
        every = np.ones(size, np.bool_)
        return Nodes.of(every, every, day=np.zeros(size), span=np.ones(size))


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


def settle(links: Links, groups: Groups, *, state: State, nodes: Nodes) -> None:
    """Decide again every free node that is dirty or has an earlier neighbour that changed.

    Fills `changed`, `flipped` and `reached` of `nodes`.
    """
    _settle(
        (links.start, links.earlier, links.similarity, links.exact),
        (groups.start, groups.group, groups.room, groups.nodes),
        (
            np.zeros(len(groups.need), np.int64),
            np.zeros(len(groups.need), np.bool_),
            (groups.row, groups.minima, groups.keys, groups.need),
        ),
        (state.reason, state.witness, state.similarity, nodes.day, nodes.span),
        (nodes.free, nodes.dirty, nodes.changed, nodes.flipped, nodes.reached),
    )


@jit
def _settle(edges: Any, groups: Any, filled: Any, state: Any, marks: Any) -> None:
    reason, witness, similarity = state[0], state[1], state[2]
    free, dirty, changed, flipped, reached = marks
    belongs, group, room, members = groups
    size, stirred, signed = filled
    for node in range(belongs.shape[0] - 1):
        if dirty[node] or _stirred(node, edges, groups, (changed, flipped, stirred)):
            reached[node] = True
        if reached[node] and free[node]:
            verdict, who, how = _verdict(node, edges, (groups, size, signed), state)
            if verdict != reason[node] or who != witness[node] or how != similarity[node]:
                changed[node] = True
                flipped[node] = (verdict == 0) != (reason[node] == 0)
            reason[node], witness[node], similarity[node] = verdict, who, how
        for place in range(belongs[node], belongs[node + 1]):
            here = group[place]
            stirred[here] = stirred[here] or flipped[node]
            if reason[node] == 0:
                members[room[here] + size[here]] = node
                size[here] += 1


@jit
def _stirred(node: int, edges: Any, groups: Any, marks: Any) -> bool:
    """Whether an earlier neighbour came or went, or an earlier copy changed in any way."""
    changed, flipped, stirred = marks
    for place in range(edges[0][node], edges[0][node + 1]):
        other = edges[1][place]
        if flipped[other] or (edges[3][place] and changed[other]):
            return True
    found = False
    for place in range(groups[0][node], groups[0][node + 1]):
        found = found or stirred[groups[1][place]]
    return found


@jit
def _verdict(node: int, edges: Any, hot: Any, state: Any) -> tuple[int, int, Any]:
    reason, witness, similarity = state[0], state[1], state[2]
    kept, dropped = _copies(node, edges, reason)
    if kept >= 0:
        return 1, kept, np.float32(1)
    if dropped >= 0 and _in_scope(node, witness[dropped], state):
        return reason[dropped], witness[dropped], similarity[dropped]
    best, most = _nearest(node, edges, reason)
    best, most = _in_groups(node, hot, best, most)
    if best >= 0:
        return 2, best, most
    return 0, -1, np.float32(0)


@jit
def _copies(node: int, edges: Any, reason: Array) -> tuple[int, int]:
    """Return the earliest kept copy before a node, and the earliest dropped one; -1 for none."""
    start, earlier, _, exact = edges
    kept, dropped = -1, -1
    for place in range(start[node], start[node + 1]):
        other = earlier[place]
        if exact[place] and reason[other] == 0:
            kept = other if kept < 0 or other < kept else kept
        elif exact[place]:
            dropped = other if dropped < 0 or other < dropped else dropped
    return kept, dropped


@jit
def _nearest(node: int, edges: Any, reason: Array) -> tuple[int, Any]:
    """Return the most similar of the kept documents before a node that an edge leads from."""
    start, earlier, likeness, exact = edges
    best, most = -1, np.float32(0)
    for place in range(start[node], start[node + 1]):
        other, like = earlier[place], likeness[place]
        better = best < 0 or like > most or (like == most and other < best)
        if reason[other] == 0 and not exact[place] and better:
            best, most = other, like
    return best, most


@jit
def _in_scope(node: int, other: int, state: Any) -> bool:
    """Whether the dumps of two documents are near enough in time for both."""
    day, span = state[3], state[4]
    return abs(day[node] - day[other]) < min(span[node], span[other])  # type: ignore[no-any-return]  # compiled


@jit
def _in_groups(node: int, hot: Any, best: int, most: Any) -> tuple[int, Any]:
    """Compare a node with the kept documents before it in its groups; return the best witness."""
    groups, size, signed = hot
    belongs, group, room, members = groups
    row, minima, keys, need = signed
    for place in range(belongs[node], belongs[node + 1]):
        here = group[place]
        for at in range(room[here], room[here] + size[here]):
            other = members[at]
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
