"""Members of a tar archive, read front to back.

Holds: `tar_members`, `is_tar`. Reads a `Window`; pure otherwise.
Not here: what is in the members (`archives.py`).
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

import msgspec

from pipeline.ingest.members import CorruptMemberError, Member, unsafe
from pipeline.ingest.pieces import RefusedError
from pipeline.ingest.window import Window

BLOCK = 512
_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})
_LINKS = frozenset({tarfile.LNKTYPE, tarfile.SYMTYPE})
_MAX_LONG = 1 << 16
_RECORD = re.compile(rb"(?:^|\n)\d{1,6} (path|size|GNU\.sparse\.[a-z]+)=([^\n]+)(?=\n)")
_LONGEST_SIZE = 18
_EXTENDED, _MAP_GOES_ON = 482, 504
"""The bytes of an old GNU header, and of a block of its map of holes, that say another follows."""


class _Said(msgspec.Struct):
    """What extended headers say of the member after them; they outweigh its own header."""

    name: str = ""
    size: int | None = None
    sparse: bool = False


def is_tar(head: bytes) -> bool:
    """Whether a block begins with the header of a member, with a mark or as of old without."""
    header = _header(head[:BLOCK])
    return header is not None and (head[257:262] == b"ustar" or not unsafe(header.name))


def tar_members(window: Window, _max_ratio: int) -> Iterator[Member]:
    """Yield the files of the archive in order, and what is refused of it.

    Blocks of zeros end an archive, and another one may follow: `cat` joins them.
    """
    said = _Said()
    ended = False
    while raw := window.take(BLOCK):
        if not raw.strip(b"\0"):
            ended = True
            continue
        ended = False
        header = _header(raw)
        if header is None:
            yield _garbage(window, raw)
        elif header.type in {tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE}:
            _extend(said, header, _long(window, header))
        elif header.type in {tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE}:
            window.skip(header.size + -header.size % BLOCK)
        else:
            if header.type != tarfile.DIRTYPE:
                yield _member(window, raw, header=header, said=said)
            said = _Said()
    if not ended:
        detail = "expected the end of a tar archive, found the end of the object. Upload it again."
        yield Member("", (), RefusedError("truncated_archive", detail))


def _header(raw: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(raw, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None


def _has_data(header: tarfile.TarInfo) -> bool:
    with_data = header.type in _FILES or header.type == tarfile.GNUTYPE_SPARSE
    return with_data or header.type not in tarfile.SUPPORTED_TYPES


def _member(window: Window, raw: bytes, *, header: tarfile.TarInfo, said: _Said) -> Member:
    if header.type == tarfile.GNUTYPE_SPARSE:
        _skip_map(window, raw)
    size = header.size if said.size is None else said.size
    name = said.name or header.name
    blocks = _blocks(window, size if _has_data(header) else 0)
    return Member(name, blocks, unsafe(name) or _refused(header, said))


def _refused(header: tarfile.TarInfo, said: _Said) -> RefusedError | None:
    if said.sparse or header.type == tarfile.GNUTYPE_SPARSE:
        detail = "expected a whole file, found one stored with holes. Pack it without --sparse."
        return RefusedError("special_file", detail)
    if header.type in _FILES:
        return None
    kind = "link" if header.type in _LINKS else "special_file"
    return RefusedError(kind, "expected a regular file in the archive, found another kind.")


def _long(window: Window, header: tarfile.TarInfo) -> bytes:
    data = window.take(min(header.size, _MAX_LONG))
    window.skip(header.size - len(data) + -header.size % BLOCK)
    return data


def _extend(said: _Said, header: tarfile.TarInfo, data: bytes) -> None:
    """Take the name, and with POSIX headers the size, of the next member."""
    if header.type == tarfile.GNUTYPE_LONGNAME:
        said.name = _decoded(data) or said.name
        return
    records = dict(_RECORD.findall(data))
    if name := records.get(b"GNU.sparse.name") or records.get(b"path"):
        said.name = _decoded(name)
    if (size := records.get(b"size", b"")).isdigit():
        said.size = int(size[:_LONGEST_SIZE])
    said.sparse = said.sparse or any(key.startswith(b"GNU") for key in records)


def _decoded(name: bytes) -> str:
    return name.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _skip_map(window: Window, raw: bytes) -> None:
    """Pass over the blocks that tell where the holes of an old GNU sparse file are."""
    more = raw[_EXTENDED]
    while more and (block := window.take(BLOCK)):
        more = block[_MAP_GOES_ON] if len(block) == BLOCK else 0


def _blocks(window: Window, size: int) -> Iterator[bytes]:
    left = size
    for data in window.pieces(size):
        left -= len(data)
        yield data
    if left:
        detail = f"expected {left} more bytes of the member, found the end of the object."
        raise CorruptMemberError("truncated_archive", detail)
    window.skip(-size % BLOCK)


def _garbage(window: Window, raw: bytes) -> Member:
    """Pass over blocks that are no header."""

    def blocks() -> Iterator[bytes]:
        yield raw
        while (ahead := window.peek(BLOCK)) and ahead.strip(b"\0") and _header(ahead) is None:
            yield window.take(BLOCK)

    detail = "expected the header of a member, found other bytes."
    return Member("", blocks(), RefusedError("garbage_in_archive", detail))
