"""Bringing the plain hive trees in step with the current snapshot.

Holds: `promote`. Reads states; copies and deletes in the trees, and remembers what it did.
Not here: what trees hold (`trees.py`), which file belongs where (`leaves.py`, `monthly.py`), making
a snapshot current (`commit.py`).

The snapshot is the truth and the trees are a copy of it, so `promote` may be killed anywhere and
called again by anybody. It claims `store/promoted.json` by a conditional put, marks there the dumps
that it is about to change, and marks them done by another. The last to claim goes on; one that
finds its claim taken does again what it may have overwritten, or leaves word of it to the other and
waits for its end: who has called `promote` reads trees that are in step when it returns.

What a plain reader sees:
1. A leaf of one file (all but partitions above `publish.file_bytes`) changes in one step.
2. A leaf of several files, before or after, changes under a cover: an object that is no Parquet
   file stands in the leaf while names change, so that a reader which lists the leaf then fails
   loudly; one that listed it before finds the old files whole or gone. Nobody reads rows twice.
   A local folder cannot be listed in one step as a store can: a reader held up between names and
   files for the whole change may miss the cover and take the first new files for all of them.
3. A run's file is only ever added: no cover.
4. Leaves change one by one: a reader that minds two snapshots side by side uses `leaves.files`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from pipeline import telemetry
from pipeline.errors import ConflictError
from pipeline.model.files import FileRef
from pipeline.model.snapshot import Snapshot
from pipeline.publish import monthly as by_month
from pipeline.publish.leaves import Leaf, leaves, shows, stones
from pipeline.publish.trees import (
    ILLEGIBLE,
    Copies,
    Trees,
    list_dates,
    list_objects,
    read_copies,
    read_trees,
)
from pipeline.storage import layout, monthly, snapshots
from pipeline.storage.units import Corpus, encode

MAX_ROUNDS = 20
WORKERS = 8
LOOKS = 300
LOOK_SECONDS = 0.5
"""How often and how long a promote looks whether another has ended, before it claims the trees."""
COVER_BYTES = (
    b"This leaf is being replaced. Read it again in a moment; if this stays, run promote.\n"
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """The right to change some dumps: lost as soon as the trees carry another token."""

    snapshot: Snapshot
    wanted: Mapping[str, str]
    dates: frozenset[str]
    trees: Trees
    etag: str


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf as it should be, as it is (name → ETag), and what is known about its objects."""

    folder: str
    wanted: Leaf
    present: Mapping[str, str]
    known: Mapping[str, tuple[str, str]]

    @property
    def stale(self) -> list[str]:
        """Names whose object is missing, or not known to be a copy of the wanted file."""
        return [
            name
            for name, ref in self.wanted.items()
            if name not in self.present
            or self.known.get(self.folder + name) != (self.present[name], ref.sha256)
        ]

    @property
    def surplus(self) -> list[str]:
        """Names that should not be there."""
        return sorted(self.present.keys() - self.wanted.keys())


def promote(corpus: Corpus, *, full: bool = False) -> dict[str, int]:
    """Make the plain trees equal to the current snapshot; return what had to be done.

    Args:
        corpus: the corpus.
        full: compare every dump and not only those whose state changed: heals what others did to
            the trees.

    Raises:
        ConflictError: others claimed the trees in every round; try again.
        CorruptError: the trees show dumps, but the corpus has lost its pointer: nothing is deleted.
    """
    totals = {"dumps": 0, "copied": 0, "deleted": 0}
    touched: frozenset[str] = frozenset()
    for _ in range(MAX_ROUNDS):
        try:
            claim = _claim(corpus, touched, full=full)
        except ConflictError:
            continue
        if claim is None:
            return totals
        try:
            _carry_out(corpus, claim, totals)
            touched, full = frozenset(), False
        except ConflictError:
            touched |= claim.dates
            if _yielded(corpus, claim, touched):
                touched = frozenset()
                _wait(corpus)
    raise ConflictError(
        f"expected to finish within {MAX_ROUNDS} rounds, found the trees claimed by another "
        "promote each time. Let one promote run at a time (pool winnow_commit), and run "
        "`winnow promote` again."
    )


def _claim(corpus: Corpus, touched: frozenset[str], *, full: bool) -> _Claim | None:
    """Mark the dumps that need work as changing; None when the trees are in step."""
    trees, etag = read_trees(corpus)
    full = full or trees.token == ILLEGIBLE
    snapshot = snapshots.current(corpus)
    wanted = shows(snapshot) | monthly.shown(corpus, snapshot, trees.states)
    every = wanted.keys() | trees.states.keys() | (list_dates(corpus) if full else set())
    redo = touched | set(trees.redo)
    dates = redo | {date for date in every if full or trees.states.get(date) != wanted.get(date)}
    if not dates:
        return None
    claimed = Trees(
        states=trees.states | dict.fromkeys(dates, ""),
        token=uuid.uuid4().hex,  # who, not what: nothing that is published depends on it
        redo=tuple(sorted(redo)),
    )
    etag = corpus.store.put(layout.PROMOTED, encode(claimed), if_absent=etag is None, if_match=etag)
    return _Claim(snapshot, wanted, frozenset(dates), claimed, etag)


def _yielded(corpus: Corpus, claim: _Claim, touched: frozenset[str]) -> bool:
    """After a conflict: say whether another is at work, which now knows what we touched.

    Our last copy may have landed after the work of whoever claimed, so somebody must look again.
    """
    for _ in range(MAX_ROUNDS):
        trees, etag = read_trees(corpus)
        if trees.token in {"", claim.trees.token}:
            return False
        redo = msgspec.structs.replace(
            trees,
            states=trees.states | dict.fromkeys(touched, ""),
            redo=tuple(sorted(touched | set(trees.redo))),
        )
        with suppress(ConflictError):
            corpus.store.put(layout.PROMOTED, encode(redo), if_match=etag)
            return True
    return False


def _wait(corpus: Corpus) -> None:
    """Return when nobody is at work on the trees, or when whoever was has had its time.

    Two that claimed from each other without a pause would both come to no end.
    """
    telemetry.log.info("promote.wait")
    for _ in range(LOOKS):
        if read_trees(corpus)[0].token == "":
            return
        time.sleep(LOOK_SECONDS)


def _carry_out(corpus: Corpus, claim: _Claim, totals: dict[str, int]) -> None:
    for date in sorted(claim.dates):
        copied, deleted = _reconcile(corpus, claim, date)
        totals["dumps"] += 1
        totals["copied"] += copied
        totals["deleted"] += deleted
    wanted = claim.wanted
    states = {
        date: wanted[date] if date in claim.dates else state
        for date, state in claim.trees.states.items()
        if date not in claim.dates or date in wanted
    }
    corpus.store.put(layout.PROMOTED, encode(Trees(states=states)), if_match=claim.etag)


def _reconcile(corpus: Corpus, claim: _Claim, date: str) -> tuple[int, int]:
    """Bring one dump's leaves in step; return the number of objects copied and deleted."""
    wanted = _wanted(corpus, claim, date)
    known = {} if date in claim.trees.redo else read_copies(corpus, date)
    present = list_objects(corpus, date)
    work = [
        _Leaf(folder, wanted.get(folder, {}), present.get(folder, {}), known)
        for folder in sorted(wanted.keys() | present.keys())
    ]
    work = [leaf for leaf in work if leaf.stale or leaf.surplus]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda leaf: _replace(corpus, claim, leaf), work))
    objects = _facts(corpus, wanted, known=known, work=work)
    _hold(corpus, claim)
    if objects != known:
        corpus.store.put(layout.promoted(date), encode(Copies(objects=objects)))
    return sum(len(leaf.stale) for leaf in work), sum(len(leaf.surplus) for leaf in work)


def _wanted(corpus: Corpus, claim: _Claim, date: str) -> dict[str, Leaf]:
    if date not in claim.wanted:
        return {}
    if date == layout.STONES:
        return stones(claim.snapshot)
    if layout.is_month(date):
        return by_month.leaves(corpus, claim.wanted[date])
    return leaves(snapshots.load_state(corpus, claim.snapshot, date))


def _replace(corpus: Corpus, claim: _Claim, leaf: _Leaf) -> None:
    _hold(corpus, claim)
    one_step = len(leaf.wanted.keys() | leaf.present.keys()) == 1
    covered = not one_step and not leaf.folder.startswith(layout.tree("runs"))
    if covered:
        corpus.store.put(leaf.folder + layout.COVER, COVER_BYTES)
    for name in leaf.stale:
        corpus.store.copy(leaf.wanted[name].key, leaf.folder + name)
    corpus.store.delete(leaf.folder + name for name in leaf.surplus if name != layout.COVER)
    if covered or layout.COVER in leaf.surplus:
        corpus.store.delete([leaf.folder + layout.COVER])


def _facts(
    corpus: Corpus,
    wanted: Mapping[str, Leaf],
    *,
    known: Mapping[str, tuple[str, str]],
    work: list[_Leaf],
) -> dict[str, tuple[str, str]]:
    """Tell which object is a copy of what, so that the next promote leaves it alone."""
    fresh = {leaf.folder + name for leaf in work for name in leaf.stale}
    objects = {}
    for key, ref in _flat(wanted).items():
        if key not in fresh:
            objects[key] = known[key]
        elif (info := corpus.store.stat(key)) is not None and info.size == ref.size:
            objects[key] = (info.etag, ref.sha256)
    return objects


def _hold(corpus: Corpus, claim: _Claim) -> None:
    """Raise `ConflictError` when another promote claimed the trees meanwhile."""
    info = corpus.store.stat(layout.PROMOTED)
    if info is None or info.etag != claim.etag:
        trees, _ = read_trees(corpus)
        if trees.token != claim.trees.token:
            raise ConflictError("expected our claim on the trees, found another promote's.")


def _flat(tree: Mapping[str, Leaf]) -> dict[str, FileRef]:
    return {folder + name: ref for folder, leaf in tree.items() for name, ref in leaf.items()}
