"""Files inside an archive, before anything of them is read.

Holds: `Member`, `unsafe`, `CorruptMemberError`. Pure.
Not here: zip (`zip_members.py`), tar (`tar_members.py`), their pieces (`archives.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from pipeline.ingest.pieces import RefusedError

_UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|[\x00-\x1f\x7f\\]|(?:^|/)\.\.(?:/|$)|^$")
MAX_NAME = 1024


class CorruptMemberError(RefusedError):
    """The bytes of a member end or go wrong here; what came before was good."""


class Member(msgspec.Struct):
    """One file of an archive; `problem` says why it is not read. `blocks` are read once."""

    name: str
    blocks: Iterable[bytes]
    problem: RefusedError | None = None


def unsafe(name: str) -> RefusedError | None:
    """Return why a name is refused: it points outside the archive, or is no name at all."""
    if _UNSAFE.search(name) or len(name) > MAX_NAME:
        return RefusedError(
            "unsafe_path",
            "expected a relative path without .. or control characters, found another. Pack it "
            "again.",
        )
    return None
