"""What a finished unit of a stage says about itself; written last, read by later stages.

Holds: `FileCounts`, `IngestManifest`, `MatchManifest`, `AnnotateManifest`, `PublishManifest`,
`Decision`, `SelfTest`, `joined`. Reads and writes nothing.
Not here: where they are stored (`storage/layout.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.model.files import FileRef


class FileCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The books of one dump file, or a section; all must add up before anything is published.

    `stored_bytes` of the object = `read_bytes` + `unread_bytes` (after damage in a compressed
    stream). `chars` of the decoded text = `document_chars` + `furniture_chars` +
    `quarantine_chars`, where damaged characters inside a document count as quarantine.
    Undecodable bytes count as one character each (`surrogateescape`).

    What a character is depends on the format (docs/formats.md): in WARC files it is a byte, in
    Parquet files one of the text column, in archives one of a member, the members one after the
    other. Bytes of a member that is not taken count as one character each.
    """

    key: str
    source: str
    etag: str
    format: str
    codec: str
    stored_bytes: int
    read_bytes: int
    unread_bytes: int
    decoded_bytes: int
    chars: int
    document_chars: int
    furniture_chars: int
    quarantine_chars: int
    documents: int
    furniture: int
    quarantine: int
    encoding: str = "utf-8"

    @property
    def balanced(self) -> bool:
        """Whether every byte and every character is accounted for."""
        return (
            self.stored_bytes == self.read_bytes + self.unread_bytes
            and self.chars == self.document_chars + self.furniture_chars + self.quarantine_chars
        )


def joined(books: Iterable[FileCounts]) -> tuple[FileCounts, ...]:
    """Return one set of books a file, by key, from those of its sections in any order."""
    found: dict[str, list[FileCounts]] = {}
    for one in books:
        found.setdefault(one.key, []).append(one)
    return tuple(_joined(found[key]) for key in sorted(found))


def _joined(books: list[FileCounts]) -> FileCounts:
    """Add up; format, codec and encoding are those of a section that has something."""
    if len(books) == 1:
        return books[0]
    told = max(books, key=lambda one: (one.format != "unknown", one.chars, one.stored_bytes))
    names = [name for name in FileCounts.__struct_fields__ if isinstance(getattr(told, name), int)]
    sums = {name: sum(getattr(one, name) for one in books) for name in names}
    return msgspec.structs.replace(told, **sums)


class IngestManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One ingested shard. Row i of `signatures` belongs to row i of `documents`.

    `paragraphs` and `samples` are None in units made before they were written. `erased` names the
    tombstones for which texts of the shard are blank; it is the one part of a unit that can change.
    """

    fingerprint: str
    documents: FileRef
    signatures: FileRef
    quarantine: FileRef
    files: tuple[FileCounts, ...]
    paragraphs: FileRef | None = None
    samples: FileRef | None = None
    erased: tuple[str, ...] = ()


class EdgeFile(msgspec.Struct, frozen=True):
    """Verified edges between two dumps (`earlier` ≤ `later` by date) found in one key range."""

    earlier: str
    earlier_generation: str
    later: str
    later_generation: str
    file: FileRef


class MatchManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One matched key range: the dump's own slice of the band index, and edge files found."""

    fingerprint: str
    index: FileRef
    edges: tuple[EdgeFile, ...]
    candidates: int


class TouchedDump(msgspec.Struct, frozen=True, kw_only=True):
    """A dump whose verdicts this run rewrites: the run's own, and those of changed neighbours.

    `kept_hash[i]` hashes the kept document ids of shard i: the annotate unit's fingerprint
    depends on it, so shards without a change are reused as they are. `kept` is the number of
    kept documents. `retracted` and `restored` count documents against the pinned parent.
    `taken_down` are neither kept nor dropped for a witness.
    """

    dump_date: str
    generation: str
    shards: tuple[str, ...]
    kept_hashes: tuple[str, ...]
    verdicts: FileRef
    documents: int
    kept: int
    dropped_exact: int
    dropped_near: int
    dropped_history: int
    retracted: int
    restored: int
    taken_down: int = 0


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a run will change, computed against the snapshot `parent`."""

    fingerprint: str
    run_id: str
    dump_date: str
    generation: str
    parent: int
    touched: tuple[TouchedDump, ...]
    edges: tuple[EdgeFile, ...]
    index: tuple[FileRef, ...]


class ShardPassages(msgspec.Struct, frozen=True, kw_only=True):
    """What the published documents of one shard share with others of their dump.

    `repeats` is None when repeated paragraphs were not looked for, `contained` likewise.
    """

    shard: str
    repeats: FileRef | None
    contained: FileRef | None


class PassagesManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The shared passages of one touched dump, by shard in the order of its shards."""

    fingerprint: str
    shards: tuple[ShardPassages, ...]


class AnnotateUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One annotate task: the kept documents of one shard of one touched dump."""

    dump_date: str
    shard: str
    verdicts: FileRef
    fingerprint: str
    passages: ShardPassages | None = None


class AnnotatedRun(msgspec.Struct, frozen=True):
    """Annotated rows of one language of one shard, sorted by (topic, source, document_id)."""

    language: str
    file: FileRef


class AnnotateManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One annotated shard. `topics` counts its published documents by topic label.

    `removed` has a row for each paragraph that was taken out of a text; None when none was.
    `shape` names what annotations depend on besides the text. Both and `shard` are "" in units made
    before they were recorded. `reused` of the rows have their annotations from an earlier unit: the
    one thing here that depends on what was there before.
    """

    fingerprint: str
    runs: tuple[AnnotatedRun, ...]
    topics: dict[str, int]
    models: tuple[str, ...]
    removed: FileRef | None = None
    shard: str = ""
    shape: str = ""
    reused: int = 0


class PublishUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One publish task: one partition, merged from the sorted runs of its shards."""

    dump_date: str
    language: str
    runs: tuple[FileRef, ...]
    fingerprint: str


class PublishManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The finished files of one partition."""

    fingerprint: str
    dump_date: str
    language: str
    files: tuple[FileRef, ...]


class MonthManifest(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of the nights of a month in few files, by table."""

    fingerprint: str
    month: str
    tables: dict[str, tuple[FileRef, ...]]

    @property
    def files(self) -> list[FileRef]:
        """All of them."""
        return [ref for refs in self.tables.values() for ref in refs]


class CanaryResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's self-test found of the planted pairs of one kind and similarity.

    `found`: copies dropped with their original as witness; `wrong`: documents dropped because of a
    stranger. `expected` is the share of copies that the parameters find; `least` and `most` are
    the numbers of copies between which a sound run finds some.
    """

    kind: str
    similarity: float
    planted: int
    found: int
    wrong: int
    expected: float
    least: int
    most: int

    @property
    def passed(self) -> bool:
        """Whether the run does what its parameters promise."""
        return self.wrong == 0 and self.least <= self.found <= self.most

    @property
    def recall(self) -> float:
        """Share of the planted copies that was found."""
        return self.found / self.planted

    @property
    def precision(self) -> float:
        """Share of what was dropped that had to be; 1 when nothing was."""
        dropped = self.found + self.wrong
        return self.found / dropped if dropped else 1.0


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """A run's trial of its own deduplication; there is one only if it passed."""

    fingerprint: str
    results: tuple[CanaryResult, ...]
