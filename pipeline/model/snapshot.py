"""One published state of everything: the commit object and what it names.

Holds: `Snapshot`, `DumpState`, `Partition`, `Pointer`. Reads and writes nothing.
Not here: moving the pointer (`publish/commit.py`).
"""

from __future__ import annotations

import msgspec

from pipeline.model.files import DumpFile, FileRef
from pipeline.model.manifest import EdgeFile, FileCounts
from pipeline.model.rule import Rule
from pipeline.model.settings import Scope, Survivor


class Partition(msgspec.Struct, frozen=True):
    """A directory of published `documents` rows sharing dump date and language."""

    language: str
    files: tuple[FileRef, ...]


class DumpCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of one dump that a person asks for first."""

    files: int = 0
    bytes: int = 0
    chars: int = 0
    documents: int = 0
    kept: int = 0
    dropped_exact: int = 0
    dropped_near: int = 0
    dropped_history: int = 0
    furniture: int = 0
    quarantine: int = 0
    taken_down: int = 0


class DumpState(msgspec.Struct, frozen=True, kw_only=True):
    """All that is published of one dump.

    `edges` are those found when this generation was committed, with every dump live then; an
    edge file counts only while both its generations are live. `runs` has one file per run that
    changed this dump, oldest first. `shard_manifests` are the manifests of `shards` as they were
    when this was committed; `annotated` names their annotate units, of which `expire` may have
    deleted any. Both are empty in states written before they were recorded.
    """

    dump_date: str
    generation: str
    planned_at: float
    files: tuple[DumpFile, ...]
    file_counts: tuple[FileCounts, ...]
    shards: tuple[str, ...]
    kept_hashes: tuple[str, ...]
    index: tuple[FileRef, ...]
    edges: tuple[EdgeFile, ...]
    verdicts: FileRef
    quarantine: FileRef
    documents: tuple[Partition, ...]
    counts: DumpCounts
    topics: dict[str, int]
    runs: tuple[FileRef, ...]
    shard_manifests: tuple[FileRef, ...] = ()
    annotated: tuple[str, ...] = ()


class DumpRef(msgspec.Struct, frozen=True, kw_only=True):
    """A dump inside a snapshot: enough to plan and match without opening its state.

    `settings` and `models` hash what it was made with (see `versions.py`). The other fields are its
    `rule`: a pair of documents counts when it does for the dumps of both.
    """

    generation: str
    state: FileRef
    settings: str
    models: str = ""
    threshold: float = 0.75
    scope: Scope = "all"
    survivor: Survivor = "earliest"
    source_priority: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """What this dump says about pairs of documents."""
        return Rule(
            threshold=self.threshold,
            scope=self.scope,
            survivor=self.survivor,
            source_priority=self.source_priority,
        )


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One published state. `sequence` 0 is the empty corpus, which is never stored.

    `parent` is None only for the first snapshot of a corpus. `tombstones` is what was ever taken
    down (schema `TOMBSTONES`), None if nothing was.
    """

    sequence: int
    parent: FileRef | None
    run_id: str
    dumps: dict[str, DumpRef]
    tombstones: FileRef | None = None


EMPTY = Snapshot(sequence=0, parent=None, run_id="", dumps={})


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """The one mutable object: which snapshot is current."""

    sequence: int
    snapshot: FileRef
    run_id: str
