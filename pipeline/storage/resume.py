"""A sequential reader that survives broken connections and trusts no byte unchecked.

Holds: `ResumingReader`, and the shape of what it reads from. Reads through a function that opens
the object at a position. Not here: who opens it and which errors are transient (`s3.py`).
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec

from pipeline.errors import CorruptError, TransientError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


_PIECE = 128 * 1024
"""Bytes asked for at once: a connection that breaks loses at most these."""


class DamagedError(Exception):
    """The transport found a checksum mismatch in what it delivered."""


class Body(Protocol):
    """One answer's bytes. Raises `TransientError` when the connection breaks."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Source(msgspec.Struct, frozen=True):
    """An object to read: `open_at(position)` opens the same version of it again.

    `md5` is the expected digest in hex, or empty when the store does not say or reading begins
    at `start`, inside the object.
    """

    name: str
    size: int
    md5: str
    open_at: Callable[[int], Body]
    start: int = 0


class ResumingReader(io.RawIOBase):
    """Reads an object to the end, or raises; never returns damaged bytes as if they were whole."""

    def __init__(
        self, source: Source, body: Body | None = None, *, attempts: int = 6, pause: float = 0.2
    ) -> None:
        """Read from `source`, starting with `body` when one is open already at its start.

        Args:
            source: what to read.
            body: an open answer, else the first read opens one.
            attempts: failures in a row without a byte of progress before giving up.
            pause: seconds before the second attempt; doubles with each, to at most 5.
        """
        self._source = source
        self._budget = (attempts, pause)
        self._stream = _Stream(source, body, self._budget)

    def readable(self) -> bool:
        """Say yes: this is a reader."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` with the next bytes; 0 at the end, after all checks passed.

        Raises:
            TransientError: the connection stayed broken, or bytes were damaged on the way.
            CorruptError: the stored object does not match the store's own checksum.
        """
        view = memoryview(buffer).cast("B")
        try:
            chunk = self._stream.read(len(view))
        except DamagedError as error:
            raise self._diagnosed() from error
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()
        super().close()

    def _diagnosed(self) -> TransientError | CorruptError:
        """Read everything once more to tell damage on the way from damage in the store."""
        self._stream.close()
        again = _Stream(self._source, None, self._budget)
        try:
            while again.read(1 << 20):
                pass
        except DamagedError:
            return CorruptError(
                f"{self._source.name}: expected bytes that match the store's checksum "
                f"{self._source.md5 or '(not told)'}, found others on two reads. The stored object "
                "is damaged: upload it again."
            )
        finally:
            again.close()
        return TransientError(
            f"{self._source.name}: bytes were damaged on the way (a second read matched the "
            "store's checksum). The next try reads them again."
        )


class _Stream:
    """The bytes of one pass. State: the position, the open body, the running digest.

    The budget counts failures *without progress*, so a bad line slows a read and a dead one ends
    it. Raises `DamagedError` when a checksum does not match.
    """

    def __init__(self, source: Source, body: Body | None, budget: tuple[int, float]) -> None:
        self._source = source
        self._body = body
        self._attempts, self._pause = budget
        self._position = source.start
        self._digest = hashlib.md5(usedforsecurity=False)

    def read(self, size: int) -> bytes:
        failures = 0
        while self._position < self._source.size:
            try:
                chunk = self._chunk(size)
            except TransientError as error:
                self.close()
                failures += 1
                if failures >= self._attempts:
                    raise self._gave_up(failures) from error
                time.sleep(min(5.0, self._pause * 2 ** (failures - 1)))
                continue
            self._position += len(chunk)
            self._digest.update(chunk)
            return chunk
        self._check()
        return b""

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def _chunk(self, size: int) -> bytes:
        if self._body is None:
            self._body = self._source.open_at(self._position)
        chunk = self._body.read(min(size, _PIECE, self._source.size - self._position))
        if not chunk:
            raise TransientError("the body ended early")
        return chunk

    def _check(self) -> None:
        """Let the transport check its own sum (it does at the end of a body), then the digest."""
        if self._body is not None:
            with suppress(TransientError):
                self._body.read(1)
            self.close()
        if self._source.md5 and self._digest.hexdigest() != self._source.md5:
            raise DamagedError

    def _gave_up(self, failures: int) -> TransientError:
        return TransientError(
            f"{self._source.name}: expected {self._source.size} bytes, found the connection broken "
            f"{failures} times in a row at byte {self._position}. Check the store and the network; "
            "the next try starts over."
        )
