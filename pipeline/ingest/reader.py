"""One dump file from stored bytes to pieces: the path that ingest and `winnow split` share.

Holds: `Reading`, `UnreadableError`. Reads a binary stream; writes nothing.
Not here: rows and books (`rows.py`), opening files (`stage.py`, `inspect.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

import msgspec

from pipeline.errors import ConfigError, InputError
from pipeline.ingest.codecs import BLOCK, open_decoded
from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.formats import binary_kind, encoding_of, looks_like_jsonl
from pipeline.ingest.jsonl import jsonl_pieces
from pipeline.ingest.pages import Splitter, text_pieces
from pipeline.ingest.pieces import Piece, Span, merged
from pipeline.ingest.split import SPLITTERS
from pipeline.model.settings import IngestSettings

MAX_BAD_SHARE = 0.3
BOM = "\ufeff"


class UnreadableError(InputError):
    """A whole file cannot be taken; nothing of it is published."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the reason (a word for counting) and the detail (a sentence for people)."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Reading:
    """Iterates over the pieces of one dump file (once); its attributes are the books so far.

    The pieces tile the decoded text. After damage in the stored bytes, a last piece with an empty
    span says so.

    Attributes:
        format: `text`, `jsonl`, or `unknown` as long as nothing was decoded.
        encoding: what the text was decoded from.
    """

    def __init__(self, stream: BinaryIO, settings: IngestSettings, *, size: int) -> None:
        """Read a stream of `size` stored bytes."""
        self._settings = settings
        self._split = _splitter(settings)
        self._size = size
        self._decoder = open_decoded(stream, settings)
        self._text = TextDecoder((), "utf-8")
        self.format = "unknown"
        self.encoding = "utf-8"

    @property
    def codec(self) -> str:
        """The layers of compression, from the outside in."""
        return self._decoder.codec

    @property
    def read_bytes(self) -> int:
        """Stored bytes that were decoded well."""
        return self._decoder.read_bytes

    @property
    def unread_bytes(self) -> int:
        """Stored bytes from the damage to the end; 0 without damage."""
        return max(0, self._size - self.read_bytes) if self._decoder.damage else 0

    @property
    def decoded_bytes(self) -> int:
        """Bytes after decompression."""
        return self._decoder.decoded_bytes

    @property
    def chars(self) -> int:
        """Characters of the decoded text; an undecodable byte counts as one."""
        return self._text.chars

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces in order.

        Raises:
            UnreadableError: the file is empty or no text; pieces already given do not count.
        """
        line = 1
        for piece in merged(self._pieces()):
            line = piece.span.line_end
            if piece.kind == "document":
                piece.encoding = self.encoding
            yield piece
        if self._text.bad > MAX_BAD_SHARE * self.chars:
            raise UnreadableError(
                "undecodable",
                f"expected UTF-8, or UTF-16 or UTF-32 with a byte order mark, found "
                f"{self._text.bad} undecodable bytes among {self.chars} characters. "
                "Convert the file to UTF-8 and upload it again.",
            )
        if damage := self._decoder.damage:
            yield Piece(
                span=Span(self.chars, self.chars, line, line),
                kind="quarantine",
                reason=damage.reason,
                detail=damage.detail,
                stored_bytes=self.unread_bytes,
            )

    def _pieces(self) -> Iterator[Piece]:
        blocks = iter(self._decoder)
        head = next(blocks, b"")
        self._refuse(head)
        self.encoding = encoding_of(head)
        self._text = TextDecoder(chain([head], blocks), self.encoding)
        texts = iter(self._text)
        first = next(texts, "")
        start = len(first) - len(first.removeprefix(BOM))
        if start:
            yield Piece(span=Span(0, 1, 1, 1), kind="furniture", reason="bom", excerpt=BOM)
        first = first[start:]
        rest = chain([first], texts)
        if looks_like_jsonl(first, complete=len(head) < BLOCK):
            self.format = "jsonl"
            yield from self._truncated(jsonl_pieces(rest, self._settings, start=start))
        else:
            self.format = "text"
            yield from text_pieces(rest, self._settings, split=self._split, start=start)

    def _refuse(self, head: bytes) -> None:
        """Refuse a file of which nothing can be read."""
        if not head and (damage := self._decoder.damage):
            raise UnreadableError(damage.reason, damage.detail)
        if not head:
            detail = "expected text or JSON lines, found no bytes. Upload it again if it had some."
            raise UnreadableError("empty", detail)
        if kind := binary_kind(head):
            raise UnreadableError(
                "unsupported_format",
                f"expected text or JSON lines, found what seems to be {kind}; its text could not "
                "be read. Extract the text and upload that.",
            )

    def _truncated(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Call a broken last line truncated when damage cut it."""
        last: Piece | None = None
        for piece in pieces:
            if last is not None:
                yield last
            last = piece
        if last is None:
            return
        if last.kind == "quarantine" and self._decoder.damage and self._text.last != "\n":
            detail = "expected a whole line, found one that damage of the file cuts."
            last = msgspec.structs.replace(last, reason="truncated", detail=detail)
        yield last


def _splitter(settings: IngestSettings) -> Splitter:
    try:
        return SPLITTERS[settings.splitter]
    except KeyError as error:
        names = ", ".join(sorted(SPLITTERS))
        raise ConfigError(
            f"ingest.splitter: expected one of {names}, found {settings.splitter!r}. "
            "See docs/configuration.md."
        ) from error
