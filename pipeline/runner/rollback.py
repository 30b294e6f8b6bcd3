"""Going back to an earlier snapshot without bringing back what was taken down since.

Holds: `roll_back`, and `go_back`, which may be called again. Reads and writes through the stages.
Not here: a rollback under the same tombstones (`publish/rollback.py`), tombstones (`takedown.py`).

Tombstones in force stay in force: the dumps of the earlier snapshot are decided again under them,
and those that change are published again, in the same commit.
"""

from __future__ import annotations

from typing import Any

from pipeline.errors import MissingError
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import Snapshot
from pipeline.publish import rollback as going_back
from pipeline.runner.retake import Retake
from pipeline.storage import snapshots, tombstones
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus


def roll_back(
    corpus: Corpus, landing: Store | None, settings: RunSettings, *, sequence: int, run_id: str
) -> Snapshot:
    """Make the dumps of snapshot `sequence` current, in one step; return the new snapshot.

    Raises:
        MissingError: it was never committed, has expired, or files that it needs are gone.
        ConflictError: a run published meanwhile; look again and decide anew.
    """
    live = snapshots.published(corpus)
    target = snapshots.load_snapshot(corpus, sequence)
    if live.tombstones == target.tombstones:
        return going_back.rollback(corpus, sequence, run_id=run_id)
    stones = tombstones.load(corpus, live)
    retake = Retake(corpus, landing, settings, base=target, stones=stones)
    return retake.commit(run_id, outcome="", live=live)


def go_back(
    corpus: Corpus, landing: Store | None, settings: RunSettings, *, sequence: int, run_id: str
) -> dict[str, Any]:
    """Go back to snapshot `sequence` once for each run; return how nights changed, and its number.

    Called again under the same run id it finds what it did, and does not undo what nights have
    published since. `snapshot` is None when there was nothing to change.
    """
    own = snapshots.committed_by(corpus, run_id)
    if own is not None:
        return {"snapshot": own.sequence, "changes": _changed(corpus, own)}
    changes = going_back.changes(corpus, sequence)
    if not changes:
        return {"snapshot": None, "changes": {}}
    made = roll_back(corpus, landing, settings, sequence=sequence, run_id=run_id)
    return {"snapshot": made.sequence, "changes": changes}


def _changed(corpus: Corpus, own: Snapshot) -> dict[str, str]:
    try:
        before = snapshots.load_snapshot(corpus, own.sequence - 1)
    except MissingError:  # expired
        return {}
    return going_back.difference(before, own)
