"""Going back to an earlier snapshot without bringing back what was taken down since.

Holds: `roll_back`. Reads and writes through the stages.
Not here: a rollback under the same tombstones (`publish/rollback.py`), tombstones (`takedown.py`).

Tombstones in force stay in force: the dumps of the earlier snapshot are decided again under them,
and those that change are published again, in the same commit.
"""

from __future__ import annotations

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
