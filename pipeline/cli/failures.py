"""What the command line says when something goes wrong that no part of Winnow foresaw.

Holds: `sentence`. Pure. Not here: errors that say it themselves (`errors.py`), exit codes
(`cli/__init__.py`).
"""

from __future__ import annotations

import errno
import sys
from typing import Final

from pipeline.errors import WinnowError

_FORBIDDEN: Final = (
    "leave to use it",
    "Change its owner or mode, or name another place",
)
_FULL: Final = (
    "room to write",
    "Free some and run the command again; finished work is kept",
)
_OF_FILES: Final = {
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: ("a file system that can be written to", "Name another place"),
    errno.EEXIST: ("a folder there, or nothing", "Name another place, or move the file away"),
    errno.ENOTDIR: ("folders all the way to it", "Check the path: one of its folders is a file"),
    errno.EISDIR: ("a file", "Name the files in the folder"),
    errno.ENOENT: ("to find it, or to make it", "Check the path"),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}
"""By error number: what was expected, and what to do."""

_OTHER: Final = ("to use it", "Check the path and the device; WINNOW_DEBUG=1 shows the traceback")


def sentence(error: Exception) -> str | None:
    """Say in one line what was expected, what was found and what to do; None for a defect."""
    if isinstance(error, WinnowError):
        return _line(error)
    if isinstance(error, OSError):
        return _of_file(error)
    if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint"):
        return (
            f"expected the endpoint of a store as http://host:port, found: {_line(error)}. "
            "Check --endpoint-url, store.endpoint_url and AWS_ENDPOINT_URL."
        )
    arrow = sys.modules.get("pyarrow")  # an error of a library that was never loaded is not ours
    if arrow is not None and isinstance(error, arrow.ArrowException):
        return (
            f"expected sound Arrow or Parquet data, found: {_line(error)}. Check the files named; "
            "WINNOW_DEBUG=1 shows where it happened."
        )
    return None


def _of_file(error: OSError) -> str:
    place = error.filename2 or error.filename or "a file"
    if isinstance(place, bytes):
        place = place.decode(errors="backslashreplace")
    expected, advice = _OF_FILES.get(error.errno or 0, _OTHER)
    return f"{place}: expected {expected}, found: {error.strerror or _line(error)}. {advice}."


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
