"""Which nights a snapshot changed, for those who are told of it.

Holds: `changed_nights`. Reads snapshots and states. Not here: telling (`plugins/`), what a rollback
would change (`rollback.py`).
"""

from __future__ import annotations

from pipeline.errors import MissingError
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus


def changed_nights(corpus: Corpus, sequence: int) -> dict[str, dict[str, int]]:
    """Return the nights that a snapshot shows otherwise than the one before, with their counts.

    `documents` were split, `kept` are published; both are 0 of a night that went. There is none
    once the snapshot before has expired.
    """
    shown = snapshots.load_snapshot(corpus, sequence)
    try:
        before = snapshots.load_snapshot(corpus, sequence - 1)
    except MissingError:
        return {}
    found = {}
    for date in sorted(shown.dumps.keys() | before.dumps.keys()):
        if shown.dumps.get(date) == before.dumps.get(date):
            continue
        found[date] = {"documents": 0, "kept": 0}
        if date in shown.dumps:
            counts = snapshots.load_state(corpus, shown, date).counts
            found[date] = {"documents": counts.documents, "kept": counts.kept}
    return found
