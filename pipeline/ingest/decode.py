"""Bytes to characters, one for one where they are wrong.

Holds: `TextDecoder`. Pure. Not here: which encoding (`encodings.py`), damaged spans (`pieces.py`).

Every byte that cannot be decoded becomes one lone surrogate (U+DC00 plus the byte; for UTF-8 the
same as Python's `surrogateescape`), so that the characters of a file are countable and nothing is
lost; what is published has U+FFFD instead.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.ingest.encodings import ISO_2022_JP, codec_of
from pipeline.ingest.pieces import count_bad

LONGEST = 1 << 20
"""Bytes of a line in ISO-2022-JP that are decoded at once; a longer one is cut."""

_ESCAPE = "winnow.escape"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join([chr(0xDC00 + byte) for byte in bad]), error.end


codecs.register_error(_ESCAPE, _escape)


class _ByLine(codecs.BufferedIncrementalDecoder):
    """Decodes ISO-2022-JP line by line, each from its initial state, as RFC 1468 has lines end.

    The decoder of the library loses its place in damaged text, and where depends on how the bytes
    were cut into blocks; here a wrong byte costs its line at most.
    """

    def _buffer_decode(self, data: Any, errors: str, final: bool) -> tuple[str, int]:  # noqa: FBT001
        whole = len(data) if final else data.rfind(b"\n") + 1
        lines = data[:whole].splitlines(keepends=True)
        rest = (len(data) - whole) // LONGEST * LONGEST  # of a line without an end
        lines.append(data[whole : whole + rest])
        parts = [
            codecs.decode(line[at : at + LONGEST], codec_of(ISO_2022_JP), errors)
            for line in lines
            for at in range(0, len(line), LONGEST)
        ]
        return "".join(parts), whole + rest


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    if encoding == ISO_2022_JP:
        return _ByLine("strict")
    return codecs.getincrementaldecoder(codec_of(encoding))("strict")


class TextDecoder:
    """Iterates over decoded blocks (once); `chars` and `bad` count what was delivered.

    `last` is the last character delivered.
    """

    def __init__(self, blocks: Iterable[bytes], encoding: str) -> None:
        """Decode blocks that may end inside a character."""
        self._blocks = blocks
        self._decoder = _decoder(encoding)
        self.chars = 0
        self.bad = 0
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        """Yield one string a block (never an empty one), and what is left at the end."""
        for block in self._blocks:
            if text := self._decode(block, final=False):
                yield text
        if text := self._decode(b"", final=True):
            yield text

    def _decode(self, block: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError:
            # A strict decoder that fails keeps its state, so the same bytes can go through again.
            self._decoder.errors = _ESCAPE
            text = self._decoder.decode(block, final)
            self._decoder.errors = "strict"
            self.bad += count_bad(text)
        self.chars += len(text)
        self.last = text[-1:] or self.last
        return text
