"""Boosted decision trees on binned features, compiled: the learner of the splitter's scorer.

Holds: `bin_edges`, `binned`, `boost`. Pure functions, deterministic.
Not here: the features, and reading trees when splitting (`pipeline/ingest/split_forest.py`).

Trees are complete and grown level by level, so a tree is two arrays of 63 tests and one of 64
values. A node that no split improves sends everything left.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

DEPTH = 6
BINS = 64
RIDGE = 6.0
FIRM = 10.0
"""The least sum of hessians on either side of a split."""
ROWS, FEATURES = 0.36, 0.5
"""Shares of the rows, and of the features, that a tree sees."""


class Trees(NamedTuple):
    """`tests[t, node]`: feature and bin of a test (go right above the bin); `leaves`: log odds."""

    features: npt.NDArray[np.uint8]
    bins: npt.NDArray[np.uint8]
    leaves: npt.NDArray[np.float32]
    base: float


def bin_edges(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return 63 ascending edges a feature, at its quantiles."""
    sample = np.sort(rows[:: max(1, len(rows) // 200_000)], axis=0)
    places = np.linspace(0, len(sample) - 1, BINS + 1)[1:-1].astype(int)
    return np.ascontiguousarray(sample[places].T)


def binned(rows: npt.NDArray[np.float32], edges: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return each feature's bin numbers, one feature a row."""
    out = np.empty((rows.shape[1], len(rows)), dtype=np.uint8)
    for feature in range(rows.shape[1]):
        out[feature] = np.searchsorted(edges[feature], rows[:, feature], side="left")
    return out


def boost(
    codes: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.float32],
    *,
    weights: npt.NDArray[np.float32],
    trees: int,
    rate: float,
) -> Trees:
    """Fit trees to labels by log loss; each sees a share of the rows and of the features."""
    rng = np.random.default_rng(7)
    count, kinds = len(labels), len(codes)
    base = float(np.log((weights * labels).sum() / (weights * (1 - labels)).sum()))
    scores = np.full(count, base, dtype=np.float32)
    inner, outer = (1 << DEPTH) - 1, 1 << DEPTH
    result = Trees(
        np.zeros((trees, inner), np.uint8),
        np.full((trees, inner), BINS, np.uint8),
        np.zeros((trees, outer), np.float32),
        base,
    )
    for tree in range(trees):
        chance = 1 / (1 + np.exp(-scores))
        used = np.flatnonzero(rng.random(count) < ROWS)
        slope = (weights * (labels - chance))[used]
        bend = (weights * chance * (1 - chance))[used]
        nodes = np.zeros(len(used), dtype=np.int32)
        taken = rng.choice(kinds, size=max(1, int(FEATURES * kinds)), replace=False)
        chosen = np.sort(taken).astype(np.int64)
        seen = np.take(codes[chosen], used, axis=1)
        sums = _histogram(seen, np.arange(len(used)), nodes, (slope, bend), 1)
        for level in range(DEPTH):
            width = 1 << level
            feature, cut = _best(sums)
            at = width - 1
            result.features[tree, at : at + width] = chosen[feature]
            result.bins[tree, at : at + width] = cut
            _descend(seen, nodes, feature, cut)
            if level + 1 < DEPTH:
                sums = _children(sums, seen, nodes, (slope, bend))
        ends = np.zeros((outer, 2))
        _leaf_sums(nodes, slope, bend, ends)
        result.leaves[tree] = rate * ends[:, 0] / (ends[:, 1] + RIDGE)
        scores += result.leaves[tree][_walk(codes, result.features[tree], result.bins[tree])]
        if tree % 25 == 24:
            loss = (
                -(weights * np.where(labels > 0, np.log(chance), np.log(1 - chance))).sum()
                / weights.sum()
            )
            print(f"tree {tree + 1}: loss {loss:.5f}", flush=True)
    return result


def _children(
    parents: npt.NDArray[np.float64],
    seen: npt.NDArray[np.uint8],
    nodes: npt.NDArray[np.int32],
    pulls: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float64]:
    """Return the sums of the next level: of the smaller child counted, of the other what is left.

    Most splits part few rows from many: what is counted is a small part of all.
    """
    width = parents.shape[1]
    sizes = np.bincount(nodes, minlength=2 * width).reshape(width, 2)
    parent, side = np.arange(width), sizes.argmin(axis=1)
    is_small = np.zeros(2 * width, dtype=np.bool_)
    is_small[2 * parent + side] = True
    sums = _histogram(seen, np.flatnonzero(is_small[nodes]), nodes, pulls, 2 * width)
    sums[:, 2 * parent + 1 - side] = parents - sums[:, 2 * parent + side]
    return sums


@nb.njit(cache=True, parallel=True)
def _histogram(seen, rows, nodes, pulls, width):  # noqa: ANN001, ANN202 - compiled
    slope, bend = pulls
    sums = np.zeros((len(seen), width, BINS, 2))
    for index in nb.prange(len(seen)):
        row = seen[index]
        for at in rows:
            sums[index, nodes[at], row[at], 0] += slope[at]
            sums[index, nodes[at], row[at], 1] += bend[at]
    return sums


@nb.njit(cache=True)
def _best(sums):  # noqa: ANN001, ANN202 - compiled
    kinds, width = sums.shape[:2]
    feature, cut = np.zeros(width, np.int64), np.full(width, BINS, np.uint8)
    for node in range(width):
        best = 1e-3
        for kind in range(kinds):
            whole, mass = sums[kind, node, :, 0].sum(), sums[kind, node, :, 1].sum()
            left, left_mass = 0.0, 0.0
            for place in range(BINS - 1):
                left += sums[kind, node, place, 0]
                left_mass += sums[kind, node, place, 1]
                right, right_mass = whole - left, mass - left_mass
                if left_mass < FIRM or right_mass < FIRM:
                    continue
                gain = (
                    left * left / (left_mass + RIDGE)
                    + right * right / (right_mass + RIDGE)
                    - whole * whole / (mass + RIDGE)
                )
                if gain > best:
                    best, feature[node], cut[node] = gain, kind, place
    return feature, cut


@nb.njit(cache=True, parallel=True)
def _descend(codes, nodes, features, cut):  # noqa: ANN001, ANN202 - compiled
    for at in nb.prange(len(nodes)):
        node = nodes[at]
        nodes[at] = 2 * node + (codes[features[node], at] > cut[node])


@nb.njit(cache=True)
def _walk(codes, features, bins):  # noqa: ANN001, ANN202 - compiled
    leaves = np.empty(codes.shape[1], np.int32)
    for at in range(len(leaves)):
        node = 0
        for _ in range(DEPTH):
            node = 2 * node + 1 + (codes[features[node], at] > bins[node])
        leaves[at] = node - len(features)
    return leaves


@nb.njit(cache=True)
def _leaf_sums(nodes, slope, bend, sums):  # noqa: ANN001, ANN202 - compiled
    for at in range(len(nodes)):
        sums[nodes[at], 0] += slope[at]
        sums[nodes[at], 1] += bend[at]
