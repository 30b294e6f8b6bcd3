"""Erasing what is stored of texts that are taken down, wherever it lies.

Holds: `erase`. Blanks staged texts, deletes units, files and pages, and makes pages again.
Not here: finding it (`audit/remains.py`), making a take-down visible (`takedown.py`).

Only what the current snapshot does not show is erased, so that it comes after the commit. It may
be killed anywhere and called again: a unit goes before its files, and whatever nothing names is
found by what it holds. Who reads the files of an earlier snapshot just then gets an error: a text
that was taken down does not stay for a reader in flight.
"""

from __future__ import annotations

from typing import Any

from pipeline import telemetry
from pipeline.audit.remains import Remains, remains
from pipeline.publish.erase import erase_shard
from pipeline.publish.verify import READING
from pipeline.storage import layout, snapshots, tombstones
from pipeline.storage.units import Corpus


def erase(corpus: Corpus) -> dict[str, int]:
    """Erase what tombstones in force cover; return how many objects of each kind that were."""
    with telemetry.stage("erase") as span:
        snapshot = snapshots.published(corpus)
        stones = tombstones.active(tombstones.load(corpus, snapshot))
        found = remains(corpus, snapshot, stones)
        carry_out(corpus, found)
        span.update(found.counts)
    return found.counts


def carry_out(corpus: Corpus, found: Remains) -> None:
    """Erase what was found."""
    for shard, taken in found.shards.items():
        erase_shard(corpus, shard, taken)
    corpus.store.delete(found.units)
    corpus.store.delete(found.files)
    for key in found.pages:
        _make_again(corpus, key)


def _make_again(corpus: Corpus, key: str) -> None:
    """Replace a page by one made from what is current; one that cannot be made is deleted."""
    from pipeline.report import stage as reporting  # noqa: PLC0415 - loads matplotlib

    row: dict[str, Any] = {}
    try:
        row = reporting.report_run(corpus, *layout.run_of(key))
    except READING as error:
        telemetry.log.warning("erase.page", page=key, error=str(error))
    if not row:
        corpus.store.delete([key])
