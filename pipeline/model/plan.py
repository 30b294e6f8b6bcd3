"""The frozen plan of a run: all that later tasks are a function of.

Holds: `Plan`, `Shard`, `KeyRange`. Reads and writes nothing. Not here: making one (`plan/`).
"""

from __future__ import annotations

import msgspec

from pipeline.model.files import DumpFile
from pipeline.model.settings import RunSettings
from pipeline.model.versions import Models


class Shard(msgspec.Struct, frozen=True):
    """The dump files that one ingest task processes; the unit of retry.

    A file larger than a shard is cut into several: `section` is which of its `sections` this shard
    reads (see `ingest/sections.py`). Files that cannot be cut are read by the first of them.

    `fingerprint` hashes the files (key, ETag, size), the ingest settings, the splitter's model and
    the ingest code version: equal fingerprints mean equal output, whatever run made it.
    """

    index: int
    fingerprint: str
    files: tuple[DumpFile, ...]
    section: int = 0
    sections: int = 1

    @property
    def bytes(self) -> int:
        """Stored bytes of the shard; of a file in sections its share."""
        return sum(file.size for file in self.files) // self.sections


class KeyRange(msgspec.Struct, frozen=True):
    """Slice `[low, high)` of the 16-bit prefix of the band-key space that one match task owns."""

    index: int
    low: int
    high: int


class Plan(msgspec.Struct, frozen=True):
    """One run of one dump date, frozen before anything is read.

    `planned_at` is epoch seconds and the only clock reading of a run. `generation` names the
    dump's content as deduplication sees it, known before ingest and whatever the packing: the hash
    of its files, the settings and versions of ingest, and the rule. `parent` is the
    snapshot sequence that `match` and `decide` start from (0: the empty corpus); a commit that
    finds a newer one rebases. `waiting` names sources that are left out of this run: still being
    uploaded, or not chosen. A `dry` run says what would change and publishes nothing.
    `unchanged` says that the pinned parent already holds this generation under these settings.
    `made_with` is `settings_fingerprint` when the run was planned: what is published names it.
    """

    run_id: str
    dump_date: str
    planned_at: float
    generation: str
    parent: int
    shards: tuple[Shard, ...]
    key_ranges: tuple[KeyRange, ...]
    waiting: tuple[str, ...]
    unchanged: bool
    settings: RunSettings
    code_version: str
    models: Models = Models()
    made_with: str = ""
    dry: bool = False

    @property
    def files(self) -> tuple[DumpFile, ...]:
        """Every dump file of the run once, in shard order."""
        return tuple(file for shard in self.shards if shard.section == 0 for file in shard.files)
