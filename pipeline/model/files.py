"""Objects in a store, and references to files that a manifest names.

Holds: `ObjectInfo` (what a listing says), `DumpFile` (an input frozen by a plan),
`FileRef` (an output named by a manifest). Reads and writes nothing.
"""

from __future__ import annotations

import msgspec


class ObjectInfo(msgspec.Struct, frozen=True):
    """One object as a store lists it. `modified` is epoch seconds (UTC)."""

    key: str
    size: int
    etag: str
    modified: float


class FileRef(msgspec.Struct, frozen=True):
    """An immutable file that a manifest names.

    `sha256` is of the stored bytes; a reader that finds others raises `CorruptError`.
    """

    key: str
    sha256: str
    size: int
    rows: int


class DumpFile(msgspec.Struct, frozen=True):
    """One object of the landing area, frozen by ETag.

    `key` is relative to the landing URL: `<source>/<dump_date>/<name>`, so that ids do not
    change when the landing area moves. `version` counts the ETags seen under this key, from 1.
    """

    source: str
    dump_date: str
    key: str
    etag: str
    size: int
    version: int = 1
