"""Which months a corpus has in few files, beside one file a night and language.

Holds: `wanted`, `fingerprints`, `find`, `shown`, `needed`. Reads `store/monthly.json`, which says
that there is a tree by month at all, and the manifests of months.
Not here: making the files (`publish/monthly.py`).

A month is a unit whose inputs are the states of its nights, so that its name follows from a
snapshot alone: whoever has a snapshot can look whether its months are there, and loses nothing but
time when they are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from pipeline.errors import CorruptError
from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import MonthManifest
from pipeline.model.snapshot import Snapshot
from pipeline.storage import layout
from pipeline.storage.units import Corpus

STAGE = "monthly"


def wanted(corpus: Corpus) -> bool:
    """Say whether the corpus has a tree by month."""
    return corpus.store.stat(layout.WANTS_MONTHS) is not None


def fingerprints(snapshot: Snapshot) -> dict[str, str]:
    """Return the name that each month of a snapshot has, if it was made."""
    states: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for date, ref in snapshot.dumps.items():
        states[layout.month_of(date)][date] = ref.state.sha256
    return {
        month: fingerprint(STAGE, versions.MONTHLY, nights)
        for month, nights in sorted(states.items())
    }


def find(corpus: Corpus, name: str) -> MonthManifest | None:
    """Return a month that was made; None when it was not, or its manifest is damaged."""
    try:
        return corpus.find(layout.unit(STAGE, name), MonthManifest)
    except CorruptError:
        return None


def shown(corpus: Corpus, snapshot: Snapshot, before: Mapping[str, str]) -> dict[str, str]:
    """Return what the tree by month should show now: month → name.

    A month that was not made yet stays as it is: `before` is what the trees show.
    """
    if not wanted(corpus):
        return {}
    found = {}
    for month, name in fingerprints(snapshot).items():
        if before.get(month) == name or find(corpus, name) is not None:
            found[month] = name
        elif month in before:
            found[month] = before[month]
    return found


def needed(corpus: Corpus, snapshot: Snapshot) -> dict[str, FileRef]:
    """Return what readers of a snapshot may have open of its months, by key."""
    found: dict[str, FileRef] = {}
    if wanted(corpus):
        for name in fingerprints(snapshot).values():
            if (made := find(corpus, name)) is not None:
                key = layout.unit(STAGE, name)
                found[key] = FileRef(key, "", 0, 0)
                found |= {ref.key: ref for ref in made.files}
    return found
