"""Looking after the merged band index.

Holds: `Shown`, `overview`, `check`, `rebuild`. Reads the index, its slices and the dumps' own
indexes; `rebuild` writes it anew. Not here: what a night does with it (`merging.py`, `history.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.dedup.entries import key_range
from pipeline.dedup.merging import Sizes, level, live_members, merge, places
from pipeline.dedup.reader import index_entries
from pipeline.errors import CorruptError
from pipeline.model.ids import fingerprint
from pipeline.model.index import IndexRun
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import band_index, packed, snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know of a run: `level` is its size (see `merging.py`)."""

    level: int
    run: str
    first: str
    last: str
    dumps: int
    live_dumps: int
    entries: int
    live_entries: int
    slices: int
    bytes: int


def overview(corpus: Corpus) -> tuple[list[Shown], list[str]]:
    """Return the runs, largest first, and the dates of live dumps that are in none.

    Raises:
        ContractError: the index was made with other parameters.
        CorruptError: what is stored is no index.
    """
    snapshot = snapshots.current(corpus)
    runs = band_index.load(corpus)[0].runs
    shown = [_shown(run, snapshot) for run in runs]
    held = {member.dump_date for run in runs for member in live_members(run, snapshot)}
    largest = sorted(shown, key=lambda one: (-one.entries, one.first))
    return largest, sorted(snapshot.dumps.keys() - held)


def _shown(run: IndexRun, snapshot: Snapshot) -> Shown:
    live = live_members(run, snapshot)
    count = sum(member.entries for member in live)
    return Shown(
        level=level(count, Sizes()),
        run=run.fingerprint,
        first=run.members[0].dump_date,
        last=run.members[-1].dump_date,
        dumps=len(run.members),
        live_dumps=len(live),
        entries=run.entries,
        live_entries=count,
        slices=len(run.slices),
        bytes=run.bytes,
    )


def rebuild(corpus: Corpus, *, sizes: Sizes | None = None) -> int:
    """Forget all runs and make new ones from the dumps' own indexes; return how many.

    Nights may be at work meanwhile: they read the dumps' own indexes, which takes longer.
    """
    band_index.drop(corpus)
    return merge(corpus, sizes=sizes)


def check(corpus: Corpus) -> int:
    """Compare every live entry of every run with the dumps' own indexes; return how many.

    Raises:
        CorruptError: a slice is damaged, or an entry is not what it should be.
        ContractError: the index was made with other parameters.
    """
    snapshot = snapshots.current(corpus)
    return sum(
        _checked(corpus, run, states)
        for run in band_index.load(corpus)[0].runs
        for states in [dict(_states(corpus, run, snapshot))]
    )


def _states(corpus: Corpus, run: IndexRun, snapshot: Snapshot) -> Iterator[tuple[int, DumpState]]:
    """Yield the places in a run of the members that a night would ask for, with their states."""
    live = live_members(run, snapshot)
    for number, member in enumerate(run.members):
        if member in live:
            state = snapshots.load_state(corpus, snapshot, member.dump_date)
            if fingerprint(state.shards) == member.shards:
                yield number, state


def _checked(corpus: Corpus, run: IndexRun, states: dict[int, DumpState]) -> int:
    seen = 0
    for index in range(len(run.slices)):
        part = band_index.slice_of(corpus, run, index, whole=True)
        key, place = part.read(part.header.low << 48, (part.header.high << 48) - 1)
        member = place >> np.uint64(48)
        order = np.argsort(member, kind="stable")
        ends = np.searchsorted(member[order], np.arange(len(run.members) + 1, dtype=np.uint64))
        for number, state in states.items():
            mine = order[ends[number] : ends[number + 1]]
            own = index_entries(corpus, state.index, key_range(index, len(run.slices)))
            if not _equal((key[mine], place[mine]), (own.key, places(own, number))):
                raise CorruptError(
                    f"{run.slices[index].key}: expected the {len(own)} entries of dump "
                    f"{state.dump_date} in it, found {len(mine)} others. {packed.REBUILD}"
                )
            seen += len(mine)
    return seen


def _equal(one: tuple[Array, Array], two: tuple[Array, Array]) -> bool:
    return all(np.array_equal(left, right) for left, right in zip(one, two, strict=True))
