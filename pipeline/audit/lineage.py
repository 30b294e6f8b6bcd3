"""Which datasets a run read and made, with their sizes.

Holds: `Side`, `of_run`. Reads a published state. Not here: whom it is told
(`plugins/winnow_airflow/lineage.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.model.files import FileRef
from pipeline.model.snapshot import DumpState
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as a run saw it: where it is, and what of it belongs to the night."""

    url: str
    rows: int
    bytes: int
    files: int


def of_run(
    corpus: Corpus, landing_url: str, dump_date: str, *, sequence: int
) -> tuple[tuple[Side, ...], tuple[Side, ...]]:
    """Return what a night was made from and what it became, as of the snapshot of its commit.

    Read is a folder of the landing area a source; rows are its documents. Made are the published
    tables.
    """
    snapshot = snapshots.load_snapshot(corpus, sequence)
    state = snapshots.load_state(corpus, snapshot, dump_date)
    root = corpus.store.url.rstrip("/")
    parts = [file for part in state.documents for file in part.files]
    made = {"documents": parts, "verdicts": [state.verdicts], "quarantine": [state.quarantine]}
    outputs = (
        _table(f"{root}/{layout.tree(name).rstrip('/')}", files) for name, files in made.items()
    )
    return tuple(_sources(landing_url.rstrip("/"), state)), tuple(outputs)


def _sources(root: str, state: DumpState) -> Iterable[Side]:
    for source in sorted({book.source for book in state.file_counts}):
        books = [book for book in state.file_counts if book.source == source]
        yield Side(
            url=f"{root}/{source}",
            rows=sum(book.documents for book in books),
            bytes=sum(book.stored_bytes for book in books),
            files=len(books),
        )


def _table(url: str, files: list[FileRef]) -> Side:
    rows, size = sum(file.rows for file in files), sum(file.size for file in files)
    return Side(url=url, rows=rows, bytes=size, files=len(files))
