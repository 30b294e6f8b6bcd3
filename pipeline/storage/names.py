"""How keys become file names and back: one to one, and never out of the root folder.

Holds: `path`, `key`, `segment`, `PRIVATE`. Pure. Used by `local.py` alone.

A segment that every file system takes is its own name. Any other (empty, `.`, with NUL, the
store's own folder, or one that looks like an escape) becomes `%~` and its percent-encoded bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

from pipeline.errors import InputError

PRIVATE = ".winnow"
"""Folder of the local store itself, which no key may reach."""

_ESCAPE = "%~"
_MAX_NAME = 255


def path(root: Path, key: str) -> Path:
    """Return where `key` lives under `root`.

    Raises:
        InputError: the key climbs (`..`), is empty, or has a part the file system cannot hold.
    """
    if not key:
        raise InputError("expected a key, found an empty one.")
    return root.joinpath(*(_name(key, part) for part in key.split("/")))


def key(root: Path, file: Path) -> str:
    """Return the key of a file under `root`."""
    return "/".join(segment(name) for name in file.relative_to(root).parts)


def segment(name: str) -> str:
    """Return the part of a key that a file or folder name stands for.

    Raises:
        InputError: the name is not UTF-8, so it cannot be part of a key.
    """
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"expected file names in UTF-8, found {os.fsencode(name)!r}. Rename the file."
        ) from error
    return unquote(name.removeprefix(_ESCAPE)) if name.startswith(_ESCAPE) else name


def _name(whole: str, part: str) -> str:
    if part == "..":
        raise InputError(f"expected a key that stays inside the store, found {whole!r}.")
    if part in {"", ".", PRIVATE} or "\0" in part or part.startswith(_ESCAPE):
        part = _ESCAPE + quote(part, safe="").replace(".", "%2E")
    if len(os.fsencode(part)) > _MAX_NAME:
        raise InputError(
            f"expected names of at most {_MAX_NAME} bytes between slashes, found {whole!r}. "
            "A local folder cannot hold this key; use an S3 store."
        )
    return part
