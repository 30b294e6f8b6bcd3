"""Slices of the merged band index: sorted keys in a file that is mapped, not read.

Holds: `Slice`, `Header`, `write`, `opened`. Reads and writes local files.
Not here: which keys (`dedup/merging.py`), looking for them (`dedup/history.py`).

    16 bytes     magic
    8 bytes      length of the header
    header       JSON
    directory    u32 each: how many keys lie before bucket b; 2**bits + 1 of them
    keys         u64 each, ascending
    places       u64 each: member << 48 | shard << 32 | row

Numbers are little-endian, and each part begins at a multiple of 64 bytes. A bucket is a slice of
the key space that holds about eight keys, so that one look into the directory and one at the keys
finds a key, however many there are. So little is read of a large slice that hashing all of it
would cost more than all else.
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

_MAGIC: Final = b"winnow index 1\r\n"
_HEADER: Final = 1 << 16
"""No header is longer."""
_ALIGN: Final = 64
_PER_BUCKET: Final = 8
_PREFIX_BITS: Final = 48
"""A key range counts in the 16 bits above these."""


class Header(msgspec.Struct, frozen=True):
    """What a slice is: of which run, which prefixes `[low, high)`, and how it is laid out."""

    run: str
    low: int
    high: int
    entries: int
    bits: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A mapped slice; its arrays cannot be written to and hold the file open."""

    header: Header
    directory: npt.NDArray[np.uint32]
    keys: npt.NDArray[np.uint64]
    places: npt.NDArray[np.uint64]

    @property
    def base(self) -> int:
        """The least key that could be here."""
        return self.header.low << _PREFIX_BITS

    @property
    def shift(self) -> int:
        """By how many bits `key - base` is shifted to give its bucket."""
        return _shift(self.header)


def write(path: Path, header: Header, keys: Array, places: Array) -> None:
    """Write a slice of sorted keys; `header.bits` is chosen here."""
    header = msgspec.structs.replace(header, entries=len(keys), bits=_bits(len(keys)))
    shift = np.uint64(_shift(header))
    buckets = ((keys - np.uint64(header.low << _PREFIX_BITS)) >> shift).astype(np.int64)
    directory = np.zeros((1 << header.bits) + 1, "<u4")
    directory[1:] = np.cumsum(np.bincount(buckets, minlength=1 << header.bits))
    text = msgspec.json.encode(header)
    with path.open("wb") as file:
        file.write(_MAGIC + len(text).to_bytes(8, "little") + text)
        for part in (directory, keys.astype("<u8"), places.astype("<u8")):
            file.write(b"\0" * (-file.tell() % _ALIGN))
            file.write(part.data)


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
    keys = np.frombuffer(mapped, "<u8", header.entries, ends[1])
    places = np.frombuffer(mapped, "<u8", header.entries, ends[2])
    return Slice(header, directory, keys, places)


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
    """Return where the directory, the keys and the places begin, and where the file ends."""
    directory = at + -at % _ALIGN
    end = directory + 4 * ((1 << header.bits) + 1)
    keys = end + -end % _ALIGN
    end = keys + 8 * header.entries
    places = end + -end % _ALIGN
    return directory, keys, places, places + 8 * header.entries


def _bits(entries: int) -> int:
    return max(1, (entries // _PER_BUCKET).bit_length())


def _shift(header: Header) -> int:
    return _PREFIX_BITS + (header.high - header.low).bit_length() - 1 - header.bits
