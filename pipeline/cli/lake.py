"""The command that makes the corpus a Delta table: `delta`.

Holds: a click command. Reads a corpus; writes to stdout. Not here: the log (`publish/delta.py`).
"""

from __future__ import annotations

from typing import Any

import click


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
