"""Which documents of live dumps share a key with a new one.

Holds: `History`, `Hits`. Reads the merged band index, and the own indexes of dumps that are in no
run of it; writes to the scratch folder when there is much to remember.
Not here: making runs (`merging.py`), what becomes of shared keys (`matching.py`).

The answer is a function of the dumps alone: which of them are in runs, and in which, changes how
long it takes. A run may hold dumps that were since replaced or taken out; their keys are passed
over.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from pipeline.dedup.entries import Entries
from pipeline.dedup.probe import find
from pipeline.dedup.reader import index_entries
from pipeline.dedup.sorting import common
from pipeline.errors import CorruptError
from pipeline.model.ids import fingerprint
from pipeline.model.index import IndexRun
from pipeline.model.plan import KeyRange
from pipeline.model.snapshot import DumpState
from pipeline.storage import band_index, packed
from pipeline.storage.band_index import PREFIXES
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

HELD: Final = 1 << 22
"""Shared keys held in memory (16 bytes each) before they go to the scratch folder."""

_MEMBER: Final = np.uint64(48)
_PLACE: Final = np.uint64((1 << 48) - 1)


class History:
    """The keys of live dumps that some new keys meet."""

    def __init__(
        self, corpus: Corpus, live: Mapping[str, str], *, keys: Array, owned: KeyRange
    ) -> None:
        """Ask all runs of the merged index.

        Args:
            corpus: where the index is.
            live: the generation of each dump that counts, by date.
            keys: the new keys, ascending; repeats do not matter.
            owned: the key range that they are of.

        Raises:
            ContractError: the index was made with other parameters (see `band_index.load`).
            CorruptError: a slice of it is damaged or gone.
        """
        self._corpus = corpus
        self._owned = owned
        self._keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
        self._members: dict[str, tuple[int, str]] = {}
        """By date, of dumps in runs: their number in `_hits`, and the hash of their shards."""
        self._hits = Hits(corpus.scratch)
        if len(keys) and live:
            self._ask(band_index.load(corpus)[0].runs, live)

    def __enter__(self) -> Self:
        """Return it; scratch files go at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove scratch files."""
        self._hits.close()

    def meets(self, date: str) -> bool:
        """Say whether a dump may share a key; False is certain."""
        return date not in self._members or self._hits.count(self._members[date][0]) > 0

    def entries(self, date: str, state: DumpState) -> Entries:
        """Return the entries of a dump whose keys are among the new ones."""
        number, shards = self._members.get(date, (-1, ""))
        if shards == fingerprint(state.shards):
            key, place = self._hits.take(number)
            row = (place & np.uint64(0xFFFFFFFF)).astype(np.uint32)
            return Entries(key, ((place & _PLACE) >> np.uint64(32)).astype(np.uint16), row)
        every = index_entries(self._corpus, state.index, self._owned)
        return every.take(common(every.key, self._keys)[0])

    def _ask(self, runs: Sequence[IndexRun], live: Mapping[str, str]) -> None:
        for run in runs:
            wanted = np.full(len(run.members), -1, np.int64)
            for at, member in enumerate(run.members):
                date = member.dump_date
                if live.get(date) == member.generation and date not in self._members:
                    wanted[at] = len(self._members)
                    self._members[date] = (len(self._members), member.shards)
            if (wanted >= 0).any():
                for number in _overlapping(self._owned, len(run.slices)):
                    self._slice(band_index.slice_of(self._corpus, run, number), wanted)

    def _slice(self, part: packed.Slice, wanted: Array) -> None:
        key, place = shared(part, self._keys)
        number = wanted[(place >> _MEMBER).astype(np.int64)]
        counts = number >= 0
        place = place & _PLACE | number.astype(np.uint64) << _MEMBER
        self._hits.add(key[counts], place[counts])


def shared(part: packed.Slice, keys: Array) -> tuple[Array, Array]:
    """Return the keys of a slice that are among `keys` (ascending, unique), and their places.

    Raises:
        CorruptError: the keys of the slice are not where its directory says.
    """
    low, high = part.header.low << 48, (part.header.high << 48) - 1
    begin = np.searchsorted(keys, np.uint64(low))
    mine = keys[begin : np.searchsorted(keys, np.uint64(high), side="right")]
    parts = part.directory, part.tails, part.packed
    room, total = -1, len(mine)
    while total > room:
        room = total
        out = np.empty(room, np.uint64), np.empty(room, np.uint64)
        total = find(parts, part.form, mine, out)
    if total < 0:
        raise CorruptError(
            f"a slice of the band index (run {part.header.run}, prefixes {part.header.low} to "
            f"{part.header.high}): expected keys in the order of its directory, found others. "
            f"{packed.REBUILD}"
        )
    return out[0][:total], part.places(out[1][:total])


def _overlapping(owned: KeyRange, count: int) -> range:
    """Return which of `count` slices hold keys of a range."""
    return range(owned.low * count // PREFIXES, -(-owned.high * count // PREFIXES))


class Hits:
    """Shared keys by number of their dump, which stands in the upper 16 bits of the place.

    State: what is held in memory, and files in the scratch folder with what no longer is.
    """

    def __init__(self, scratch: Path, *, limit: int = HELD) -> None:
        """Start empty; when `limit` keys are held all go to files below `scratch`."""
        self._scratch = scratch
        self._limit = limit
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._parts: list[tuple[Array, Array]] = []
        self._held = 0
        self._ordered: tuple[Array, Array] | None = None
        self._counts = np.zeros(PREFIXES, np.int64)

    def add(self, key: Array, place: Array) -> None:
        """Remember entries; those of one dump come in ascending order of (key, place)."""
        counts = np.bincount((place >> _MEMBER).astype(np.int64))
        self._counts[: len(counts)] += counts
        self._parts.append((key, place))
        self._held += len(key)
        self._ordered = None
        if self._held >= self._limit:
            self._spill()

    def count(self, number: int) -> int:
        """Return how many entries of a dump there are."""
        return int(self._counts[number])

    def take(self, number: int) -> tuple[Array, Array]:
        """Return the keys and places of a dump in the order in which they came."""
        key, place = self._by_dump()
        ends = np.array([number, number + 1], np.uint64)
        span = slice(*np.searchsorted(place >> _MEMBER, ends).tolist())
        path = self._file(number)
        if not path.is_file():
            return key[span], place[span]
        pairs = np.fromfile(path, np.uint64).reshape(-1, 2)
        return np.append(pairs[:, 0], key[span]), np.append(pairs[:, 1], place[span])

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()

    def _by_dump(self) -> tuple[Array, Array]:
        """Return what is held, ordered by dump."""
        if self._ordered is None:
            empty = np.empty(0, np.uint64)
            key = np.concatenate([empty, *(part[0] for part in self._parts)])
            place = np.concatenate([empty, *(part[1] for part in self._parts)])
            order = np.argsort(place >> _MEMBER, kind="stable")
            self._ordered = (key[order], place[order])
            self._parts = [self._ordered]
        return self._ordered

    def _spill(self) -> None:
        key, place = self._by_dump()
        self._parts, self._held, self._ordered = [], 0, None
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="hits-", dir=self._scratch)
        number = (place >> _MEMBER).astype(np.int64)
        begins = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
        for begin, end in zip(begins, [*begins[1:], len(number)], strict=True):
            with self._file(int(number[begin])).open("ab") as file:
                file.write(np.column_stack((key[begin:end], place[begin:end])).data)

    def _file(self, number: int) -> Path:
        return Path(self._folder.name if self._folder else self._scratch) / f"dump-{number}"
