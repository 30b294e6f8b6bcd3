"""A bounded look at a stream of decoded bytes: peek, take, search, skip.

Holds: `Window`. Reads an iterator of blocks; writes nothing.
Not here: stored bytes (`decompress.py`), which records are in the window (`warc.py`, archives).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

BLOCK = 1 << 20


class Window:
    """Buffers only what was asked for; `position` counts the bytes taken so far."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """Look at blocks of any size."""
        self._blocks = iter(blocks)
        self._data = b""
        self._at = 0
        self.position = 0

    def fill(self, size: int) -> int:
        """Make `size` bytes available when there are so many; return how many there are."""
        held = len(self._data) - self._at
        if held >= size:
            return held
        parts = []
        while held < size and (block := next(self._blocks, b"")):
            parts.append(block)
            held += len(block)
        if parts:
            self._data, self._at = b"".join([self._data[self._at :], *parts]), 0
        return held

    def peek(self, size: int, start: int = 0) -> bytes:
        """Return up to `size` bytes after the next `start`, without taking them."""
        self.fill(start + size)
        return self._data[self._at + start : self._at + start + size]

    def take(self, size: int) -> bytes:
        """Take up to `size` bytes; fewer only at the end."""
        data = self.peek(size)
        self._at += len(data)
        self.position += len(data)
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """Take `size` bytes in blocks; ends early at the end of the stream."""
        while size > 0 and (data := self.take(min(size, BLOCK))):
            size -= len(data)
            yield data

    def skip(self, size: int) -> int:
        """Take `size` bytes and forget them; return how many there were."""
        return sum(map(len, self.pieces(size)))

    def find(self, pattern: re.Pattern[bytes], *, start: int, limit: int) -> re.Match[bytes] | None:
        """Search the bytes from `start` to `limit` after the position; offsets count from 0."""
        self.fill(limit)
        return pattern.search(self._data[self._at + start : self._at + limit])

    def skip_to(self, pattern: re.Pattern[bytes], *, longest: int, ahead: int = 0) -> bool:
        """Take bytes up to the next match, or all; memory does not grow with the distance.

        Args:
            pattern: what to stop before.
            longest: the most bytes that a match has.
            ahead: bytes to pass before the search begins.
        """
        self.skip(ahead)
        while held := self.fill(BLOCK + longest):
            found = pattern.search(self._data, self._at)
            if found:
                self.skip(found.start() - self._at)
                return True
            if held < BLOCK + longest:
                self.skip(held)
                return False
            self.skip(held - longest)
        return False
