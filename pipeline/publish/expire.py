"""Deleting what no kept snapshot needs.

Holds: `Rule`, `Expiry`, `find`, `expire`. Reads snapshots, manifests and listings; deletes objects
of `store/`, never of the plain trees.
Not here: what a snapshot needs (`storage/references.py`), going back to one (`rollback.py`).

1. A snapshot is kept while it is one of the newest, and for some days after it was replaced: who
   reads its files by `winnow files` is not disturbed, and rollback has something to go back to.
2. What a kept snapshot needs stays, staged texts included: a late night may restore any document.
3. Anything younger than those days stays too: it may belong to a run in flight. What tasks took is
   nothing but a record: it goes after those days, and a page that is made later has no times.
4. A run may find an old finished unit in the moment in which it is deleted. So the files of deleted
   units are only noted, with the time, and go with the first expire a day later; a run that used
   them has committed by then, and what it published is needed again.
5. Months in few files stay with each kept snapshot that they belong to.
6. The runs that the merged band index names stay. Those that were merged into others go like
   units: a task that began to read them before may go on for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise

import msgspec

from pipeline.errors import MissingError
from pipeline.model.files import FileRef, ObjectInfo
from pipeline.model.plan import Plan
from pipeline.model.snapshot import Snapshot
from pipeline.storage import band_index, layout, monthly, snapshots
from pipeline.storage.references import reachable, units
from pipeline.storage.units import Corpus, decode, encode

DAY = 86_400.0
KINDS = ("snapshots", "states", "plans", "units", "data", "tasks")
"""In the order in which they are deleted: a crash between them leaves only what nothing names."""

_BATCH = 1000
"""Objects deleted by one request, just after a last look at each; `_WORKERS` looks at a time."""
_WORKERS = 16


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What stays: the newest `snapshots`, and everything that was in use within `days`."""

    snapshots: int
    days: float


class Expiry(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule lets go. `objects` by kind go at once; `orphans` (key → since when) later."""

    kept: tuple[int, ...]
    expired: tuple[int, ...]
    objects: dict[str, tuple[ObjectInfo, ...]]
    orphans: dict[str, float]


class Orphans(msgspec.Struct, frozen=True):
    """Data files whose units were deleted, and when (epoch seconds)."""

    since: dict[str, float] = {}


def find(corpus: Corpus, rule: Rule, *, now: float) -> Expiry:
    """Return what may be deleted; deletes nothing.

    Raises:
        MissingError: a kept snapshot names a state or manifest that is lost; `winnow verify` tells.
    """
    young = now - rule.days * DAY
    listed = {info.key: info for info in corpus.store.list(layout.SNAPSHOTS)}
    chain = snapshots.history(corpus)
    kept = _kept(chain, listed, rule, young=young)
    needed: dict[str, FileRef] = {}
    for snapshot in kept:
        reachable(corpus, snapshot, needed)
        needed |= monthly.needed(corpus, snapshot)
    needed |= band_index.needed(corpus)
    generations = {ref.generation for snapshot in kept for ref in snapshot.dumps.values()}
    names = {info.key for info in _of(kept, listed)}
    old_units, freed, used = _units(corpus, needed.keys(), young=young)
    before = _orphans(corpus)[0].since
    data, orphans = _data(corpus, needed.keys() | used, freed, before=before, times=(now, young))
    return Expiry(
        kept=tuple(one.sequence for one in kept),
        expired=tuple(one.sequence for one in chain[len(kept) :]),
        objects={
            "snapshots": _old(listed.values(), names, young),
            "states": _old(corpus.store.list(layout.STATES), needed.keys(), young),
            "plans": tuple(_plans(corpus, generations, young)),
            "units": old_units,
            "data": data,
            "tasks": _old(corpus.store.list(layout.TASKS), (), young),
        },
        orphans=orphans,
    )


def expire(corpus: Corpus, rule: Rule, *, now: float) -> Expiry:
    """Delete what the rule lets go; return it.

    May be killed anywhere and called again.

    Raises:
        ConflictError: another expire is at work.
    """
    found = find(corpus, rule, now=now)
    noted, etag = _orphans(corpus)
    after = Orphans(since=found.orphans)
    if after != noted:
        corpus.store.put(layout.ORPHANS, encode(after), if_absent=etag is None, if_match=etag)
    for kind in KINDS:
        corpus.store.delete(_unchanged(corpus, found.objects[kind]))
    return found


def _kept(
    chain: list[Snapshot], listed: dict[str, ObjectInfo], rule: Rule, *, young: float
) -> list[Snapshot]:
    """Return the newest snapshots, and those that were current after `young`."""
    made = {one.sequence: info.modified for one in chain for info in _of([one], listed)}
    kept = list(chain[: max(1, rule.snapshots)])
    for newer, one in pairwise(chain):
        if one not in kept and made.get(newer.sequence, young) > young:
            kept.append(one)
    return kept


def _of(chain: Iterable[Snapshot], listed: dict[str, ObjectInfo]) -> Iterator[ObjectInfo]:
    """Yield the objects of snapshots that are on the chain; a number may have others too."""
    for snapshot in chain:
        start = layout.snapshots_numbered(snapshot.sequence)
        yield from (info for key, info in listed.items() if key.startswith(start))


def _units(
    corpus: Corpus, needed: Iterable[str], *, young: float
) -> tuple[tuple[ObjectInfo, ...], set[str], set[str]]:
    """Return the units to delete, the files that they name, and those that other units name.

    A unit whose files are all needed anyway stays: it costs nothing and saves work.
    """
    known = set(needed)
    times = {info.key: info for info in corpus.store.list(layout.UNITS)}
    gone: list[ObjectInfo] = []
    freed, used = set[str](), set[str]()
    for key, refs in units(corpus):
        names = {ref.key for ref in refs or ()}
        info = times.get(key)
        if info is None or key in known or info.modified > young or (names and names <= known):
            used |= names
        else:
            gone.append(info)
            freed |= names
    return tuple(gone), freed - used, used


def _data(
    corpus: Corpus,
    wanted: set[str],
    freed: set[str],
    *,
    before: dict[str, float],
    times: tuple[float, float],
) -> tuple[tuple[ObjectInfo, ...], dict[str, float]]:
    """Return the data files to delete now, and those to delete in a day, with since when."""
    now, young = times
    gone: list[ObjectInfo] = []
    later: dict[str, float] = {}
    for info in corpus.store.list(layout.DATA):
        if info.key in wanted or info.modified > young:
            continue
        since = before.get(info.key, now if info.key in freed else 0.0)
        if now - since >= DAY:
            gone.append(info)
        else:
            later[info.key] = since
    return tuple(gone), later


def _plans(corpus: Corpus, generations: set[str], young: float) -> Iterator[ObjectInfo]:
    """Yield old plans of no kept dump; `heal` needs those of the others."""
    for info in corpus.store.list(layout.PLANS):
        if info.modified <= young:
            plan = decode(info.key, corpus.store.get(info.key)[0], Plan)
            if plan.generation not in generations:
                yield info


def _old(
    listed: Iterable[ObjectInfo], needed: Iterable[str], young: float
) -> tuple[ObjectInfo, ...]:
    known = set(needed)
    return tuple(one for one in listed if one.key not in known and one.modified <= young)


def _orphans(corpus: Corpus) -> tuple[Orphans, str | None]:
    try:
        data, etag = corpus.store.get(layout.ORPHANS)
    except MissingError:
        return Orphans(), None
    return decode(layout.ORPHANS, data, Orphans), etag


def _unchanged(corpus: Corpus, infos: Iterable[ObjectInfo]) -> Iterator[str]:
    """Yield the keys of objects that nobody wrote again since they were listed."""
    pending = iter(infos)
    with ThreadPoolExecutor(_WORKERS) as pool:
        while batch := list(islice(pending, _BATCH)):
            now = pool.map(lambda info: corpus.store.stat(info.key), batch)
            for info, found in zip(batch, now, strict=True):
                if found is not None and found.modified <= info.modified:
                    yield info.key
