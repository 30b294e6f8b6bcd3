"""The merged band index: what is asked of it, how it grows, and what may happen to it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.dedup.keys import date_of, draw, publish
from pipeline.dedup import upkeep
from pipeline.dedup.entries import Entries, key_range
from pipeline.dedup.history import History, Hits, shared
from pipeline.dedup.merging import Part, Sizes, due, level, merge
from pipeline.dedup.reader import index_entries
from pipeline.errors import ConflictError, ContractError, CorruptError
from pipeline.model.files import FileRef
from pipeline.model.index import Member
from pipeline.publish import expire as expiring
from pipeline.storage import band_index, layout, packed, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus, encode

SMALL = Sizes(fan_in=2, most=3, alone=1 << 40, per_slice=64)
WHOLE = key_range(0, 1)
DAY = 86_400.0


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """An empty corpus in memory."""
    return Corpus(MemoryStore(), tmp_path)


def dumps(count: int, documents: int = 9) -> dict[str, Entries]:
    """Dumps of random keys, of which each has copies of the first."""
    first = draw(documents, seed=0)
    return {
        date_of(at): draw(documents + at, seed=at, old=first.key, share=0.5) for at in range(count)
    }


def test_a_merge_holds_one_slice_however_many_there_are(tmp_path: Path) -> None:
    """So its memory is bounded: eight full slices take no more at a time than one."""
    (tmp_path / "store").mkdir()
    corpus = Corpus(LocalStore(tmp_path / "store"), tmp_path)
    sizes = Sizes(fan_in=99, alone=1, per_slice=1 << 16)
    peaks = []
    for number, documents in enumerate((3_000, 24_000)):
        publish(corpus, {date_of(number): draw(documents, seed=number)}, ranges=8)
        tracemalloc.start()
        assert merge(corpus, sizes=sizes) == 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    runs = band_index.load(corpus)[0].runs
    assert [len(run.slices) for run in runs] == [1, 8]
    assert peaks[1] < 1.1 * peaks[0]


def answers(
    corpus: Corpus, keys: Any, *, owned: Any = WHOLE, without: str = ""
) -> dict[str, list[Any]]:
    """What the history says of every live dump."""
    snapshot = snapshots.current(corpus)
    live = {date: ref.generation for date, ref in snapshot.dumps.items() if date != without}
    found = {}
    with History(corpus, live, keys=keys, owned=owned) as history:
        for date in filter(history.meets, live):
            entries = history.entries(date, snapshots.load_state(corpus, snapshot, date))
            found[date] = [entries.key.tolist(), entries.shard.tolist(), entries.row.tolist()]
    return {date: rows for date, rows in found.items() if rows[0]}


def expected(corpus: Corpus, keys: Any, *, owned: Any = WHOLE) -> dict[str, list[Any]]:
    """The same from the dumps' own indexes alone."""
    snapshot = snapshots.current(corpus)
    found = {}
    for date in snapshot.dumps:
        state = snapshots.load_state(corpus, snapshot, date)
        every = index_entries(corpus, state.index, owned)
        met = every.take(np.isin(every.key, keys))
        found[date] = [met.key.tolist(), met.shard.tolist(), met.row.tolist()]
    return {date: rows for date, rows in found.items() if rows[0]}


def members(corpus: Corpus) -> list[list[str]]:
    """The dates in each run."""
    runs = band_index.load(corpus)[0].runs
    return [[member.dump_date for member in run.members] for run in runs]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays(np.uint64, st.integers(0, 80), elements=st.integers(0, (1 << 13) - 1)),
    arrays(np.uint64, st.integers(0, 40), elements=st.integers(0, (1 << 13) - 1), unique=True),
    st.sampled_from([(0, 1), (1, 2), (3, 8)]),
    st.tuples(st.sampled_from([0, 40, 51]), st.sampled_from([0, 14, 31, 45, 57])),
)
def test_a_slice_finds_what_numpy_finds(
    tmp_path: Path, low: Any, sought: Any, cut: tuple[int, int], spread: tuple[int, int]
) -> None:
    """Keys close together, far apart, repeated, or of other slices; any members, shards, rows."""
    shift, stretch = spread
    owned = key_range(*cut)
    base = np.uint64(owned.low << 48)
    width = np.uint64(64 - (cut[1] - 1).bit_length() - 13)
    keys = np.sort(base + (low << min(np.uint64(shift), width)))
    wanted = np.sort(base + (sought << min(np.uint64(shift), width)))
    places = np.arange(len(keys), dtype=np.uint64) << np.uint64(stretch)
    header = packed.Header(run="a", low=owned.low, high=owned.high)
    packed.write(tmp_path / "slice", header, keys, places)
    part = packed.opened(tmp_path / "slice", header)
    outside = [key for key in (0, (1 << 64) - 1) if not owned.low <= key >> 48 < owned.high]
    every = np.unique(np.append(wanted, np.array(outside, np.uint64)))
    key, place = shared(part, every)
    assert place.tolist() == places[np.isin(keys, wanted)].tolist()
    assert key.tolist() == keys[np.isin(keys, wanted)].tolist()
    for least in (owned.low << 48, int(wanted[0]) if len(wanted) else owned.low << 48):
        every = part.read(least, (owned.high << 48) - 1)
        assert every[0].tolist() == keys[keys >= np.uint64(least)].tolist()
        assert every[1].tolist() == places[keys >= np.uint64(least)].tolist()


@pytest.mark.parametrize("size", [1, 1000])
def test_one_key_of_many_documents_is_one_bucket(tmp_path: Path, size: int) -> None:
    """A boilerplate page fills a bucket far beyond the size for which it is made."""
    keys = np.sort(np.append(np.full(size, 7 << 40, np.uint64), draw(9, seed=1).key))
    header = packed.Header(run="a", low=0, high=1 << 16)
    packed.write(tmp_path / "slice", header, keys, np.arange(len(keys), dtype=np.uint64))
    part = packed.opened(tmp_path / "slice", header)
    key, place = shared(part, np.array([(7 << 40) - 1, 7 << 40, (7 << 40) + 1], np.uint64))
    assert set(key.tolist()) == {7 << 40}
    assert place.tolist() == np.flatnonzero(keys == 7 << 40).tolist()


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_was_merged_when_the_answer_is_that_of_the_dumps(
    tmp_path: Path, data: st.DataObject
) -> None:
    """Dumps come, are replaced and go, and merges of any sizes happen in between, or not."""
    corpus = Corpus(MemoryStore(), tmp_path)
    first = draw(6, seed=0)
    sizes = st.builds(
        Sizes,
        fan_in=st.integers(2, 4),
        most=st.integers(4, 6),
        alone=st.sampled_from([100, 1 << 40]),
        per_slice=st.sampled_from([16, 64, 1 << 20]),
    )
    for step in range(data.draw(st.integers(1, 7))):
        date = date_of(data.draw(st.integers(0, 4)))
        entries = draw(data.draw(st.integers(0, 9)), seed=step, old=first.key, share=0.7)
        publish(corpus, {date: entries}, ranges=data.draw(st.integers(1, 3)))
        if data.draw(st.booleans()):
            merge(corpus, sizes=data.draw(sizes))
            upkeep.check(corpus)
    keys = np.sort(np.append(first.key[::2], draw(3, seed=99).key))
    owned = key_range(data.draw(st.integers(0, 2)), 3)
    mine = keys[(keys >> np.uint64(48) >= owned.low) & (keys >> np.uint64(48) < owned.high)]
    assert answers(corpus, mine, owned=owned) == expected(corpus, mine, owned=owned)


def test_the_bytes_of_a_run_are_those_of_its_members(tmp_path: Path) -> None:
    """Four dumps at once, or two and two: the run in which they end is the same."""
    found = []
    for number, sizes in enumerate((SMALL, Sizes(fan_in=4, alone=1 << 40, per_slice=64))):
        corpus = Corpus(MemoryStore(), tmp_path)
        for date, entries in dumps(4).items():
            publish(corpus, {date: entries}, ranges=1 + number)
            merge(corpus, sizes=sizes)
        (run,) = band_index.load(corpus)[0].runs
        found.append([ref.sha256 for ref in run.slices])
        assert len(run.members) == 4
        assert len(run.slices) > 8
    assert found[0] == found[1]


def test_runs_of_one_size_become_one_of_the_next(corpus: Corpus) -> None:
    """After eight equal nights with a fan-in of two all are in one run; the ninth stands alone."""
    seen = []
    for at in range(9):
        publish(corpus, {date_of(at): draw(8, seed=at)})
        merge(corpus, sizes=SMALL)
        seen.append(sorted(len(dates) for dates in members(corpus)))
    assert seen == [[], [2], [2], [4], [4], [2, 4], [2, 4], [8], [8]]
    assert upkeep.check(corpus) == 8 * 8 * 21


def test_a_replaced_dump_is_dead_at_once_and_dropped_by_the_next_merge(corpus: Corpus) -> None:
    """Its old keys are never found again, and a run that is mostly dead is written anew."""
    old = draw(8, seed=1)
    publish(corpus, {date_of(0): old, date_of(1): draw(8, seed=2)})
    merge(corpus, sizes=SMALL)
    publish(corpus, {date_of(0): draw(1, seed=3)})
    assert answers(corpus, old.key) == {}
    merge(corpus, sizes=SMALL)
    (shown,), alone = upkeep.overview(corpus)
    assert (shown.dumps, shown.live_dumps, shown.entries, shown.live_entries) == (2, 1, 336, 168)
    assert alone == [date_of(0)]
    publish(corpus, {date_of(1): draw(1, seed=4)})
    merge(corpus, sizes=SMALL)
    (run,) = band_index.load(corpus)[0].runs
    assert run.entries == 2 * 21
    assert upkeep.check(corpus) == 2 * 21


@pytest.mark.parametrize(
    ("live", "chosen"),
    [
        ([], []),
        ([100], []),
        ([100, 90], [100, 90]),
        ([100, 9], []),
        ([5000, 5000, 100, 100], [100, 100]),
        ([1 << 40, 3], [1 << 40]),
        ([9] * 5, [9, 9, 9]),
    ],
)
def test_what_is_merged_next(live: list[int], chosen: list[int]) -> None:
    """The smallest parts of about one size, as many as files may be open; then large dumps."""
    sizes = Sizes(fan_in=2, most=3, alone=1 << 40)
    parts = [
        Part(None, (Member(dump_date="d", generation="g", shards="s", entries=count),))
        for count in live
    ]
    assert [part.entries for part in due(parts, sizes)] == chosen


@pytest.mark.parametrize(
    ("entries", "found"), [(0, 0), (1, 0), (3, 0), (4, 1), (63, 2), (64, 3), (4**20, 20)]
)
def test_the_level_of_a_size(entries: int, found: int) -> None:
    """How many times four divides it."""
    assert level(entries, Sizes(fan_in=4)) == found


def test_much_that_is_shared_goes_to_files_and_comes_back(tmp_path: Path) -> None:
    """However little may be held, each dump's entries return in the order in which they came."""
    dice = np.random.default_rng(3)
    few, many = Hits(tmp_path, limit=50), Hits(tmp_path)
    for at in range(20):
        key = np.sort(dice.integers(at << 32, (at + 1) << 32, 30, np.uint64))
        place = dice.integers(0, 5, 30, np.uint64) << np.uint64(48) | np.arange(30, dtype=np.uint64)
        few.add(key, place)
        many.add(key, place)
    assert list(tmp_path.iterdir()) != []
    for number in range(6):
        assert few.count(number) == len(few.take(number)[0])
        for one, two in zip(few.take(number), many.take(number), strict=True):
            assert one.tolist() == two.tolist()
    assert [many.count(number) > 0 for number in range(6)] == [True] * 5 + [False]
    few.close()
    many.close()
    assert list(tmp_path.iterdir()) == []


def test_packing_shards_otherwise_is_noticed(corpus: Corpus) -> None:
    """Places of another packing would lead to other documents: the dump's own index is read."""
    old = draw(8, seed=1)
    snapshot = publish(corpus, {date_of(0): old, date_of(1): draw(8, seed=2)})
    merge(corpus, sizes=SMALL)
    state = snapshots.load_state(corpus, snapshot, date_of(0))
    other = Entries(old.key, old.shard + np.uint16(1), old.row)
    index = publish(Corpus(corpus.store, corpus.scratch), {date_of(2): other})
    moved = snapshots.load_state(corpus, index, date_of(2)).index
    repacked = msgspec.structs.replace(state, shards=("x", "y"), index=moved)
    live = {date_of(0): state.generation}
    with History(corpus, live, keys=old.key, owned=WHOLE) as history:
        assert history.entries(date_of(0), state).shard.tolist() == [0] * 168
        assert history.entries(date_of(0), repacked).shard.tolist() == [1] * 168


def test_another_recipe_is_refused_until_the_index_is_rebuilt(corpus: Corpus) -> None:
    """The message names what was expected, what was found, and the command."""
    publish(corpus, dumps(4))
    merge(corpus, sizes=SMALL)
    index, etag = band_index.load(corpus)
    other = msgspec.structs.replace(index.parameters, bands=14)
    band_index.save(corpus, msgspec.structs.replace(index, parameters=other), etag)
    keys = dumps(1)[date_of(0)].key
    for ask in (lambda: answers(corpus, keys), lambda: merge(corpus), lambda: upkeep.check(corpus)):
        with pytest.raises(ContractError, match=r"bands=20.*bands=14.*`winnow index rebuild`"):
            ask()
    assert upkeep.rebuild(corpus, sizes=SMALL) > 0
    assert answers(corpus, keys) == expected(corpus, keys)
    runs = tuple(msgspec.structs.replace(run, parameters=other) for run in index.runs)
    _, etag = band_index.load(corpus)
    band_index.save(corpus, msgspec.structs.replace(index, runs=runs), etag)
    with pytest.raises(ContractError, match="bands=14"):
        answers(corpus, keys)


def test_an_index_can_be_deleted_at_any_time(corpus: Corpus) -> None:
    """Without it the dumps' own indexes are read; the next merge makes the same runs."""
    publish(corpus, dumps(4))
    merge(corpus, sizes=SMALL)
    before = band_index.load(corpus)[0]
    keys = dumps(1)[date_of(0)].key
    corpus.store.delete([layout.INDEX])
    assert answers(corpus, keys) == expected(corpus, keys)
    merge(corpus, sizes=SMALL)
    assert band_index.load(corpus)[0] == before


def _cut(data: bytes) -> bytes:
    return data[:-8]


def _zeros(data: bytes) -> bytes:
    return data[: len(data) // 3] + b"\0" * (len(data) - len(data) // 3)


def _other(data: bytes) -> bytes:
    return data.replace(b'"low":0', b'"low":1', 1)


def _nothing(data: bytes) -> bytes:
    return data[:0]


@pytest.mark.parametrize("damage", [_cut, _zeros, _other, _nothing])
def test_damage_is_found_and_mended_by_a_rebuild(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    """A local file is not hashed when it is asked; what is wrong with it shows all the same."""
    corpus = Corpus(LocalStore(tmp_path), tmp_path)
    publish(corpus, dumps(2, documents=40))
    merge(corpus, sizes=Sizes(fan_in=2))
    ref = band_index.load(corpus)[0].runs[0].slices[0]
    data = corpus.store.get(ref.key)[0]
    corpus.store.put(ref.key, damage(data))
    keys = np.sort(np.concatenate([entries.key for entries in dumps(2, documents=40).values()]))
    for ask in (lambda: answers(corpus, keys), lambda: upkeep.check(corpus)):
        with pytest.raises(CorruptError, match="winnow index rebuild"):
            ask()
    upkeep.rebuild(corpus, sizes=Sizes(fan_in=2))
    assert corpus.store.get(ref.key)[0] == data
    assert answers(corpus, keys) == expected(corpus, keys)


def test_one_wrong_entry_is_found_by_check(corpus: Corpus) -> None:
    """A run that was written wrongly has a right hash; only the dumps' own indexes tell."""
    publish(corpus, dumps(2))
    merge(corpus, sizes=Sizes(fan_in=2))
    index, etag = band_index.load(corpus)
    (run,) = index.runs
    part = band_index.slice_of(corpus, run, 0)
    keys, places = part.read(0, (1 << 64) - 1)
    places[5] ^= np.uint64(1)
    path = corpus.scratch_file(packed.SUFFIX)
    packed.write(path, part.header, keys, places)
    wrong: FileRef = corpus.adopt("index", run.fingerprint, "slice-00000", path, len(places))
    run = msgspec.structs.replace(run, slices=(wrong,))
    band_index.save(corpus, msgspec.structs.replace(index, runs=(run,)), etag)
    with pytest.raises(CorruptError, match=r"entries of dump .* winnow index rebuild|rebuild"):
        upkeep.check(corpus)


def test_an_illegible_index_is_refused(corpus: Corpus) -> None:
    """It is not taken for an empty one, and expire does not stumble over it."""
    publish(corpus, dumps(1))
    corpus.store.put(layout.INDEX, b"{")
    with pytest.raises(CorruptError, match="winnow index rebuild"):
        band_index.load(corpus)
    assert band_index.needed(corpus) == {}


class Stumbling(MemoryStore):
    """A store that fails at its n-th write, or lets somebody else go first."""

    def __init__(self, at: int, meanwhile: Callable[[], object] | None = None) -> None:
        """Fail at write `at`; before the first index is put, do `meanwhile`."""
        super().__init__()
        self.at, self.meanwhile = at, meanwhile

    def put(self, key: str, data: bytes, **conditions: Any) -> str:
        """Count, then write."""
        self.at -= 1
        if self.at == 0:
            raise KeyboardInterrupt
        if key == layout.INDEX and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return super().put(key, data, **conditions)


def test_a_merge_killed_at_any_write_is_done_by_the_next(tmp_path: Path) -> None:
    """Answers are right at once, and the next merge ends in the same index."""
    sound = Corpus(MemoryStore(), tmp_path)
    publish(sound, dumps(4))
    merge(sound, sizes=SMALL)
    keys = dumps(1)[date_of(0)].key
    deadly, died = 0, True
    while died:
        deadly += 1
        store = Stumbling(0)
        corpus = Corpus(store, tmp_path)
        publish(corpus, dumps(4))
        store.at = deadly
        try:
            merge(corpus, sizes=SMALL)
            died = False
        except KeyboardInterrupt:
            store.at = 0
        assert answers(corpus, keys) == expected(corpus, keys)
        merge(corpus, sizes=SMALL)
        assert band_index.load(corpus)[0] == band_index.load(sound)[0]
    assert deadly > 15


def test_two_merges_at_once_end_as_one(tmp_path: Path) -> None:
    """Who comes second looks again, and no dump is in two runs."""
    store = Stumbling(0)
    corpus = Corpus(store, tmp_path)
    publish(corpus, dumps(4))
    store.meanwhile = lambda: merge(corpus, sizes=SMALL)
    merge(corpus, sizes=Sizes(fan_in=3, alone=1 << 40, per_slice=64))
    held = [date for dates in members(corpus) for date in dates]
    assert len(held) == len(set(held))
    keys = dumps(1)[date_of(0)].key
    assert answers(corpus, keys) == expected(corpus, keys)


def test_an_index_that_others_replace_each_time_is_left_alone(tmp_path: Path) -> None:
    """Nothing is lost: the next night merges."""

    class Losing(MemoryStore):
        def put(self, key: str, data: bytes, **conditions: Any) -> str:
            if key == layout.INDEX:
                raise ConflictError(key)
            return super().put(key, data, **conditions)

    corpus = Corpus(Losing(), tmp_path)
    publish(corpus, dumps(2))
    with pytest.raises(ConflictError, match="the next night merges"):
        merge(corpus, sizes=SMALL)


def test_a_put_whose_answer_was_lost_counts(corpus: Corpus) -> None:
    """The store says that somebody was faster; it was this merge itself."""
    index, _ = band_index.load(corpus)
    corpus.store.put(layout.INDEX, encode(index))
    band_index.save(corpus, index, None)
    with pytest.raises(ConflictError):
        band_index.save(corpus, msgspec.structs.replace(index, code_version="other"), None)


def test_expire_keeps_the_runs_in_use_and_deletes_those_merged_into_others(
    tmp_path: Path,
) -> None:
    """Also runs as old as the corpus stay while the index names them."""
    clock = [time.time()]
    corpus = Corpus(MemoryStore(clock=lambda: clock[0]), tmp_path)
    for at in range(4):
        snapshot = publish(corpus, {date_of(at): draw(8, seed=at)})
        for shard in snapshots.load_state(corpus, snapshot, date_of(at)).shards:
            corpus.store.put(layout.unit("ingest", shard), b"{}")
        merge(corpus, sizes=SMALL)
    rule = expiring.Rule(snapshots=1, days=1)
    for days in (30, 32, 34):
        expiring.expire(corpus, rule, now=clock[0] + days * DAY)
    (run,) = band_index.load(corpus)[0].runs
    files = {info.key for info in corpus.store.list(f"{layout.DATA}index/")}
    units = [info.key for info in corpus.store.list(f"{layout.UNITS}index/")]
    assert files == {ref.key for ref in run.slices}
    assert units == [layout.unit("index", run.fingerprint)]
    assert upkeep.check(corpus) == 4 * 8 * 21
