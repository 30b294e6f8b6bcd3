"""From the features of a line to the probability that a document begins there.

Holds: `probabilities`, `look`, `look_again`. Pure functions of a measured page and the model.
Not here: the features (`split_features.py`, `split_pairs.py`), which boundaries are cut
(`split_path.py`).

Every line is looked at once; the likely ones a second and a third time, each time in the light
of what the others were judged to be.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_features import features
from pipeline.ingest.split_forest import Forest, Model, log_odds
from pipeline.ingest.split_measure import Page
from pipeline.ingest.split_pairs import NEVER, Outlook, outlook, pair_features

Floats = npt.NDArray[np.float32]
Lines = npt.NDArray[np.int64]

BATCH: Final = 1 << 14
"""Lines whose features are in memory at once."""
LOOK: Final = -5.0
"""Log odds of the first look below which no second one is taken (0.7 %)."""
HOPELESS: Final = -6.5
"""Log odds from which no line has been seen to rise above `LOOK`."""
DOUBTED: Final = -4.0
"""Log odds of the second look below which no third one is taken."""


def probabilities(page: Page, model: Model) -> Floats:
    """Return, for each line, the probability that a document begins there; 0 for the first."""
    odds = look(page, model.lines)
    lines = likely(odds)
    odds = judge(page, odds, lines, model.pairs)
    lines = lines[odds[lines] > DOUBTED]
    odds = judge(page, odds, lines, model.thirds)
    result = np.zeros(len(odds), dtype=np.float32)
    even = np.interp(odds[lines], model.steps[0], model.steps[1])
    result[lines] = 1 / (1 + np.exp(-even))
    return result


def likely(odds: Floats) -> Lines:
    """Return the lines that are looked at again."""
    return np.flatnonzero(odds > LOOK).astype(np.int64)


def judge(page: Page, odds: Floats, lines: Lines, forest: Forest) -> Floats:
    """Return new log odds of some lines, in the light of the old; the others have none."""
    judged = np.full(len(odds), NEVER, dtype=np.float32)
    view = outlook(page, odds)
    for at in range(0, len(lines), BATCH):
        some = lines[at : at + BATCH]
        judged[some] = log_odds(forest, look_again(page, view, some), -np.inf)
    return judged


def look(page: Page, forest: Forest) -> Floats:
    """Return each line's log odds by its own features."""
    count = page.columns.shape[1] - 1
    odds = np.empty(count, dtype=np.float32)
    for first in range(0, count, BATCH):
        last = min(count, first + BATCH)
        odds[first:last] = log_odds(forest, features(page, np.arange(first, last)), HOPELESS)
    odds[0] = NEVER
    return odds


def look_again(page: Page, view: Outlook, lines: Lines) -> Floats:
    """Return what the later looks see: the features of a line and of what it parts."""
    return np.hstack([features(page, lines), pair_features(page, view, lines)])
