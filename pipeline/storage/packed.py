"""Slices of the merged band index: sorted keys in a file that is mapped, not read.

Holds: `Slice`, `Header`, `write`, `opened`. Reads and writes local files.
Not here: which keys (`dedup/merging.py`), looking for them (`dedup/history.py`).

    16 bytes     magic
    8 bytes      length of the header
    header       JSON
    directory    u32 each: how many keys lie before bucket b; 2**bits + 1 of them
    tails        u16 each: the 15 bits of a key after those of its bucket, below a bit that is set
    entries      `width` bytes each: the rest of the key above member, shard and row, all inverted

Keys are ascending, numbers are little-endian, and each part begins at a multiple of 64 bytes. A
bucket is a slice of the key space that holds about a dozen keys, so that one look into the
directory and one at the tails tell whether a key is there, however many there are, but once in
some thousands. Only then an entry is looked at. What a slice has in common is not repeated: of an
entry only the bits are stored that bucket and tail do not tell and that some entry uses, so that a
key of a large history takes some 8 bytes in all instead of 16, and fewer pages are looked at.

So little is read of a large slice that hashing all of it would cost more than all else. A hole of
zeros is known as damage all the same: no tail is zero, and no entry of a real key.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.errors import CorruptError

Array = npt.NDArray[Any]

SUFFIX: Final = ".index"
REBUILD: Final = "`winnow index rebuild` makes the index anew; nothing else is lost."

_MAGIC: Final = b"winnow index 2\r\n"
_HEADER: Final = 1 << 16
"""No header is longer."""
_ALIGN: Final = 64
_PER_BUCKET: Final = 16
_SLACK: Final = 64
"""Bytes behind tails and entries, which are read 64 and 8 bytes at a time."""
TAIL_BITS: Final = 15
TAIL_MARK: Final = 1 << TAIL_BITS
_PREFIX_BITS: Final = 48
"""A key range counts in the 16 bits above these."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a slice is: of which run, which prefixes `[low, high)`, and how it is laid out."""

    run: str
    low: int
    high: int
    entries: int = 0
    bits: int = 0
    shard_bits: int = 0
    row_bits: int = 0
    place_bits: int = 0
    """Of member, shard and row together."""

    @property
    def shift(self) -> int:
        """By how many bits `key - base` is shifted to give its bucket."""
        return _PREFIX_BITS + (self.high - self.low).bit_length() - 1 - self.bits

    @property
    def rest_bits(self) -> int:
        """Bits of a key that neither its bucket nor its tail tells."""
        return max(0, self.shift - TAIL_BITS)

    @property
    def width(self) -> int:
        """Bytes of an entry."""
        return -(-(self.rest_bits + self.place_bits) // 8)


@dataclass(frozen=True, slots=True)
class Slice:
    """A mapped slice; its arrays cannot be written to and hold the file open."""

    header: Header
    directory: npt.NDArray[np.uint32]
    tails: npt.NDArray[np.uint16]
    packed: npt.NDArray[np.uint8]

    @property
    def base(self) -> int:
        """The least key that could be here."""
        return self.header.low << _PREFIX_BITS

    @property
    def form(self) -> npt.NDArray[np.uint64]:
        """What `find` must know: base, shift, bits of the rest and of a place, bytes, entries."""
        head = self.header
        form = (self.base, head.shift, head.rest_bits, head.place_bits, head.width, head.entries)
        return np.array(form, np.uint64)

    def places(self, packed: Array) -> Array:
        """Return member << 48 | shard << 32 | row for places as they are stored."""
        shard, row = np.uint64(self.header.shard_bits), np.uint64(self.header.row_bits)
        one = np.uint64(1)
        member = packed >> shard >> row
        place = member << np.uint64(48) | (packed >> row & (one << shard) - one) << np.uint64(32)
        return np.asarray(place | packed & (one << row) - one, np.uint64)

    def read(self, low: int, high: int) -> tuple[Array, Array]:
        """Return all keys from `low` to `high`, which are of this slice's range, and places."""
        head = self.header
        first, last = (low - self.base) >> head.shift, (high - self.base) >> head.shift
        bounds = self.directory[first : last + 2].astype(np.int64)
        begin, end = int(bounds[0]), int(bounds[-1])
        wide = np.zeros((end - begin, 16), np.uint8)
        entries = self.packed[begin * head.width : end * head.width]
        wide[:, : head.width] = entries.reshape(-1, head.width)
        lower, upper = ~wide.view("<u8").T
        place_bits, rest_bits = np.uint64(head.place_bits), np.uint64(head.rest_bits)
        one = np.uint64(1)
        buckets = np.arange(first, last + 1, dtype=np.uint64)
        bucket = np.repeat(buckets, bounds[1:] - bounds[:-1])
        tail = self.tails[begin:end].astype(np.uint64) & np.uint64(TAIL_MARK - 1)
        rest = lower >> (place_bits - one) >> one | upper << (np.uint64(64) - place_bits)
        key = bucket << np.uint64(head.shift) | tail << rest_bits | rest & (one << rest_bits) - one
        key += np.uint64(self.base)
        place = lower & (~np.uint64(0) >> (np.uint64(64) - place_bits))
        mine = slice(
            int(np.searchsorted(key, np.uint64(low))),
            int(np.searchsorted(key, np.uint64(high), side="right")),
        )
        return key[mine], self.places(place[mine])


def write(path: Path, header: Header, keys: Array, places: Array) -> None:
    """Write a slice of sorted keys; how it is laid out is chosen here."""
    row, shard = (
        int((places >> np.uint64(at) & np.uint64(limit)).max(initial=0)).bit_length()
        for at, limit in ((0, 0xFFFFFFFF), (32, 0xFFFF))
    )
    member = int(places.max(initial=0) >> np.uint64(48)).bit_length()
    row = max(row, 1)
    header = msgspec.structs.replace(
        header,
        entries=len(keys),
        bits=max(1, (len(keys) // _PER_BUCKET).bit_length()),
        shard_bits=shard,
        row_bits=row,
        place_bits=row + shard + member,
    )
    key = keys - np.uint64(header.low << _PREFIX_BITS)
    directory = np.zeros((1 << header.bits) + 1, "<u4")
    buckets = (key >> np.uint64(header.shift)).astype(np.int64)
    directory[1:] = np.cumsum(np.bincount(buckets, minlength=1 << header.bits))
    tails = np.zeros(len(keys) + _SLACK // 2, "<u2")
    tails[: len(keys)] = key >> np.uint64(header.rest_bits) & np.uint64(TAIL_MARK - 1)
    tails[: len(keys)] |= TAIL_MARK
    text = msgspec.json.encode(header)
    with path.open("wb") as file:
        file.write(_MAGIC + len(text).to_bytes(8, "little") + text)
        for part in (directory, tails, _packed(header, key, places)):
            file.write(b"\0" * (-file.tell() % _ALIGN))
            file.write(part.data)


def _packed(header: Header, key: Array, places: Array) -> Array:
    """Return entries, `header.width` bytes each, and slack."""
    shard, row, bits = (
        np.uint64(n) for n in (header.shard_bits, header.row_bits, header.place_bits)
    )
    one = np.uint64(1)
    place = places >> np.uint64(48) << shard << row
    place |= (places >> np.uint64(32) & np.uint64(0xFFFF)) << row | places & np.uint64(0xFFFFFFFF)
    rest = key & (one << np.uint64(header.rest_bits)) - one
    wide = np.empty((len(key), 2), "<u8")
    wide[:, 0] = place | rest << (bits - one) << one
    wide[:, 1] = rest >> (np.uint64(64) - bits)
    entries = (~wide).view(np.uint8).reshape(-1, 16)[:, : header.width]
    return np.append(entries.reshape(-1), np.zeros(_SLACK, np.uint8))


def opened(path: Path, expected: Header) -> Slice:
    """Map a slice.

    Raises:
        CorruptError: it is not the slice that `expected` names (its `entries` and `bits` are not
            looked at), or its size is not what its header says.
    """
    with path.open("rb") as file:
        header, at = _header(path, file)
        if (header.run, header.low, header.high) != (expected.run, expected.low, expected.high):
            raise CorruptError(f"{path}: expected slice {expected}, found {header}. {REBUILD}")
        ends = _places(header, at)
        size = file.seek(0, 2)
        if size != ends[-1]:
            raise CorruptError(f"{path}: expected {ends[-1]} bytes, found {size}. {REBUILD}")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    directory = np.frombuffer(mapped, "<u4", (1 << header.bits) + 1, ends[0])
    tails = np.frombuffer(mapped, "<u2", header.entries + _SLACK // 2, ends[1])
    packed = np.frombuffer(mapped, np.uint8, header.width * header.entries + _SLACK, ends[2])
    return Slice(header, directory, tails, packed)


def _header(path: Path, file: BinaryIO) -> tuple[Header, int]:
    """Return the header and where it ends."""
    start = file.read(len(_MAGIC) + 8)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    text = file.read(min(length, _HEADER)) if start.startswith(_MAGIC) else b""
    try:
        return msgspec.json.decode(text, type=Header), file.tell()
    except msgspec.DecodeError as error:
        raise CorruptError(
            f"{path}: expected a slice of the band index, found one that begins with {start!r}. "
            f"{REBUILD}"
        ) from error


def _places(header: Header, at: int) -> tuple[int, int, int, int]:
    """Return where the directory, the tails and the entries begin, and where the file ends."""
    directory = at + -at % _ALIGN
    end = directory + 4 * ((1 << header.bits) + 1)
    tails = end + -end % _ALIGN
    end = tails + 2 * header.entries + _SLACK
    entries = end + -end % _ALIGN
    return directory, tails, entries, entries + header.width * header.entries + _SLACK
