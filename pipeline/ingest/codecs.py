"""Streaming decompression, recognised by content and never by name.

Holds: `open_decoded` and `Decoder`. Reads a binary stream; writes nothing.
Not here: the codecs one by one (`decompress.py`), what the decoded bytes are (`formats.py`).

A damaged stream is no exception: everything before the damage is delivered, then the iteration
ends and `Decoder.damage` says what happened and where; `Decoder.resume` finds the next part of the
stream that can be read on its own. Errors of the stream itself (the store is
gone, the object was replaced) pass through untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from pipeline.ingest.decompress import DECOMPRESSORS, nearly, recognise
from pipeline.ingest.marks import Entry
from pipeline.ingest.seek import is_member, seek_next
from pipeline.ingest.source import DamagedError, Source
from pipeline.model.settings import IngestSettings

BLOCK = 1 << 20
"""Bytes of the first block: all that tells what a file is."""
NEXT_BLOCK = 1 << 17
"""Bytes of the others: decoded and cut into lines they still fit the cache of a core."""
RATIO_GRACE = 10 * 1024 * 1024
"""Decoded bytes before the ratio is looked at: short runs of blanks may shrink a thousandfold."""

MAX_LAYERS = 2

_FINAL = frozenset({"bomb", "nested"})
"""Damage after which nothing can follow."""


class Damage(msgspec.Struct, frozen=True):
    """Why decoding ended early. `stored_offset`: stored bytes before it were decoded well."""

    reason: str
    detail: str
    stored_offset: int


class Decoder:
    """Iterates over decoded blocks (once); its attributes are the books so far.

    Attributes:
        codec: `plain`, or the layers from the outside in, such as `gzip` or `gzip+zstd`.
        read_bytes: stored bytes that were decoded well.
        decoded_bytes: bytes delivered.
        damage: why the iteration ended early, or None.
        cut: the first member at or after the byte that the entry asks for, when it was reached:
            its first stored byte, and the decoded bytes before it. Behind damage it is another: who
            enters at one before would pass the damage again.
        excess: the most that the limits were exceeded by (mostly far below 0), without grace.
    """

    def __init__(
        self, stream: BinaryIO, settings: IngestSettings, entry: Entry | None = None
    ) -> None:
        """Look at the first bytes and set up the layers of decompression.

        `stream` begins at the multiple of `source.PIECE` at or before the entry.
        """
        self._settings = settings
        self._entry = entry or Entry()
        at = self._entry.at
        self._stored = Source(stream.read, at.stored)
        self._raw = self._checked = at.member
        self._to_skip = at.skip
        self._skipped = 0
        self._goes_on: bool | None = None
        self.decoded_bytes = 0
        self.damage: Damage | None = None
        self.cut: tuple[int, int] | None = None
        self.excess = -settings.max_object_bytes
        self.codec = self._entry.codec or recognise(self._stored) or nearly(self._stored) or "plain"
        if self._entry.cut is not None:
            self._watch(self._entry.cut)
        self._pieces = self._members() if self._entry.codec else self._layers()

    @property
    def read_bytes(self) -> int:
        """Stored bytes that were decoded well, so far."""
        good = self.damage.stored_offset if self.damage else self._stored.position
        return good - self._skipped

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks until the end or the damage."""
        parts: list[bytes] = []
        size, wanted = 0, BLOCK
        try:
            for decoded in self._pieces:
                self._check(decoded)
                piece = self._wanted(decoded)
                parts.append(piece)
                size += len(piece)
                if size >= wanted:
                    yield self._deliver(parts, size)
                    parts, size, wanted = [], 0, NEXT_BLOCK
        except DamagedError as error:
            self.damage = Damage(error.reason, error.detail, self._stored.position)
        if size:
            yield self._deliver(parts, size)

    @property
    def is_cut(self) -> bool:
        """Whether damage cuts what was delivered; bytes behind the last stream cut nothing."""
        if self.damage is None or self.damage.reason != "garbage_tail":
            return self.damage is not None
        return "+" in self.codec or self._seek()

    def resume(self) -> int | None:
        """Look behind the damage for the next member, frame or stream; iterate again to read it.

        Returns:
            The stored bytes that were passed over, or None when nothing readable follows.
        """
        damage = self.damage
        if damage is None or damage.reason in _FINAL or "+" in self.codec:
            return None
        if not self._seek():
            return None
        skipped = max(0, self._stored.position - damage.stored_offset)
        self._skipped += skipped
        self.damage = self._goes_on = self.cut = None
        self._pieces = self._members()
        return skipped

    def _seek(self) -> bool:
        if self._goes_on is None:
            self._goes_on = seek_next(self._stored, self.codec)
        return self._goes_on

    def _deliver(self, parts: list[bytes], size: int) -> bytes:
        self.decoded_bytes += size
        return b"".join(parts)

    def _wanted(self, piece: bytes) -> bytes:
        """Drop the decoded bytes before the record at which reading begins."""
        if not self._to_skip:
            return piece
        dropped = min(self._to_skip, len(piece))
        self._to_skip -= dropped
        return piece[dropped:]

    def _members(self) -> Iterator[bytes]:
        """Decode the outermost layer, and count what comes out of it."""
        for piece in DECOMPRESSORS[self.codec.partition("+")[0]](self._stored):
            self._raw += len(piece)
            yield piece

    def _watch(self, byte: int) -> None:
        """Note the first member in earnest that begins at or after a byte."""

        def begin() -> None:
            at = self._stored.position
            if self.cut is None and at >= byte and is_member(self._stored, self.codec):
                self.cut = at, self._raw

        self._stored.on_begin = begin
        if self.codec == "plain":
            at = self._entry.at
            self.cut = byte, byte - at.stored + at.member

    def _layers(self) -> Iterator[bytes]:
        """Decode layer by layer; too many layers are found before anything is delivered."""
        name, pieces = recognise(self._stored), self._members()
        for _ in range(MAX_LAYERS):
            if name is None:
                break
            name, source, pieces = _looked_into(pieces)
            if name is not None:
                self.codec = f"{self.codec}+{name}"
                pieces = DECOMPRESSORS[name](source)
        if name is not None:
            raise DamagedError(
                "nested",
                f"expected at most {MAX_LAYERS} layers of compression, found {self.codec}. "
                "Upload the file with one layer.",
            )
        yield from pieces

    def _check(self, piece: bytes) -> None:
        """Refuse bombs as they stream: neither memory nor time grows with what they promise."""
        self._checked += len(piece)
        limits = self._settings
        stored = max(1, self._stored.position)
        over = self._checked - limits.max_object_bytes
        heavy = self._checked - limits.max_ratio * stored
        self.excess = max(self.excess, over, heavy)
        if self.excess <= 0 or self._entry.lenient:
            return
        if over > 0:
            raise DamagedError(
                "bomb",
                f"expected at most {limits.max_object_bytes} decoded bytes, found more. "
                "Split the dump file, or raise ingest.max_object_bytes.",
            )
        if heavy > 0 and self._checked > RATIO_GRACE:
            raise DamagedError(
                "bomb",
                f"expected at most {limits.max_ratio} decoded bytes for each stored byte, found "
                f"{self._checked // stored}. Look at the file, or raise ingest.max_ratio.",
            )


def _looked_into(pieces: Iterator[bytes]) -> tuple[str | None, Source, Iterator[bytes]]:
    """Recognise the layer below; return also what gives its bytes, in two shapes.

    Damage shows when the bytes before it were delivered, not while they are looked at.
    """
    damage: DamagedError | None = None
    looking = True

    def read(_size: int) -> bytes:
        nonlocal damage
        if damage is None:
            try:
                return next((piece for piece in pieces if piece), b"")
            except DamagedError as error:
                damage = error
        if looking:
            return b""
        raise damage

    def delivered() -> Iterator[bytes]:
        yield source.rest()
        if damage:
            raise damage
        yield from pieces

    source = Source(read)
    name = recognise(source)
    looking = False
    return name, source, delivered()


def open_decoded(stream: BinaryIO, settings: IngestSettings, entry: Entry | None = None) -> Decoder:
    """Decode a stream of stored bytes, whatever its name says."""
    return Decoder(stream, settings, entry)
