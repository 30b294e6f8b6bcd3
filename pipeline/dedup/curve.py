"""What the parameters of deduplication promise: the S-curve, computed from theory.

Holds: `expected`. Pure. Source: Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets",
section 3.4 (banding); the verification step is binomial over the permutations.
"""

from __future__ import annotations

from math import ceil, comb

from pipeline.model.schemas import BANDS, PERMUTATIONS, ROWS

SIMILARITIES = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def expected(threshold: float) -> list[tuple[float, float, float]]:
    """Return (Jaccard similarity, P(candidate), P(duplicate)) for a range of similarities.

    P(duplicate) takes candidates and verification as independent, which understates it slightly.
    """
    return [
        (value, _candidate(value), _candidate(value) * _verified(value, threshold))
        for value in SIMILARITIES
    ]


def _candidate(jaccard: float) -> float:
    return float(1 - (1 - jaccard**ROWS) ** BANDS)


def _verified(jaccard: float, threshold: float) -> float:
    agree = jaccard + (1 - jaccard) / 256
    needed = ceil(PERMUTATIONS * (threshold * 255 + 1) / 256)
    return sum(
        comb(PERMUTATIONS, hits) * agree**hits * (1 - agree) ** (PERMUTATIONS - hits)
        for hits in range(needed, PERMUTATIONS + 1)
    )
