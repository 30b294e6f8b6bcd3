"""Choosing boundaries: the best set of them for the page, not the best one at each line.

Holds: `choose`. Pure function. Not here: the scores (`split_score.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import jit

SHORT: Final = np.array([9.0, 5.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.25], dtype=np.float64)
"""What a document of 1, 2, … non-blank lines costs (in log odds), beyond what its cut earns."""


def choose(scores: npt.NDArray[np.float32], *, floor: float) -> npt.NDArray[np.int64]:
    """Return the lines (their places in `scores`) at which documents begin, the first among them.

    Dynamic programming over all lines: the sum of the log odds of the cuts less the cost of short
    documents is the greatest possible, and no cut scores below `floor`.
    """
    odds = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / np.clip(1 - scores, 1e-6, 1 - 1e-6))
    gains = np.where(scores >= floor, np.maximum(odds, 0.01), -np.inf)
    return _path(gains.astype(np.float64), SHORT)


@jit
def _path(gains: npt.NDArray[np.float64], short: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Walk once over the lines; only the last few cuts can make a short document."""
    count, reach = len(gains), len(short)
    best = np.full(count + 1, -np.inf)  # of the lines before, when a cut is made here
    back = np.full(count + 1, -1, dtype=np.int64)
    best[0] = 0.0
    far, far_at = -np.inf, -1  # the best cut that is too far back to be short
    for line in range(1, count + 1):
        old = line - reach - 1
        if old >= 0 and best[old] > far:
            far, far_at = best[old], old
        gain = gains[line] if line < count else 0.0
        if gain == -np.inf:
            continue
        best[line], back[line] = far + gain, far_at
        for at in range(max(0, line - reach), line):
            value = best[at] + gain - short[line - at - 1] * (at > 0 or line < count)
            if value > best[line]:
                best[line], back[line] = value, at
    path = np.empty(count + 1, dtype=np.int64)
    size, at = 0, back[count]
    while at >= 0:
        path[size] = at
        size += 1
        at = back[at]
    return path[:size][::-1].copy()
