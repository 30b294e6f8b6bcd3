"""Where a section of a large file ends: the cheap first pass over its bytes.

Holds: `measure`, `find_member`, `guess`, `Measured`. Reads binary streams; writes nothing.
Not here: records (`frames.py`), which sections there are and what is kept (`sections.py`).
"""

from __future__ import annotations

import re
from typing import BinaryIO

import msgspec

from pipeline.ingest.codecs import Decoder
from pipeline.ingest.frames import FRAMES
from pipeline.ingest.mail_header import STARTS
from pipeline.ingest.marks import Entry, Mark
from pipeline.ingest.seek import seek_member
from pipeline.ingest.source import Source
from pipeline.ingest.warc import OPENS
from pipeline.model.settings import IngestSettings

_FIRST: dict[str, re.Pattern[bytes]] = {
    "jsonl": re.compile(rb"\n(?=\{)"),
    "warc": re.compile(rb"\n(?=" + OPENS.pattern + rb")"),
    "mail": STARTS,
}
_LONGEST = 64
"""Bytes of the longest start of a record."""
_SEARCHED = 64 << 20
"""Decoded bytes in which a guess looks for the start of a record."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What the first pass found between `begin` and the record that begins after a cut.

    Attributes:
        begin: where it began.
        end: that record, or None when the file ends before it (also by damage).
        excess: see `Decoder.excess`.
    """

    begin: Mark
    end: Mark | None
    excess: int


def measure(stream: BinaryIO, settings: IngestSettings, entry: Entry, kind: str) -> Measured:
    """Count records from a mark to the first one that may begin a section behind the cut.

    Parts, damage and the way back are those of `Reading`, which reads the same bytes later.
    """
    decoder = Decoder(stream, settings, entry)
    base, chars, lines = entry.at.decoded, entry.at.chars, entry.at.lines
    at_record = base > 0 or entry.lenient
    while True:

        def cut(base: int = base) -> int | None:
            return None if decoder.cut is None else decoder.cut[1] - base

        frames = FRAMES[kind](decoder, cut, settings=settings)
        frames.count(at_record=at_record)
        chars, lines = chars + frames.chars, lines + frames.lines
        if frames.end is not None and decoder.cut is not None:
            stored, member = decoder.cut
            end = Mark(
                stored=stored, member=member, decoded=base + frames.end, chars=chars, lines=lines
            )
            return Measured(begin=entry.at, end=end, excess=decoder.excess)
        if decoder.damage is None or decoder.resume() is None:
            return Measured(begin=entry.at, end=None, excess=decoder.excess)
        base = entry.at.decoded + decoder.decoded_bytes
        at_record = False


def find_member(stream: BinaryIO, codec: str, *, low: int, high: int) -> int | None:
    """Return the first byte in `[low, high)` at which a member of `codec` begins in earnest.

    `stream` begins at the multiple of `source.PIECE` at or before `low`.
    """
    if codec == "plain":
        return low
    source = Source(stream.read, low)
    return source.position if seek_member(source, codec, before=high) else None


def guess(stream: BinaryIO, settings: IngestSettings, entry: Entry, kind: str) -> Mark | None:
    """Find what looks like the first record behind the start of a member.

    It nearly always is one. It is none when a record holds what looks like the start of another,
    so a guess is only ever used after the section before it was found to end there.
    """
    before = b"\n"
    searched = 0
    for block in Decoder(stream, settings, entry):
        if found := _FIRST[kind].search(before + block):
            skip = searched - len(before) + found.end()
            return msgspec.structs.replace(entry.at, decoded=entry.at.member + skip)
        searched += len(block)
        before = block[-_LONGEST:]
        if searched > _SEARCHED:
            break
    return None
