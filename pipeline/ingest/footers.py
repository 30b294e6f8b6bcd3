"""Where Parquet files begin and end in a temporary file that may hold more than one.

Holds: `files_in`, `Slice`. Reads the temporary file.
Not here: their rows (`columnar.py`).

A file ends in its footer, the length of that, and a magic number; its offsets count from its own
start. What is joined behind it would be read by its own footer and the bytes of the first.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

MAGIC = b"PAR1"
_MAGIC = re.compile(MAGIC)
_LENGTH = 4
_VERSION = b"\x15"
"""How a footer begins: the version is its first field, and a number."""

_FILL, _PADDED = b"\0\r\n", 1 << 12
"""What may stand between two files, and how many bytes of it."""

_BLOCK = 1 << 20


def files_in(spool: BinaryIO, size: int) -> tuple[list[tuple[int, int]], int]:
    """Return where each file begins and ends, and where the last one ends that has a footer.

    Of what no footer is found in, the whole is one file.
    """
    starts, ends, end = [0], [], 0
    for found, footer in _ends(spool, size):
        if footer < starts[-1] + len(MAGIC):
            continue
        end = found
        behind = _read(spool, end, _PADDED)
        if (following := behind.lstrip(_FILL)).startswith(MAGIC):
            ends.append(end)
            starts.append(end + len(behind) - len(following))
    if starts[-1] >= end:
        end = size
    return list(zip(starts, [*ends, end], strict=True)), end


def _ends(spool: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Yield where files may end, and where the footer of each begins."""
    overlap = _LENGTH + len(MAGIC) - 1
    for low in range(0, size, _BLOCK):
        start = max(0, low - overlap)
        data = _read(spool, start, low + _BLOCK - start)
        for found in _MAGIC.finditer(data, _LENGTH):
            at = found.start() - _LENGTH
            footer = start + at - int.from_bytes(data[at : at + _LENGTH], "little")
            if footer > 0 and _read(spool, footer, len(_VERSION)) == _VERSION:
                yield start + found.end(), footer


def _read(spool: BinaryIO, at: int, size: int) -> bytes:
    spool.seek(at)
    return spool.read(size)


class Slice(io.RawIOBase):
    """Some bytes of a temporary file as a file of its own; mutable place."""

    def __init__(self, spool: BinaryIO, start: int, end: int) -> None:
        """Begin at the first of the bytes."""
        self._spool, self._start, self._size = spool, start, end - start
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that places in it can be gone to."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read on, up to the last of the bytes."""
        left = max(0, self._size - self._at)
        data = _read(self._spool, self._start + self._at, left if size < 0 else min(size, left))
        self._at += len(data)
        return data
