"""The command about the merged band index: `index`.

Holds: a click command. Reads flags; writes results to stdout. Not here: what it does (`dedup/`).
"""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from pipeline.cli import output


@click.command()
@click.argument("action", type=click.Choice(["show", "check", "merge", "rebuild"]), default="show")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def index(lookup: Any, *, action: str, as_json: bool) -> None:
    """Show, check, merge or rebuild the index that finds copies in earlier nights.

    It is made from what each night keeps, so it can be rebuilt at any time and changes no result.
    After each night it is merged as far as needed.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.dedup import stage, upkeep  # noqa: PLC0415

    done: dict[str, int] = {}
    with runner.corpus_session(lookup.settings(corpus=True)) as corpus:
        if action == "check":
            done["entries_checked"] = upkeep.check(corpus)
        elif action != "show":
            make = stage.merge if action == "merge" else upkeep.rebuild
            done["runs_written"] = make(corpus)
        runs, alone = upkeep.overview(corpus)
    rows = [msgspec.structs.asdict(run) for run in runs]
    if as_json:
        click.echo(json.dumps({"runs": rows, "in_no_run": alone} | done))
        return
    heads = ["level", "run", "first", "last", "dumps", "slices", "bytes", "entries", "live_share"]
    for row in rows:
        row["live_share"] = f"{row['live_entries'] / max(row['entries'], 1):.3f}"
    output.table("Band index", heads, [[row[name] for name in heads] for row in rows], left=4)
    click.echo(f"Nights in no run, read from their own index: {len(alone)}.")
    for name, count in done.items():
        click.echo(f"{name.replace('_', ' ').capitalize()}: {count}.")
