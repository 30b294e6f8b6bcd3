"""What `winnow report` and `winnow config` say of a run's quality, as tables.

Holds: `details` of one run (self-test and guards), `cost` of it, `costs` of nights, `page`,
`curve`, `rule`. Writes to stdout or a file.
Not here: the rows (`audit/status.py`), other tables (`output.py`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.audit import tasks
from pipeline.cli import output
from pipeline.errors import MissingError

if TYPE_CHECKING:
    from pipeline.audit.tasks import StageTime
    from pipeline.storage.units import Corpus

_BAR = 30


def details(row: Mapping[str, Any]) -> None:
    """Print what a run's self-test measured beside what was expected, and what its guards said."""
    if row.get("self_test"):
        _self_test(row["run_id"], row["self_test"])
    if row.get("guards"):
        _guards(row["run_id"], row["guards"])


def stages_of(corpus: Corpus, row: Mapping[str, Any]) -> tuple[StageTime, ...]:
    """Return what the tasks of the run that left a row took; none if that is not on record."""
    return tasks.stages(tasks.records(corpus, row["dump_date"], row["run_id"]))


def cost(run_id: str, stages: Sequence[StageTime]) -> None:
    """Print what the tasks of a run took and asked of the object store, and the sum of it."""
    if not stages:
        return
    heads = ["stage", "tasks", "seconds", "cpu_seconds", "peak_mb", "read_mb", "written_mb"]
    rows = [
        [
            one.stage,
            one.tasks,
            round(one.seconds, 1),
            round(one.cpu_seconds, 1),
            round(one.peak_rss_bytes / 1e6),
            round(one.received / 1e6, 1),
            round(one.sent / 1e6, 1),
            " ".join(f"{count} {kind}" for kind, count in sorted(one.requests.items())),
        ]
        for one in (*stages, tasks.whole(stages))
    ]
    output.table(f"Cost of {run_id}", [*heads, "requests"], rows)


def costs(
    title: str, nights: Iterable[Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]
) -> None:
    """Print nights with what the run that published each took; without numbers if none are kept."""
    heads = ["dump_date", "state", "documents", "run", "tasks", "cpu_seconds"]
    rows = []
    for night in nights:
        row = [night["dump_date"], night["state"], night["documents"]]
        if took := found.get(night["dump_date"]):
            row += [took["run_id"], took["tasks"], f"{took['cpu_seconds']:,.1f}"]
            row += [sum(took["requests"].values())]
            row += [f"{took[name] / 1e6:,.1f}" for name in ("received", "sent")]
        rows.append(row)
    output.table(title, [*heads, "requests", "read_mb", "written_mb"], rows, left=2)


def page(
    corpus: Corpus, rows: Sequence[Mapping[str, Any]], *, target: Path | None, show: bool
) -> None:
    """Write the page about the run that left the last row, and open it in a browser.

    Raises:
        MissingError: there is no run yet.
    """
    from pipeline.report.stage import page_of  # noqa: PLC0415 - loads matplotlib

    if not rows:
        raise MissingError(
            "expected a run that changed the corpus, found none. `winnow run --due` makes one."
        )
    html = page_of(corpus, rows[-1]["dump_date"], dict(rows[-1]))
    if target is None:
        target = Path(tempfile.mkdtemp(prefix="winnow-")) / f"run-{rows[-1]['run_id']}.html"
    with click.open_file(str(target), "w", encoding="utf-8") as file:
        file.write(html)
    if show:
        click.launch(target.resolve().as_uri())
    if str(target) != "-":
        click.echo(str(target))


def curve(chances: Iterable[tuple[float, float, float]]) -> None:
    """Print the S-curve: what becomes of a pair of documents, by their similarity."""
    heads = ["similarity", "becomes a candidate", "counts as a duplicate", ""]
    rows = [[*chance, "█" * round(_BAR * chance[2])] for chance in chances]
    title = "Two documents that share this part of their word 5-grams"
    output.table(title, heads, rows, bars=True)


def rule(dedup: Mapping[str, Any]) -> None:
    """Say in a sentence which nights are compared and which of several copies stays."""
    near = f"fewer than {dedup['scope']} days apart"
    compared = {"all": "of all nights", "night": "of one night"}.get(str(dedup["scope"]), near)
    order = ["the earliest"]
    if dedup["survivor"] == "longest":
        order.insert(0, "the longest")
    if dedup["source_priority"]:
        order.insert(0, f"the one of the first of {', '.join(dedup['source_priority'])}")
    first = ", then ".join(order)
    said = f"Documents {compared} are compared. Of several copies stays {first}."
    output.console().print(said, markup=False)


def _self_test(run_id: str, results: Iterable[Mapping[str, Any]]) -> None:
    heads = ["planted pairs", "similarity", "planted", "found", "wrong", "recall", "expected"]
    rows = [
        [
            one["kind"],
            *(one[name] for name in heads[1:5]),
            one["recall"] if one["kind"] == "copy" else None,
            one["expected"] if one["kind"] == "copy" else None,
            one["precision"] if one["kind"] == "copy" else None,
        ]
        for one in results
    ]
    output.table(f"Self-test of {run_id}", [*heads, "precision"], rows)


def _guards(run_id: str, results: Iterable[Mapping[str, Any]]) -> None:
    heads = ["guard", "said", "about", "found", "low", "high", "nights"]
    names = ["name", "outcome", "subject", "found", "low", "high", "nights"]
    rows = [[one[name] for name in names] for one in results]
    output.table(f"Guards of {run_id}", heads, rows, left=3)
