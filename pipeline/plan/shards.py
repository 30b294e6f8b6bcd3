"""Packing dump files into shards, and the key space into ranges.

Holds: `pack`, `generation`, `key_ranges`. Pure: functions of the set of files and the settings.
Not here: which files (`discover.py`), freezing the result (`stage.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.model import versions
from pipeline.model.files import DumpFile
from pipeline.model.ids import fingerprint
from pipeline.model.plan import KeyRange, Shard
from pipeline.model.settings import DedupSettings, IngestSettings, PlanSettings

KEY_SPACE = 1 << 16

Recipe = tuple[IngestSettings, str]
"""What makes documents of dump files: the settings of ingest, and the id of the splitter."""


def pack(
    files: Iterable[DumpFile], settings: PlanSettings, *, made_by: Recipe
) -> tuple[Shard, ...]:
    """Cut the files, ordered by key, into at most `max_shards` shards of about `shard_bytes`.

    A file larger than that is cut into sections, each in a shard of its own. When there would be
    too many shards the target size grows until they fit.
    """
    ordered = sorted(files, key=lambda file: file.key)
    groups = _fitting(ordered, settings)
    return tuple(
        Shard(index, _fingerprint(group, made_by), group.files, group.section, group.sections)
        for index, group in enumerate(groups)
    )


def shard_fingerprint(files: Iterable[DumpFile], made_by: Recipe) -> str:
    """Name the output of one ingest task by all that it is made from and by."""
    inputs = [(file.key, file.etag, file.size) for file in files]
    return fingerprint(inputs, made_by, versions.INGEST, versions.SIGNATURE)


def generation(files: Iterable[DumpFile], *, made_by: Recipe, dedup: DedupSettings) -> str:
    """Name a dump's content as deduplication sees it: its documents, however packed, and the rule.

    The rule is part of it because edges are live by generation: those found under another
    threshold must not count beside new ones.
    """
    ordered = sorted(files, key=lambda file: file.key)
    return fingerprint("generation", shard_fingerprint(ordered, made_by), dedup, versions.MATCH)


def key_ranges(total_bytes: int, settings: PlanSettings) -> tuple[KeyRange, ...]:
    """Slice the 16-bit prefix space into a power of two of ranges, one per `range_bytes`."""
    wanted = max(1, math.ceil(total_bytes / settings.range_bytes))
    most = settings.max_key_ranges.bit_length() - 1
    count = 1 << min((wanted - 1).bit_length(), most)
    bounds = [index * KEY_SPACE // count for index in range(count + 1)]
    return tuple(KeyRange(index, bounds[index], bounds[index + 1]) for index in range(count))


class _Group(NamedTuple):
    """What becomes a shard."""

    files: tuple[DumpFile, ...]
    section: int = 0
    sections: int = 1


def _fingerprint(group: _Group, made_by: Recipe) -> str:
    whole = shard_fingerprint(group.files, made_by)
    if group.sections == 1:
        return whole
    return fingerprint("section", whole, group.section, group.sections)


def _fitting(ordered: list[DumpFile], settings: PlanSettings) -> list[_Group]:
    """Grow the target until the groups are few enough; a target of everything gives one."""
    total = sum(file.size for file in ordered)
    target = max(settings.shard_bytes, math.ceil(total / settings.max_shards))
    while len(groups := _groups(ordered, target)) > settings.max_shards:
        target += math.ceil(target / 4)
    return groups


def _groups(ordered: list[DumpFile], target: int) -> list[_Group]:
    """Walk the files; start a group when the next file would overfill the current one."""
    groups: list[_Group] = []
    held: list[DumpFile] = []
    room = target
    for file in ordered:
        if held and file.size > room:
            groups.append(_Group(tuple(held)))
            held, room = [], target
        if file.size > target:
            sections = math.ceil(file.size / target)
            groups.extend(_Group((file,), number, sections) for number in range(sections))
        else:
            held.append(file)
            room -= file.size
    return [*groups, _Group(tuple(held))] if held else groups
