"""Stored bytes as a stream to take from and to give back to, and the error of a damaged one.

Holds: `Source`, `DamagedError`, `truncated`, `corrupt`. Reads through a function that it is given.
Not here: what the bytes are (`decompress.py`), the way back after damage (`seek.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pipeline.errors import InputError

PIECE = 1 << 16
PAST = 4 * PIECE
"""Bytes that were taken and can be read again."""


class DamagedError(InputError):
    """The stored bytes end or go wrong here; what came before was good."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the reason (a word for counting) and the detail (a sentence for people)."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Source:
    """A buffered reader that counts what was taken and takes things back.

    What it gives depends on the bytes and the position alone, never on the sizes in which a
    network delivers them or on where reading began: so the same damage always costs the same.

    Attributes:
        position: bytes before the next one.
        begun: the position at which the latest member, frame or stream began.
        on_begin: called whenever one begins at the position.
    """

    def __init__(self, read: Callable[[int], bytes], position: int = 0) -> None:
        """Read with `read`, which returns no bytes only at the end.

        Args:
            read: gives the bytes from the multiple of `PIECE` at or before `position` on.
            position: where to begin.
        """
        self._read = read
        self._buffer = b""
        self.position = position - position % PIECE
        self._past: deque[bytes] = deque()
        self._held = 0
        self.begun = self.position
        self.on_begin: Callable[[], None] = lambda: None
        while self.position < position and self.take(position - self.position):
            pass

    def peek(self, size: int) -> bytes:
        """Return up to `size` next bytes without taking them; fewer only at the end."""
        while len(self._buffer) < size and (data := self._next()):
            self._buffer += data
        return self._buffer[:size]

    def _next(self) -> bytes:
        """Read on to the next multiple of `PIECE`."""
        wanted = PIECE - (self.position + len(self._buffer)) % PIECE
        data = self._read(wanted)
        while data and len(data) < wanted and (more := self._read(wanted - len(data))):
            data += more
        return data

    def take(self, size: int) -> bytes:
        """Take up to `size` bytes, at least one unless the source has ended."""
        data = self._buffer or self._next()
        self._buffer = data[size:]
        data = data[:size]
        self.position += len(data)
        self._past.append(data)
        self._held += len(data)
        while self._held - len(self._past[0]) >= PAST:
            self._held -= len(self._past.popleft())
        return data

    def begin(self) -> None:
        """Note that a member, frame or stream begins here."""
        self.begun = self.position
        self.on_begin()

    def go_back(self, position: int) -> None:
        """Go back to a position, or to the first byte that is still held."""
        size = min(self.position - position, self._held)
        if size > 0:
            self.give_back(b"".join(self._past)[-size:])

    def chunk(self, size: int = PIECE) -> bytes:
        """Take up to `size` bytes, but none behind the next multiple of `PIECE`."""
        return self.take(min(size, PIECE - self.position % PIECE))

    def rest(self) -> bytes:
        """Take what was looked at and not taken."""
        return self.take(len(self._buffer)) if self._buffer else b""

    def give_back(self, data: bytes) -> None:
        """Put back bytes that were taken but not used."""
        self._buffer = data + self._buffer
        self.position -= len(data)
        left = len(data)
        while left and self._past:
            last = self._past.pop()
            self._held -= len(last)
            if len(last) > left:
                self._past.append(last[: len(last) - left])
                self._held += len(last) - left
            left = max(0, left - len(last))

    def exact(self, size: int, codec: str) -> bytes:
        """Take exactly `size` bytes; when the source ends before that, it was truncated."""
        data = self.peek(size)
        if len(data) < size:
            self.take(len(data))
            raise truncated(codec)
        return self.take(size)


def truncated(codec: str) -> DamagedError:
    """Make the error of a stream that ends too early."""
    detail = f"expected the end of a {codec} stream, found the end of the object. Upload it again."
    return DamagedError("truncated_stream", detail)


def corrupt(codec: str, error: object) -> DamagedError:
    """Make the error of a stream whose bytes are wrong."""
    detail = f"expected valid {codec} data, found wrong bytes ({error}). Upload it again."
    return DamagedError("corrupt_stream", detail)
