"""Documents of hot buckets, bound into groups by ties.

Holds: `Groups`, `bind`. Pure. Not here: where ties come from (`buckets.py`), how groups count in
verdicts (`settle.py`).

A group is a connected component of the ties between two dumps (or inside one): a function of these
two dumps' signatures, like their edges. Each of its documents is compared with its kept ones before
it. In a group of two dumps that includes pairs of one dump, which are edges inside that dump too:
the threshold between two dumps is no lower than that inside either.
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
    """Ties of one pair of dumps, as nodes."""

    earlier: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    need: int
    """The least number of equal minima between neighbours."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups by node and nodes by group."""

    start: npt.NDArray[np.int64]
    """The groups of node v are at `start[v]:start[v + 1]` of `group`."""
    group: npt.NDArray[np.int64]
    room: npt.NDArray[np.int64]
    """Where the group's kept members begin in `nodes`."""
    nodes: npt.NDArray[np.int64]
    """Room for kept members, filled on the way."""
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


def bind(ties: Sequence[Ties], idle: Array) -> tuple[Groups, Array]:
    """Make groups of the ties of all pairs; return them and the nodes whose signatures they need.

    Args:
        ties: one item a pair of dumps.
        idle: by node: dropped for good, so that it is compared with nothing.
    """
    belongs: list[Array] = [np.empty((0, 2), np.int64)]
    need: list[int] = []
    for pair in ties:
        members, root = _components(pair, len(idle))
        names, number = np.unique(root, return_inverse=True)
        belongs.append(np.stack([members, number + len(need)], axis=1))
        need.extend([pair.need] * len(names))
    every = np.concatenate(belongs)
    every = every[np.lexsort((every[:, 1], every[:, 0]))]
    able = every[~idle[every[:, 0]]]
    sizes = np.bincount(able[:, 1], minlength=len(need))
    groups = Groups(
        start=np.searchsorted(every[:, 0], np.arange(len(idle) + 1)).astype(np.int64),
        group=every[:, 1],
        room=(np.cumsum(sizes) - sizes).astype(np.int64),
        nodes=np.empty(len(able), np.int64),
        row=np.full(len(idle), -1, np.int64),
        minima=np.empty((0, PERMUTATIONS), np.uint8),
        keys=np.empty((0, BANDS), np.uint64),
        need=np.array(need, np.int64),
    )
    return groups, np.unique(able[:, 0])


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
