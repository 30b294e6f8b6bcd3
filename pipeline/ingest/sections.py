"""The sections of a large dump file: which bytes of it one ingest task reads.

Holds: `Sections`. Reads the landing store; keeps what was measured as units of the corpus.
Not here: measuring (`measure.py`), reading a section (`reader.py`), how many there are (`plan/`).

A section begins where the one before it ends, and the first begins with the file: so sections are
what reading the whole file passes through, and nothing depends on how many there are. To know
where it begins, and how many characters stand before that, a task needs the ends of all sections
before its own. Each task measures its own section first, from a guess of where it begins; when the
guess was right, which the chain shows, its measure serves all others. What nobody measured yet is
measured on the way. A file that cannot be cut is read whole by the first of its tasks.
"""

from __future__ import annotations

from typing import BinaryIO

from pipeline.ingest.codecs import BLOCK, open_decoded
from pipeline.ingest.columns import chosen_columns, field_names
from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.encodings import encoding_of
from pipeline.ingest.formats import binary_kind, container_kind, text_kind
from pipeline.ingest.mail_header import begins_plain_box
from pipeline.ingest.marks import WHOLE, Entry, Mark, Section
from pipeline.ingest.measure import Measured, find_member, guess, measure
from pipeline.ingest.parts import BOM
from pipeline.ingest.source import PIECE
from pipeline.model import versions
from pipeline.model.files import DumpFile
from pipeline.model.ids import fingerprint
from pipeline.model.settings import IngestSettings
from pipeline.storage import layout
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

STAGE = "measure"


class Sections:
    """Finds the sections of one file; what it measures is kept for the other tasks."""

    def __init__(
        self, corpus: Corpus, landing: Store, file: DumpFile, *, settings: IngestSettings
    ) -> None:
        """Look into a file that is cut into several sections."""
        self._corpus = corpus
        self._landing = landing
        self._file = file
        self._settings = settings
        self._kind = self._codec = ""

    def find(self, index: int, count: int) -> Section | None:
        """Return section `index` of `count`, or None when nothing begins in it.

        Raises:
            ChangedError, MissingError: the object is not the one that the plan froze.
        """
        with self._open(0) as stream:
            self._kind, self._codec = _sort(stream, self._settings)
        if not self._kind:
            return None if index else WHOLE
        cuts = [self._file.size * at // count for at in range(1, count)]
        if index and not self._try_ahead(cuts, index):
            return None
        begin = Mark()
        for number in range(index):
            end = self._end(cuts, number, begin)
            if end is None:
                return None
            begin = end
        return Section(
            kind=self._kind,
            codec=self._codec,
            encoding="utf-8" if self._kind == "jsonl" else "binary",
            begin=begin,
            end=self._end(cuts, index, begin) if index < len(cuts) else None,
        )

    def _try_ahead(self, cuts: list[int], index: int) -> bool:
        """Measure a section from a guess; False when no member begins in it at all."""
        low = cuts[index - 1]
        high = cuts[index] if index < len(cuts) else self._file.size
        with self._open(low) as stream:
            member = find_member(stream, self._codec, low=low, high=high)
        if member is None:
            return False
        key = self._unit(high, None)
        if index < len(cuts) and self._corpus.find(key, Measured) is None:
            entry = self._entry(Mark(stored=member), None)
            with self._open(member) as stream:
                begin = guess(stream, self._settings, entry, self._kind)
            if begin is not None:
                self._corpus.finish(key, self._measure(begin, high, lenient=True))
        return True

    def _end(self, cuts: list[int], number: int, begin: Mark) -> Mark | None:
        """Return where section `number` ends, which begins at a mark: known or measured now."""
        cut = cuts[number]
        ahead = self._corpus.find(self._unit(cut, None), Measured)
        if ahead is not None and _confirmed(ahead, begin):
            return ahead.end.after(begin) if ahead.end is not None else None
        key = self._unit(cut, begin)
        exact = self._corpus.find(key, Measured)
        if exact is None:
            exact = self._corpus.finish(key, self._measure(begin, cut, lenient=False))
        return exact.end

    def _measure(self, begin: Mark, cut: int, *, lenient: bool) -> Measured:
        entry = self._entry(begin, cut, lenient=lenient)
        with self._open(begin.stored) as stream:
            return measure(stream, self._settings, entry, self._kind)

    def _entry(self, at: Mark, cut: int | None, *, lenient: bool = True) -> Entry:
        codec = self._codec if at != Mark() else ""
        return Entry(at=at, codec=codec, cut=cut, lenient=lenient)

    def _open(self, position: int) -> BinaryIO:
        start = position - position % PIECE
        return self._landing.open(self._file.key, etag=self._file.etag, start=start)

    def _unit(self, cut: int, begin: Mark | None) -> str:
        file = self._file
        name = (file.key, file.etag, file.size, versions.INGEST, self._settings, cut, begin)
        return layout.unit(STAGE, fingerprint(*name))


def _confirmed(ahead: Measured, begin: Mark) -> bool:
    """Whether a measure from a guess is that of a section which begins at the mark."""
    place = (ahead.begin.stored, ahead.begin.skip)
    return place == (begin.stored, begin.skip) and begin.member + ahead.excess <= 0


def _sort(stream: BinaryIO, settings: IngestSettings) -> tuple[str, str]:
    """Return format and codec of a file that can be read in sections, else two empty words.

    That is a file of records in one layer of compression, in which a line end is always one.
    """
    decoder = open_decoded(stream, settings)
    head = next(iter(decoder), b"")
    if not head or "+" in decoder.codec:
        return "", ""
    if kind := container_kind(head):
        is_cut = kind == "warc" or (kind == "mail" and begins_plain_box(head))
        return (kind, decoder.codec) if is_cut else ("", "")
    if encoding_of(head) != "utf-8" or binary_kind(head):
        return "", ""
    first = next(iter(TextDecoder([head], "utf-8")), "").lstrip(BOM)
    names = field_names("text", chosen_columns(settings))
    complete = len(head) < BLOCK and decoder.damage is None
    kind = text_kind(first, names, complete=complete)
    return (kind, decoder.codec) if kind == "jsonl" else ("", "")
