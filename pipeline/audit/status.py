"""Tables of the present: nights by state, snapshots, runs.

Holds: `dump_rows`, `cost_rows`, `snapshot_rows`, `run_rows`. Reads landing and corpus; the
clock is passed in.
Not here: printing (`cli/look.py`), deciding what is due (`plan/ledger.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.audit import tasks
from pipeline.errors import MissingError
from pipeline.model.settings import RunSettings
from pipeline.model.versions import Models
from pipeline.plan import ledger
from pipeline.plan.discover import dump_dates, is_dump_date
from pipeline.storage import layout, snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

Row = dict[str, Any]

_COUNTS = (
    "files",
    "documents",
    "kept",
    "dropped_exact",
    "dropped_near",
    "dropped_history",
    "taken_down",
)
_COST = ("tasks", "cpu_seconds", "requests", "received", "sent")


def dump_rows(
    corpus: Corpus,
    landing: Store | None,
    settings: RunSettings,
    *,
    now: float,
    models: Models | None = None,
) -> list[Row]:
    """Return one row a night: its state, what landed and what is published.

    State: `published`; `due` (landed, changed, or made with other settings or models: a run is
    wanted); `gone` (published files vanished from the landing area); `waiting` (still being
    uploaded). Without a landing area only what is published is known.
    """
    snapshot = snapshots.current(corpus)
    landed, states = {}, dict[str, str](dict.fromkeys(snapshot.dumps, "published"))
    if landing is not None:
        landed = dump_dates(landing)
        states |= ledger.standings(
            corpus, landing, snapshot, now=now, settings=settings, models=models
        )
    rows = []
    for date in sorted({*landed, *states}):
        row: Row = {"dump_date": date, "state": states.get(date, "waiting")}
        row["sources"] = len(landed.get(date, ()))
        counts: Row = {}
        if date in snapshot.dumps:
            counts = msgspec.to_builtins(snapshots.load_state(corpus, snapshot, date).counts)
        rows.append(row | {name: counts.get(name, 0) for name in (*_COUNTS, "quarantine")})
    return rows


def cost_rows(corpus: Corpus) -> dict[str, Row]:
    """Return what the run that published each night last took: dump date → numbers.

    They are those of `tasks.whole`, under `run_id`. A night whose tasks left no record, or so long
    ago that it has expired, has none.
    """
    snapshot = snapshots.current(corpus)
    found = {}
    for date in sorted(snapshot.dumps):
        runs = snapshots.load_state(corpus, snapshot, date).runs
        run_id = layout.unit_of(runs[-1].key) if runs else ""
        if recorded := tasks.records(corpus, date, run_id) if run_id else []:
            took = tasks.whole(tasks.stages(recorded))
            found[date] = {"run_id": run_id, **{name: getattr(took, name) for name in _COST}}
    return found


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


def run_rows(corpus: Corpus, which: str | None = None) -> list[Row]:
    """Return rows of the `runs` table, oldest first: all, those of a dump date, or of a run's id.

    Raises:
        MissingError: nothing was ever published, or no such night or run.
    """
    snapshot = snapshots.published(corpus)
    one_night = which is not None and is_dump_date(which)
    rows: list[Row] = []
    for date in [which] if which is not None and one_night else sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, date)
        for ref in state.runs:
            if one_night or which in {None, layout.unit_of(ref.key)}:
                rows += [{"dump_date": date, **row} for row in corpus.read(ref).to_pylist()]
    if which is not None and not rows:
        raise MissingError(
            f"expected a run or a dump date {which}, found none in the published runs. A run that "
            "changed nothing leaves no row; `winnow report` lists the others."
        )
    return sorted(rows, key=lambda row: (row["snapshot"], row["dump_date"]))
