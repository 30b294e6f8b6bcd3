"""From the features of a line to the probability that a document begins there.

Holds: `probabilities`. Pure function.
Not here: the features (`split_features.py`), which boundaries are cut (`split_path.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_features import NAMES, Page, features

BATCH: Final = 1 << 16
"""Lines whose features are in memory at once."""

_SUM: Final = {
    "similarity_dip_150": 14.0,
    "similarity_dip_400": 10.0,
    "lowest_150": -8.0,
    "back_and_new": 5.0,
    "known_near": -2.0,
    "crossings_150": -1.5,
}


def probabilities(page: Page, count: int) -> npt.NDArray[np.float32]:
    """Return, for each line, the probability that a document begins there."""
    result = np.zeros(count, dtype=np.float32)
    weights = np.array([_SUM.get(name, 0.0) for name in NAMES], dtype=np.float32)
    for first in range(0, count, BATCH):
        last = min(count, first + BATCH)
        rows = features(page, first, last)
        total = rows @ weights - 4.0
        result[first:last] = 1 / (1 + np.exp(-total * _titlelike(rows)))
        result[first:last] *= _titlelike(rows)
    return result


def _titlelike(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether a line could be a title: unindented, and neither a word nor a long paragraph."""
    length = rows[:, NAMES.index("length+0")]
    flat = rows[:, NAMES.index("indent+0")] == 0
    return flat & (length > 3) & (length < 7.8)
