"""The first bytes of a compressed member, looked at before a decoder is made for them.

Holds: `is_impossible`, `HEAD`, `BZ2_START`. Pure.
Not here: decoding (`decompress.py`), looking for members (`seek.py`).

What is said to be impossible is wrong to the library too, whatever follows, or gives no bytes: so
it costs no member.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.ingest.decompress import MAX_BLOCK, zstd_sizes

HEAD = 64
"""Bytes that are looked at; of fewer nothing is said."""

BZ2_START: Final = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
"""Ten bytes, which no stream of bz2 holds by chance."""

_LEAST: Final = 35
"""Bytes of bz2 that are no stream: one of a single byte has 37."""

_GROUPS: Final = range(2, 7)
_GZIP_RESERVED, _ZSTD_RESERVED = 0xE0, 0x08
_WRONG_DEFLATE = 3


def is_impossible(head: bytes, codec: str) -> bool:
    """Whether no member of a codec begins like this, its magic number apart."""
    return len(head) >= HEAD and _IMPOSSIBLE[codec](head)


def _gzip(head: bytes) -> bool:
    """RFC 1952 and 1951: reserved flags, the kind of the first block, its length said twice."""
    flags, kind = head[3], head[10] >> 1 & 3
    if flags:
        return flags & _GZIP_RESERVED > 0
    length, again = int.from_bytes(head[11:13], "little"), int.from_bytes(head[13:15], "little")
    return kind == _WRONG_DEFLATE or (kind == 0 and length ^ again != (1 << 16) - 1)


def _zstd(head: bytes) -> bool:
    """RFC 8878: a reserved flag, and blocks that are too long, as far as they are seen."""
    if head[4] & _ZSTD_RESERVED:
        return True
    at = zstd_sizes(head[4])[0]
    while at + 3 <= len(head):
        block = int.from_bytes(head[at : at + 3], "little")
        if block >> 3 > MAX_BLOCK:
            return True
        if block & 1:
            return False
        at += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    return False


def _xz(head: bytes) -> bool:
    """The checksum of the flags."""
    return zlib.crc32(head[6:8]) != int.from_bytes(head[8:12], "little")


def _bz2(head: bytes) -> bool:
    """A stream too near behind it; of its block the origin, which bytes it has, how many tables."""
    if head[4] != ord("1") or BZ2_START.search(head, 1, _LEAST + 10):
        return True
    left = 8 * (len(head) - 14) - 1
    bits = int.from_bytes(head[14:], "big")

    def take(size: int) -> int:
        nonlocal left
        left -= size
        return bits >> left & (1 << size) - 1

    if take(24) > 10 + 100_000 * (head[3] - ord("0")):
        return True
    rows = take(16).bit_count()
    used = take(16 * rows)
    return not used or take(3) not in _GROUPS or not take(15)


_IMPOSSIBLE: Mapping[str, Callable[[bytes], bool]] = {
    "gzip": _gzip,
    "zstd": _zstd,
    "xz": _xz,
    "bz2": _bz2,
}
