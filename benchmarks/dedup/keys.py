"""Nights that are nothing but signatures or band keys: history of any size without a text.

Holds: `date_of`, `generation`, `draw`, `signatures`, `ingested`, `plan_of`, `publish`, `show`,
`stock`, `within`.
Writes signatures and indexes of dumps, their states and a snapshot, as ingest, match and commit
write them. Not here: what is measured (`history.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline import __version__
from pipeline.dedup.entries import Entries, key_range
from pipeline.dedup.matching import write_index
from pipeline.dedup.merging import Sizes, ordered, slices_of
from pipeline.dedup.reader import DumpSignatures
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.index import BandIndex, IndexRun, Member, Parameters
from pipeline.model.manifest import IngestManifest
from pipeline.model.plan import KeyRange, Plan, Shard
from pipeline.model.schemas import BANDS, PERMUTATIONS, SIGNATURES
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import DumpCounts, DumpRef, DumpState, Snapshot
from pipeline.storage import band_index, layout, packed, snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

KEYS = BANDS + 1
"""A document's band keys, and that of its content."""

NONE = FileRef("", "", 0, 0)
"""A file that nobody reads."""


def date_of(number: int) -> str:
    """Return the date of night `number`."""
    return (dt.date(2020, 1, 1) + dt.timedelta(days=number)).isoformat()


def draw(documents: int, *, seed: int, old: Array | None = None, share: float = 0.0) -> Entries:
    """Return random keys of a dump of one shard; a share of its documents has keys of `old`."""
    dice = np.random.default_rng(seed)
    key = dice.integers(0, 1 << 64, documents * KEYS, np.uint64)
    copies = int(documents * share) * KEYS
    if old is not None and copies:
        key[:copies] = old[dice.integers(0, len(old), copies)]
    row = np.repeat(np.arange(documents, dtype=np.uint32), KEYS)
    order = np.argsort(key, kind="stable")
    return Entries(key[order], np.zeros(len(key), np.uint16), row[order])


def signatures(documents: int, *, seed: int) -> pa.Table:
    """Return random signatures: of documents none of which is like another."""
    dice = np.random.default_rng(seed)
    columns = [
        pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(width), documents, [None, pa.py_buffer(dice.bytes(documents * width))]
        )
        for width in (16, 16, BANDS * 8, PERMUTATIONS)
    ]
    columns.insert(2, pa.array(dice.integers(50, 2000, documents, np.int32)))
    return pa.table(columns, schema=SIGNATURES)


def ingested(corpus: Corpus, unit: str, table: pa.Table) -> Entries:
    """Leave signatures as the ingest of a dump of one shard does; return their keys."""
    manifest = IngestManifest(
        fingerprint=unit,
        documents=NONE,
        signatures=corpus.write("ingest", unit, "signatures", table),
        quarantine=NONE,
        files=(),
    )
    corpus.finish(layout.unit("ingest", unit), manifest)
    return DumpSignatures(corpus, [unit]).entries(key_range(0, 1))


def plan_of(date: str, unit: str, *, ranges: int = 1) -> Plan:
    """Return the plan of a dump whose one shard is `unit`, which is also its generation."""
    return Plan(
        run_id=unit,
        dump_date=date,
        planned_at=0.0,
        generation=unit,
        parent=0,
        shards=(Shard(0, unit, ()),),
        key_ranges=tuple(key_range(at, ranges) for at in range(ranges)),
        waiting=(),
        unchanged=False,
        settings=RunSettings(),
        code_version="",
    )


def publish(corpus: Corpus, dumps: Mapping[str, Entries], *, ranges: int = 1) -> Snapshot:
    """Make dumps of these entries live beside what is, each cut into `ranges`; merge nothing.

    A dump that is there already is replaced.
    """
    indexed = {}
    for date, entries in dumps.items():
        name = fingerprint(date, snapshots.current(corpus).sequence)
        index = tuple(
            write_index(corpus, name, within(entries, owned), owned)
            for owned in (key_range(at, ranges) for at in range(ranges))
        )
        indexed[date] = (name, index)
    return show(corpus, indexed)


def show(corpus: Corpus, dumps: Mapping[str, tuple[str, tuple[FileRef, ...]]]) -> Snapshot:
    """Make dumps live whose generation, which is also their one shard, and index are given."""
    live = snapshots.current(corpus)
    refs = dict(live.dumps)
    for date, (name, index) in dumps.items():
        state = _state(date, name, index)
        ref = corpus.save(state, lambda digest, date=date: layout.state(date, digest))
        refs[date] = DumpRef(generation=name, state=ref, settings="")
    snapshot = Snapshot(
        sequence=live.sequence + 1,
        parent=snapshots.pointed(corpus),
        run_id=f"keys-{live.sequence + 1}",
        dumps=refs,
    )
    snapshots.advance(corpus, snapshot)
    return snapshot


def within(entries: Entries, owned: KeyRange) -> Entries:
    """Return the entries of a key range."""
    prefix = entries.key >> np.uint64(48)
    return entries.take((prefix >= owned.low) & (prefix < owned.high))


def _state(date: str, name: str, index: tuple[FileRef, ...]) -> DumpState:
    return DumpState(
        dump_date=date,
        generation=name,
        planned_at=0.0,
        files=(),
        file_counts=(),
        shards=(name,),
        kept_hashes=(),
        index=index,
        edges=(),
        verdicts=NONE,
        quarantine=NONE,
        documents=(),
        counts=DumpCounts(),
        topics={},
        runs=(),
    )


def stock(corpus: Corpus, dumps: int, documents: int, *, first: pa.Table, of: int = 1) -> Snapshot:
    """Make `dumps` random dumps live, and the runs that merging each after the other leaves.

    Runs are drawn slice by slice, sorted as they come, so that a hundred million documents need
    neither the dumps' own indexes, which stay empty, nor all the merges on the way. The first dump
    has the signatures `first`, and is in the first run. Of the slices only those are written that
    lie in key range 0 of `of`; the others are named and are not there.
    """
    sizes = Sizes()
    oldest = ingested(corpus, generation(date_of(0)), first)
    runs, begin = [], 0
    for width in _widths(dumps, sizes.fan_in):
        dates = [date_of(number) for number in range(begin, begin + width)]
        runs.append(_run(corpus, dates, documents, of=of, first=None if begin else oldest))
        begin += width
    every = [date_of(number) for number in range(dumps)]
    band_index.save(corpus, BandIndex(code_version=__version__, runs=tuple(runs)), None)
    return show(corpus, {date: (generation(date), ()) for date in every})


def _widths(dumps: int, fan_in: int) -> list[int]:
    """Return how many dumps are in each run when every `fan_in` of one size became one."""
    widths: list[int] = []
    power = 1
    while dumps >= power:
        widths = [power] * (dumps // power % fan_in) + widths
        power *= fan_in
    return widths


def generation(date: str) -> str:
    """Return the generation of a dump, which is its one shard as well."""
    return fingerprint("stock", date)


def _run(
    corpus: Corpus, dates: list[str], documents: int, *, of: int, first: Entries | None
) -> IndexRun:
    members = tuple(
        Member(
            dump_date=date,
            generation=generation(date),
            shards=fingerprint((generation(date),)),
            entries=documents * KEYS,
        )
        for date in dates
    )
    name = fingerprint("stock", members)
    entries = len(dates) * documents * KEYS
    count = slices_of(entries, Sizes())
    refs = [NONE] * count
    for number in range(-(-count // of)):
        owned = key_range(number, count)
        dice = np.random.default_rng((number, len(dates), int(first is None)))
        mine = (entries - (len(first) if first else 0)) // count
        low, high = owned.low << 48, owned.high << 48
        key = dice.integers(low, high - 1, mine, np.uint64, endpoint=True)
        member = dice.integers(
            int(first is not None and len(dates) > 1), len(dates), mine, np.uint64
        )
        place = member << np.uint64(48) | dice.integers(0, documents, mine, np.uint64)
        order = np.argsort(key)
        key, place = key[order], place[order]
        if first is not None:
            part = within(first, owned)
            key, place = ordered(
                np.append(key, part.key), np.append(place, part.row.astype(np.uint64))
            )
        path = corpus.scratch_file(packed.SUFFIX)
        packed.write(path, packed.Header(run=name, low=owned.low, high=owned.high), key, place)
        refs[number] = corpus.adopt("index", name, f"slice-{number:05d}", path, len(key))
    return IndexRun(
        fingerprint=name,
        parameters=Parameters(),
        code_version=__version__,
        members=members,
        slices=tuple(refs),
    )
