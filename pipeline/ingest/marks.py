"""Places in a dump file where reading can begin or end, and the sections between them.

Holds: `Mark`, `Entry`, `Section`, `WHOLE`. Pure values.
Not here: finding them (`measure.py`), which sections there are (`sections.py`).
"""

from __future__ import annotations

import msgspec


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The start of a record, and all that whoever reads on from here must know.

    Attributes:
        stored: first byte of the member from which the record is reached (in a file that is not
            compressed any byte is the start of a member).
        member: decoded bytes before that member.
        decoded: decoded bytes before the record.
        chars: characters before the record.
        lines: lines, or records of a WARC file, before the record.
    """

    stored: int = 0
    member: int = 0
    decoded: int = 0
    chars: int = 0
    lines: int = 0

    @property
    def skip(self) -> int:
        """Decoded bytes between the start of the member and the record."""
        return self.decoded - self.member

    def after(self, other: Mark) -> Mark:
        """Count from the start of the file what this mark counts from the member of `other`."""
        return Mark(
            stored=self.stored,
            member=self.member + other.member,
            decoded=self.decoded + other.member,
            chars=self.chars + other.chars,
            lines=self.lines + other.lines,
        )


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """How the stored bytes of a file are entered.

    Attributes:
        at: where to begin.
        codec: what the bytes are, "" when that is to be found out (at the start only).
        cut: look for the first member that begins at or after this byte.
        lenient: do not judge how much the bytes decode to; nobody knows what came before.
    """

    at: Mark = Mark()
    codec: str = ""
    cut: int | None = None
    lenient: bool = False


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a file that one task reads: from `begin` to `end`, or to the end of the object."""

    kind: str
    codec: str
    encoding: str
    begin: Mark
    end: Mark | None


WHOLE = Section(kind="", codec="", encoding="", begin=Mark(), end=None)
"""A file that is read from its first byte to its last."""
