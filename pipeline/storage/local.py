"""A store in a local folder, with the same promises as object storage.

Holds: `LocalStore`. Reads and writes files under one root folder; `.winnow/` in it holds the lock
and files on their way in. Not here: how keys become file names (`names.py`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import ChangedError, ConfigError, ConflictError, MissingError
from pipeline.model.files import FileRef, ObjectInfo
from pipeline.storage import names
from pipeline.storage.store import several
from pipeline.storage.verify import verified

_MARK = "user.winnow.md5"
_SETTLED_NS = 2_000_000_000

_digests: dict[Path, tuple[int, int, int, str]] = {}
"""ETags this process computed: path -> (mtime in ns, size, inode, md5)."""


class LocalStore:
    """Objects as files. A put writes a temporary file, then renames it under a lock.

    The ETag is the MD5 of the bytes, as in S3. Files written here remember theirs in an extended
    attribute, where the file system has them; files put there by others are hashed when listed.
    """

    def __init__(self, root: Path) -> None:
        """Bind to a folder, which need not exist before the first put."""
        self._root = root.absolute()

    @property
    def url(self) -> str:
        """The folder as a file URL."""
        return self._root.as_uri()

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every file whose key starts with `prefix`, links followed."""
        folder, _, _ = prefix.rpartition("/")
        for path in _walk(self._folder(folder), skip=self._private, above=frozenset()):
            key = names.key(self._root, path)
            if key.startswith(prefix):
                with suppress(FileNotFoundError):
                    yield _info(key, path)

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of the folders directly under `prefix`."""
        folder, _, start = prefix.rpartition("/")
        for entry in _entries(self._folder(folder)):
            if entry.is_dir() and Path(entry.path) != self._private:
                name = names.segment(entry.name)
                if name.startswith(start):
                    yield name

    def stat(self, key: str) -> ObjectInfo | None:
        """Return the file's size and ETag, or None."""
        path = names.path(self._root, key)
        try:
            return _info(key, path) if path.is_file() else None
        except FileNotFoundError:
            return None

    def open(self, key: str, *, etag: str | None = None, start: int = 0) -> BinaryIO:
        """Open the file after comparing its ETag."""
        path = self._existing(key)
        file = path.open("rb")
        if etag is not None and (found := _etag(path)) != etag:
            file.close()
            raise ChangedError(
                f"{key}: expected ETag {etag}, found {found}. The file was replaced after it was "
                "planned; run the dump again."
            )
        file.seek(start)
        return file

    def get(self, key: str) -> tuple[bytes, str]:
        """Return a file's bytes and its ETag."""
        data = self._existing(key).read_bytes()
        return data, _md5(data)

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Write a file in one step; conditions are checked under the store's lock."""
        path = names.path(self._root, key)
        etag = _md5(data)
        with self._arriving() as temporary:
            temporary.write_bytes(data)
            _settle(temporary, etag)
            with self._locked():
                found = _etag(path) if path.is_file() else None
                if if_absent and found is not None:
                    raise ConflictError(f"{key}: expected no object, found ETag {found}.")
                if if_match is not None and found != if_match:
                    raise ConflictError(f"{key}: expected ETag {if_match}, found {found}.")
                self._place(temporary, path)
        return etag

    def put_file(self, key: str, path: Path) -> None:
        """Copy a local file into the store in one step."""
        self._copy(path, names.path(self._root, key))

    def fetch(self, ref: FileRef, folder: Path, *, whole: bool = True) -> Path:
        """Return the stored file itself, checked; `folder` is not needed."""
        del folder
        return verified(self._existing(ref.key), ref, whole=whole)

    def copy(self, source: str, target: str) -> None:
        """Copy a file inside the store in one step."""
        self._copy(self._existing(source), names.path(self._root, target))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files, and the folders that become empty."""
        for key in several(keys):
            path = names.path(self._root, key)
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                path.unlink()
            for folder in path.parents:
                if folder == self._root:
                    break
                try:
                    folder.rmdir()
                except OSError:
                    break

    @property
    def _private(self) -> Path:
        return self._root / names.PRIVATE

    def _folder(self, prefix: str) -> Path:
        if not self._root.is_dir():
            raise ConfigError(
                f"expected a folder at {self._root}, found none. Create it or check the URL."
            )
        return names.path(self._root, prefix) if prefix else self._root

    def _existing(self, key: str) -> Path:
        path = names.path(self._root, key)
        if not path.is_file():
            raise MissingError(f"expected a file at {path}, found none.")
        return path

    @contextmanager
    def _arriving(self) -> Iterator[Path]:
        """Yield the path of a temporary file that is gone at the end unless it was placed."""
        folder = self._private / "arriving"
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o644)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Exclude every other put of any process; the lock goes with its holder."""
        with (self._private / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _copy(self, source: Path, target: Path) -> None:
        with self._arriving() as temporary:
            shutil.copyfile(source, temporary)
            _settle(temporary, _etag(source))
            self._place(temporary, target)

    def _place(self, temporary: Path, target: Path) -> None:
        """Rename into place; a `delete` may take the emptied folder away in between."""
        for _ in range(10):
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                temporary.replace(target)
                return
        raise MissingError(f"expected to create {target.parent}, found it deleted each time.")


def _settle(path: Path, etag: str) -> None:
    """Bring a finished file to disk and note its ETag on it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        stat = os.fstat(file.fileno())
    with suppress(OSError, AttributeError):  # not every system or file system has attributes
        os.setxattr(path, _MARK, f"{stat.st_mtime_ns}:{stat.st_size}:{etag}".encode())


def _info(key: str, path: Path) -> ObjectInfo:
    stat = path.stat()
    return ObjectInfo(key, stat.st_size, _etag(path), stat.st_mtime)


def _etag(path: Path) -> str:
    """Return the file's MD5: noted on it, known to this process, or computed now."""
    stat = path.stat()
    state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    with suppress(OSError, AttributeError):
        mtime, size, etag = os.getxattr(path, _MARK).decode().split(":")
        if (int(mtime), int(size)) == state[:2]:
            return etag
    known = _digests.get(path)
    if known is not None and known[:3] == state:
        return known[3]
    with path.open("rb") as file:
        etag = hashlib.file_digest(file, "md5").hexdigest()
    # Clocks of file systems tick coarsely: a file written just now may change unseen.
    if time.time_ns() - stat.st_mtime_ns > _SETTLED_NS:
        _digests[path] = (*state, etag)
    return etag


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _walk(folder: Path, *, skip: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """Yield the files below `folder`; a link back to a folder above is not followed again."""
    if folder == skip or not folder.is_dir():
        return
    stat = folder.stat()
    here = (stat.st_dev, stat.st_ino)
    if here in above:
        return
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.is_dir():
            yield from _walk(path, skip=skip, above=above | {here})
        elif entry.is_file():
            yield path
