"""Looking for keys in a slice of the merged index, compiled.

Holds: `find`. Pure. Not here: what is done with what is found (`history.py`), the form of a slice
(`storage/packed.py`).
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from pipeline.signature.compiled import i64, inline, jit, u32, u64
from pipeline.signature.vector import equal32, load8, marked32, trailing_zeros
from pipeline.storage.packed import TAIL_MARK

Array = npt.NDArray[Any]


@jit
def find(
    parts: tuple[Array, Array, Array], form: Array, wanted: Array, out: tuple[Array, Array]
) -> int:
    """Find `wanted` (ascending, unique) among sorted keys.

    Args:
        parts: the directory (how many keys lie before each bucket), the tails (what tells the keys
            of a bucket apart, nearly always), and entries of what else there is of each key.
        form: how these are laid out, as `Slice.form` says.
        wanted: keys of this slice's range.
        out: the keys that were found, each as often as it is there, and their places as they are
            stored, in the order of the slice; as many as there is room for. Written here.

    Returns:
        How many were found, with and without room; -1 if not all that was looked at is as it must
        be.
    """
    directory, tails, entries = parts
    keys, places = out
    base, shift, rest_bits, place_bits = form[0], form[1], form[2], form[3]
    width, count = i64(form[4]), i64(form[5])
    found = i64(0)
    for at in range(wanted.shape[0]):
        key = u64(wanted[at] - base)
        bucket = key >> shift
        low, end = i64(directory[bucket]), i64(directory[bucket + u64(1)])
        if end > count:
            return -1
        tail = u64(TAIL_MARK) | (key >> rest_bits & u64(TAIL_MARK - 1))
        while low < end:
            # One look for nearly all buckets, and no branch that is hard to foretell.
            mine = u32(0xFFFFFFFF) >> u32(max(32 - (end - low), 0))
            if ~marked32(tails, low) & mine:
                return -1
            same = u64(equal32(tails, low, tail) & mine)
            while same:
                rest, place = _entry(entries, (low + trailing_zeros(same)) * width, place_bits)
                same &= same - u64(1)
                wrong = (rest ^ key) << (u64(64) - rest_bits)
                if wrong == u64(0) and found < keys.shape[0]:
                    keys[found], places[found] = wanted[at], place
                found += i64(wrong == u64(0))
                if _hole(rest, place, rest_bits, place_bits):
                    return -1
            low += 32
    return found


@inline
def _entry(entries: Array, at: int, place_bits: int) -> tuple[int, int]:
    """Return the rest of a key, below bits that mean nothing, and its place."""
    lower, upper = ~load8(entries, at), ~load8(entries, at + 8)
    rest = lower >> (place_bits - u64(1)) >> u64(1) | upper << (u64(64) - place_bits)
    return rest, lower & (~u64(0) >> (u64(64) - place_bits))


@inline
def _hole(rest: int, place: int, rest_bits: int, place_bits: int) -> bool:
    """Say whether an entry is stored as zeros, which none is."""
    return bool(
        ~rest << (u64(64) - rest_bits) == u64(0) and ~place << (u64(64) - place_bits) == u64(0)
    )
