"""The command that annotates published nights again: `reannotate`.

Holds: a click command. Reads flags; writes results to stdout. Not here: how it is done
(`runner/reannotate.py`).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Any

import click

from pipeline.cli import output


@click.command()
@click.option("--dump-date", "dates", multiple=True, metavar="YYYY-MM-DD", help="Night.")
@click.option("--all", "everything", is_flag=True, help="Every published night.")
@click.option("--dry-run", is_flag=True, help="Annotate and show what would change; publish none.")
@click.option("--json", "as_json", is_flag=True, help="What changed as JSON.")
@click.pass_obj
def reannotate(
    lookup: Any, *, dates: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool
) -> None:
    """Annotate published nights with the present models, without splitting or comparing anew.

    All nights become visible in one step. Shows how many documents have another language or topic.
    What a dry run annotates is found by the run after it.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import beside  # noqa: PLC0415
    from pipeline.runner.reannotate import Reannotation  # noqa: PLC0415

    if bool(dates) == everything:
        raise click.UsageError("give --dump-date (repeatable) or --all, and not both")
    settings = lookup.settings(corpus=True)
    with runner.corpus_session(settings) as corpus:
        tasks, run_id = Reannotation(corpus, settings.run_settings()), _run_id()
        plans = tasks.plan(dates, run_id, keep=not dry_run)
        if dry_run:
            nights = [plan.dump_date for plan in plans]
            done = {"snapshot": None, "dumps": nights, "changes": tasks.changes(plans)}
        else:
            done = tasks.commit(plans, run_id)
            beside.bring_in_step(corpus)
    if as_json:
        click.echo(json.dumps(done))
    else:
        _print(done)


def _print(done: dict[str, Any]) -> None:
    if not done["dumps"]:
        click.echo("Nothing to do: these nights are annotated with the present models.")
        return
    heads = ["dump_date", "column", "from", "to", "documents"]
    rows = [[row[name] for name in heads] for row in done["changes"]]
    output.table("Changed labels", heads, rows, left=4)
    nights, sequence = len(done["dumps"]), done["snapshot"]
    if sequence is None:
        click.echo(f"Nights that would be published again: {nights}. Nothing was changed.")
    else:
        click.echo(f"Snapshot {sequence} is current. Nights annotated again: {nights}.")


def _run_id() -> str:
    return f"reannotate-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
