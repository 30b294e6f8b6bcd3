"""Sorting 64-bit keys, and what sorted keys have in common.

Holds: `ascending`, `common`. Pure. Not here: what keys are (`entries.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def ascending(keys: npt.NDArray[np.uint64], *then: Array) -> npt.NDArray[np.intp]:
    """Return the order of keys; equal ones are in order of `then`, its first array first.

    What is equal in all of them keeps its place. numpy's quicksort has vector instructions and
    takes a third of the time of its stable sorts; keys of a dump rarely repeat, so that those that
    do are put in order apart.
    """
    order = np.argsort(keys)
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    tied = np.flatnonzero(np.append(same, False)[: len(keys)] | np.append(False, same)[: len(keys)])
    some = order[tied]
    order[tied] = some[np.lexsort((some, *(one[some] for one in reversed(then)), keys[some]))]
    return order


def common(one: Array, two: Array) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Mark in each of two sorted arrays what the other has too, by looks from the shorter one."""
    if len(one) > len(two):
        right, left = common(two, one)
        return left, right
    begin, end = (np.searchsorted(two, one, side=side) for side in ("left", "right"))
    marks = np.zeros(len(two) + 1, np.int8)
    met = begin < end
    first = np.append(True, one[1:] != one[:-1])[: len(one)]
    np.add.at(marks, begin[met & first], np.int8(1))
    np.add.at(marks, end[met & first], np.int8(-1))
    return met, np.cumsum(marks[:-1], dtype=np.int8).view(np.bool_)
