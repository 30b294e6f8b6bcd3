"""Lines of a decoded text, in memory that no line makes grow.

Holds: `lines`, `Long`. Pure; memory is bounded by the limit of a line.
Not here: what a line says (`jsonl.py`, `delimited.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.ingest.pieces import EXCERPT


class Long(msgspec.Struct):
    """A line that is dropped because it is too long: its start and how long it was."""

    start: str
    chars: int
    ended: bool

    @property
    def size(self) -> int:
        """Characters of the file, the end of the line among them."""
        return self.chars + self.ended


def lines(blocks: Iterable[str], limit: int) -> Iterator[str | Long]:
    r"""Yield lines with their "\n"; of lines longer than `limit` bytes only the first part."""
    held = _Held(limit)
    for block in blocks:
        *whole, rest = block.split("\n")
        if whole:
            yield held.end(whole[0])
            for line in whole[1:]:
                yield line + "\n" if 4 * len(line) <= limit else _checked(line, limit)
        held.add(rest)
    if held.chars:
        yield held.last()


class _Held:
    """The line that the blocks so far have begun; mutable."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self.chars = 0

    def add(self, part: str) -> None:
        """Hold another part; of a line that is too long only the first one is kept."""
        self.chars += len(part)
        if part and (self.chars <= self._limit or not self._parts):
            self._parts.append(part)
        elif self.chars > self._limit:
            self._parts = [self._parts[0][:EXCERPT]]

    def end(self, part: str) -> str | Long:
        """Return the line that `part` ends."""
        self.add(part)
        return self._take(ended=True)

    def last(self) -> str | Long:
        """Return the last line of the file, which has no newline."""
        return self._take(ended=False)

    def _take(self, *, ended: bool) -> str | Long:
        parts, chars = self._parts, self.chars
        self._parts, self.chars = [], 0
        if chars > self._limit:
            return Long("".join(parts)[:EXCERPT], chars, ended)
        line = "".join(parts)
        if 4 * chars > self._limit:
            return _checked(line, self._limit, ended=ended)
        return line + "\n" if ended else line


def _checked(line: str, limit: int, *, ended: bool = True) -> str | Long:
    """Measure a line that may be too long in bytes."""
    if len(line) > limit or len(line.encode("utf-8", "surrogatepass")) > limit:
        return Long(line[:EXCERPT], len(line), ended)
    return line + "\n" if ended else line
