"""Commands that ask: `status`, `explain`, `verify`, `files`, `report`, `config`.

Holds: click commands. Reads a corpus; writes to stdout. Not here: the answers (`audit/`).
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from pipeline.cli import output, reports
from pipeline.errors import ConfigError, MissingError, WinnowError

_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.command()
@_JSON
@click.option("--snapshots", "show_snapshots", is_flag=True, help="The published states instead.")
@click.option("--cost", is_flag=True, help="With what the run that published each night took.")
@click.pass_obj
def status(lookup: Any, *, as_json: bool, show_snapshots: bool, cost: bool) -> None:
    """Show every night: what landed, what is published, what is due."""
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.audit import status as asking  # noqa: PLC0415
    from pipeline.runner.models import models_of  # noqa: PLC0415

    if cost and show_snapshots:
        raise click.UsageError("give --cost or --snapshots, and not both")
    settings = lookup.settings(corpus=True)
    with runner.corpus_session(settings) as corpus:
        if show_snapshots:
            rows = asking.snapshot_rows(corpus)
        else:
            landing = runner.open_landing(settings) if settings.store.landing else None
            shaping = settings.run_settings()
            models = models_of(shaping)
            rows = asking.dump_rows(corpus, landing, shaping, now=time.time(), models=models)
        costs = asking.cost_rows(corpus) if cost else {}
    if as_json:
        more = ({"cost": costs.get(row["dump_date"])} if cost else {} for row in rows)
        click.echo(json.dumps([row | one for row, one in zip(rows, more, strict=True)]))
    elif cost:
        reports.costs(settings.store.corpus, rows, costs)
    else:
        heads = list(rows[0]) if rows else ["dump_date"]
        output.table(settings.store.corpus, heads, [list(row.values()) for row in rows], left=2)


@click.command()
@click.argument("document_id", required=False)
@click.option(
    "--text",
    "text_file",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="A text instead.",
)
@click.option(
    "--dump-date",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Night in which the text would land; by default the day after the newest.",
)
@click.option("--source", help="Source of which the text would be; by default one without a name.")
@_JSON
@click.pass_obj
def explain(
    lookup: Any, /, *, document_id: str | None, text_file: Any, as_json: bool, **place: Any
) -> None:
    """Say where DOCUMENT_ID is or why it is not there; or what a text would duplicate.

    The first digits of an id are enough. `--text -` reads the text from stdin. What differs is
    shown word by word. A text is judged by the threshold, scope and order of survivors in force.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.audit import explain as asking  # noqa: PLC0415

    if (document_id is None) == (text_file is None):
        raise click.UsageError("give a DOCUMENT_ID or --text FILE")
    if document_id is not None and any(place.values()):
        raise click.UsageError("--dump-date and --source say where a --text would land")
    settings = lookup.settings(corpus=True)
    with runner.corpus_session(settings) as corpus:
        if document_id is None:
            answer: Any = _of_text(corpus, text_file.read(), settings.dedup, **place)
        else:
            answer = asking.explain_document(corpus, document_id)
    if as_json:
        click.echo(json.dumps(answer, default=str))
    elif document_id is not None:
        output.document_answer(answer)
    else:
        output.text_answer(answer)


def _of_text(
    corpus: Any, text: str, settings: Any, *, dump_date: datetime | None, source: str | None
) -> list[dict[str, Any]]:
    from pipeline.audit import would_be  # noqa: PLC0415 - loads compiled kernels
    from pipeline.model.rule import Rule  # noqa: PLC0415

    night = dump_date.date().isoformat() if dump_date else ""
    landing = would_be.Landing(Rule.of(settings), night, source or "")
    return would_be.explain_text(corpus, text, landing)


@click.command()
@_JSON
@click.pass_obj
def verify(lookup: Any, *, as_json: bool) -> None:
    """Recompute every promise from what is stored, and name those that are broken.

    Exit code 1: a promise is broken, or there is no corpus. 2: it could not be checked, for
    instance because the store cannot be reached.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.audit import verify as asking  # noqa: PLC0415

    settings = lookup.settings(corpus=True)
    try:
        with runner.corpus_session(settings) as corpus:
            checks = asking.verify(corpus)
    except WinnowError as error:
        _not_verified(error, as_json=as_json)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(checks)))
    else:
        output.checks(checks)
    if any(check.findings for check in checks):
        sys.exit(1)


def _not_verified(error: WinnowError, *, as_json: bool) -> NoReturn:
    """Say why nothing was checked. A corpus that is not there is the caller's mistake: code 1."""
    if as_json:
        click.echo(json.dumps({"error": str(error)}))
    click.echo(f"winnow: {error}", err=True)
    sys.exit(1 if isinstance(error, (ConfigError, MissingError)) else 2)


@click.command()
@click.option("--table", default="documents", show_default=True, help="documents, verdicts, …")
@click.option("--dump-date", metavar="YYYY-MM-DD", help="One night only.")
@click.option("--snapshot", type=int, metavar="N", help="An earlier snapshot (time travel).")
@_JSON
@click.pass_obj
def files(
    lookup: Any, *, table: str, dump_date: str | None, snapshot: int | None, as_json: bool
) -> None:
    """List the files of one snapshot, for readers that want one consistent state."""
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import leaves  # noqa: PLC0415

    settings = lookup.settings(corpus=True)
    with runner.corpus_session(settings) as corpus:
        found = leaves.files(corpus, table, dump_date, snapshot=snapshot)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
        return
    for one in found:
        click.echo(one.uri)


@click.command()
@click.argument("which", metavar="[RUN|YYYY-MM-DD]", required=False)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write the page about the run; - is stdout.",
)
@click.option("--open", "show", is_flag=True, help="Show the page about the run in a browser.")
@_JSON
@click.pass_obj
def report(lookup: Any, *, which: str | None, html: Path | None, show: bool, as_json: bool) -> None:
    """Show the runs that changed the corpus: all, one RUN by its id, or those of one night.

    Of the one, or the last one, what its self-test measured, what its guards said, and what it cost
    as well: time, memory, requests and bytes by stage.
    With --html or --open the page about that run instead.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.audit import status as asking  # noqa: PLC0415

    with runner.corpus_session(lookup.settings(corpus=True)) as corpus:
        rows = asking.run_rows(corpus, which)
        if html is not None or show:
            reports.page(corpus, rows[-1:], target=html, show=show)
            return
        stages = reports.stages_of(corpus, rows[-1]) if which is not None else ()
    if as_json:
        if stages:
            rows[-1]["cost"] = msgspec.to_builtins(stages)
        click.echo(json.dumps(rows, default=str))
        return
    heads = ["dump_date", "run_id", "outcome", "documents", "kept", "retracted", "restored"]
    heads += ["quarantine", "seconds"]
    output.table("Runs", heads, [[row[name] for name in heads] for row in rows], left=3)
    if which is not None:
        reports.details(rows[-1])
        reports.cost(rows[-1]["run_id"], stages)


@click.command("config")
@_JSON
@click.pass_obj
def config(lookup: Any, *, as_json: bool) -> None:
    """Show the settings in force and what the deduplication parameters will find."""
    from pipeline.dedup import curve  # noqa: PLC0415

    settings = lookup.settings()
    tree = msgspec.to_builtins(settings)
    chances = curve.expected(settings.dedup.threshold)
    if as_json:
        click.echo(json.dumps({"settings": tree, "curve": chances}))
        return
    output.settings(tree)
    reports.rule(tree["dedup"])
    reports.curve(chances)
