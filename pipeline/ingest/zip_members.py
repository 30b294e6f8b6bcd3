"""Members of a zip archive, read front to back without its directory.

Holds: `zip_members`. Reads a `Window`; pure otherwise.
Not here: what is in the members (`archives.py`), the directory (`zip_directory.py`).

The local headers suffice, so an archive that is cut short gives the members before the cut.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import deque
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress

import msgspec

from pipeline.ingest.codecs import RATIO_GRACE
from pipeline.ingest.members import CorruptMemberError, Member, unsafe
from pipeline.ingest.pieces import RefusedError
from pipeline.ingest.window import Window

MAGIC = b"PK\x03\x04"
_END = b"PK\x05\x06"
_DIRECTORY = {
    b"PK\x01\x02": (46, ((28, 2), (30, 2), (32, 2))),
    b"PK\x05\x05": (6, ((4, 2),)),
    b"PK\x06\x06": (12, ((4, 8),)),
    b"PK\x06\x07": (20, ()),
    b"PK\x06\x08": (8, ((4, 4),)),
    _END: (22, ((20, 2),)),
}
"""Parts of the directory at the end: the bytes of each, and where in it and how wide the sizes of
what follows it are."""
_NEXT = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x05\x06)")
_NOT_ZERO = re.compile(rb"[^\0]")
_HEADER = struct.Struct("<4sHHHHHIIIHH")
_BIG = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_PIECE = 1 << 16
_NO_DATA = b"\x03\0"
"""Nothing, deflated: what some packers write for a folder."""
_LINK = RefusedError("link", "expected a file in the archive, found a symbolic link.")
_OFFICE = ("[Content_Types].xml", "mimetype", "META-INF/")


class _Head(msgspec.Struct):
    """A local header; `size` is the compressed size, -1 when it follows the data."""

    flags: int
    method: int
    crc: int
    size: int
    name: str


def zip_members(window: Window, max_ratio: int, links: Container[int] = ()) -> Iterator[Member]:
    """Yield the members in order; the blocks of each must be read before the next.

    Other bytes may follow the directory, another archive among them: `cat` joins archives.

    `links`: the places of members that are links; their own headers do not say so.

    Raises:
        RefusedError: an office document or a program archive, which is no dump.
    """
    first, ended = True, False
    while mark := window.peek(4):
        if mark in _DIRECTORY:
            ended = mark == _END
            _skip_entry(window, _DIRECTORY[mark])
            continue
        if mark != MAGIC:
            yield _garbage(window)
            continue
        place = window.position
        member = _member(window, max_ratio)
        if place in links:
            member.problem = member.problem or _LINK
        if first:
            _refuse_office(member)
        first = ended = False
        if not member.name.endswith("/"):
            yield member
        else:
            _skip_folder(window, member)
    if not ended:
        detail = "expected the directory at the end of a zip archive, found the end of the object."
        yield Member("", (), RefusedError("truncated_archive", detail))


def _refuse_office(first: Member) -> None:
    if first.name.startswith(_OFFICE):
        raise RefusedError(
            "unsupported_format",
            "expected text, records or an archive of them, found a document or program in zip "
            "form. Extract the text and upload that.",
        )


def _skip_folder(window: Window, member: Member) -> None:
    if window.peek(len(_NO_DATA)) == _NO_DATA:
        with suppress(CorruptMemberError):
            deque(member.blocks, maxlen=0)


def _skip_entry(window: Window, shape: tuple[int, Sequence[tuple[int, int]]]) -> None:
    """Pass over a part of the directory, and over zeros that fill up what is behind its end."""
    fixed, sizes = shape
    raw = window.take(fixed)
    window.skip(sum(int.from_bytes(raw[at : at + wide], "little") for at, wide in sizes))
    if raw.startswith(_END):
        window.skip_to(_NOT_ZERO, longest=1)


def _garbage(window: Window) -> Member:
    start = window.position
    window.skip_to(_NEXT, longest=4, ahead=1)
    size = window.position - start
    detail = f"expected a member of a zip archive, found {size} other bytes."
    return Member("", (bytes(size),) if size < _PIECE else _zeros(size),
                  RefusedError("garbage_in_archive", detail))  # fmt: skip


def _zeros(size: int) -> Iterator[bytes]:
    """Stand for bytes that were passed over: they are only counted."""
    for at in range(0, size, _PIECE):
        yield bytes(min(_PIECE, size - at))


def _member(window: Window, max_ratio: int) -> Member:
    raw = window.peek(_HEADER.size)
    if len(raw) < _HEADER.size:
        window.skip(_HEADER.size)
        return Member(
            "", (), RefusedError("truncated_archive", "expected a header, found the end.")
        )
    _, _, flags, method, _, _, crc, size, full, names, extras = _HEADER.unpack(raw)
    window.skip(_HEADER.size)
    name = window.take(names).decode("utf-8" if flags & 0x800 else "cp437", "replace")
    extra = window.take(extras)
    if size == _BIG:
        size = _big_size(extra, has_full=full == _BIG)
    head = _Head(flags, method, crc, -1 if flags & 8 else size, name)
    return Member(name, _blocks(window, head, max_ratio), unsafe(name) or _refused(head))


def _refused(head: _Head) -> RefusedError | None:
    if head.flags & 1:
        return RefusedError("encrypted", "expected a readable member, found an encrypted one.")
    if head.method == _STORED and head.size < 0:
        return RefusedError(
            "unsupported_method",
            "expected the size of a stored member before it, found that it follows. Pack it with "
            "compression, or to a file and not to a pipe.",
        )
    if head.method not in {_STORED, _DEFLATED}:
        return RefusedError(
            "unsupported_method",
            f"expected stored or deflated data, found method {head.method}. Pack it again.",
        )
    return None


def _big_size(extra: bytes, *, has_full: bool) -> int:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        place = at + 4 + 8 * has_full
        if kind == 1 and place + 8 <= len(extra):
            return int(struct.unpack_from("<Q", extra, place)[0])
        at += 4 + size
    return -1


def _blocks(window: Window, head: _Head, max_ratio: int) -> Iterator[bytes]:
    """Yield the decoded data, or the raw data of a member that cannot be decoded.

    Raises:
        CorruptMemberError: after all that could be decoded; the window is behind the member.
    """
    if _refused(head):
        if head.size >= 0:
            yield from window.pieces(head.size)
        else:
            start = window.position
            window.skip_to(_NEXT, longest=4)
            yield from _zeros(window.position - start)
        return
    start = window.position
    try:
        crc = 0
        for data in _deflated(window, max_ratio) if head.method else _stored(window, head.size):
            crc = zlib.crc32(data, crc)
            yield data
    except CorruptMemberError:
        left = head.size - (window.position - start)
        if head.size >= 0 and left >= 0:
            window.skip(left)
        else:
            window.skip_to(_NEXT, longest=4)
        raise
    if crc != (_descriptor(window) if head.size < 0 else head.crc):
        raise CorruptMemberError("corrupt_member", "expected another checksum of the member.")


def _stored(window: Window, size: int) -> Iterator[bytes]:
    for data in window.pieces(size):
        size -= len(data)
        yield data
    if size:
        raise CorruptMemberError("truncated_archive", f"expected {size} more bytes, found none.")


def _deflated(window: Window, max_ratio: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(wbits=-15)
    given = taken = 0
    while not stream.eof:
        data = window.peek(_PIECE)
        try:
            piece = stream.decompress(data, 4 * _PIECE)
        except zlib.error as error:
            raise CorruptMemberError("corrupt_member", f"expected valid data: {error}.") from error
        used = len(data) - len(stream.unused_data) - len(stream.unconsumed_tail)
        window.skip(used)
        given, taken = given + len(piece), taken + used
        if given > RATIO_GRACE and given > max_ratio * max(1, taken):
            detail = f"expected at most {max_ratio} bytes for each stored byte, found more."
            raise CorruptMemberError("bomb", detail)
        if not (data or piece):
            raise CorruptMemberError("truncated_archive", "expected more data, found the end.")
        yield piece


def _descriptor(window: Window) -> int:
    """Take the checksum and sizes behind the data; return the checksum."""
    marked = 4 if window.peek(4) == b"PK\x07\x08" else 0
    crc = int.from_bytes(window.peek(4, marked), "little")
    wide = window.peek(2, marked + 12) != b"PK" and window.peek(2, marked + 20) == b"PK"
    window.skip(marked + (20 if wide else 12))
    return crc
