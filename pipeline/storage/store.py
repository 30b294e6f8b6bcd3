"""The one interface to object storage.

Holds: the `Store` protocol, `several`. Reads and writes nothing itself.
Not here: implementations (`memory.py`, `local.py`, `s3.py`), opening by URL (`open.py`),
paths (`layout.py`), Parquet and manifests (`parquet.py`, `documents.py`).

All keys are relative to the URL that the store was opened with, use `/`, and never become local
paths as they are. Every implementation passes `tests/storage/test_store_behaviour.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.model.files import FileRef, ObjectInfo


class Store(Protocol):
    """An object store with atomic conditional puts.

    Raises everywhere: `TransientError` when the store cannot be reached or throttles for longer
    than the retry budget, `ConfigError` for refused credentials or a missing bucket.
    """

    @property
    def url(self) -> str:
        """The URL the store was opened with, without credentials."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object under `prefix`, in no promised order, page by page."""
        ...

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the names (not keys, no slash) of the folders directly under `prefix`."""
        ...

    def stat(self, key: str) -> ObjectInfo | None:
        """Return the object's size and ETag, or None when it does not exist."""
        ...

    def open(self, key: str, *, etag: str | None = None, start: int = 0) -> BinaryIO:
        """Open a sequential reader that survives broken connections.

        It begins at byte `start`, which must lie inside the object unless it is 0. Checksums of
        the whole object can be compared only when all of it is read.

        Raises:
            MissingError: no such object.
            ChangedError: the object's ETag is not `etag`, now or at any later resume.
        """
        ...

    def get(self, key: str) -> tuple[bytes, str]:
        """Return a small object's bytes and its ETag. Raises `MissingError`."""
        ...

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Write a small object in one atomic step and return its ETag.

        Raises:
            ConflictError: `if_absent` and the key exists, or its ETag is not `if_match`.
        """
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Write a local file as one object, atomically (multipart when large)."""
        ...

    def fetch(self, ref: FileRef, folder: Path, *, whole: bool = True) -> Path:
        """Return a local path holding `ref`'s bytes, downloading into `folder` when needed.

        A download is always checked. Of a file that is here already the size alone is, unless it
        will be read as a `whole`.

        Raises:
            CorruptError: size or sha256 differ from the reference.
            MissingError: no such object.
        """
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the store, server-side, replacing `target` in one step."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; keys that do not exist are passed over.

        Raises:
            TypeError: `keys` is one key and not several; nothing was deleted.
        """
        ...


def several(keys: Iterable[str]) -> Iterable[str]:
    """Return `keys`, unless they are one string, whose characters would be taken for keys.

    Raises:
        TypeError: it is.
    """
    if isinstance(keys, str):
        raise TypeError(f"expected several keys, found the text {keys!r}. Pass it in a list.")
    return keys
