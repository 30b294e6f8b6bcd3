"""The command that says where texts were seen: `sightings`.

Holds: a click command. Reads a corpus; writes to stdout. Not here: the answers (`audit/`).
"""

from __future__ import annotations

import json
from typing import Any

import click

from pipeline.cli import output

_SHOWN = ("dump_date", "document_id", "source", "dump_file", "reason", "similarity")


@click.command()
@click.argument("document_id", required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many texts."
)
@click.option("--sql", "as_sql", is_flag=True, help="The views of docs/queries.md, for DuckDB.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def sightings(
    lookup: Any, *, document_id: str | None, limit: int, as_sql: bool, as_json: bool
) -> None:
    """List the texts seen most often; or where else the text of DOCUMENT_ID appeared."""
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.audit import sightings as asking  # noqa: PLC0415

    settings = lookup.settings(corpus=True)
    if as_sql:
        home = settings.store.corpus.removeprefix("file://").rstrip("/").replace("'", "''")
        click.echo(asking.VIEWS.format(corpus=home), nl=False)
        return
    with runner.corpus_session(settings) as corpus:
        if document_id is not None:
            rows = asking.appearances(corpus, document_id)
        else:
            most = [("duplicate_count", "descending"), ("document_id", "ascending")]
            rows = asking.sightings(corpus).sort_by(most).slice(0, limit).to_pylist()
    if as_json:
        click.echo(json.dumps(rows, default=str))
        return
    heads = list(asking.SCHEMA.names) if document_id is None else list(_SHOWN)
    shown = [[_text(row[name]) for name in heads] for row in rows]
    title = "Texts seen most often" if document_id is None else "Where this text appeared"
    output.table(title, heads, shown, left=1 if document_id is None else 5)


def _text(value: object) -> object:
    return ", ".join(value) if isinstance(value, list) else value
