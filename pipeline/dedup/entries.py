"""Which keys a document has in the band index.

Holds: `entries`, `Entries`, `exact_keys`, `first_copies`, `key_range`. Pure functions over columns
of signatures.
Not here: reading them (`reader.py`), what is done with equal keys (`buckets.py`).

A document has one key made of its content hash, so that exact copies of any length meet, and its
20 band keys unless it is too short for them. Of exact copies inside one shard only the one with the
smallest id has band keys: the others are found through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.dedup.sorting import ascending
from pipeline.model.plan import KeyRange
from pipeline.model.schemas import BANDS

PREFIXES: Final = 1 << 16

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Entries:
    """Keys of one dump, and where their documents' signatures are; sorted by (key, shard, row)."""

    key: npt.NDArray[np.uint64]
    shard: npt.NDArray[np.uint16]
    row: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.key)

    def take(self, chosen: Array | slice) -> Entries:
        """Return some entries, in the order of `chosen` (indices, a mask or a slice)."""
        return Entries(self.key[chosen], self.shard[chosen], self.row[chosen])

    @staticmethod
    def concatenate(parts: list[Entries]) -> Entries:
        """Join parts that are in order."""
        key = np.concatenate([np.empty(0, np.uint64), *(part.key for part in parts)])
        shard = np.concatenate([np.empty(0, np.uint16), *(part.shard for part in parts)])
        row = np.concatenate([np.empty(0, np.uint32), *(part.row for part in parts)])
        return Entries(key, shard, row)

    @staticmethod
    def join(parts: list[Entries]) -> Entries:
        """Concatenate and sort."""
        every = Entries.concatenate(parts)
        return every.take(ascending(every.key, every.shard, every.row))


def key_range(index: int, count: int) -> KeyRange:
    """Return slice number `index` when the key space is cut into `count` equal slices."""
    return KeyRange(index, index * PREFIXES // count, (index + 1) * PREFIXES // count)


def entries(
    ids: Array, hashes: Array, *, bands: tuple[Array, Array], shard: int, owned: KeyRange
) -> Entries:
    """Return the keys of one shard that lie in the key range `owned`.

    Args:
        ids: document ids, 16 bytes each.
        hashes: content hashes, 16 bytes each.
        bands: number of shingles (0 marks the texts too short for band keys), and (n, 20) keys.
        shard: the shard's number in plan order.
        owned: the range.
    """
    shingles, band_keys = bands
    able = first_copies(ids, hashes) & (shingles > 0)
    keys = [exact_keys(hashes), band_keys[able].reshape(-1)]
    rows = [np.arange(len(ids)), np.repeat(np.flatnonzero(able), BANDS)]
    key, row = np.concatenate(keys), np.concatenate(rows).astype(np.uint32)
    prefix = (key >> np.uint64(48)).astype(np.int64)
    inside = (prefix >= owned.low) & (prefix < owned.high)
    count = int(np.count_nonzero(inside))
    return Entries(key[inside], np.full(count, shard, np.uint16), row[inside])


def exact_keys(hashes: Array) -> npt.NDArray[np.uint64]:
    """Mix 128-bit content hashes to 64 bits, unlike any half of them."""
    halves = hashes.view("<u8").reshape(-1, 2)
    mixed = halves[:, 0] ^ (halves[:, 1] * np.uint64(0x9E3779B97F4A7C15))
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return np.asarray(mixed ^ (mixed >> np.uint64(32)), np.uint64)


def first_copies(ids: Array, hashes: Array) -> npt.NDArray[np.bool_]:
    """Mark the document with the smallest id of each group of equal content hash."""
    first = np.zeros(len(ids), np.bool_)
    if len(ids):
        order = ascending(hashes.view("<u8")[::2], hashes, ids)
        ordered = hashes[order]
        first[order[np.append(True, ordered[1:] != ordered[:-1])]] = True
    return first
