"""What the parameters of deduplication promise: the S-curve, computed from theory.

Holds: `expected`, `duplicate`, `bounds`. Pure. Source: Leskovec, Rajaraman, Ullman, "Mining of
Massive Datasets", section 3.4 (banding); verification is binomial over the permutations.
Not here: measuring it (`selftest.py`).
"""

from __future__ import annotations

from functools import cache
from math import ceil, comb, floor, sqrt
from typing import Final

from pipeline.model.schemas import BANDS, PERMUTATIONS, ROWS

SIMILARITIES: Final = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)

_CHANCE: Final = 1 / 256
"""Two unlike minima of 8 bits agree by chance."""

_DEVIATIONS: Final = 4
"""Standard deviations by which a sound measurement may miss what is expected."""


def expected(threshold: float) -> list[tuple[float, float, float]]:
    """Return (Jaccard similarity, P(candidate), P(duplicate)) for a range of similarities."""
    return [(value, candidate(value), duplicate(value, threshold)) for value in SIMILARITIES]


def candidate(jaccard: float) -> float:
    """Return the chance that two documents share a band key."""
    return float(1 - (1 - jaccard**ROWS) ** BANDS)


def duplicate(jaccard: float, threshold: float) -> float:
    """Return the chance that two documents share a band key and agree in enough minima.

    Both need equal minima, so they are not independent: the sum goes over how many are equal.
    """
    needed = ceil(PERMUTATIONS * (threshold * 255 + 1) / 256)
    return sum(
        _exactly(equal, PERMUTATIONS, jaccard)
        * _banded(equal)
        * _at_least(needed - equal, PERMUTATIONS - equal, _CHANCE)
        for equal in range(PERMUTATIONS + 1)
    )


def bounds(chance: float, planted: int) -> tuple[int, int]:
    """Return how many of `planted` pairs are found at least and at most if all is well."""
    spread = _DEVIATIONS * sqrt(planted * chance * (1 - chance))
    least, most = floor(planted * chance - spread), ceil(planted * chance + spread)
    return max(0, least - (chance < 1)), min(planted, most + (chance > 0))


@cache
def _banded(equal: int) -> float:
    """Return the chance that `equal` equal minima, wherever they are, fill one band at least."""
    ways = sum(
        (-1) ** full * comb(BANDS, full) * comb(PERMUTATIONS - ROWS * full, equal - ROWS * full)
        for full in range(min(BANDS, equal // ROWS) + 1)
    )
    return float(1 - ways / comb(PERMUTATIONS, equal))


def _exactly(hits: int, tries: int, chance: float) -> float:
    return float(comb(tries, hits) * chance**hits * (1 - chance) ** (tries - hits))


def _at_least(hits: int, tries: int, chance: float) -> float:
    return sum(_exactly(number, tries, chance) for number in range(max(hits, 0), tries + 1))
