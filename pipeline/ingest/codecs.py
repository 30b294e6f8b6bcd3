"""Streaming decompression, recognised by content and never by name.

Holds: `open_decoded` and `Decoder`. Reads a binary stream; writes nothing.
Not here: the codecs one by one (`decompress.py`), what the decoded bytes are (`formats.py`).

A damaged stream is no exception: everything before the damage is delivered, then the iteration
ends and `Decoder.damage` says what happened and where; `Decoder.resume` finds the next part of the
stream that can be read on its own. Errors of the stream itself (the store is
gone, the object was replaced) pass through untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from pipeline.ingest.decompress import DECOMPRESSORS, PIECE, DamagedError, Source, recognise
from pipeline.ingest.seek import seek_next
from pipeline.model.settings import IngestSettings

BLOCK = 1 << 20
RATIO_GRACE = 10 * 1024 * 1024
"""Decoded bytes before the ratio is looked at: short runs of blanks may shrink a thousandfold."""

MAX_LAYERS = 2

_FINAL = frozenset({"bomb", "nested", "truncated_stream"})
"""Damage after which nothing can follow."""


class Damage(msgspec.Struct, frozen=True):
    """Why decoding ended early. `stored_offset`: stored bytes before it were decoded well."""

    reason: str
    detail: str
    stored_offset: int


class Decoder:
    """Iterates over decoded blocks of about 1 MB (once); its attributes are the books so far.

    Attributes:
        codec: `plain`, or the layers from the outside in, such as `gzip` or `gzip+zstd`.
        read_bytes: stored bytes that were decoded well.
        decoded_bytes: bytes delivered.
        damage: why the iteration ended early, or None.
    """

    def __init__(self, stream: BinaryIO, settings: IngestSettings) -> None:
        """Look at the first bytes and set up the layers of decompression."""
        self._settings = settings
        self._stored = Source(stream.read)
        self._checked = 0
        self._skipped = 0
        self.decoded_bytes = 0
        self.damage: Damage | None = None
        self.codec = recognise(self._stored) or "plain"
        self._pieces = self._layers()

    @property
    def read_bytes(self) -> int:
        """Stored bytes that were decoded well, so far."""
        good = self.damage.stored_offset if self.damage else self._stored.position
        return good - self._skipped

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks until the end or the damage."""
        parts: list[bytes] = []
        size = 0
        try:
            for piece in self._pieces:
                self._check(piece)
                parts.append(piece)
                size += len(piece)
                if size >= BLOCK:
                    yield self._deliver(parts, size)
                    parts, size = [], 0
        except DamagedError as error:
            self.damage = Damage(error.reason, error.detail, self._stored.position)
        if size:
            yield self._deliver(parts, size)

    def resume(self) -> int | None:
        """Look behind the damage for the next member, frame or stream; iterate again to read it.

        Returns:
            The stored bytes that were passed over, or None when nothing readable follows.
        """
        damage = self.damage
        if damage is None or damage.reason in _FINAL or "+" in self.codec:
            return None
        if not seek_next(self._stored, self.codec):
            return None
        skipped = self._stored.position - damage.stored_offset
        self._skipped += skipped
        self.damage = None
        self._pieces = DECOMPRESSORS[self.codec](self._stored)
        return skipped

    def _deliver(self, parts: list[bytes], size: int) -> bytes:
        self.decoded_bytes += size
        return b"".join(parts)

    def _layers(self) -> Iterator[bytes]:
        """Decode layer by layer; too many layers are found before anything is delivered."""
        source, name = self._stored, recognise(self._stored)
        for _ in range(MAX_LAYERS):
            if name is None:
                break
            source = Source(_reader(DECOMPRESSORS[name](source)))
            name = recognise(source)
            if name is not None:
                self.codec = f"{self.codec}+{name}"
        if name is not None:
            raise DamagedError(
                "nested",
                f"expected at most {MAX_LAYERS} layers of compression, found {self.codec}. "
                "Upload the file with one layer.",
            )
        while piece := source.take(PIECE):
            yield piece

    def _check(self, piece: bytes) -> None:
        """Refuse bombs as they stream: neither memory nor time grows with what they promise."""
        self._checked += len(piece)
        limits = self._settings
        if self._checked > limits.max_object_bytes:
            raise DamagedError(
                "bomb",
                f"expected at most {limits.max_object_bytes} decoded bytes, found more. "
                "Split the dump file, or raise ingest.max_object_bytes.",
            )
        stored = max(1, self._stored.position)
        if self._checked > RATIO_GRACE and self._checked > limits.max_ratio * stored:
            raise DamagedError(
                "bomb",
                f"expected at most {limits.max_ratio} decoded bytes for each stored byte, found "
                f"{self._checked // stored}. Look at the file, or raise ingest.max_ratio.",
            )


def open_decoded(stream: BinaryIO, settings: IngestSettings) -> Decoder:
    """Decode a stream of stored bytes, whatever its name says."""
    return Decoder(stream, settings)


def _reader(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """Offer an iterator of pieces as a `read` that may return any number of bytes."""

    def read(_size: int) -> bytes:
        return next((piece for piece in pieces if piece), b"")

    return read
