"""Records of a part of a file, counted and not looked into.

Holds: `FRAMES`. Pure; a twin of the readers (`jsonl.py`, `warc.py`, `mail.py`) that only finds
where records begin. Not here: the file around the part (`measure.py`).

A part may end at the first record that begins at or after a cut, unless the reader would join it
with what stands before: blank lines are one row, however many there are, and so are lines of
brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.mail import skip_mail
from pipeline.ingest.warc import skip_record
from pipeline.ingest.window import Window
from pipeline.model.settings import IngestSettings

LINE_START = re.compile(rb"\n(?=[!-+\--Z^-~\\])")
"""The end of a line before one that is not blank, nor begins like one of brackets alone."""

Cut = Callable[[], int | None]
"""The byte of the part at or after which it may end, once it is known."""


class LineFrames:
    """JSON lines in UTF-8.

    Attributes:
        chars: characters so far.
        lines: lines so far.
        end: bytes before the record at which the part was ended.
    """

    def __init__(self, blocks: Iterable[bytes], cut: Cut, *, settings: IngestSettings) -> None:
        """Count the lines of blocks, which come from `blocks` as they are asked for."""
        del settings
        self._blocks = blocks
        self._cut = cut
        self.chars = 0
        self.lines = 0
        self.end: int | None = None

    def count(self, *, at_record: bool) -> None:
        """Read to the cut, or to the end. `at_record`: the first byte is known to begin a line."""
        last = ""
        for text in TextDecoder(self._until_cut(at_record=at_record), "utf-8"):
            self.chars += len(text)
            self.lines += text.count("\n")
            last = text[-1]
        self.lines += last not in {"", "\n"}

    def _until_cut(self, *, at_record: bool) -> Iterator[bytes]:
        position, before = 0, b"\n" if at_record else b" "
        for block in self._blocks:
            cut = self._cut()
            if cut is not None:
                found = LINE_START.search(before + block, max(0, cut - position))
                if found:
                    self.end = position + found.start()
                    yield block[: found.start()]
                    return
            yield block
            position += len(block)
            before = block[-1:]


class WarcFrames:
    """Records of a WARC file, of which a byte is a character; see `LineFrames`."""

    _skip = staticmethod(skip_record)

    def __init__(self, blocks: Iterable[bytes], cut: Cut, *, settings: IngestSettings) -> None:
        """Count the records of blocks."""
        self._window = Window(blocks)
        self._cut = cut
        self._settings = settings
        self.lines = 0
        self.end: int | None = None

    @property
    def chars(self) -> int:
        """Bytes taken so far."""
        return self._window.position

    def count(self, *, at_record: bool) -> None:
        """Read to the cut, or to the end."""
        while self._window.fill(1):
            cut = self._cut()
            may_end = at_record or self._window.position > 0
            if cut is not None and may_end and self._window.position >= cut:
                self.end = self._window.position
                return
            self._skip(self._window, self._settings)
            self.lines += 1


class MailFrames(WarcFrames):
    """Mails of a box; a byte is a character."""

    _skip = staticmethod(skip_mail)


Frames = LineFrames | WarcFrames
FRAMES: dict[str, type[LineFrames | WarcFrames]] = {
    "jsonl": LineFrames,
    "warc": WarcFrames,
    "mail": MailFrames,
}
"""Formats that can be read in sections."""
