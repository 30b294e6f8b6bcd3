"""What the newest night cost in comparisons, against what it could meet (promise 6).

Holds: `counted`. Reads the plan and the match units of one run.
Not here: which nights a run touched (`recompute.py`).

Time is not checked: it depends on the machine. What a run did is on record: how many pairs of
documents its match units compared. All of them must share a band key, in the night or between it
and a dump in its scope. That number is counted again, from the signatures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from pipeline.audit.signed import Array, Signed
from pipeline.dedup.apart import Standing, blocks
from pipeline.dedup.matching import match_fingerprint
from pipeline.model.finding import Finding, broken
from pipeline.model.manifest import MatchManifest
from pipeline.model.rule import in_scope
from pipeline.model.schemas import BANDS
from pipeline.model.snapshot import EMPTY, Snapshot
from pipeline.plan.stage import load_plan
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus


def counted(corpus: Corpus, documents: Signed, standing: Standing) -> Iterator[Finding]:
    """Compare both numbers for the newest night that came after all others, if its parent is kept.

    Raises:
        MissingError: its plan or its match units are not kept.
    """
    chain = snapshots.history(corpus)
    beginning = [EMPTY] if chain[-1].sequence == 1 else []  # else what came before is not kept
    for child, parent in pairwise([*chain, *beginning]):
        night = max(child.dumps, default="")
        if night and night not in parent.dumps and _stands(chain[0], child):
            compared = _compared(corpus, night, child=child, parent=parent)
            met = _met(documents, standing, night, others=parent.dumps)
            if compared > met:
                yield broken(
                    6,
                    f"night {night} compared {compared} pairs of documents, expected at most the "
                    f"{met} that share a band key",
                )
            return


def _stands(current: Snapshot, child: Snapshot) -> bool:
    """Say whether the signatures of now are those that a run found."""
    return all(
        date in current.dumps and current.dumps[date].generation == ref.generation
        for date, ref in child.dumps.items()
    )


def _compared(corpus: Corpus, night: str, *, child: Snapshot, parent: Snapshot) -> int:
    plan = load_plan(corpus, night, child.run_id)
    units = (
        corpus.load(layout.unit("match", match_fingerprint(plan, parent, owned)), MatchManifest)
        for owned in plan.key_ranges
    )
    return sum(unit.candidates for unit in units)


def _met(documents: Signed, standing: Standing, night: str, *, others: Iterable[str]) -> int:
    """Count the pairs that share a band key, once a key."""
    rows = dict(blocks(standing.dates))
    if night not in rows:
        return 0
    keys, count = _keys(documents, rows[night])
    total = int((count * (count - 1) // 2).sum())
    for date in sorted(set(others) & rows.keys()):
        if in_scope((night, standing.rules[night]), (date, standing.rules[date])):
            theirs, more = _keys(documents, rows[date])
            _, here, there = np.intersect1d(keys, theirs, assume_unique=True, return_indices=True)
            total += int((count[here] * more[there]).sum())
    return total


def _keys(documents: Signed, rows: slice) -> tuple[Array, Array]:
    """Return the band keys of some documents, and how many have each."""
    able = documents.signatures.shingles[rows] > 0
    bands = np.ascontiguousarray(documents.signatures.band_keys[rows][able])
    keys, count = np.unique(bands.view("<u8").reshape(-1, BANDS), return_counts=True)
    return keys, count
