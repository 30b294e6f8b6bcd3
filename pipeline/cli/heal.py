"""The command that mends a damaged store: `heal`.

Holds: a click command. Reads flags; writes results to stdout. Not here: how files are mended
(`runner/rebuild.py`), how the pointer is found (`publish/repoint.py`).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sys
from typing import Any

import click

from pipeline.cli import output


@click.command()
@click.argument("dump_dates", nargs=-1, metavar="[YYYY-MM-DD]…")
@click.option("--json", "as_json", is_flag=True, help="What was mended as JSON.")
@click.pass_obj
def heal(lookup: Any, *, dump_dates: tuple[str, ...], as_json: bool) -> None:
    """Make lost or damaged files of the store again; of all nights unless some are named.

    Brings back the pointer if it is lost, copies or computes damaged files again with the same
    bytes, and compares the plain trees file by file. Exit code 1: something could not be mended.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish.repoint import repoint  # noqa: PLC0415
    from pipeline.runner import rebuild  # noqa: PLC0415
    from pipeline.storage import snapshots  # noqa: PLC0415

    settings = lookup.settings(corpus=True, landing=True)
    with runner.corpus_session(settings) as corpus:
        night = runner.Night(corpus, runner.open_landing(settings), settings.run_settings())
        pointed = repoint(corpus)
        rebuild.forget_illegible(corpus)
        dates = dump_dates or tuple(sorted(snapshots.published(corpus).dumps))
        healed = rebuild.heal_all(night, dates, _run_id)
        trees = night.bring_in_step(full=True) if not any(one["left"] for one in healed) else {}
    sequence = pointed.sequence if pointed else None
    if as_json:
        click.echo(json.dumps({"pointed_to": sequence, "dumps": healed, "trees": trees}))
    else:
        _print(healed, sequence)
    if any(one["left"] for one in healed):
        sys.exit(1)


def _print(healed: list[dict[str, Any]], sequence: int | None) -> None:
    if sequence is not None:
        click.echo(f"The pointer was lost: snapshot {sequence} is current again.")
    heads = ["dump_date", "damaged", "mended", "units", "left"]
    rows = [[one[name] for name in heads[:-1]] + [len(one["left"])] for one in healed]
    output.table("Stored files", heads, rows)
    for one in healed:
        for detail in one["left"]:
            click.echo(detail)


def _run_id() -> str:
    return f"heal-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
