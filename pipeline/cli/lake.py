"""Commands that show the published rows in another form as well: `delta` and `compact`.

Holds: click commands. Read a corpus; write to stdout. Not here: the log (`publish/delta.py`), the
months (`publish/monthly.py`).
"""

from __future__ import annotations

import json
from typing import Any

import click

from pipeline.cli import output


@click.command()
@click.pass_obj
def delta(lookup: Any) -> None:
    """Make `documents` a Delta table over its own files, and keep it in step from now on.

    Every later commit brings it in step; calling this again mends it after a crash.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import delta as lake  # noqa: PLC0415

    with runner.corpus_session(lookup.settings(corpus=True)) as corpus:
        version = lake.start(corpus)
        click.echo(f"{corpus.store.url}/store is a Delta table; version {version} is in step.")


@click.command()
@click.option("--stop", is_flag=True, help="Delete the tree by month; keep none from now on.")
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
@click.pass_obj
def compact(lookup: Any, *, stop: bool, as_json: bool) -> None:
    """Write all tables once more in few files, a month in each, and keep them in step from now on.

    For corpora of small nights, which leave a small file a night and language. Every later commit
    makes the months of the nights that it changed again; calling this again mends them.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.publish import beside, monthly  # noqa: PLC0415

    with runner.corpus_session(lookup.settings(corpus=True)) as corpus:
        counts = {"months": 0}
        if stop:
            monthly.stop(corpus)
        else:
            counts = monthly.start(corpus)
        counts |= beside.bring_in_step(corpus)
    click.echo(json.dumps(counts) if as_json else output.sentence(counts))
