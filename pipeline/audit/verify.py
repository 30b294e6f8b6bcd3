"""Recomputing every promise from what is stored.

Holds: `verify`, `findings`, `Check`. Reads all that the current snapshot names; writes nothing.
Not here: what is computed again (`recompute.py`), checks that need no recomputation
(`publish/verify.py`), which run before every commit.

Every named file is hashed first. A damaged one breaks a promise by itself; what then cannot be read
is said to be unchecked, and all the rest is checked all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import msgspec

from pipeline.audit import anew, recompute, work
from pipeline.audit import signed as reading
from pipeline.audit.recompute import SWEEP
from pipeline.audit.remains import remains
from pipeline.dedup.taken import Tombs
from pipeline.errors import CorruptError, MissingError
from pipeline.model.finding import PROMISES, Finding, broken
from pipeline.model.snapshot import Snapshot
from pipeline.publish import monthly
from pipeline.publish import verify as stored
from pipeline.publish.checks import CHECKS
from pipeline.publish.shared import passages_hold
from pipeline.publish.view import View
from pipeline.storage import snapshots, tombstones
from pipeline.storage.units import Corpus

_CHECKED = {
    1: "spans tile every file; books balance; texts have the hash on record",
    2: "no two published documents are similar",
    3: "each witness is published, earlier, in scope, and as similar as stated",
    4: "signing and deciding all documents at once gives the same",
    5: "files and trees are those of the snapshot, byte by byte",
    6: "a new latest night left all others alone; the newest compared only what shares a key",
    7: "nothing published or stored is like a tombstone; each says who took it down, and why",
}

_AFTER_DAMAGE = (1, 2, 3, 4, 5, 7)
"""Promises whose checks may fail for files that were hashed before."""


class Check(msgspec.Struct, frozen=True):
    """One promise, how it was checked, and in which ways it is broken (none: it holds).

    `skipped` names what could not be checked because something that it needs is damaged.
    """

    promise: int
    name: str
    checked: str
    findings: tuple[str, ...]
    skipped: tuple[str, ...] = ()


def verify(corpus: Corpus) -> list[Check]:
    """Check every promise and return one `Check` each, in their order.

    Raises:
        MissingError: nothing was ever published.
        TransientError: the store cannot be reached.
    """
    audit = _audited(corpus)
    return [
        Check(
            number,
            name,
            _CHECKED[number],
            tuple(one.detail for one in audit.found if one.promise == number),
            tuple(audit.skipped[number]),
        )
        for number, name in PROMISES.items()
    ]


def findings(corpus: Corpus) -> Iterator[Finding]:
    """Yield every way in which what is stored breaks a promise. Raises what `verify` raises."""
    yield from _audited(corpus).found


def _audited(corpus: Corpus) -> _Audit:
    audit = _Audit(corpus)
    try:
        snapshot = snapshots.current(corpus)
    except (CorruptError, MissingError) as error:
        audit.found.append(broken(5, str(error)))
        for promise in PROMISES:
            audit.skip(promise, "there is no current snapshot to check")
        return audit
    if snapshot.sequence == 0:
        snapshots.published(corpus)
    audit.everything(snapshot)
    return audit


class _Audit:
    """Gathers findings, and what could not be checked, which are its mutable state."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.found: list[Finding] = []
        self.skipped: dict[int, list[str]] = {promise: [] for promise in PROMISES}
        self._damaged: set[str] = set()

    def skip(self, promise: int, what: str) -> None:
        """Note that a part of a promise could not be checked, and why."""
        self.skipped[promise].append(what)

    def everything(self, snapshot: Snapshot) -> None:
        """Check files first, then dump by dump, then all dumps together."""
        view = View(self.corpus, snapshot)
        for date in sorted(snapshot.dumps):
            bad = [finding for _, finding in stored.damaged(view, date)]
            self.found += bad
            self._damaged |= {date} if bad else set()
        self._try(5, "the plain trees", lambda: stored.verify_trees(view))
        self._try(5, "the tree by month", lambda: monthly.findings(self.corpus, snapshot))
        for date in sorted(snapshot.dumps):
            self._dump(view, date)
        self._documents(view)
        self._try(6, "the snapshots before", self._quiet_nights)
        self._try(7, "tombstones", lambda: stored.verify_tombstones(view))
        self._try(7, "what is still stored", lambda: self._remains(snapshot))

    def _documents(self, view: View) -> None:
        """Check all documents against each other."""
        try:
            documents = reading.load(self.corpus, view.snapshot)
            standing = anew.standing(self.corpus, view.snapshot, documents)
        except stored.READING as error:
            for promise in (2, 3, 4, 7):
                self._unreadable(promise, "all signatures and verdicts", error)
            return
        if documents.missing:
            trouble = f"{documents.missing} documents have a verdict or a signature, not both"
            self.found.append(broken(1, trouble))
        self.found += recompute.nothing_twice(documents, standing)
        self.found += recompute.witnesses(documents, standing)
        self.found += recompute.verdicts(documents, standing)
        self._try(
            7,
            "tombstones",
            lambda: recompute.tombstones_cover(documents, Tombs.load(self.corpus, view.snapshot)),
        )
        try:
            self.found += work.counted(self.corpus, documents, standing)
        except MissingError as error:
            self.skip(6, f"the comparisons of the newest night: {error}")
        except stored.READING as error:
            self._unreadable(6, "the comparisons of the newest night", error)

    def _dump(self, view: View, date: str) -> None:
        for check in CHECKS:
            self._try(1, f"{date}: {check.__name__}", partial(check, view, date))
        self._try(5, f"{date}: published rows", lambda: stored.rows_of(view, date))
        self._try(4, f"{date}: shared passages", lambda: passages_hold(view, date))
        self._try(4, f"{date}: texts", lambda: recompute.texts(self.corpus, view.state(date)))

    def _remains(self, snapshot: Snapshot) -> Iterator[Finding]:
        stones = tombstones.active(tombstones.load(self.corpus, snapshot))
        found = remains(self.corpus, snapshot, stones)
        for kind in ("shards", "units", "files", "pages"):
            for key in getattr(found, kind):
                yield broken(7, f"{kind}: {key} shows a text that is taken down; {SWEEP}")
        for key in found.unreadable:
            self.skip(7, f"{key}, which cannot be read")

    def _quiet_nights(self) -> Iterator[Finding]:
        oldest = snapshots.history(self.corpus)[-1].sequence
        if oldest > 1:
            self.skip(6, f"nights before snapshot {oldest}, whose snapshots are not kept")
        yield from recompute.quiet_nights(self.corpus)

    def _try(self, promise: int, what: str, check: Callable[[], Iterable[Finding]]) -> None:
        """Do a check; an object that cannot be read is a finding unless it is one already."""
        try:
            for finding in check():
                self.found.append(finding)
        except stored.READING as error:
            self._unreadable(promise, what, error)

    def _unreadable(self, promise: int, what: str, error: Exception) -> None:
        if self._damaged and promise in _AFTER_DAMAGE:
            self.skip(promise, f"{what}, for damage found in {', '.join(sorted(self._damaged))}")
        else:
            self.found.append(broken(promise, f"{what}: {type(error).__name__}: {error}"))
