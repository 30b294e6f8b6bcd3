"""The templates of pages about runs, and how they write what no other page does.

Holds: `templates`, `css`, `pace`, `calls`. Reads the templates beside it; draws nothing, so that
who shows a page loads no library of figures.
Not here: what the pages say (`page.py`, `halted.py`, `place.py`), the environment (`writing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from pipeline.audit.tasks import StageTime
from pipeline.report.writing import environment, size

_PACE: Final = {
    "ingest": "bytes",
    "match": "candidates",
    "decide": "documents",
    "annotate": "documents",
    "publish": "rows",
}
"""What each stage gets through."""


@cache
def templates() -> Environment:
    """Return the templates of pages about runs."""
    made = environment(PackageLoader("pipeline.report", "templates"))
    made.filters |= {"pace": pace, "calls": calls}
    return made


def css() -> Markup:
    """Return the style of the pages."""
    return Markup(templates().get_template("page.css").render())  # noqa: S704 - our own file


def pace(stage: StageTime) -> str:
    """Write what a stage got through in a second of its task time."""
    name = _PACE.get(stage.stage, "")
    done = stage.counts.get(name, 0)
    if not done or not stage.seconds:
        return "–"
    rate = done / stage.seconds
    return f"{size(rate)}/s" if name == "bytes" else f"{rate:,.0f} {name}/s"


def calls(requests: Mapping[str, int]) -> str:
    """Write how often the object store was asked, by kind; a folder is not asked."""
    return " · ".join(f"{count:,} {kind}" for kind, count in sorted(requests.items())) or "–"
