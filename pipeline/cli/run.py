"""Commands that change a corpus: `run` and `promote`.

Holds: click commands. Reads flags; writes progress to stderr and results to stdout.
Not here: the order of the stages (`runner.py`).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sys
from typing import Any

import click

from pipeline.cli import output, previews
from pipeline.errors import WinnowError


@click.command()
@click.option("--dump-date", "dates", multiple=True, metavar="YYYY-MM-DD", help="Night to process.")
@click.option("--due", is_flag=True, help="Process every night that is new or has changed.")
@click.option("--run-id", help="Name of the run; made from the clock by default.")
@click.option("--allow-deleted", is_flag=True, help="Retract documents of files that are gone.")
@click.option("--accept-guards", is_flag=True, help="Publish also what a guard would stop.")
@click.option(
    "--source", "choose", multiple=True, metavar="NAME", help="Only this source; others stay."
)
@click.option("--dry-run", is_flag=True, help="Say what would change; publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a night on stdout.")
@click.pass_obj
def run(
    lookup: Any,
    /,
    *,
    dates: tuple[str, ...],
    due: bool,
    run_id: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Process nights in this process, without Airflow.

    A night that fails says so on stderr and does not keep the others from being processed; the
    exit code is then 1. What a dry run read, compared and annotated is found by the run after it.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages

    if bool(dates) == due:
        raise click.UsageError("give --dump-date (repeatable) or --due, and not both")
    if (dry_run := asked.pop("dry_run")) and asked["accept_guards"]:
        raise click.UsageError("a dry run asks no guard to let a night pass: leave one of them out")
    work = _try if dry_run else _one
    settings = lookup.settings(corpus=True, landing=True)
    with runner.session(settings) as night:
        nights = tuple(night.due()) if due else dates
        failed = 0
        for date in nights:
            try:
                one = work(night, date, run_id or _new_run_id(), asked)
            except WinnowError as error:
                failed += 1
                said = str(error).removeprefix(f"{date}: ")
                click.echo(f"winnow: {date}: {said}", err=True)
            else:
                _tell(one, as_json=as_json)
    if not nights and not as_json:
        click.echo("Nothing is due: every complete night is published as it landed.")
    if failed:
        sys.exit(1)


@click.command()
@click.option("--full", is_flag=True, help="Compare every file of the trees, not only what is new.")
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
@click.pass_obj
def promote(lookup: Any, *, full: bool, as_json: bool) -> None:
    """Bring the plain Parquet trees in step with the current snapshot (heals drift)."""
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import beside  # noqa: PLC0415

    with runner.corpus_session(lookup.settings(corpus=True)) as corpus:
        counts = beside.bring_in_step(corpus, full=full)
    click.echo(json.dumps(counts) if as_json else output.sentence(counts))


def _try(night: Any, date: str, run_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Do a night as far as it can be done without publishing it."""
    from pipeline import runner  # noqa: PLC0415 - loads the stages

    chosen = {name: asked[name] for name in ("allow_deleted", "choose")}
    *_, (_, told) = runner.run_dry(night, date, f"dry-{run_id}", **chosen)
    return {"dump_date": date, "run_id": run_id, "dry_run": True, **told}


def _one(night: Any, date: str, run_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Process a night; its tasks say on stderr when they are done and what they counted."""
    from pipeline import runner  # noqa: PLC0415 - loads the stages

    result: dict[str, Any] = {"dump_date": date, "run_id": run_id}

    for label, summary in runner.run_night(night, date, run_id, **asked):
        if label == "commit":
            result |= summary
    if page := night.report(date, run_id).get("report"):
        result["report"] = page
    return result


def _tell(result: dict[str, Any], *, as_json: bool) -> None:
    """Say at once what a night counted: those after it may take hours."""
    if as_json:
        click.echo(json.dumps(result))
    elif result.get("dry_run"):
        previews.show(result)
    else:
        output.nights([result])
    sys.stdout.flush()


def _new_run_id() -> str:
    now = dt.datetime.now(dt.UTC)
    return f"cli-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
