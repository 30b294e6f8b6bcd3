"""The command `takedown`: documents that must not be readable any more.

Holds: a click command. Reads flags; writes results to stdout.
Not here: what it does (`runner/takedown.py`).
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import secrets
from collections.abc import Mapping
from typing import Any

import click

from pipeline.cli import output


@click.command()
@click.argument("document_ids", nargs=-1, metavar="[DOCUMENT_ID]...")
@click.option("--reason", default="", help="Why; it stays on record.")
@click.option("--by", default="", help="Who asks for it; by default the user of this process.")
@click.option(
    "--threshold",
    type=click.FloatRange(0.5, 1),
    help="How similar others must be to go with them; by default dedup.threshold of their night.",
)
@click.option("--undo", is_flag=True, help="Undo take-downs; reads the dump files again.")
@click.option("--list", "show", is_flag=True, help="Show every take-down, undone ones too.")
@click.option("--sweep", is_flag=True, help="Erase what a take-down that was killed left behind.")
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def takedown(
    lookup: Any, /, *, document_ids: tuple[str, ...], show: bool, sweep: bool, **asked: Any
) -> None:
    """Take documents down everywhere, with their copies and near-duplicates, for good.

    One commit takes them out of all nights; then their texts are erased from staged files, from the
    files of earlier snapshots and from pages about runs. A tombstone without the text stays on
    record and keeps them out of later nights. The dump files in the landing area are not Winnow's:
    the command names those that hold the text.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.runner.takedown import TakeDown  # noqa: PLC0415

    if (bool(document_ids), show, sweep).count(True) != 1:
        raise click.UsageError("give document ids, or --list, or --sweep")
    as_json = asked.pop("as_json")
    settings = lookup.settings(corpus=True)
    landing = runner.open_landing(settings) if settings.store.landing else None
    with runner.corpus_session(settings) as corpus:
        tasks = TakeDown(corpus, landing, settings.run_settings())
        if show:
            rows = tasks.listed()
            _say(rows, as_json=as_json, how=_listed)
        elif sweep:
            _say(tasks.sweep(), as_json=as_json, how=_swept)
        else:
            _say(_asked(tasks, document_ids, asked), as_json=as_json, how=_done)


def _asked(tasks: Any, ids: tuple[str, ...], asked: dict[str, Any]) -> Mapping[str, Any]:
    undo, threshold = asked.pop("undo"), asked.pop("threshold")
    said = asked | {"by": asked["by"] or getpass.getuser(), "run_id": _run_id()}
    if undo:
        if threshold is not None:
            raise click.UsageError("--threshold is part of a take-down, not of undoing it")
        found = tasks.undo(ids, **said)
    else:
        found = tasks.take(ids, threshold=threshold, **said)
    return {**found, "undo": undo}


def _say(found: Any, *, as_json: bool, how: Any) -> None:
    if as_json:
        click.echo(json.dumps(found, default=str))
    else:
        how(found)


def _done(found: Mapping[str, Any]) -> None:
    heads = ["night", "document", "similarity", "published", "dump file"]
    rows = [
        [
            row["dump_date"], row["document_id"], row["similarity"], row["was_published"],
            row["dump_file"],
        ]
        for row in found["documents"]
    ]  # fmt: skip
    if rows:
        output.table("Taken down", heads, rows, left=2)
    for one in found["already"]:
        click.echo(f"{one} is taken down already.")
    click.echo(
        f"{'Tombstones undone' if found['undo'] else 'Tombstones'}: "
        f"{', '.join(found['tombstones']) or 'none'}. "
        f"Documents taken down: {found['taken_down']}; retracted: {found['retracted']}; "
        f"restored: {found['restored']}; nights: {', '.join(found['dumps']) or 'none'}."
    )
    if found["snapshot"] is None:
        click.echo("Nothing was changed.")
    else:
        click.echo(f"Snapshot {found['snapshot']} is current.")
        _swept(found["erased"])
    if found["landing_files"]:
        click.echo("These files of the landing area hold the text as it came; delete them there:")
        for key in found["landing_files"]:
            click.echo(f"  {key}")


def _swept(erased: Mapping[str, int]) -> None:
    kinds = {
        "shards": "staged shards", "units": "finished units", "files": "files", "pages": "pages",
        "unreadable": "could not be read",
    }  # fmt: skip
    click.echo(
        "Erased: " + ", ".join(f"{erased[name]} {word}" for name, word in kinds.items()) + "."
    )


def _listed(rows: list[dict[str, Any]]) -> None:
    names = ("tombstone_id", "document_id", "taken_down_at", "taken_down_by", "reason", "undone_at")
    shown = [[str(row[name] or "") for name in names] for row in rows]
    output.table("Take-downs", [name.replace("_", " ") for name in names], shown, left=len(names))


def _run_id() -> str:
    return f"takedown-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
