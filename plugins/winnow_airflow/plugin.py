"""What Airflow loads from this package: the web application and its entry in the menu.

Holds: `WinnowPlugin`. Reads and writes nothing. Not here: the application (`pages/app.py`).

Airflow imports plugins in every task process, and FastAPI costs half a second there; so the
application is imported with its first request, which only the API server gets.
"""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from winnow_airflow.alarms import RunAsked
from winnow_airflow.links import BELOW, PREFIX


class Lazy:
    """An ASGI application that is imported when it is first asked."""

    def __init__(self, module: str) -> None:
        """Remember the module that has the `app`."""
        self._module = module
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand a request on."""
        if self._app is None:
            self._app = importlib.import_module(self._module).app
        await self._app(scope, receive, send)


class WinnowPlugin(AirflowPlugin):
    """Mounts the pages of Winnow, and puts them into the menu."""

    name = "winnow"
    deadline_references: ClassVar[list[Any]] = [RunAsked]
    fastapi_apps: ClassVar[list[Any]] = [
        {"app": Lazy("winnow_airflow.pages.app"), "url_prefix": PREFIX, "name": "Winnow"}
    ]
    external_views: ClassVar[list[Any]] = [
        {
            "name": "Winnow",
            "href": f"{BELOW}{PREFIX}/",
            "icon": f"{BELOW}{PREFIX}/static/winnow.svg",
            "icon_dark_mode": f"{BELOW}{PREFIX}/static/winnow-dark.svg",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "winnow",
        }
    ]
