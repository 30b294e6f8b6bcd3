"""Reading snapshots and moving the pointer to them.

Holds: `current`, `published`, `numbered`, `load_snapshot`, `load_state`, `history`,
`committed_by`, `advance`. Reads and writes the corpus store.
Not here: what goes into a snapshot (`publish/commit.py`), bringing back a pointer that was lost
(`publish/repoint.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pipeline.errors import ConflictError, CorruptError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.snapshot import EMPTY, DumpState, Pointer, Snapshot
from pipeline.storage import layout
from pipeline.storage.units import Corpus, decode, encode


def current(corpus: Corpus) -> Snapshot:
    """Return the current snapshot; the empty one when nothing was ever published.

    Raises:
        CorruptError: the pointer to it is damaged, or lost from a corpus that had one.
    """
    pointer, _ = _pointer(corpus)
    snapshot = _open(corpus, pointer.snapshot if pointer else None)
    told = (pointer.sequence, pointer.run_id) if pointer else (0, "")
    if told != (snapshot.sequence, snapshot.run_id):
        raise CorruptError(
            f"{layout.CURRENT}: expected to name snapshot {snapshot.sequence} of run "
            f"{snapshot.run_id}, found {told}. `winnow heal` writes it anew."
        )
    return snapshot


def published(corpus: Corpus) -> Snapshot:
    """Return the current snapshot of a corpus that has one.

    Raises:
        MissingError: nothing was ever published here.
    """
    snapshot = current(corpus)
    if snapshot.sequence == 0:
        raise MissingError(
            f"expected a published corpus at {corpus.store.url}, found none. Check --corpus or "
            "store.corpus; `winnow run --due` publishes the first nights."
        )
    return snapshot


def load_snapshot(corpus: Corpus, sequence: int) -> Snapshot:
    """Return the snapshot that was current as number `sequence`.

    Raises:
        MissingError: it was never committed, or has expired.
    """
    if sequence == 0:
        return EMPTY
    snapshot = current(corpus)
    with suppress(MissingError):
        while snapshot.sequence > sequence:
            snapshot = _open(corpus, snapshot.parent)
    if snapshot.sequence != sequence:
        raise MissingError(_no_snapshot(sequence))
    return snapshot


def numbered(corpus: Corpus, sequence: int | None) -> Snapshot:
    """Return a snapshot of a corpus that has one: that number, or the current one.

    Raises:
        MissingError: nothing was ever published here, or not that snapshot, or it has expired.
    """
    shown = published(corpus)
    return shown if sequence is None else load_snapshot(corpus, sequence)


def history(corpus: Corpus) -> list[Snapshot]:
    """Return the chain of snapshots from the current one back to the oldest still kept."""
    return list(_chain(corpus))


def committed_by(corpus: Corpus, run_id: str) -> Snapshot | None:
    """Return the newest snapshot that a run made, or None: it made none, or none that is kept.

    A run that died after its commit finds with it what it has done.
    """
    return next((one for one in _chain(corpus) if one.run_id == run_id), None)


def _chain(corpus: Corpus) -> Iterator[Snapshot]:
    snapshot = current(corpus)
    with suppress(MissingError):
        while snapshot.sequence > 0:
            yield snapshot
            snapshot = _open(corpus, snapshot.parent)


def load_state(corpus: Corpus, snapshot: Snapshot, dump_date: str) -> DumpState:
    """Return what `snapshot` holds of one dump. Raises `MissingError` when it has none."""
    ref = snapshot.dumps.get(dump_date)
    if ref is None:
        message = (
            f"expected dump {dump_date} in snapshot {snapshot.sequence}, found none. "
            f"`winnow status` lists the dumps; `winnow run --dump-date {dump_date}` adds it."
        )
        raise MissingError(message)
    return decode(ref.state.key, corpus.fetch(ref.state).read_bytes(), DumpState)


def advance(corpus: Corpus, snapshot: Snapshot) -> None:
    """Make `snapshot` current if its parent still is: the one atomic step of publishing.

    A put whose answer was lost is recognised by what is current afterwards and counts as done.
    The sequence number is compared too: who decided on an older snapshot and read the pointer only
    now would undo what was published between.

    Raises:
        ConflictError: another snapshot is current by now; rebase on it.
    """
    pointer, etag = _pointer(corpus)
    parent, sequence = (pointer.snapshot, pointer.sequence) if pointer else (None, 0)
    if (parent, sequence + 1) != (snapshot.parent, snapshot.sequence):
        raise ConflictError(
            f"expected snapshot {snapshot.sequence - 1} to be current, found {sequence}. "
            "Another run published meanwhile; rebase on it."
        )
    ref = corpus.save(snapshot, lambda digest: layout.snapshot(snapshot.sequence, digest))
    moved = Pointer(sequence=snapshot.sequence, snapshot=ref, run_id=snapshot.run_id)
    try:
        corpus.store.put(layout.CURRENT, encode(moved), if_absent=etag is None, if_match=etag)
    except ConflictError:
        if _pointer(corpus)[0] != moved:
            raise


def pointed(corpus: Corpus) -> FileRef | None:
    """Return the reference of the current snapshot, which its successor names as parent."""
    pointer, _ = _pointer(corpus)
    return pointer.snapshot if pointer else None


def _pointer(corpus: Corpus) -> tuple[Pointer | None, str | None]:
    try:
        data, etag = corpus.store.get(layout.CURRENT)
    except MissingError:
        _never_published(corpus)
        return None, None
    return decode(layout.CURRENT, data, Pointer), etag


def _never_published(corpus: Corpus) -> None:
    """Refuse to take a corpus for empty that has lost its pointer.

    A first commit that died before it moved the pointer leaves one snapshot and no trees.
    """
    newest = max((info.key for info in corpus.store.list(layout.SNAPSHOTS)), default="")
    first = newest.startswith(layout.first_snapshots())
    promoted = corpus.store.stat(layout.PROMOTED) is not None
    lost = promoted or (newest and not first)
    if lost and corpus.store.stat(layout.CURRENT) is None:
        raise CorruptError(
            f"{layout.CURRENT}: expected the pointer of a corpus that was published, found none; "
            f"its newest snapshot is {newest or 'lost as well'}. Nothing is read or changed "
            "without it: restore the object from a backup or a bucket version, or let "
            "`winnow heal` point to the newest sound snapshot."
        )


def _open(corpus: Corpus, ref: FileRef | None) -> Snapshot:
    if ref is None:
        return EMPTY
    return decode(ref.key, corpus.fetch(ref).read_bytes(), Snapshot)


def _no_snapshot(sequence: int) -> str:
    return (
        f"expected snapshot {sequence}, found none: it was never committed or has expired. "
        "`winnow status --snapshots` lists those kept."
    )
