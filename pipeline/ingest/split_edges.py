"""Taking the lines of the site off the ends of a page and of its documents.

Holds: `trimmed`, `line_text`. Pure functions.
Not here: which lines are the site's for sure (`split_furniture.py`), how likely others are
(`split_score.py`).

A site prints several lines at a time: a menu, a list, whom to follow. Each is worth its log odds,
one that is known for sure more; the run from the end inwards that is worth most is furniture, if it
is worth enough. What may be the article's own costs three times what it would be worth: a line too
many is text that nobody finds again in the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_furniture import LONGEST, furniture_reason, is_weak
from pipeline.ingest.split_lines import CHAR, INDENT, Lines

Edge = list[tuple[int, str]]
"""The furniture at an end: each line (its place among those that are not blank) and its reason."""

SURE: Final = 4.0
"""What a line is worth that is known to be the site's, and the most that any is."""
WEAK: Final = 0.6
"""What one is worth that is furniture beside others."""
NEEDED: Final = 1.0
"""What a run is worth at least."""
BAR: Final = 0.5
"""Log odds from which a line speaks for being the site's."""
DEAR: Final = 3.0
"""How much more a line costs that speaks against it."""
PATIENCE: Final = 6.0
"""How far a run may fall below its best before no more of it is looked at."""


def trimmed(
    text: str, lines: Lines, span: tuple[int, int], odds: npt.NDArray[np.float32]
) -> tuple[Edge, Edge]:
    """Return the furniture that lines `[first, last)` begin with, and that they end with.

    Args:
        text: the page.
        lines: its lines.
        span: which of them.
        odds: the log odds of each line of the page to be the site's.
    """
    before = _run(text, lines, range(*span), odds)
    backwards = reversed(range(span[0] + len(before), span[1]))
    return before, _run(text, lines, backwards, odds, opens=False)[::-1]


def _run(
    text: str,
    lines: Lines,
    span: Iterable[int],
    odds: npt.NDArray[np.float32],
    *,
    opens: bool = True,
) -> Edge:
    found: Edge = []
    worth = best = 0.0
    kept = 0
    for at in span:
        line = line_text(text, lines, at)
        reason = furniture_reason(line, opens=opens)
        if reason:
            worth += SURE
        else:
            least = WEAK if is_weak(line) else -np.inf
            worth += max(_worth(float(odds[at])), least)
        found.append((at, reason or "navigation"))
        if worth > best:
            best, kept = worth, len(found)
        elif worth < best - PATIENCE:
            break
    return found[:kept] if best >= NEEDED else []


def _worth(odds: float) -> float:
    value = min(odds - BAR, SURE)
    return value if value > 0 else DEAR * value


def line_text(text: str, lines: Lines, at: int, *, limit: int = LONGEST + 2) -> str:
    """Return a line without the white space around it, cut off soon after `limit` characters."""
    start = int(lines.columns[CHAR, at] + lines.columns[INDENT, at])
    end = text.find("\n", start, start + limit)
    return text[start : end if end >= 0 else start + limit].strip()
