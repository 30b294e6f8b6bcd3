"""The books of one dump file: every byte and every character, counted where it went.

Holds: `Books`. Pure. Not here: what the counts mean (`model/manifest.py`).
"""

from __future__ import annotations

from collections import Counter

from pipeline.errors import ContractError
from pipeline.ingest.pieces import Piece, inside
from pipeline.ingest.reader import Reading
from pipeline.model.files import DumpFile
from pipeline.model.manifest import FileCounts


class Books:
    """Counts the pieces of one file; mutable until closed."""

    def __init__(self, file: DumpFile) -> None:
        """Open the books of one file."""
        self._file = file
        self._rows: Counter[str] = Counter()
        self._chars: Counter[str] = Counter()

    def count(self, piece: Piece) -> None:
        """Count one piece; damage and furniture inside a document count as what they are."""
        self._rows[piece.kind] += 1
        self._chars[piece.kind] += piece.span.char_end - piece.span.char_start
        for inner in inside(piece):
            size = inner.span.char_end - inner.span.char_start
            self._rows[inner.kind] += 1
            self._chars[inner.kind] += size
            self._chars[piece.kind] -= size

    def close(self, reading: Reading) -> FileCounts:
        """Return the counts of a file that was read.

        Raises:
            ContractError: they do not add up, so something was lost.
        """
        counts = FileCounts(
            key=self._file.key,
            source=self._file.source,
            etag=self._file.etag,
            format=reading.format,
            codec=reading.codec,
            stored_bytes=reading.stored_bytes,
            read_bytes=reading.read_bytes,
            unread_bytes=reading.unread_bytes,
            decoded_bytes=reading.decoded_bytes,
            chars=reading.section_chars,
            document_chars=self._chars["document"],
            furniture_chars=self._chars["furniture"],
            quarantine_chars=self._chars["quarantine"],
            documents=self._rows["document"],
            furniture=self._rows["furniture"],
            quarantine=self._rows["quarantine"],
            encoding=reading.encoding,
        )
        if not counts.balanced:
            raise ContractError(
                f"{counts.key!r}: expected {counts.stored_bytes} bytes = {counts.read_bytes} read "
                f"+ {counts.unread_bytes} unread and {counts.chars} characters = "
                f"{counts.document_chars} in documents + {counts.furniture_chars} in furniture + "
                f"{counts.quarantine_chars} in quarantine, found a difference. Nothing of this "
                "shard was committed; run it again, and report the file if it repeats."
            )
        return counts

    def refuse(self, unread: int) -> FileCounts:
        """Return the counts of a file of which nothing was taken."""
        return self._none(stored=self._file.size, unread=unread)

    def nothing(self) -> FileCounts:
        """Return the counts of a section in which nothing begins."""
        return self._none(stored=0, unread=0)

    def _none(self, *, stored: int, unread: int) -> FileCounts:
        return FileCounts(
            key=self._file.key,
            source=self._file.source,
            etag=self._file.etag,
            format="unknown",
            codec="unknown",
            stored_bytes=stored,
            read_bytes=stored - unread,
            unread_bytes=unread,
            decoded_bytes=0,
            chars=0,
            document_chars=0,
            furniture_chars=0,
            quarantine_chars=0,
            documents=0,
            furniture=0,
            quarantine=self._rows["quarantine"],
        )
