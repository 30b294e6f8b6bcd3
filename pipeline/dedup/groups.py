"""Documents of hot buckets, bound into groups by ties.

Holds: `Groups`, `bind`. Pure. Not here: where ties come from (`buckets.py`), how groups count in
verdicts (`settle.py`).

A group is a connected component of the ties between two dumps (or inside one): a function of these
two dumps' signatures, like their edges. Its documents of the later dump are compared with its kept
ones of the earlier dump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.model.schemas import BANDS, PERMUTATIONS
from pipeline.signature.compiled import jit

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ties:
    """Ties of one pair of dumps, as nodes; `inside`: both are the dump to decide."""

    earlier: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    inside: bool
    need: int
    """The least number of equal minima between neighbours."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups by node and nodes by group."""

    start: npt.NDArray[np.int64]
    """The groups of node v are at `start[v]:start[v + 1]` of `group`."""
    group: npt.NDArray[np.int64]
    inside: npt.NDArray[np.bool_]
    """By group: inside the dump to decide, so that kept members are added on the way."""
    room: npt.NDArray[np.int64]
    """Where the group's kept members begin in `nodes`."""
    nodes: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    """How many kept members each group has before anything is decided."""
    row: npt.NDArray[np.int64]
    """By node: its row in `minima` and `keys`."""
    minima: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    """Band keys: neighbours share at least one, as they would in a bucket that is not hot."""
    need: npt.NDArray[np.int64]
    """By group: the least number of equal minima between neighbours."""

    def signed(self, members: Array, minima: Array, keys: Array) -> Groups:
        """Return the groups knowing the signatures of their members."""
        row = np.full(len(self.row), -1, np.int64)
        row[members] = np.arange(len(members))
        return replace(self, row=row, minima=minima, keys=keys)


def bind(ties: Sequence[Ties], reason: Array) -> tuple[Groups, Array]:
    """Make groups of the ties of all pairs; return them and the nodes whose signatures they need.

    Args:
        ties: one item a pair of dumps.
        reason: by node: 0 for kept ones; what it says of the dump to decide does not matter.
    """
    belongs: list[Array] = [np.empty((0, 2), np.int64)]
    kept: list[Array] = []
    inside: list[bool] = []
    need: list[int] = []
    for pair in ties:
        members, root = _components(pair, len(reason))
        names, number = np.unique(root, return_inverse=True)
        own = np.isin(members, pair.later) | pair.inside
        belongs.append(np.stack([members[own], number[own] + len(inside)], axis=1))
        left = (~own & (reason[members] == 0)) | pair.inside
        kept.extend(members[left & (number == at)] for at in range(len(names)))
        inside.extend([pair.inside] * len(names))
        need.extend([pair.need] * len(names))
    every = np.concatenate(belongs)
    every = every[np.lexsort((every[:, 1], every[:, 0]))]
    sizes = np.array([len(nodes) for nodes in kept], np.int64)
    nodes = np.concatenate([np.empty(0, np.int64), *kept])
    groups = Groups(
        start=np.searchsorted(every[:, 0], np.arange(len(reason) + 1)).astype(np.int64),
        group=every[:, 1],
        inside=np.array(inside, np.bool_),
        room=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)[: len(sizes)],
        nodes=nodes,
        size=np.where(inside, 0, sizes) if inside else sizes,
        row=np.full(len(reason), -1, np.int64),
        minima=np.empty((0, PERMUTATIONS), np.uint8),
        keys=np.empty((0, BANDS), np.uint64),
        need=np.array(need, np.int64),
    )
    return groups, np.unique(np.concatenate([every[:, 0], nodes]))


def _components(pair: Ties, size: int) -> tuple[Array, Array]:
    """Return the tied nodes, ascending, and each one's least connected node."""
    parent = np.arange(size)
    _union(pair.earlier, pair.later, parent)
    members = np.unique(np.concatenate([pair.earlier, pair.later]))
    return members, _roots(members, parent)


@jit
def _union(earlier: Array, later: Array, parent: Array) -> None:
    for place in range(earlier.shape[0]):
        one, two = _root(earlier[place], parent), _root(later[place], parent)
        parent[max(one, two)] = min(one, two)


@jit
def _roots(members: Array, parent: Array) -> Array:
    found = np.empty(members.shape[0], np.int64)
    for place in range(members.shape[0]):
        found[place] = _root(members[place], parent)
    return found


@jit
def _root(node: int, parent: Array) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
