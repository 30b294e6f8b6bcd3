"""What the page draws: one function a figure, each with its description in words.

Holds: `figures`, `Plot`. Pure. Not here: colours and SVG (`svg.py`), tables (`page.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline.report import svg
from pipeline.report.facts import NightFacts, Report
from pipeline.report.visible import visible

MOST: Final = 12
"""Languages and topics that are drawn: the most frequent."""

UNCLEAR: Final = "without a topic"
_LABEL: Final = 22
_TICKS: Final = 6
Shares = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure and the numbers that it shows."""

    name: str
    title: str
    text: str
    image: Markup
    heads: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


def figures(report: Report) -> dict[str, Plot]:
    """Draw everything there is to draw of a run; figures without numbers are left out."""
    makers: tuple[Callable[[Report], Plot | None], ...] = (funnel, nights, languages, topics, times)
    return {plot.name: plot for make in makers if (plot := make(report)) is not None}


def funnel(report: Report) -> Plot | None:
    """Documents found, less exact and near duplicates: what is published."""
    counts = report.night.counts
    if not counts.documents:
        return None
    left = counts.kept + counts.taken_down
    steps: tuple[tuple[str, int, int, str], ...] = (
        ("found", 0, counts.documents, svg.RANGE),
        ("exact duplicates", left + counts.dropped_near, counts.dropped_exact, svg.EXACT),
        ("near duplicates", left, counts.dropped_near, svg.NEAR),
        ("published", 0, counts.kept, svg.KEPT),
    )
    if counts.taken_down:
        gone = ("taken down", counts.kept, counts.taken_down, svg.MUTED)
        steps = (*steps[:-1], gone, steps[-1])
    figure, axes = svg.canvas(7)
    for place, (_, start, length, colour) in enumerate(steps):
        axes.barh(place, length, left=start, color=colour, height=0.72)
        axes.annotate(
            f"{length:,}", (start + length, place), xytext=(4, 0), textcoords="offset points",
            va="center", color=svg.INK,
        )  # fmt: skip
    _rows(axes, [name for name, *_ in steps])
    axes.set_xlim(0, counts.documents * 1.14)
    axes.set_xticks([])
    text = (
        f"Of {counts.documents:,} documents found, {counts.dropped_exact:,} were exact duplicates "
        f"and {counts.dropped_near:,} near duplicates; {counts.kept:,} are published."
    )
    title = "What became of the documents"
    image = svg.inline(figure, "funnel", title=title, text=text)
    rows = tuple((name, length, length / counts.documents) for name, _, length, _ in steps)
    return Plot("funnel", title, text, image, ("step", "documents", "share"), rows)


def nights(report: Report) -> Plot | None:
    """Documents of each night, by what became of them; the run's own last."""
    shown = [*report.before, report.night]
    figure, axes = svg.canvas(7)
    places = range(len(shown))
    below = [0] * len(shown)
    for name, colour in (
        ("kept", svg.KEPT),
        ("dropped_near", svg.NEAR),
        ("dropped_exact", svg.EXACT),
    ):
        heights = [getattr(night.counts, name) for night in shown]
        axes.bar(places, heights, bottom=below, color=colour, width=0.78)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    step = -(-len(shown) // _TICKS)
    ticks = [place for place in places if (len(shown) - 1 - place) % step == 0]
    axes.set_xticks(ticks, [shown[place].dump_date[5:] for place in ticks])
    axes.set_xlim(-0.6, max(len(shown), 6) - 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(axis="y", color=svg.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", colors=svg.MUTED)
    usual = [night.counts.documents for night in report.before]
    text = f"{report.night.counts.documents:,} documents were found in the night" + (
        f"; the median of the {len(usual)} nights before it is {median(usual):,.0f}."
        if usual
        else ", and there is no earlier one."
    )
    title = "Documents by night"
    rows = tuple(
        (one.dump_date, c.documents, c.kept, c.dropped_near, c.dropped_exact)
        for one in shown
        for c in (one.counts,)
    )
    heads = ("night", "documents", "published", "near", "exact")
    return Plot(
        "nights", title, text, svg.inline(figure, "nights", title=title, text=text), heads, rows
    )


def languages(report: Report) -> Plot | None:
    """Share of each language among the published documents, against the nights before."""
    return _mix(report, "languages", "Languages", lambda night: night.languages)


def topics(report: Report) -> Plot | None:
    """Share of each topic among the published documents, against the nights before."""

    def counted(night: NightFacts) -> Mapping[str, int]:
        return {label or UNCLEAR: count for label, count in night.topics.items()}

    return _mix(report, "topics", "Topics", counted)


def times(report: Report) -> Plot | None:
    """Task seconds of each stage, and the processor's share of them."""
    if not report.stages:
        return None
    figure, axes = svg.canvas(len(report.stages))
    most = max(stage.seconds for stage in report.stages) or 1.0
    for place, stage in enumerate(report.stages):
        axes.barh(place, stage.seconds, color=svg.RANGE, height=0.72)
        axes.barh(place, min(stage.cpu_seconds, stage.seconds), color=svg.KEPT, height=0.34)
        axes.annotate(
            f"{stage.seconds:,.1f} s", (stage.seconds, place), xytext=(4, 0),
            textcoords="offset points", va="center", color=svg.INK,
        )  # fmt: skip
    _rows(axes, [stage.stage for stage in report.stages])
    axes.set_xlim(0, most * 1.2)
    axes.set_xticks([])
    longest = max(report.stages, key=lambda stage: stage.seconds)
    total = sum(stage.seconds for stage in report.stages)
    text = f"Tasks took {total:,.1f} seconds together, most of them in {longest.stage}."
    title = "Task seconds by stage"
    rows = tuple(
        (one.stage, _seconds(one.seconds), _seconds(one.cpu_seconds)) for one in report.stages
    )
    image = svg.inline(figure, "times", title=title, text=text)
    return Plot("times", title, text, image, ("stage", "seconds", "processor seconds"), rows)


def _mix(
    report: Report, name: str, title: str, of: Callable[[NightFacts], Mapping[str, int]]
) -> Plot | None:
    tonight = _shares(of(report.night))
    if not tonight:
        return None
    before = [shares for night in report.before if (shares := _shares(of(night)))]
    usual = {label for shares in before for label in shares}
    order = sorted(tonight.keys() | usual, key=lambda one: (-_weight(one, tonight, before), one))
    heads = ("", "share", "least", "median", "most")
    rows = []
    for label in order[:MOST]:
        past = [shares.get(label, 0.0) for shares in before]
        spread = (min(past), median(past), max(past)) if past else ("", "", "")
        rows.append((label, tonight.get(label, 0.0), *spread))
    figure, axes = svg.canvas(len(rows))
    for place, (_, share, least, middle, most) in enumerate(rows):
        if isinstance(least, float) and isinstance(middle, float) and isinstance(most, float):
            axes.plot(
                [least, most], [place, place], color=svg.RANGE, linewidth=7, solid_capstyle="round"
            )
            axes.plot(
                [middle, middle], [place - 0.24, place + 0.24], color=svg.MUTED, linewidth=1.4
            )
        axes.plot([share], [place], "o", color=svg.KEPT, markersize=6)
    _rows(axes, [str(row[0]) for row in rows])
    axes.set_xlim(left=-0.005)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="x", color=svg.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    leading = max(tonight, key=lambda one: (tonight[one], one))
    text = f"{leading} has the largest share of the night, {tonight[leading]:.0%}. " + (
        f"Bars span the shares of {len(before)} nights before it."
        if before
        else "There is no earlier night to compare with."
    )
    image = svg.inline(figure, name, title=title, text=text)
    return Plot(name, title, text, image, heads, tuple(rows))


def _shares(counts: Mapping[str, int]) -> Shares:
    total = sum(counts.values())
    return {label: count / total for label, count in counts.items() if count} if total else {}


def _weight(label: str, tonight: Shares, before: Sequence[Shares]) -> float:
    """Rank by tonight's share, or the usual one where tonight's is missing."""
    usual = median([shares.get(label, 0.0) for shares in before]) if before else 0.0
    return max(tonight.get(label, 0.0), usual)


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [_short(label) for label in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)


def _short(label: str) -> str:
    clean = " ".join(visible(label).split()) or "–"
    return clean if len(clean) <= _LABEL else clean[: _LABEL - 1] + "…"


def _seconds(value: float) -> str:
    return f"{value:,.1f}"
