"""What the merged band index says about itself.

Holds: `Parameters`, `Member`, `IndexRun`, `BandIndex`. Reads and writes nothing.
Not here: where it is stored (`storage/band_index.py`), merging and asking it (`dedup/`).
"""

from __future__ import annotations

import msgspec

from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.schemas import BANDS, PERMUTATIONS


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What two keys must have been made with to be comparable, and the form of the files."""

    form: int = versions.INDEX
    signature: int = versions.SIGNATURE
    permutations: int = PERMUTATIONS
    bands: int = BANDS


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One dump's keys inside a run. Its place in `IndexRun.members` stands in every entry.

    `shards` hashes the fingerprints of the dump's shards in order: an entry says where a signature
    is by the number of its shard.
    """

    dump_date: str
    generation: str
    shards: str
    entries: int


class IndexRun(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of some dumps in one order: a unit, and a function of its members alone.

    `members` are sorted by date. Slice i of n holds the keys of key range i of n.
    """

    fingerprint: str
    parameters: Parameters
    code_version: str
    members: tuple[Member, ...]
    slices: tuple[FileRef, ...]

    @property
    def entries(self) -> int:
        """Number of keys, of live dumps and others."""
        return sum(member.entries for member in self.members)

    @property
    def bytes(self) -> int:
        """Stored bytes."""
        return sum(ref.size for ref in self.slices)


class BandIndex(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs there are. Dumps in none of them are read from their own index.

    Nothing depends on it but time: it may lack any dump, name dumps that are no longer live, or be
    deleted.
    """

    parameters: Parameters = Parameters()
    code_version: str = ""
    runs: tuple[IndexRun, ...] = ()
