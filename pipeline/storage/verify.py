"""Checking files against the references that name them.

Holds: `sha256_of`, `verified`, `downloaded`, `trouble`. Reads local files, and objects of a store.
Not here: getting them (`fetch` of the stores).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import CorruptError, MissingError
from pipeline.model.files import FileRef
from pipeline.storage.store import Store

_BUFFER = 1024 * 1024

_seen: dict[Path, tuple[int, int, str]] = {}
"""Files that this process has hashed: path -> (mtime in ns, size, sha256)."""


def sha256_of(path: Path) -> str:
    """Hash a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified(path: Path, ref: FileRef, *, whole: bool = True) -> Path:
    """Return `path` if it holds `ref`'s bytes; a file that has not changed is hashed once.

    Not `whole`: the size is compared, and a hash if this process knows it.

    Raises:
        CorruptError: size or sha256 differ from the reference.
    """
    stat = path.stat()
    known = _seen.get(path)
    if not whole and known is None and stat.st_size == ref.size:
        return path
    if known is not None and known[:2] == (stat.st_mtime_ns, stat.st_size):
        digest = known[2]
    else:
        digest = sha256_of(path)
        _seen[path] = (stat.st_mtime_ns, stat.st_size, digest)
    if (stat.st_size, digest) != (ref.size, ref.sha256):
        raise _mismatch(ref, stat.st_size, digest)
    return path


def downloaded(open_key: Callable[[str], BinaryIO], ref: FileRef, path: Path) -> Path:
    """Bring `ref` to `path`, which exists only when its bytes are right.

    Raises:
        CorruptError: two downloads differ from the reference.
    """
    for last in (False, True):
        handle, name = tempfile.mkstemp(dir=path.parent)
        os.close(handle)
        arriving = Path(name)
        try:
            with open_key(ref.key) as reader, arriving.open("wb") as file:
                shutil.copyfileobj(reader, file, _BUFFER)
            verified(arriving, ref)
            arriving.replace(path)
        except CorruptError:
            if last:
                raise
        else:
            break
        finally:
            _seen.pop(arriving, None)
            arriving.unlink(missing_ok=True)
    return path


def _mismatch(ref: FileRef, size: int, digest: str) -> CorruptError:
    """Say which stored file is damaged and what brings it back."""
    return CorruptError(
        f"{ref.key}: expected {ref.size} bytes with sha256 {ref.sha256}, found {size} bytes with "
        f"{digest}. The stored file is damaged: `winnow heal` makes it again, or restore the "
        "object from a backup or a bucket version."
    )


def trouble(store: Store, key: str, ref: FileRef) -> str:
    """Say how the object at `key` differs from `ref`; "" when it does not."""
    digest, size = hashlib.sha256(), 0
    try:
        with store.open(key) as file:
            while chunk := file.read(_BUFFER):
                digest.update(chunk)
                size += len(chunk)
    except (MissingError, CorruptError) as error:
        return f"{key}: expected {ref.size} bytes, found none ({error})"
    if (size, digest.hexdigest()) == (ref.size, ref.sha256):
        return ""
    return (
        f"{key}: expected {ref.size} bytes with sha256 {ref.sha256[:16]}…, found {size} bytes with "
        f"{digest.hexdigest()[:16]}…"
    )
