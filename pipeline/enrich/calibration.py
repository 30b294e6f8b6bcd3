"""Rising curves from what a model says of itself to how often it is right.

Holds: `Curve`, `rising`, `probability`. Pure. Not here: whose curves they are (`vote.py`,
`topic_table.py`); the scripts in `models/` fit them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Curve: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]
"""Knots: what the model says, in rising order, and the share of right answers there."""

KNOTS, LEAST = 60, 25


def probability(curve: Curve, said: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Read the curve, straight between knots and level beyond them."""
    found: NDArray[np.float64] = np.asarray(np.interp(said, *curve))
    return found


def rising(pairs: Iterable[tuple[float, bool]]) -> Curve:
    """Fit a curve through the means of equal parts of the pairs (pool adjacent violators)."""
    ordered = np.array(sorted(pairs), float)
    count = max(min(KNOTS, len(ordered) // LEAST), 1)
    blocks: list[tuple[float, float, int]] = []
    for part in np.array_split(ordered, count):
        said, right = part.mean(axis=0)
        blocks.append((said, right, len(part)))
        while len(blocks) > 1 and blocks[-2][1] >= blocks[-1][1]:
            (x, y, n), (u, v, m) = blocks[-2:]
            blocks[-2:] = [((x * n + u * m) / (n + m), (y * n + v * m) / (n + m), n + m)]
    return (
        tuple(round(float(x), 4) for x, _, _ in blocks),
        tuple(round(float(y), 4) for _, y, _ in blocks),
    )
