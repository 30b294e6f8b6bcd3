"""One undamaged run of decoded bytes as pieces: a part of a file, mostly the whole of it.

Holds: `Part`, `TextPart`, `WarcPart`, `MailPart`. Reads blocks of decoded bytes; pure otherwise.
Not here: the file around the part, its damage and its books (`reader.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO, Protocol

import msgspec

from pipeline.ingest.archives import ArchivePart, Inner
from pipeline.ingest.columnar import ParquetPart
from pipeline.ingest.columns import chosen_columns, field_names
from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.delimited import delimited_pieces, ends_in_cr, table_of
from pipeline.ingest.file_layout import Layout
from pipeline.ingest.formats import text_kind
from pipeline.ingest.html_files import html_pieces
from pipeline.ingest.json_files import json_pieces
from pipeline.ingest.jsonl import jsonl_pieces
from pipeline.ingest.mail import mail_pieces
from pipeline.ingest.mail_header import ends_lines_in_cr, with_lf
from pipeline.ingest.mediawiki import Wiki, mediawiki_pieces, prefix_of
from pipeline.ingest.members import Member
from pipeline.ingest.pages import text_pieces
from pipeline.ingest.pieces import Piece, Span
from pipeline.ingest.splitters import Splitter
from pipeline.ingest.tar_members import tar_members
from pipeline.ingest.warc import warc_pieces
from pipeline.ingest.window import Window
from pipeline.ingest.zip_members import zip_members
from pipeline.model.settings import IngestSettings

BOM = "\ufeff"


class Part(Protocol):
    """Iterates over pieces (once) that tile `chars` characters, counted from 0."""

    @property
    def chars(self) -> int:
        """Characters so far, counted apart from the pieces."""
        ...

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces in order."""
        ...


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a part needs besides its blocks.

    `kind` is empty as long as the text kind is not known; `damaged` says, once the blocks have
    ended, whether damage ended them; `whole` whether the first block is the whole file; `layout`
    and `wiki` are shared by the parts of a table, of JSON, of mails and of a wiki; `nested` reads
    members of an archive (None inside one); `links` finds those of a zip archive that are links.
    """

    settings: IngestSettings
    splitter: Splitter
    encoding: str
    kind: str
    damaged: Callable[[], bool]
    whole: bool
    layout: Layout
    wiki: Wiki
    nested: Callable[[BinaryIO], Inner] | None
    links: Callable[[], frozenset[int]]


class TextPart:
    """Text of any kind: pages, JSON lines, and other formats made of characters.

    Attributes:
        kind: what the text is, known after the first piece.
    """

    def __init__(self, blocks: Iterable[bytes], opening: Opening) -> None:
        """Decode and read the blocks."""
        self._opening = opening
        self._text = TextDecoder(blocks, opening.encoding)
        self.kind = opening.kind

    @property
    def chars(self) -> int:
        """Characters decoded so far."""
        return self._text.chars

    @property
    def bad(self) -> int:
        """Undecodable bytes so far."""
        return self._text.bad

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces in order."""
        texts = iter(self._text)
        first = next(texts, "")
        start = len(first) - len(first.lstrip(BOM))
        first = first[start:]
        if not self.kind:
            names = field_names("text", chosen_columns(self._opening.settings))
            self.kind = text_kind(first, names, complete=self._opening.whole)
            layout = self._opening.layout
            layout.delimiter, layout.above = table_of(first, names)
            layout.by_cr = ends_in_cr(first)
            self._opening.wiki.prefix = prefix_of(first)
        if start:
            yield Piece(span=Span(0, start, 1, 1), kind="furniture", reason="bom", excerpt=BOM)
        yield from self._read(chain([first], texts), start)

    def _read(self, texts: Iterable[str], start: int) -> Iterator[Piece]:
        settings = self._opening.settings
        if self.kind == "jsonl":
            return self._truncated(jsonl_pieces(texts, settings, start=start))
        if self.kind == "json":
            return json_pieces(texts, settings, layout=self._opening.layout, start=start)
        if self.kind == "mediawiki":
            return mediawiki_pieces(texts, settings, wiki=self._opening.wiki, start=start)
        if self.kind == "html":
            return html_pieces(texts, settings, start=start)
        if self.kind == "csv":
            return delimited_pieces(texts, settings, layout=self._opening.layout, start=start)
        return text_pieces(texts, settings, splitter=self._opening.splitter, start=start)

    def _truncated(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Call a broken last line truncated when damage cut it."""
        last: Piece | None = None
        for piece in pieces:
            if last is not None:
                yield last
            last = piece
        if last is None:
            return
        if last.kind == "quarantine" and self._opening.damaged() and self._text.last != "\n":
            detail = "expected a whole line, found one that damage of the file cuts."
            last = msgspec.structs.replace(last, reason="truncated", detail=detail)
        yield last


class WarcPart:
    """Records of a WARC file; a character is a byte."""

    def __init__(self, blocks: Iterable[bytes], opening: Opening) -> None:
        """Read the blocks as records."""
        self._window = Window(blocks)
        self._settings = opening.settings

    @property
    def chars(self) -> int:
        """Bytes taken so far."""
        return self._window.position

    def __iter__(self) -> Iterator[Piece]:
        """Yield one piece a record or damaged span."""
        return warc_pieces(self._window, self._settings)


class MailPart:
    """Mails and messages in MIME; a character is a byte."""

    def __init__(self, blocks: Iterable[bytes], opening: Opening) -> None:
        """Read the blocks as messages."""
        blocks = iter(blocks)
        first = next(blocks, b"")
        by_cr = opening.layout.by_cr or (not opening.kind and ends_lines_in_cr(first))
        opening.layout.by_cr = by_cr
        self._window = Window(with_lf(block, by_cr=by_cr) for block in chain([first], blocks))
        self._opening = opening

    @property
    def chars(self) -> int:
        """Bytes taken so far."""
        return self._window.position

    def __iter__(self) -> Iterator[Piece]:
        """Yield one piece a message."""
        opening = self._opening
        return mail_pieces(
            self._window,
            opening.settings,
            layout=opening.layout,
            is_rest=bool(opening.kind),
            damaged=opening.damaged,
        )


def _zip(blocks: Iterable[bytes], opening: Opening) -> Part:
    def members(window: Window, max_ratio: int) -> Iterator[Member]:
        return zip_members(window, max_ratio, opening.links())

    return ArchivePart(blocks, opening.settings, members=members, read=opening.nested)


def _tar(blocks: Iterable[bytes], opening: Opening) -> Part:
    return ArchivePart(blocks, opening.settings, members=tar_members, read=opening.nested)


def _parquet(blocks: Iterable[bytes], opening: Opening) -> Part:
    return ParquetPart(blocks, opening.settings)


BINARY_PARTS: dict[str, Callable[[Iterable[bytes], Opening], Part]] = {
    "warc": WarcPart,
    "mail": MailPart,
    "zip": _zip,
    "tar": _tar,
    "parquet": _parquet,
}
"""Readers of formats that are not text, by the name that `formats.container_kind` gives."""
