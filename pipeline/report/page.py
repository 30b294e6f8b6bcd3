"""The page about a run as one HTML text, without anything that it would have to fetch.

Holds: `render`. Reads the template beside it.
Not here: facts (`facts.py`), figures (`plots.py`), runs that failed (`halted.py`).

The page has no script, and its policy forbids any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.report.facts import Report
from pipeline.report.markup import css, templates
from pipeline.report.plots import figures


def render(report: Report) -> str:
    """Return the page as HTML."""
    settings = msgspec.json.format(report.row["settings"], indent=2)
    return (
        templates()
        .get_template("page.html.j2")
        .render(
            report=report,
            row=report.row,
            counts=report.night.counts,
            plots=figures(report),
            verdict=_verdict(report.row),
            settings=settings,
            css=css(),
        )
    )


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
