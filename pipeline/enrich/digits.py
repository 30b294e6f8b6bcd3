"""Where digits stand close together: the places at which numbers of people are worth looking for.

Holds: `clusters`. Compiled; reads and writes nothing. Not here: what a number is (`personal.py`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.signature.compiled import jit

Codes: TypeAlias = NDArray[np.uint32]
Places: TypeAlias = NDArray[np.int64]

ZERO, NINE = 0x30, 0x39


@jit
def clusters(codes: Codes, least: int, gap: int, margin: int) -> Places:
    """Return characters `start` to `end` around each group of `least` digits or more.

    Digits with at most `gap` other characters between them are one group. `margin` characters are
    added on both sides; what overlaps is joined.
    """
    found = np.empty((len(codes) // max(1, least) + 1, 2), np.int64)
    count, digits, start, last = 0, 0, 0, -1
    for place in range(len(codes) + 1):
        here = place < len(codes) and ZERO <= codes[place] <= NINE
        ends = place == len(codes) or (here and place - last > gap + 1)
        if ends and digits:
            if digits >= least:
                low, high = max(0, start - margin), min(len(codes), last + 1 + margin)
                if count and low <= found[count - 1, 1]:
                    found[count - 1, 1] = high
                else:
                    found[count, 0], found[count, 1] = low, high
                    count += 1
            digits = 0
        if here:
            if not digits:
                start = place
            digits, last = digits + 1, place
    return found[:count]
