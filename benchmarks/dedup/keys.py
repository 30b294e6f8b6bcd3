"""Nights that are nothing but band keys: history of any size without a text.

Holds: `date_of`, `draw`, `publish`, `show`, `within`. Writes indexes of dumps, their states and a
snapshot, as match and commit write them. Not here: what is measured (`history.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.dedup.entries import Entries, key_range
from pipeline.dedup.matching import write_index
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.plan import KeyRange
from pipeline.model.schemas import BANDS
from pipeline.model.snapshot import DumpCounts, DumpRef, DumpState, Snapshot
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

KEYS = BANDS + 1
"""A document's band keys, and that of its content."""

_NONE = FileRef("", "", 0, 0)


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
        verdicts=_NONE,
        quarantine=_NONE,
        documents=(),
        counts=DumpCounts(),
        topics={},
        runs=(),
    )
