"""The page about a run as one HTML text, without anything that it would have to fetch.

Holds: `render`. Reads the template beside it. Not here: facts (`facts.py`), figures (`plots.py`).

Every value that the template prints is made visible and then escaped, by the environment and not
by who writes a template. The page has no script, and its policy forbids any.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report.facts import Report, StageTime
from pipeline.report.plots import figures
from pipeline.report.visible import shown

_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_THOUSAND: Final = 1000
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
    environment = _environment()
    settings = msgspec.json.format(report.row["settings"], indent=2)
    return environment.get_template("page.html.j2").render(
        report=report,
        row=report.row,
        counts=report.night.counts,
        plots=figures(report),
        verdict=_verdict(report.row),
        settings=settings,
        css=Markup(environment.get_template("page.css").render()),  # noqa: S704 - our own file
    )


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "size": size, "whole": whole, "share": share, "number": number, "seconds": seconds,
        "cell": cell, "pace": pace
    }  # fmt: skip
    return made


def size(value: float) -> str:
    """Write a number of bytes with three digits."""
    for unit in _UNITS[:-1]:
        if abs(value) < _THOUSAND:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.3g} {unit}"
        value /= _THOUSAND
    return f"{value:,.0f} {_UNITS[-1]}"


def whole(value: float) -> str:
    """Write a count with its thousands apart."""
    return f"{value:,.0f}"


def share(part: float, total: float = 1.0) -> str:
    """Write a part of a total in percent; nothing has no share."""
    return f"{part / total:.1%}" if total else "–"


def number(value: float | None) -> str:
    """Write a limit or a measure: counts whole, shares with three digits."""
    if value is None:
        return "–"
    return whole(value) if abs(value) > 1 else f"{value:.3f}"


def cell(value: str | float) -> str:
    """Write a value of a figure's table: a share when it is no whole number below one."""
    if isinstance(value, str):
        return value or "–"
    return share(value) if isinstance(value, float) and value <= 1 else f"{value:,}"


def pace(stage: StageTime) -> str:
    """Write what a stage got through in a second of its task time."""
    name = _PACE.get(stage.stage, "")
    done = stage.counts.get(name, 0)
    if not done or not stage.seconds:
        return "–"
    rate = done / stage.seconds
    return f"{size(rate)}/s" if name == "bytes" else f"{rate:,.0f} {name}/s"


def seconds(value: float) -> str:
    """Write a length of time as people say it."""
    if value < 120:
        return f"{value:,.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


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
