"""A store in memory: the fast one for tests and for trying things out.

Holds: `MemoryStore`. Reads and writes a dictionary. Not here: named stores (`open.py`).
"""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import ChangedError, ConflictError, MissingError
from pipeline.model.files import FileRef, ObjectInfo
from pipeline.storage.store import several
from pipeline.storage.verify import verified


class MemoryStore:
    """Objects in a dictionary behind a lock, which is the mutable state."""

    def __init__(self, url: str = "memory://", clock: Callable[[], float] = time.time) -> None:
        """Make an empty store whose modification times come from `clock`."""
        self._url = url
        self._clock = clock
        self._objects: dict[str, tuple[bytes, ObjectInfo]] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The URL the store was opened with."""
        return self._url

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object under `prefix` as of now."""
        with self._lock:
            found = [info for key, (_, info) in self._objects.items() if key.startswith(prefix)]
        yield from found

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of the folders directly under `prefix`."""
        rests = (info.key.removeprefix(prefix) for info in self.list(prefix))
        yield from sorted({rest.split("/", 1)[0] for rest in rests if "/" in rest})

    def stat(self, key: str) -> ObjectInfo | None:
        """Return the object's size and ETag, or None."""
        with self._lock:
            return self._objects[key][1] if key in self._objects else None

    def open(self, key: str, *, etag: str | None = None, start: int = 0) -> BinaryIO:
        """Open a reader on the bytes as they are now."""
        data, found = self.get(key)
        if etag is not None and found != etag:
            raise ChangedError(
                f"{key}: expected ETag {etag}, found {found}. The object was replaced after it was "
                "planned; run the dump again."
            )
        stream = io.BytesIO(data)
        stream.seek(start)
        return stream

    def get(self, key: str) -> tuple[bytes, str]:
        """Return an object's bytes and its ETag."""
        with self._lock:
            if key not in self._objects:
                raise MissingError(f"expected an object at {self._url}/{key}, found none.")
            data, info = self._objects[key]
            return data, info.etag

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Write an object under the lock."""
        with self._lock:
            found = self._objects[key][1].etag if key in self._objects else None
            if if_absent and found is not None:
                raise ConflictError(f"{key}: expected no object, found ETag {found}.")
            if if_match is not None and found != if_match:
                raise ConflictError(f"{key}: expected ETag {if_match}, found {found}.")
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            info = ObjectInfo(key, len(data), etag, self._clock())
            self._objects[key] = (bytes(data), info)
            return etag

    def put_file(self, key: str, path: Path) -> None:
        """Write a local file as one object."""
        self.put(key, path.read_bytes())

    def fetch(self, ref: FileRef, folder: Path, *, whole: bool = True) -> Path:
        """Write `ref`'s bytes to a file in `folder` and check them."""
        del whole
        path = folder / ref.sha256
        if not path.exists():
            path.write_bytes(self.get(ref.key)[0])
        return verified(path, ref)

    def copy(self, source: str, target: str) -> None:
        """Copy an object."""
        self.put(target, self.get(source)[0])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; keys that do not exist are passed over."""
        wanted = list(several(keys))  # they may come from asking this store
        with self._lock:
            for key in wanted:
                self._objects.pop(key, None)
