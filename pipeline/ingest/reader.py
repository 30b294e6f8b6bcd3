"""One dump file from stored bytes to pieces: the path that ingest and `winnow split` share.

Holds: `Reading`, `UnreadableError`. Reads a binary stream; writes nothing.
Not here: the formats (`parts.py`), rows and books (`rows.py`), opening files (`stage.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO

from pipeline.errors import ContractError
from pipeline.ingest.codecs import BLOCK, open_decoded
from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.encodings import SAMPLE, encoding_of
from pipeline.ingest.file_layout import Layout
from pipeline.ingest.formats import binary_kind, container_kind
from pipeline.ingest.html_files import looks_like_html
from pipeline.ingest.mail_header import mail_kind
from pipeline.ingest.marks import WHOLE, Entry, Section
from pipeline.ingest.mediawiki import Wiki
from pipeline.ingest.parts import BINARY_PARTS, Opening, Part, TextPart
from pipeline.ingest.pieces import MAX_BAD_SHARE, Piece, RefusedError, Span, merged, shifted
from pipeline.ingest.record_parts import parts_of
from pipeline.ingest.splitters import resolve
from pipeline.ingest.web_encoding import page_encoding
from pipeline.ingest.zip_directory import links
from pipeline.model.settings import IngestSettings

_NO_RECORDS = frozenset({"text", "zip", "tar"})
"""Formats of pages, and of files whose members were split when they were read."""

_JUDGED_ONE_BY_ONE = frozenset({"jsonl", "json"})
"""Formats of which wrong bytes cost records, never the file."""


class UnreadableError(RefusedError):
    """A whole file cannot be taken; nothing of it is published."""


class Reading:
    """Iterates over the pieces of one dump file (once); its attributes are the books so far.

    The pieces tile the decoded text. Damage in the stored bytes is a piece with an empty span
    between the parts before and after it.

    Attributes:
        format: `text`, `jsonl`, `warc` and so on, or `unknown` as long as nothing was decoded.
        encoding: what the text was decoded from; `binary` for formats that are not text.
        damages: reason and detail of each damage of the stored bytes; of a member of an archive the
            archive makes the piece.
        unread_bytes: stored bytes that damage made unreadable.
        chars: characters of the decoded text up to here; an undecodable byte counts as one.
    """

    def __init__(  # noqa: PLR0913 - what a file is, by name
        self,
        stream: BinaryIO,
        settings: IngestSettings,
        *,
        size: int,
        is_member: bool = False,
        section: Section | None = None,
        open_at: Callable[[int], BinaryIO] | None = None,
    ) -> None:
        """Read a stream of `size` stored bytes; of a member of an archive it is not known.

        The stream of a `section` begins at the multiple of `source.PIECE` at or before it.
        `open_at` opens the same object at another byte, if that can be done: the directory of a
        zip archive is at its end.
        """
        section = section or WHOLE
        self._is_member, self._open_at = is_member, open_at
        self._begin, self._end = section.begin, section.end
        self.damages: list[tuple[str, str]] = []
        self._settings = settings
        self._splitter = resolve(settings.splitter)
        self._size = size
        inside = section.begin != WHOLE.begin
        codec = section.codec if inside else ""
        self._decoder = open_decoded(stream, settings, Entry(at=section.begin, codec=codec))
        self._bad = 0
        self._lines = section.begin.lines
        self._layout, self._wiki = Layout(), Wiki()
        self.format = section.kind if inside else "unknown"
        self.encoding = section.encoding if inside else "utf-8"
        self.unread_bytes = 0
        self.chars = section.begin.chars

    @property
    def codec(self) -> str:
        """The layers of compression, from the outside in."""
        return self._decoder.codec

    @property
    def stored_bytes(self) -> int:
        """Stored bytes of the section: of the whole object when it has only one."""
        return (self._end.stored if self._end else self._size) - self._begin.stored

    @property
    def read_bytes(self) -> int:
        """Stored bytes that were decoded well."""
        if self._end:
            return self.stored_bytes - self.unread_bytes
        return self._decoder.read_bytes - self._begin.stored

    @property
    def decoded_bytes(self) -> int:
        """Bytes after decompression."""
        if self._end:
            return self._end.decoded - self._begin.decoded
        return self._decoder.decoded_bytes

    @property
    def section_chars(self) -> int:
        """Characters of the section."""
        return self.chars - self._begin.chars

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces in order.

        Raises:
            UnreadableError: the file is empty or no text; pieces already given do not count.
        """
        try:
            for piece in merged(self._parts()):
                if piece.kind == "document":
                    self._finish(piece)
                    if self._settings.split_records and self.format not in _NO_RECORDS:
                        yield from parts_of(piece, self._settings, splitter=self._splitter)
                        continue
                yield piece
            self._check_end()
        except UnreadableError:
            raise
        except RefusedError as error:
            raise UnreadableError(error.reason, error.detail) from error
        judged = self.format not in _JUDGED_ONE_BY_ONE and not self._is_member
        if judged and self._bad > MAX_BAD_SHARE * self.section_chars:
            raise UnreadableError(
                "undecodable",
                f"expected UTF-8 or another known encoding, found {self._bad} undecodable bytes "
                f"among {self.chars} characters. Convert the file to UTF-8 and upload it again.",
            )

    def _finish(self, piece: Piece) -> None:
        """Give a document what is known of its file."""
        piece.encoding = piece.encoding or self.encoding
        if piece.published and not piece.published_rule:
            piece.published_rule = "record"

    def _parts(self) -> Iterator[Piece]:
        """Read part after part: what stands before, between and behind damaged bytes."""
        while not self._at_end():
            part = self._part()
            if part:
                yield from self._placed(part)
            damage = self._decoder.damage
            if damage is None or self._at_end():
                return
            skipped = self._decoder.resume()
            if skipped is None and self.format == "unknown":
                raise UnreadableError(damage.reason, damage.detail)
            self.damages.append((damage.reason, damage.detail))
            gap = self._gap() if skipped is None else skipped
            self.unread_bytes += gap
            line = max(1, self._lines)
            if not self._is_member:
                yield Piece(
                    span=Span(self.chars, self.chars, line, line),
                    kind="quarantine",
                    reason=damage.reason,
                    detail=damage.detail,
                    stored_bytes=gap,
                )
            if skipped is None:
                return

    def _placed(self, part: Part) -> Iterator[Piece]:
        """Move the pieces of a part behind those before it, and count it."""
        before, lines, end = self.chars, self._lines, self._end
        for piece in part:
            if isinstance(part, TextPart):
                self.format = part.kind
            if before or lines:
                shifted(piece, before, lines, in_bytes=self.format == "warc")
            self._lines = piece.span.line_end
            yield piece
            if end and piece.span.char_end >= end.chars:
                self.chars = piece.span.char_end
                return
        self.chars += part.chars
        self._bad += part.bad if isinstance(part, TextPart) else 0

    def _at_end(self) -> bool:
        return self._end is not None and self.chars == self._end.chars

    def _check_end(self) -> None:
        """Refuse a section that does not end where it was measured to end."""
        if self._end and (self.chars, self._lines) != (self._end.chars, self._end.lines):
            raise ContractError(
                f"expected a section to end at character {self._end.chars} and line "
                f"{self._end.lines}, found its end at {self.chars} and {self._lines}. "
                "Report the file: it was measured otherwise than it was read."
            )

    def _nested(self, stream: BinaryIO) -> Reading:
        return Reading(stream, self._settings, size=0, is_member=True)

    def _links(self) -> frozenset[int]:
        """Return the places of links in a zip archive; of a compressed one they are not known."""
        if self._open_at is None or self.codec != "plain":
            return frozenset()
        return links(self._open_at, self._size)

    def _gap(self) -> int:
        return max(0, self._size - self._decoder.read_bytes - self.unread_bytes)

    def _part(self) -> Part | None:
        """Begin the next part; the first that has any bytes says what the file is."""
        blocks = iter(self._decoder)
        head = next(blocks, b"")
        if not head:
            if self.format == "unknown" and not self._decoder.damage:
                detail = "expected text or records, found no bytes. Upload it again if it had some."
                raise UnreadableError("empty", detail)
            return None
        kind = container_kind(head) if self.format == "unknown" else self.format
        held = [head]
        if kind == "mail" and self.format == "unknown" and mail_kind(head) == "plain":
            held += _ahead(blocks, self._settings.max_record_bytes - len(head))
            kind = kind if sum(map(len, held)) <= self._settings.max_record_bytes else ""
        if self.format == "unknown":
            self._refuse(head, kind)
        opening = Opening(
            settings=self._settings,
            splitter=self._splitter,
            encoding=self.encoding,
            kind="" if self.format == "unknown" else self.format,
            damaged=lambda: self._decoder.is_cut,
            whole=len(head) < BLOCK and self._decoder.damage is None,
            layout=self._layout,
            wiki=self._wiki,
            nested=None if self._is_member else self._nested,
            links=self._links,
        )
        if kind in BINARY_PARTS:
            self.format = kind
            return BINARY_PARTS[kind](chain(held, blocks), opening)
        self.format = "text"
        return TextPart(chain(held, blocks), opening)

    def _refuse(self, head: bytes, kind: str) -> None:
        """Settle the encoding, or refuse a file of which nothing can be read."""
        if kind:
            self.encoding = "binary"
            return
        is_html = looks_like_html(head[:SAMPLE].decode("utf-8", "replace"))
        self.encoding = page_encoding(head) if is_html else encoding_of(head)
        if self._is_member:
            self._refuse_sample(head[:SAMPLE])
        if found := binary_kind(head):
            raise UnreadableError(
                "unsupported_format",
                f"expected text or JSON lines, found what seems to be {found}; its text could not "
                "be read. Extract the text and upload that.",
            )

    def _refuse_sample(self, sample: bytes) -> None:
        """Refuse a member that is no text before anything of it is given."""
        decoder = TextDecoder([sample], self.encoding)
        list(decoder)
        if decoder.bad > MAX_BAD_SHARE * decoder.chars:
            raise UnreadableError("undecodable", "expected text in the member, found other bytes.")


def _ahead(blocks: Iterator[bytes], size: int) -> list[bytes]:
    """Take blocks of more bytes than a size, or all."""
    held: list[bytes] = []
    while size >= 0 and (block := next(blocks, b"")):
        held.append(block)
        size -= len(block)
    return held
