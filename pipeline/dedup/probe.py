"""Looking for keys in a slice of the merged index, compiled.

Holds: `find`. Pure. Not here: what is done with what is found (`history.py`), the form of a slice
(`storage/packed.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy.typing as npt

from pipeline.signature.compiled import i64, jit, u64

Array = npt.NDArray[Any]

_FEW: Final = 16
"""So many keys are faster looked at in turn than halved: two lines of the processor's cache."""


@jit
def find(
    directory: Array, keys: Array, where: Array, wanted: Array, out: tuple[Array, Array]
) -> int:
    """Find each of `wanted` (ascending, unique) among sorted keys.

    Args:
        directory: how many keys lie before each bucket.
        keys: ascending.
        where: the least key that can be here, and the shift from a key above it to its bucket.
        wanted: keys of this slice's range.
        out: for each wanted key, where it first stands and how many times. Written here.

    Returns:
        How many keys were found in all; -1 if a bucket begins with a key that is of another.
    """
    total = 0
    base, shift = u64(where[0]), u64(where[1])
    for at in range(wanted.shape[0]):
        key = wanted[at]
        bucket = i64(u64(key - base) >> shift)
        low, end = i64(directory[bucket]), i64(directory[bucket + 1])
        if low < end and i64(u64(keys[low] - base) >> shift) != bucket:
            return -1
        low = _least(keys, key, low, end)
        out[0][at] = low
        begin = low
        while low < end and keys[low] == key:
            low += 1
        out[1][at] = low - begin
        total += low - begin
    return total


@jit
def _least(keys: Array, key: Any, low: int, high: int) -> int:
    """Return the first place in `[low, high)` of a key that is not less; `high` if all are."""
    while high - low > _FEW:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    while low < high and keys[low] < key:
        low += 1
    return low
