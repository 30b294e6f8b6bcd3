# ruff: noqa: INP001 - a script, not a package
"""The closed-form classifier of the topic table.

Holds: `Examples`, `discriminant`, `emphasised`, `rank`, `lengths`. Pure.
Not here: where texts come from and what is written (`build.py`), class offsets and calibration
(`tune.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SHRINKAGE = 0.75
EMPHASIS = 0.5


class Examples(NamedTuple):
    """Training texts as tokens, with class and weight."""

    ids: list[list[int]]
    classes: NDArray[np.int64]
    weights: Floats


def discriminant(vectors: Floats, examples: Examples) -> tuple[Floats, Doubles]:
    """Return directions (one a class) and biases of a linear discriminant.

    A text's vector is the mean of its tokens' vectors, brought to length one. The covariance is
    shrunk towards a multiple of the identity.
    """
    kept = np.array([bool(tokens) for tokens in examples.ids])
    means = np.stack([vectors[tokens].mean(axis=0) for tokens in examples.ids if tokens])
    classes, weights = examples.classes[kept], examples.weights[kept]
    unit = means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-6)
    centre = np.average(unit, axis=0, weights=weights)
    centroids = np.stack(
        [
            np.average(unit[classes == c], axis=0, weights=weights[classes == c])
            for c in range(classes.max() + 1)
        ]
    )
    rest = (unit - centroids[classes]) * np.sqrt(weights / weights.sum())[:, None]
    covariance = rest.T @ rest
    ridge = np.trace(covariance) / len(covariance) * np.eye(len(covariance), dtype=np.float32)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * ridge
    directions = np.linalg.solve(covariance, (centroids - centre).T)
    middle = -0.5 * np.einsum("kd,dk->k", centroids - centre, directions)
    return directions.astype(np.float32), (middle - centre @ directions).astype(np.float64)


def emphasised(
    table: Floats, told: Floats, *, ids: list[list[int]], norm: tuple[float, float]
) -> Floats:
    """Let tokens count by how much they tell classes apart: the spread of what they tell, powered.

    A mean is otherwise ruled by its many tokens that say little of everything. Texts in `ids` keep
    the variance of their scores.
    """
    spread = np.linalg.norm(told - told.mean(axis=1, keepdims=True), axis=1)
    weights = (spread / np.median(spread[spread > 0])).clip(1e-3) ** EMPHASIS
    stressed: Floats = table * weights[:, None].astype(np.float32)
    slope, floor = norm
    long = np.sqrt([floor + slope / len(tokens) for tokens in ids])[:, None]
    before, after = (
        (np.stack([one[tokens].mean(axis=0) for tokens in ids]) / long).var()
        for one in (table, stressed)
    )
    return stressed * np.float32(np.sqrt(before / after))


def rank(directions: Floats, size: int) -> tuple[Floats, Floats]:
    """Write many directions as mixtures of `size`: (dimensions, size) and (size, classes)."""
    left, values, right = np.linalg.svd(directions, full_matrices=False)
    signs = np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])
    basis = left * signs * values
    return basis[:, :size], (right * signs[:, None])[:size]


def lengths(vectors: Floats, bags: list[list[int]]) -> tuple[float, float]:
    """Fit the squared length of a mean vector against one over its number of tokens."""
    counts = np.array([len(tokens) for tokens in bags])
    squares = [float((vectors[tokens].mean(axis=0) ** 2).sum()) for tokens in bags]
    slope, floor = np.polyfit(1 / counts, squares, 1)
    return float(slope), float(floor)
