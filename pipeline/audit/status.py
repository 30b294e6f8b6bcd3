"""Tables of the present: nights by state, snapshots, runs.

Holds: `dump_rows`, `snapshot_rows`, `run_rows`. Reads landing and corpus; the clock is passed in.
Not here: printing (`cli/look.py`), deciding what is due (`plan/ledger.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.model.settings import RunSettings
from pipeline.plan import ledger
from pipeline.plan.discover import dump_dates
from pipeline.storage import snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

Row = dict[str, Any]

_COUNTS = ("files", "documents", "kept", "dropped_exact", "dropped_near", "dropped_history")


def dump_rows(
    corpus: Corpus, landing: Store | None, settings: RunSettings, *, now: float
) -> list[Row]:
    """Return one row a night: its state, what landed and what is published.

    State: `published`; `due` (landed, changed, or made with other settings: a run is wanted);
    `waiting` (still being uploaded). Without a landing area only what is published is known.
    """
    snapshot = snapshots.current(corpus)
    landed = dump_dates(landing) if landing is not None else {}
    due = ledger.due(corpus, landing, snapshot, now=now, settings=settings) if landing else []
    rows = []
    for date in sorted({*landed, *snapshot.dumps}):
        row: Row = {"dump_date": date, "state": _state(date, snapshot.dumps, due)}
        row["sources"] = len(landed.get(date, ()))
        counts: Row = {}
        if date in snapshot.dumps:
            counts = msgspec.to_builtins(snapshots.load_state(corpus, snapshot, date).counts)
        rows.append(row | {name: counts.get(name, 0) for name in (*_COUNTS, "quarantine")})
    return rows


def snapshot_rows(corpus: Corpus) -> list[Row]:
    """Return one row a published state that is still kept, newest first."""
    return [
        {
            "snapshot": snapshot.sequence,
            "run_id": snapshot.run_id,
            "dumps": len(snapshot.dumps),
            "first": min(snapshot.dumps, default=""),
            "last": max(snapshot.dumps, default=""),
        }
        for snapshot in snapshots.history(corpus)
    ]


def run_rows(corpus: Corpus, dump_date: str | None = None) -> list[Row]:
    """Return the rows of the `runs` table, oldest first, of one dump date or of all."""
    snapshot = snapshots.current(corpus)
    rows: list[Row] = []
    for date in sorted(snapshot.dumps) if dump_date is None else [dump_date]:
        state = snapshots.load_state(corpus, snapshot, date)
        for ref in state.runs:
            rows += [{"dump_date": date, **row} for row in corpus.read(ref).to_pylist()]
    return sorted(rows, key=lambda row: (row["snapshot"], row["dump_date"]))


def _state(date: str, published: Any, due: list[str]) -> str:
    if date in due:
        return "due"
    return "published" if date in published else "waiting"
