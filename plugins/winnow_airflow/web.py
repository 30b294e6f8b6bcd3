"""Pages of Winnow under Airflow's own address, for who is logged in there.

Holds: `app`. Reads pages from the corpus. Not here: when it is loaded (`plugin.py`), what the page
says (`pipeline/report/`).

Whoever may read Airflow's assets may read the pages, which quote the documents of a night.
"""

from __future__ import annotations

from airflow.api_fastapi.core_api.security import requires_access_asset
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from pipeline import config, runner
from pipeline.errors import MissingError
from pipeline.plan.discover import is_dump_date
from pipeline.plan.stage import safe_run_id
from pipeline.storage import layout
from winnow_airflow.connections import credentials

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}

app = FastAPI(title="Winnow", dependencies=[Depends(requires_access_asset("GET"))])


@app.get("/reports/{dump_date}/{run_id:path}")
def report(dump_date: str, run_id: str) -> HTMLResponse:
    """Return the page about a run as it was written."""
    if not is_dump_date(dump_date):
        raise HTTPException(404, "expected a dump date like 2026-11-21")
    key = layout.report(dump_date, safe_run_id(run_id))
    with credentials(), runner.corpus_session(config.load()) as corpus:
        try:
            page, _ = corpus.store.get(key)
        except MissingError as error:
            raise HTTPException(
                404, "There is no page about this run: it has not ended, or it changed nothing."
            ) from error
    return HTMLResponse(page, headers=_HEADERS)
