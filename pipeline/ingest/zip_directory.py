"""Which members of a zip archive are symbolic links: the directory at its end alone says so.

Holds: `links`. Reads the end of an object through a function that it is given; writes nothing.
Not here: the members themselves (`zip_members.py`), which are read without the directory.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable
from typing import BinaryIO

from pipeline.ingest.window import BLOCK, Window

MAX_ENTRIES = 1 << 20
_END = struct.Struct("<4sHHHHIIH")
_WIDE_END = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4sBBHHHHHIIIHHHHHII")
_LONGEST_COMMENT = 0xFFFF
_UNIX = 3
_BIG = 0xFFFFFFFF


def links(open_at: Callable[[int], BinaryIO], size: int) -> frozenset[int]:
    """Return the places of the members that are links; none where there is no directory.

    Args:
        open_at: opens the archive at a byte.
        size: bytes of the archive.
    """
    start = _directory(open_at, size)
    if start is None:
        return frozenset()
    found = set[int]()
    with open_at(start) as stream:
        window = Window(iter(lambda: stream.read(BLOCK), b""))
        for _ in range(MAX_ENTRIES):
            raw = window.take(_ENTRY.size)
            if len(raw) < _ENTRY.size or raw[:4] != b"PK\x01\x02":
                break
            _, _, system, *_, names, extras, comments, _, _, mode, place = _ENTRY.unpack(raw)
            window.skip(names)
            extra = window.take(extras)
            window.skip(comments)
            if system == _UNIX and stat.S_ISLNK(mode >> 16):
                sizes = (raw[24:28], raw[20:24])
                found.add(_wide_place(extra, sizes) if place == _BIG else place)
    return frozenset(found)


def _directory(open_at: Callable[[int], BinaryIO], size: int) -> int | None:
    """Return where the directory begins."""
    start = max(0, size - _END.size - _LONGEST_COMMENT - _LOCATOR.size)
    if size < _END.size:
        return None
    tail = _read(open_at, start, size - start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        return None
    place = int(_END.unpack_from(tail, at)[6])
    if place == _BIG and at >= _LOCATOR.size and tail[at - 20 : at - 16] == b"PK\x06\x07":
        wide = int(_LOCATOR.unpack_from(tail, at - _LOCATOR.size)[2])
        raw = _read(open_at, wide, _WIDE_END.size) if wide < size else b""
        place = int(_WIDE_END.unpack(raw)[9]) if len(raw) == _WIDE_END.size else size
    return place if place < size else None


def _read(open_at: Callable[[int], BinaryIO], start: int, size: int) -> bytes:
    with open_at(start) as stream:
        parts = list[bytes]()
        while size > 0 and (data := stream.read(size)):
            parts.append(data)
            size -= len(data)
    return b"".join(parts)


def _wide_place(extra: bytes, sizes: tuple[bytes, bytes]) -> int:
    """Return the place that stands behind the sizes that are wide as well."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        place = at + 4 + 8 * sum(field == b"\xff" * 4 for field in sizes)
        if kind == 1 and place + 8 <= len(extra):
            return int(struct.unpack_from("<Q", extra, place)[0])
        at += 4 + size
    return -1
