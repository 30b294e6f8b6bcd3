"""The web application that Airflow mounts: every route, behind Airflow's own login.

Holds: `app`. Not here: when it is loaded (`plugin.py`), what the routes answer (`looking.py`,
`acting.py`).

Whoever may read Airflow's assets may read the pages, which quote the documents of a night. Whoever
may trigger a DAG may start it from here; others do not see the form and are refused.
"""

from __future__ import annotations

from pathlib import Path

from airflow.api_fastapi.core_api.security import requires_access_asset
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from pipeline.errors import WinnowError
from winnow_airflow.pages import acting, looking
from winnow_airflow.pages.rendering import sorry

app = FastAPI(title="Winnow", docs_url=None, redoc_url=None, openapi_url=None)
app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
for _part in (looking, acting):
    app.include_router(_part.router, dependencies=[Depends(requires_access_asset("GET"))])
app.add_exception_handler(WinnowError, sorry)
