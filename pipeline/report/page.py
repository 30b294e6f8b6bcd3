"""The page about a run as one HTML text, without anything that it would have to fetch.

Holds: `render`, `templates`. Reads the template beside it.
Not here: facts (`facts.py`), figures (`plots.py`), runs that failed (`halted.py`).

Every value that the template prints is made visible and then escaped, by the environment and not
by who writes a template. The page has no script, and its policy forbids any.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from pipeline.audit.tasks import StageTime
from pipeline.report.facts import Report
from pipeline.report.plots import figures
from pipeline.report.writing import environment, size

_PACE: Final = {
    "ingest": "bytes",
    "match": "candidates",
    "decide": "documents",
    "annotate": "documents",
    "publish": "rows",
}
"""What each stage gets through."""


def render(report: Report) -> str:
    """Return the page as HTML."""
    made = templates()
    settings = msgspec.json.format(report.row["settings"], indent=2)
    return made.get_template("page.html.j2").render(
        report=report,
        row=report.row,
        counts=report.night.counts,
        plots=figures(report),
        verdict=_verdict(report.row),
        settings=settings,
        css=Markup(made.get_template("page.css").render()),  # noqa: S704 - our own file
    )


@cache
def templates() -> Environment:
    """Return the templates of pages about runs."""
    made = environment(PackageLoader("pipeline.report", "templates"))
    made.filters |= {"pace": pace, "calls": calls}
    return made


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


def _verdict(row: Mapping[str, Any]) -> tuple[str, str]:
    """Say in one line how the run went: a state, and why."""
    said = [one for one in row["guards"] or () if one["outcome"] in {"warn", "stop", "accepted"}]
    if said:
        names = ", ".join(sorted({one["name"] for one in said}))
        accepted = any(one["outcome"] == "accepted" for one in said)
        return "warn", f"{'accepted although unusual' if accepted else 'unusual'}: {names}"
    if row["outcome"] == "partial":
        return "warn", f"still waiting for {row['waiting']}"
    if row["outcome"] == "empty":
        return "quiet", "a night without dump files"
    return "good", "every promise kept, nothing unusual"
