"""From the features of a line to the probability that a document begins there.

Holds: `judged`, `Judged`; `look`, `likely`, `judge`, `look_again`, `may_be_furniture`. Pure
functions of a measured page and the model.
Not here: the features (`split_features.py`, `split_pairs.py`), which boundaries are cut
(`split_path.py`), what is the site's (`split_edges.py`).

Every line is looked at once for what it may be, the site's or the beginning of a document; likely
beginnings a second and a third time, each time in the light of what the others were judged to be.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
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
LONGEST: Final = 300
"""Visible characters of a line beyond which it is no site's."""


class Judged(NamedTuple):
    """What the lines of a page were judged to be.

    `starts`: the probability that a document begins there, 0 for the first line; `furniture`: the
    log odds that a line is the site's.
    """

    starts: Floats
    furniture: Floats


def judged(page: Page, model: Model) -> Judged:
    """Judge every line of a page."""
    furniture, first, pairs, thirds = model.looks
    odds, own = look(page, (first, furniture))
    lines = likely(odds)
    odds = judge(page, Judged(odds, own), lines, pairs)
    lines = lines[odds[lines] > DOUBTED]
    odds = judge(page, Judged(odds, own), lines, thirds)
    result = np.zeros(len(odds), dtype=np.float32)
    even = np.interp(odds[lines], model.steps[0], model.steps[1])
    result[lines] = 1 / (1 + np.exp(-even))
    return Judged(result, own)


def likely(odds: Floats) -> Lines:
    """Return the lines that are looked at again."""
    return np.flatnonzero(odds > LOOK).astype(np.int64)


def may_be_furniture(page: Page, lines: Lines) -> Lines:
    """Return those of some lines that are short enough to be the site's."""
    short: Lines = lines[page.columns[sl.LENGTH, lines] <= LONGEST]
    return short


def judge(page: Page, before: Judged, lines: Lines, forest: Forest) -> Floats:
    """Return new log odds of some lines, in the light of those before; the others have none."""
    odds = np.full(len(before.starts), NEVER, dtype=np.float32)
    view = outlook(page, before.starts, before.furniture)
    for at in range(0, len(lines), BATCH):
        some = lines[at : at + BATCH]
        odds[some] = log_odds(forest, look_again(page, view, some), -np.inf)
    return odds


def look(page: Page, forests: tuple[Forest, Forest]) -> Judged:
    """Return each line's log odds by its own features, of a beginning and of being the site's."""
    count = page.columns.shape[1] - 1
    starts, furniture = np.full((2, count), NEVER, dtype=np.float32)
    for first in range(0, count, BATCH):
        lines = np.arange(first, min(count, first + BATCH))
        rows = features(page, lines)
        starts[lines] = log_odds(forests[0], rows, HOPELESS)
        short = may_be_furniture(page, lines)
        furniture[short] = log_odds(forests[1], rows[short - first], HOPELESS)
    starts[0] = NEVER
    return Judged(starts, furniture)


def look_again(page: Page, view: Outlook, lines: Lines) -> Floats:
    """Return what the later looks see: the features of a line and of what it parts."""
    return np.hstack([features(page, lines), pair_features(page, view, lines)])
