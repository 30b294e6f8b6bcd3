"""The way into a compressed stream behind damage, or at a byte in its middle.

Holds: `seek_next`, `seek_member`, `is_member`. Reads what a `Source` gives.
Not here: decoding (`decompress.py`), counting what was passed over (`codecs.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from pipeline.ingest.decompress import (
    MAGIC,
    bz2_stream,
    recognise,
    xz_stream,
    zstd_frame,
)
from pipeline.ingest.member_heads import BZ2_START, HEAD, is_impossible
from pipeline.ingest.source import DamagedError, Source

TRIAL = 1 << 16
"""Stored bytes that must decode before a place counts as the start of a member."""

_MEMBERS: dict[str, Callable[[Source], Iterator[bytes]]] = {
    "zstd": zstd_frame,
    "bz2": bz2_stream,
    "xz": xz_stream,
}


def seek_next(source: Source, codec: str) -> bool:
    """Go to the next place where a member of `codec` begins and decodes; else to the end.

    Wrong bytes are often noticed late, behind the start of the next member: so the search begins
    behind the start of the damaged one.
    """
    source.go_back(source.begun + 1)
    if source.position == source.begun:
        source.take(1)
    return seek_member(source, codec)


def seek_member(source: Source, codec: str, *, before: int | None = None) -> bool:
    """Take bytes up to such a place, here or later; give up at the position `before`."""
    magic = MAGIC.get(codec, b"BZh")
    while (window := source.peek(TRIAL)) and (before is None or source.position < before):
        at = window.find(magic)
        while 0 <= at <= len(window) - HEAD and is_impossible(window[at : at + HEAD], codec):
            at = window.find(magic, at + 1)
        if at == 0 and is_member(source, codec):
            return True
        if at > 0:
            _take_all(source, at)
        elif at == 0:
            source.take(1)
        else:
            _take_all(source, len(window) if len(window) < TRIAL else TRIAL - len(magic))
    return False


def is_member(source: Source, codec: str) -> bool:
    """Whether a member begins here in earnest: a function of the next `TRIAL` bytes."""
    return recognise(source) == codec and _decodes(source.peek(TRIAL), codec)


def _take_all(source: Source, size: int) -> None:
    while size:
        size -= len(source.take(size))


def _decodes(window: bytes, codec: str) -> bool:
    """Whether a member begins here in earnest: wrong bytes do not decode for long.

    The start of a bz2 stream is too long to be met by chance: what is in front of one has ended.
    """
    if codec == "gzip":
        return _inflates(window)
    following = BZ2_START.search(window, 1) if codec == "bz2" else None
    left = [window[: following.start()] if following else window]
    source = Source(lambda _size: left.pop() if left else b"")
    found = 0
    try:
        for piece in _MEMBERS[codec](source):
            found += len(piece)
    except DamagedError as error:
        return error.reason == "truncated_stream" and not following
    return found > 0


def _inflates(window: bytes) -> bool:
    """The same of gzip; what stands before an error is not made."""
    member, found = zlib.decompressobj(wbits=31), 0
    try:
        while window and not member.eof:
            found += len(member.decompress(window, 4 * TRIAL))
            window = member.unconsumed_tail
    except zlib.error:
        return False
    return found > 0
