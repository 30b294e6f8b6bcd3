"""Going back to an earlier snapshot.

Holds: `rollback`, `changes`, `difference`. Reads snapshots; writes a new one and moves the pointer.
Not here: the plain trees (`promote.py`), which snapshots are kept (`expire.py`).

The state that was current before is not lost: a rollback is a new snapshot with the dumps of the
earlier one, so it can be rolled back itself, and numbers only grow. A night that it takes out is
due again; `winnow run --due` or its next run in Airflow publishes it anew.
"""

from __future__ import annotations

from pipeline.errors import ContractError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.snapshot import Snapshot
from pipeline.storage import layout, snapshots
from pipeline.storage.references import reachable
from pipeline.storage.units import Corpus


def changes(corpus: Corpus, sequence: int) -> dict[str, str]:
    """Return what a rollback to a snapshot would do: dump date → added, removed or replaced."""
    return difference(snapshots.published(corpus), snapshots.load_snapshot(corpus, sequence))


def difference(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Return what changes between two snapshots, in the words of `changes`."""
    now, then = before.dumps, after.dumps
    words = {(True, False): "removed", (False, True): "added", (True, True): "replaced"}
    return {
        date: words[date in now, date in then]
        for date in sorted(now.keys() | then.keys())
        if now.get(date) != then.get(date)
    }


def rollback(corpus: Corpus, sequence: int, *, run_id: str) -> Snapshot:
    """Make the dumps of snapshot `sequence` current again, in one step; return the new snapshot.

    Raises:
        MissingError: it was never committed, has expired, or files that it needs are gone.
        ConflictError: a run published meanwhile; look again and decide anew.
        ContractError: other texts are taken down now; `runner/rollback.py` goes back even so.
    """
    pointer = snapshots.pointed(corpus)
    live = snapshots.published(corpus)
    target = snapshots.load_snapshot(corpus, sequence)
    if live.tombstones != target.tombstones:
        raise ContractError(
            f"expected the tombstones of snapshot {sequence} to be those in force, found others. "
            "`winnow rollback` decides its dumps again under those in force."
        )
    refuse_lost(corpus, target)
    snapshot = Snapshot(
        sequence=live.sequence + 1,
        parent=pointer,
        run_id=run_id,
        dumps=target.dumps,
        tombstones=live.tombstones,
    )
    snapshots.advance(corpus, snapshot)
    return snapshot


def refuse_lost(corpus: Corpus, target: Snapshot) -> None:
    """Refuse a snapshot whose data files are not all there.

    Raises:
        MissingError: names the first that is gone.
    """
    needed: dict[str, FileRef] = {}
    reachable(corpus, target, needed)
    files = {key for key in needed if key.startswith(layout.DATA)}
    lost = sorted(files - {info.key for info in corpus.store.list(layout.DATA)})
    if lost:
        raise MissingError(
            f"snapshot {target.sequence}: expected its {len(files)} data files, found {len(lost)} "
            f"of them gone, such as {lost[0]}. `winnow status --snapshots` lists the others."
        )
