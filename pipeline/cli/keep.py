"""Commands about earlier snapshots: `rollback` and `expire`.

Holds: click commands. Reads flags; writes results to stdout. Not here: what they do (`publish/`).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from typing import Any

import click

from pipeline.cli import output

_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.command()
@click.argument("snapshot", type=int)
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_JSON
@click.pass_obj
def rollback(lookup: Any, *, snapshot: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Publish the dumps of an earlier SNAPSHOT again, in one step (`status --snapshots` lists).

    It makes a new snapshot, so it can be rolled back too. Nights that it takes out are due again.
    What was taken down since stays down: its dumps are decided again without it.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import beside  # noqa: PLC0415
    from pipeline.publish import rollback as going_back  # noqa: PLC0415
    from pipeline.runner.rollback import roll_back  # noqa: PLC0415

    settings = lookup.settings(corpus=True)
    landing = runner.open_landing(settings) if settings.store.landing else None
    with runner.corpus_session(settings) as corpus:
        changes = going_back.changes(corpus, snapshot)
        if not as_json:
            output.table(f"Back to snapshot {snapshot}", ["dump_date", "is"], changes.items())
        if dry_run or not changes:
            made = None
        else:
            if not yes:
                click.confirm("Publish this state?", abort=True, err=True)
            done = roll_back(
                corpus, landing, settings.run_settings(), sequence=snapshot, run_id=_run_id()
            )
            made = done.sequence
            beside.bring_in_step(corpus)
    if as_json:
        click.echo(json.dumps({"changes": changes, "snapshot": made}))
    elif made is not None:
        click.echo(f"Snapshot {made} is current and shows the dumps of snapshot {snapshot}.")
    else:
        click.echo("Nothing was changed.")


@click.command()
@click.option("--keep", type=click.IntRange(1), default=10, show_default=True, help="Snapshots.")
@click.option(
    "--days",
    type=click.FloatRange(0),
    default=7.0,
    show_default=True,
    help="Keep what was in use within so many days.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be deleted; delete nothing.")
@_JSON
@click.pass_obj
def expire(lookup: Any, *, keep: int, days: float, dry_run: bool, as_json: bool) -> None:
    """Delete stored files that no kept snapshot needs.

    Staged texts of published nights are needed (a late night may restore any document) and stay.
    Files of deleted units go with the first `expire` a day later, since a run may be using them.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import expire as expiring  # noqa: PLC0415

    rule = expiring.Rule(snapshots=keep, days=days)
    with runner.corpus_session(lookup.settings(corpus=True)) as corpus:
        how = expiring.find if dry_run else expiring.expire
        found = how(corpus, rule, now=time.time())
    rows = [
        [kind, len(found.objects[kind]), sum(info.size for info in found.objects[kind])]
        for kind in expiring.KINDS
    ]
    if as_json:
        named = {kind: [info.key for info in infos] for kind, infos in found.objects.items()}
        told = {"kept": found.kept, "expired": found.expired, "later": len(found.orphans)}
        click.echo(json.dumps(told | {"objects": named, "dry_run": dry_run}))
        return
    title = "Would be deleted" if dry_run else "Deleted"
    output.table(title, ["kind", "objects", "bytes"], rows)
    click.echo(
        f"Snapshots kept: {len(found.kept)}; expired: {len(found.expired)}; "
        f"files to go a day after their units: {len(found.orphans)}."
    )


def _run_id() -> str:
    return f"rollback-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
