"""Writing the page about a run beside the data.

Holds: `report_run`, `page_of`. Reads what a run made; writes one object.
Not here: what the page says (`gather.py`, `halted.py`), how it looks (`page.py`), what stands there
before (`place.py`).
"""

from __future__ import annotations

from typing import Any

from pipeline import telemetry
from pipeline.report.gather import gather
from pipeline.report.halted import halted, render_halted
from pipeline.report.page import render
from pipeline.report.place import address_of
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

Row = dict[str, Any]


def report_run(corpus: Corpus, dump_date: str, run_id: str) -> Row:
    """Write the page about a run and return its row of `runs`, with the page's address.

    The page replaces an earlier one of the same run in one step. Of a run that failed it says how
    far that came, and the answer is `outcome` "failed", `stage` and `why`. A run that changed
    nothing has neither row nor page: the answer is empty.
    """
    with telemetry.stage("report", run_id=run_id, dump_date=dump_date) as span:
        row = _row(corpus, dump_date, run_id)
        if row:
            page = page_of(corpus, dump_date, row)
            told = row | {"planned_at": row["planned_at"].isoformat()}
        elif (found := halted(corpus, dump_date, run_id)) is not None:
            page = render_halted(found)
            told = {"outcome": "failed", "stage": found.stage, "why": found.why}
        else:
            return {}
        corpus.store.put(layout.report(dump_date, run_id), page.encode())
        span.update(bytes=len(page))
    return told | {"report": address_of(corpus, dump_date, run_id)}


def page_of(corpus: Corpus, dump_date: str, row: Row) -> str:
    """Return the page about the run that left `row`; writes nothing."""
    return render(gather(corpus, dump_date, row))


def _row(corpus: Corpus, dump_date: str, run_id: str) -> Row:
    snapshot = snapshots.current(corpus)
    if dump_date not in snapshot.dumps:
        return {}
    for ref in reversed(snapshots.load_state(corpus, snapshot, dump_date).runs):
        if layout.unit_of(ref.key) == run_id:
            row: Row = corpus.read(ref).to_pylist()[0]
            return row
    return {}
