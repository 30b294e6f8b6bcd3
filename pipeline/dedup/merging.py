"""Merging the band keys of live dumps into few sorted runs.

Holds: `Sizes`, `Part`, `due`, `merge`. Reads the dumps' own indexes and the slices of runs; writes
runs as units, then `store/index.json`.
Not here: asking runs (`history.py`), the form of a slice (`storage/packed.py`).

A night costs a look at every run for every new key, so there must be few runs; and merging all into
one every night would cost history. So runs are merged by size: as soon as `fan_in` of about one
size are there, they become one of the next size. A key is then copied once for each power of
`fan_in` that history is larger than a night, and there are fewer than `fan_in` runs of each size.

The bytes of a run are a function of its members: which merges led to it leaves no trace.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline import __version__, telemetry
from pipeline.dedup.entries import Entries, key_range
from pipeline.dedup.reader import index_entries
from pipeline.errors import ConflictError
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.index import BandIndex, IndexRun, Member, Parameters
from pipeline.model.plan import KeyRange
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import band_index, layout, packed, snapshots
from pipeline.storage.band_index import PREFIXES
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """When runs are merged, and how they are cut."""

    fan_in: int = 4
    """So many of about one size become one."""
    most: int = 16
    """No merge reads more than these: each has a file open."""
    alone: int = 1 << 16
    """A dump with so many keys becomes a run at once: its own index would be read whole."""
    per_slice: int = 1 << 22
    """Keys of a slice: 64 MB, of which a merge holds some four times as much."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something to merge: a run, or a dump that is in none."""

    run: IndexRun | None
    live: tuple[Member, ...]

    @property
    def entries(self) -> int:
        """Number of keys of live dumps."""
        return sum(member.entries for member in self.live)


def due(parts: Sequence[Part], sizes: Sizes) -> list[Part]:
    """Return what is to become one run next; nothing when all is well.

    1. As soon as there are enough parts of one size they are merged, the smallest first.
    2. A run that is mostly of dumps no longer live is written again without them.
    3. A large dump becomes a run.
    """
    levels: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        levels[level(part.entries, sizes)].append(part)
    for _, same in sorted(levels.items()):
        if len(same) >= sizes.fan_in:
            return same[: sizes.most]
    for part in parts:
        if part.run is not None and 2 * part.entries < part.run.entries:
            return [part]
        if part.run is None and part.entries >= sizes.alone:
            return [part]
    return []


def level(entries: int, sizes: Sizes) -> int:
    """Return of which size a number of keys is: how often `fan_in` divides it."""
    return int(math.log(max(entries, 1), sizes.fan_in) + 1e-9)


def merge(corpus: Corpus, *, sizes: Sizes | None = None) -> int:
    """Merge what is due against the current snapshot; return how many runs were written.

    May be killed anywhere and called again, also beside another.

    Raises:
        ContractError: the index was made with other parameters; it must be rebuilt.
        ConflictError: others replaced the index each time.
    """
    sizes = sizes or Sizes()
    written = lost = 0
    while lost < _ATTEMPTS:
        snapshot = snapshots.current(corpus)
        index, etag = band_index.load(corpus)
        parts = _parts(corpus, index, snapshot)
        chosen = due(parts, sizes)
        if not chosen:
            return written
        run = _run(corpus, snapshot, chosen, sizes)
        gone = [part.run for part in chosen]
        kept = [one for one in index.runs if one not in gone]
        after = BandIndex(parameters=index.parameters, code_version=__version__, runs=(*kept, *run))
        try:
            band_index.save(corpus, after, etag)
        except ConflictError:
            lost += 1
        else:
            written += 1
    raise ConflictError(
        f"{layout.INDEX}: expected to replace it within {_ATTEMPTS} tries, found another merge "
        "each time. Nothing is lost; the next night merges."
    )


def live_members(run: IndexRun, snapshot: Snapshot) -> tuple[Member, ...]:
    """Return the members of a run that are in a snapshot as they are in the run."""
    dumps = snapshot.dumps
    return tuple(
        member
        for member in run.members
        if member.dump_date in dumps and dumps[member.dump_date].generation == member.generation
    )


def _parts(corpus: Corpus, index: BandIndex, snapshot: Snapshot) -> list[Part]:
    """Return all that could be merged, by first date."""
    parts = [Part(run, live_members(run, snapshot)) for run in index.runs]
    held = {member.dump_date for part in parts for member in part.live}
    for date in sorted(snapshot.dumps.keys() - held):
        member = _member(date, snapshots.load_state(corpus, snapshot, date))
        parts.append(Part(None, (member,)))
    return sorted(parts, key=lambda part: part.live[0].dump_date if part.live else "")


def _member(date: str, state: DumpState) -> Member:
    return Member(
        dump_date=date,
        generation=state.generation,
        shards=fingerprint(state.shards),
        entries=sum(ref.rows for ref in state.index),
    )


def _run(
    corpus: Corpus, snapshot: Snapshot, parts: Sequence[Part], sizes: Sizes
) -> tuple[IndexRun, ...]:
    """Write the run of all live members of some parts, unless it is there; none for none."""
    sources = [_Source(corpus, snapshot, part) for part in parts]
    members = sorted(
        (member for source in sources for member in source.members.values()),
        key=lambda member: member.dump_date,
    )
    if not members:
        return ()
    parameters = Parameters()
    name = fingerprint("index", parameters, members, sizes.per_slice)
    key = layout.unit("index", name)
    found = corpus.find(key, IndexRun)
    if found is not None:
        return (found,)
    with telemetry.stage("index", dumps=len(members), parts=len(parts)) as span:
        numbers = {member.dump_date: at for at, member in enumerate(members)}
        count = slices_of(sum(member.entries for member in members), sizes)
        slices = tuple(
            _slice(corpus, name, key_range(index, count), _joined(sources, numbers, index, count))
            for index in range(count)
        )
        run = IndexRun(
            fingerprint=name,
            parameters=parameters,
            code_version=__version__,
            members=tuple(members),
            slices=slices,
        )
        span.update(entries=run.entries, bytes=run.bytes)
    return (corpus.finish(key, run),)


def slices_of(entries: int, sizes: Sizes) -> int:
    """Return into how many slices a run is cut, a power of two."""
    wanted = max(1, -(-entries // sizes.per_slice))
    return min(PREFIXES, 1 << (wanted - 1).bit_length())


def _joined(
    sources: Sequence[_Source], numbers: Mapping[str, int], index: int, count: int
) -> tuple[Array, Array]:
    """Return the keys and places of one slice of the new run, in order."""
    keys, places = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for source in sources:
        for key, place in source.read(key_range(index, count), numbers):
            keys.append(key)
            places.append(place)
    return ordered(np.concatenate(keys), np.concatenate(places))


def ordered(key: Array, place: Array) -> tuple[Array, Array]:
    """Sort entries that are several sorted runs one after the other.

    A stable sort finds the runs and merges them; only entries of equal key are then put in order.
    """
    order = np.argsort(key, kind="stable")
    key, place = key[order], place[order]
    same = key[1:] == key[:-1]
    tied = np.flatnonzero(np.append(False, same) | np.append(same, False)[: len(key)])
    place[tied] = place[tied][np.lexsort((place[tied], key[tied]))]
    return key, place


def _slice(corpus: Corpus, name: str, owned: KeyRange, entries: tuple[Array, Array]) -> FileRef:
    path = corpus.scratch_file(packed.SUFFIX)
    packed.write(path, packed.Header(run=name, low=owned.low, high=owned.high), *entries)
    return corpus.adopt("index", name, f"slice-{owned.index:05d}", path, len(entries[0]))


class _Source:
    """A part being read. `members` are those of its dumps that are live, shards and all, by date.

    State: the slice that is open, which several slices of the new run may come from.
    """

    def __init__(self, corpus: Corpus, snapshot: Snapshot, part: Part) -> None:
        self._corpus = corpus
        self._run = part.run
        self._open: tuple[int, packed.Slice] | None = None
        self._states = {
            member.dump_date: snapshots.load_state(corpus, snapshot, member.dump_date)
            for member in part.live
        }
        self.members = {
            member.dump_date: member
            for member in part.live
            if member.shards == fingerprint(self._states[member.dump_date].shards)
        }

    def read(self, owned: KeyRange, numbers: Mapping[str, int]) -> Iterator[tuple[Array, Array]]:
        """Yield sorted keys of a range with their places, numbered for the new run."""
        if self._run is None:
            for date in self.members:
                entries = index_entries(self._corpus, self._states[date].index, owned)
                yield entries.key, places(entries, numbers[date])
            return
        told = [
            numbers[member.dump_date] if self.members.get(member.dump_date) == member else -1
            for member in self._run.members
        ]
        count = len(self._run.slices)
        for number in range(owned.low * count // PREFIXES, -(-owned.high * count // PREFIXES)):
            part = self._slice(number)
            low = max(owned.low, part.header.low) << 48
            high = (min(owned.high, part.header.high) << 48) - 1
            yield _renumbered(*part.read(low, high), np.array(told))

    def _slice(self, number: int) -> packed.Slice:
        if self._run is None:
            raise IndexError(number)
        if self._open is None or self._open[0] != number:
            opened = band_index.slice_of(self._corpus, self._run, number, whole=True)
            self._open = (number, opened)
        return self._open[1]


def places(entries: Entries, number: int) -> Array:
    """Pack where signatures are, behind the number of their dump in a run."""
    place = entries.shard.astype(np.uint64) << np.uint64(32) | entries.row
    return np.asarray(place | np.uint64(number << 48), np.uint64)


def _renumbered(key: Array, place: Array, numbers: Array) -> tuple[Array, Array]:
    """Give entries the numbers of their dumps in the new run; leave out those of -1."""
    number = numbers[(place >> np.uint64(48)).astype(np.int64)]
    kept = number >= 0
    place = place[kept] & np.uint64((1 << 48) - 1)
    return key[kept], place | number[kept].astype(np.uint64) << np.uint64(48)
