"""A file system for DuckDB that counts what is read of local files."""

from __future__ import annotations

import threading
from typing import Any

from fsspec.implementations.local import LocalFileSystem

PROTOCOL = "counted"


class Counted(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Local files at `counted:///path`: `sizes` has the bytes read of each, `total` of all."""

    protocol = PROTOCOL
    cachable = False  # each counts for itself

    def __init__(self) -> None:
        """Start with nothing read."""
        super().__init__()
        self.sizes: dict[str, int] = {}

    @property
    def total(self) -> int:
        """Bytes read so far."""
        return sum(self.sizes.values())

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(LocalFileSystem._strip_protocol(str(path).removeprefix(f"{PROTOCOL}://")))

    def glob(self, path: str, **options: Any) -> list[str]:
        """Find files; their names lead back here."""
        return [f"{PROTOCOL}://{name}" for name in super().glob(path, **options)]

    def _open(self, path: str, mode: str = "rb", **options: Any) -> _Tap:
        self.sizes.setdefault(path, 0)
        return _Tap(self, path, super()._open(path, mode, **options))


class _Tap:
    """An open file of which every read is counted.

    DuckDB's threads share it, and each seeks before it reads: so each has a place of its own.
    """

    def __init__(self, counted: Counted, path: str, file: Any) -> None:
        self._counted, self._path, self._file = counted, path, file
        self._lock = threading.Lock()
        self._places = threading.local()

    def seek(self, place: int, whence: int = 0) -> int:
        with self._lock:
            self._places.at = int(self._file.seek(place, whence))
        return int(self._places.at)

    def tell(self) -> int:
        return int(getattr(self._places, "at", 0))

    def read(self, size: int = -1) -> bytes:
        with self._lock:
            self._file.seek(self.tell())
            data: bytes = self._file.read(size)
            self._counted.sizes[self._path] += len(data)
        self._places.at = self.tell() + len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
