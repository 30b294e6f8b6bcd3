"""Writing a page: templates, headers, and what to say when something is not there.

Holds: `page`, `sorry`, `HEADERS`, `REPORT_HEADERS`. Reads the templates beside it.
Not here: what the pages say (`looking.py`, `acting.py`), how values become safe
(`pipeline/report/writing.py`).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from pipeline import telemetry
from pipeline.errors import ConfigError, InputError, MissingError
from pipeline.report.writing import environment

_COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
HEADERS: Final = _COMMON | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
}
"""Of pages of this package: styles and the one script are files of their own, nothing is inline."""

REPORT_HEADERS: Final = _COMMON | {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
}
"""Of the page about a run, which is one file with its style in it and no script at all."""

_STATUS: Final = ((MissingError, 404), (InputError, 422), (ConfigError, 503))


def page(name: str, request: Request, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """Render template `name` with what it needs to know."""
    template = _environment().get_template(f"{name}.html.j2")
    # Relative to the host, for Airflow may stand behind a proxy and below a path of its own.
    root = request.scope.get("root_path", "")
    html = template.render(root=root, here=name, **facts)
    return HTMLResponse(html.encode(errors="replace"), status_code=status, headers=HEADERS)


def sorry(request: Request, error: Exception) -> HTMLResponse:
    """Say an error of ours in a page: expected, found, next step."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    telemetry.log.warning("page.failed", path=request.url.path, status=status, error=str(error))
    return page("sorry", request, status=status, error=str(error))


@cache
def _environment() -> Environment:
    return environment(PackageLoader("winnow_airflow.pages", "templates"))
