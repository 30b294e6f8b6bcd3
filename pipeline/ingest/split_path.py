"""Choosing boundaries: the best set of them for the page, not the best one at each line.

Holds: `choose`, `odds_of`. Pure functions.
Not here: the scores (`split_score.py`), whether to cut the page at all (`split_whole.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import jit

SHORT: Final = np.array([4.0, 0.5], dtype=np.float64)
"""What a document of 1, 2, … non-blank lines costs (in log odds), beyond what its cut earns."""
WHOLE: Final = 120
"""Visible characters from which one line may well be a whole document."""
WHOLE_COST: Final = 0.5


def choose(
    scores: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32], *, floor: float
) -> npt.NDArray[np.int64]:
    """Return the lines (their places in `scores`) at which documents begin, the first among them.

    `lengths` are the lines' visible characters.

    Dynamic programming over all lines: the sum of what the cuts earn less the cost of short
    documents is the greatest possible. A cut earns its log odds above those of `floor`; no cut
    scores below that.
    """
    earned = odds_of(scores) - odds_of(np.array([floor]))
    gains = np.where((scores >= floor) & (scores > 0), earned, -np.inf)
    return _path(gains.astype(np.float64), SHORT, lengths >= WHOLE)


def odds_of(chance: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return log odds; those of 0 and 1 are finite too."""
    even = np.clip(chance.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(even / (1 - even))


@jit
def _path(
    gains: npt.NDArray[np.float64], short: npt.NDArray[np.float64], whole: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
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
            cost = short[line - at - 1]
            if at == line - 1 and whole[at]:
                cost = min(cost, WHOLE_COST)
            value = best[at] + gain - cost * (at > 0 or line < count)
            if value > best[line]:
                best[line], back[line] = value, at
    path = np.empty(count + 1, dtype=np.int64)
    size, at = 0, back[count]
    while at >= 0:
        path[size] = at
        size += 1
        at = back[at]
    return path[:size][::-1].copy()
