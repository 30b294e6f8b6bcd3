"""Members of a tar archive, read front to back.

Holds: `tar_members`, `is_tar`. Reads a `Window`; pure otherwise.
Not here: what is in the members (`archives.py`).
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

from pipeline.ingest.members import CorruptMemberError, Member, unsafe
from pipeline.ingest.pieces import RefusedError
from pipeline.ingest.window import Window

BLOCK = 512
_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})
_LINKS = frozenset({tarfile.LNKTYPE, tarfile.SYMTYPE})
_MAX_LONG = 1 << 16
_PATH = re.compile(rb"(?:^|\n)\d{1,6} path=([^\n]+)\n")


def is_tar(head: bytes) -> bool:
    """Whether a block begins with the header of a member."""
    return head[257:262] == b"ustar" and _header(head[:BLOCK]) is not None


def tar_members(window: Window, _max_ratio: int) -> Iterator[Member]:
    """Yield the files of the archive in order, and what is refused of it."""
    long_name = ""
    while raw := window.take(BLOCK):
        if not raw.strip(b"\0"):
            window.skip_to(re.compile(rb"(?!)"), longest=1)
            return
        header = _header(raw)
        if header is None:
            yield _garbage(window, raw)
            continue
        padding = -header.size % BLOCK
        if header.type in {tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE}:
            long_name = _long_name(window, header) or long_name
            window.skip(padding)
        elif header.type in {tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE}:
            window.skip(header.size + padding)
        else:
            name = long_name or header.name
            long_name = ""
            if header.type != tarfile.DIRTYPE:
                blocks = _blocks(window, header.size if _has_data(header) else 0)
                yield Member(name, blocks, unsafe(name) or _refused(header))
    detail = "expected the end of a tar archive, found the end of the object. Upload it again."
    yield Member("", (), RefusedError("truncated_archive", detail))


def _header(raw: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(raw, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None


def _has_data(header: tarfile.TarInfo) -> bool:
    return header.type in _FILES or header.type not in tarfile.SUPPORTED_TYPES


def _refused(header: tarfile.TarInfo) -> RefusedError | None:
    if header.type in _FILES:
        return None
    kind = "link" if header.type in _LINKS else "special_file"
    return RefusedError(kind, "expected a regular file in the archive, found another kind.")


def _long_name(window: Window, header: tarfile.TarInfo) -> str:
    data = window.take(min(header.size, _MAX_LONG))
    window.skip(header.size - len(data))
    if header.type == tarfile.XHDTYPE:
        found = _PATH.search(data)
        data = found[1] if found else b""
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape")


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
