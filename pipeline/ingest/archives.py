"""Archives: the members one after the other, each read as a dump file of its own.

Holds: `ArchivePart`. Reads blocks of decoded bytes; writes nothing.
Not here: zip (`zip_members.py`), tar (`tar_members.py`), reading one file (`reader.py`).

The characters of an archive are those of its members in order. Bytes of a member that cannot be
read count as one character each, so nothing of it is missing from the books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol, cast

from pipeline.ingest import normalise
from pipeline.ingest.members import CorruptMemberError, Member
from pipeline.ingest.pieces import Piece, RefusedError, Span, shifted
from pipeline.ingest.window import Window
from pipeline.model.settings import IngestSettings

MAX_MEMBERS = 1 << 20


class Inner(Protocol):
    """The reading of one member; see `Reading`."""

    chars: int
    damages: list[tuple[str, str]]

    @property
    def read_bytes(self) -> int:
        """Bytes of the member that were decoded well."""
        ...

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces of the member."""
        ...


class ArchivePart:
    """The members of one archive; `chars` grows as they are read."""

    def __init__(
        self,
        blocks: Iterable[bytes],
        settings: IngestSettings,
        *,
        members: Callable[[Window, int], Iterator[Member]],
        read: Callable[[BinaryIO], Inner] | None,
    ) -> None:
        """Read members with `read`; None when this archive is itself a member."""
        if read is None:
            raise RefusedError(
                "nested", "expected text or records in the archive, found another archive."
            )
        self._members = members(Window(blocks), settings.max_ratio)
        self._read = read
        self._lines = 0
        self.chars = 0

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces of all members."""
        for number, member in enumerate(self._members):
            if number >= MAX_MEMBERS:
                raise RefusedError("too_many_members", f"expected at most {MAX_MEMBERS} members.")
            name = normalise.without_surrogates(member.name)[:1024] or None
            stream = _Stream(member.blocks)
            pieces = (
                self._refused(member.problem, stream) if member.problem else self._taken(stream)
            )
            for piece in pieces:
                piece.member = name
                yield piece

    def _taken(self, stream: _Stream) -> Iterator[Piece]:
        """Yield the pieces of a member, then one for the bytes of it that could not be read."""
        base, lines = self.chars, self._lines
        inner = self._read(cast("BinaryIO", stream))
        given = base
        problem: RefusedError | None = None
        try:
            for piece in inner:
                placed = shifted(piece, base, lines)
                given, self._lines = placed.span.char_end, placed.span.line_end
                yield placed
        except RefusedError as error:
            problem = error
        self.chars = given
        if problem is None:
            lost = stream.drain() - inner.read_bytes
            if inner.damages:
                yield self._lost(lost, *inner.damages[0])
        elif problem.reason != "empty":
            yield self._lost(stream.drain(), problem.reason, problem.detail)
        else:
            yield self._lost(0, problem.reason, problem.detail)
        if stream.damage:
            yield self._lost(0, stream.damage.reason, stream.damage.detail)

    def _refused(self, problem: RefusedError, stream: _Stream) -> Iterator[Piece]:
        yield self._lost(stream.drain(), problem.reason, problem.detail)

    def _lost(self, size: int, reason: str, detail: str) -> Piece:
        line = max(1, self._lines)
        span = Span(self.chars, self.chars + size, line, line)
        self.chars += size
        return Piece(span=span, kind="quarantine", reason=reason, detail=detail)


class _Stream:
    """Offers blocks as a `read`; what is wrong with the member ends it and stays in `damage`."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._size = 0
        self.damage: CorruptMemberError | None = None

    def read(self, _size: int = -1) -> bytes:
        try:
            block = next((block for block in self._blocks if block), b"")
        except CorruptMemberError as error:
            self.damage = error
            return b""
        self._size += len(block)
        return block

    def drain(self) -> int:
        """Read what is left and return the size of the whole member."""
        while self.read():
            pass
        return self._size
