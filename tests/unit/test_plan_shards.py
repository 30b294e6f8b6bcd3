"""Packing: loses nothing, does not depend on order, keeps its limits."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.files import DumpFile
from pipeline.model.settings import DedupSettings, IngestSettings, PlanSettings
from pipeline.plan.shards import KEY_SPACE, generation, key_ranges, pack

SIZES = st.lists(st.integers(0, 5000), max_size=60)
LIMITS = st.builds(
    PlanSettings,
    shard_bytes=st.integers(1, 6000),
    max_shards=st.integers(1, 12),
    range_bytes=st.integers(1, 10_000),
    max_key_ranges=st.integers(1, 256),
)
MADE_BY = (IngestSettings(), "page+sha256-0")


def dump_files(sizes: list[int]) -> list[DumpFile]:
    """Return one dump file of each size."""
    return [
        DumpFile("source", "2026-11-21", f"source/2026-11-21/{number:03d}", f"etag{size}", size)
        for number, size in enumerate(sizes)
    ]


def generation_of(files: Iterable[DumpFile]) -> str:
    """Return the generation of files under default settings."""
    return generation(files, made_by=MADE_BY, dedup=DedupSettings())


@settings(max_examples=150, deadline=None)
@given(sizes=SIZES, limits=LIMITS)
def test_packing_loses_no_file(sizes: list[int], limits: PlanSettings) -> None:
    """Every file is in one shard or cut into all its sections, in key order, within the limit."""
    files = dump_files(sizes)
    shards = pack(files, limits, made_by=MADE_BY)
    assert [file for shard in shards if shard.section == 0 for file in shard.files] == files
    cut: dict[str, list[tuple[int, int]]] = {}
    for shard in shards:
        if shard.sections > 1:
            (file,) = shard.files
            cut.setdefault(file.key, []).append((shard.section, shard.sections))
    for found in cut.values():
        assert found == [(number, len(found)) for number in range(len(found))]
    assert [shard.index for shard in shards] == list(range(len(shards)))
    assert len(shards) <= limits.max_shards
    assert all(shard.files for shard in shards)


@settings(max_examples=100, deadline=None)
@given(sizes=SIZES, limits=LIMITS, data=st.data())
def test_packing_does_not_depend_on_order(
    sizes: list[int], limits: PlanSettings, data: st.DataObject
) -> None:
    """A listing in any order gives the same shards."""
    files = dump_files(sizes)
    shuffled = data.draw(st.permutations(files))
    assert pack(shuffled, limits, made_by=MADE_BY) == pack(files, limits, made_by=MADE_BY)


@settings(max_examples=100, deadline=None)
@given(sizes=SIZES, limit=st.integers(1, 6000))
def test_shards_stay_below_their_size(sizes: list[int], limit: int) -> None:
    """With shards to spare, none exceeds the target; of a large file each has a section."""
    limits = PlanSettings(shard_bytes=limit, max_shards=1024)
    shards = pack(dump_files(sizes), limits, made_by=MADE_BY)
    target = max(limit, -(-sum(sizes) // 1024))
    assert len(shards) > 512 or all(shard.bytes <= target for shard in shards)
    assert all(shard.sections == 1 or len(shard.files) == 1 for shard in shards)


def test_a_large_file_is_cut_and_alone() -> None:
    """Small files before and after it share other shards; its sections differ by name."""
    shards = pack(dump_files([10, 20, 250, 30, 40]), PlanSettings(shard_bytes=100), made_by=MADE_BY)
    assert [([file.size for file in shard.files], shard.section) for shard in shards] == [
        ([10, 20], 0), ([250], 0), ([250], 1), ([250], 2), ([30, 40], 0)
    ]  # fmt: skip
    assert len({shard.fingerprint for shard in shards}) == 5


def test_fingerprints_tell_content_apart() -> None:
    """Another ETag, key, ingest setting or splitter is another shard and another generation."""
    file = dump_files([10])[0]
    base = pack([file], PlanSettings(), made_by=MADE_BY)[0].fingerprint

    def shard_of(**changes: object) -> str:
        fields = {name: getattr(file, name) for name in file.__struct_fields__} | changes
        return pack([DumpFile(**fields)], PlanSettings(), made_by=MADE_BY)[0].fingerprint

    assert shard_of(version=2) == base
    assert shard_of(etag="other") != base
    assert shard_of(key="source/2026-11-21/other") != base
    for part in ("key", "etag", "size"):
        changed = msgspec.structs.replace(file, **{part: 7 if part == "size" else "other"})
        assert generation_of([changed]) != generation_of([file])
    for other in ((IngestSettings(min_split_score=0.9), MADE_BY[1]), (MADE_BY[0], "page+learned")):
        assert pack([file], PlanSettings(), made_by=other)[0].fingerprint != base
        assert generation([file], made_by=other, dedup=DedupSettings()) != generation_of([file])


def test_no_files_have_a_generation() -> None:
    """An empty night has zero shards and a generation of its own."""
    assert pack([], PlanSettings(), made_by=MADE_BY) == ()
    assert generation_of([]) == generation_of([])
    assert generation_of([]) != generation_of(dump_files([1]))


@settings(max_examples=50, deadline=None)
@given(sizes=SIZES, data=st.data())
def test_the_generation_is_of_the_set_of_files(sizes: list[int], data: st.DataObject) -> None:
    """Files in any order are one generation, however they are packed."""
    files = dump_files(sizes)
    assert generation_of(data.draw(st.permutations(files))) == generation_of(files)


def test_another_threshold_is_another_generation() -> None:
    """Edges found under one threshold are not live beside those found under another."""
    files = dump_files([1])
    rules = [DedupSettings(threshold=value) for value in (0.7, 0.75, 0.8)]
    assert len({generation(files, made_by=MADE_BY, dedup=rule) for rule in rules}) == 3


@settings(max_examples=100, deadline=None)
@given(total=st.integers(0, 10**15), limits=LIMITS)
def test_key_ranges_tile_the_key_space(total: int, limits: PlanSettings) -> None:
    """A power of two of equal slices, without gap or overlap, within the limit."""
    ranges = key_ranges(total, limits)
    assert [part.index for part in ranges] == list(range(len(ranges)))
    assert (ranges[0].low, ranges[-1].high) == (0, KEY_SPACE)
    assert [part.high for part in ranges[:-1]] == [part.low for part in ranges[1:]]
    assert len({part.high - part.low for part in ranges}) == 1
    assert len(ranges) <= limits.max_key_ranges
    assert len(ranges).bit_count() == 1


def test_key_ranges_grow_with_the_bytes() -> None:
    """One per `range_bytes`, rounded up to a power of two."""
    limits = PlanSettings(range_bytes=100, max_key_ranges=64)
    totals = (0, 100, 101, 250, 500, 10**9)
    assert [len(key_ranges(total, limits)) for total in totals] == [1, 1, 2, 4, 8, 64]
