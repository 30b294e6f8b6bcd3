"""Writing the page about a run beside the data.

Holds: `report_run`, `page_of`. Reads a committed run; writes one object.
Not here: what the page says (`gather.py`), how it looks (`page.py`).
"""

from __future__ import annotations

from typing import Any

from pipeline import telemetry
from pipeline.report.gather import gather
from pipeline.report.page import render
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

Row = dict[str, Any]


def report_run(corpus: Corpus, dump_date: str, run_id: str) -> Row:
    """Write the page about a run and return its row of `runs`, with the page's address.

    The page replaces an earlier one of the same run in one step. A run that changed nothing has
    neither row nor page: the answer is empty.
    """
    row = _row(corpus, dump_date, run_id)
    if not row:
        return {}
    with telemetry.stage("report", run_id=run_id, dump_date=dump_date) as span:
        page = page_of(corpus, dump_date, row)
        key = layout.report(dump_date, run_id)
        corpus.store.put(key, page.encode())
        span.update(bytes=len(page))
    address = f"{corpus.store.url.rstrip('/')}/{key}"
    return row | {"planned_at": row["planned_at"].isoformat(), "report": address}


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
