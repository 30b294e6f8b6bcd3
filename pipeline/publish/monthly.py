"""The published tables once more in few files, a month in each, for corpora of small nights.

Holds: `start`, `stop`, `follow`, `leaves`, `files`, `findings`. Reads snapshots, states and
published files; writes units of the stage `monthly` and `store/monthly.json`.
Not here: the tree made from them (`promote.py`), which months there are (`storage/monthly.py`).

A night of a few megabytes in thirty languages is thirty files of which most is overhead, and a year
of them ten thousand, which cost their readers many times the rows. A partition cannot be shared by
nights, so the rows are written a second time: all nights of a month together, with date and
language as columns, by language, date and then as in the nights. Bytes follow from those of the
nights, which stay what is published. Units of months are a cache beside the commit: they may be
missing, late or deleted at any time, and the next call makes them again.

A corpus has a tree by month once `winnow compact` made one; from then on every commit that brings
trees in step makes the months of the nights that it changed again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import telemetry
from pipeline.model.columns import TABLES
from pipeline.model.files import FileRef
from pipeline.model.finding import Finding, broken
from pipeline.model.manifest import MonthManifest
from pipeline.model.settings import PublishSettings
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.publish.leaves import Leaf, of_table, parts
from pipeline.storage import layout, monthly, snapshots
from pipeline.storage.sorted_files import KEYS, write_sorted
from pipeline.storage.units import Corpus
from pipeline.storage.verify import trouble

FORM: Final = PublishSettings(row_group_rows=5_000)
"""Not a setting: a month is known by its nights alone. Its number is `versions.MONTHLY`."""
WORKERS: Final = 8
_HEALS: Final = "`winnow promote --full` heals it"
_ROWS: Final = 4096
_Part = tuple[str, str, FileRef]
"""A published file with its dump date and language."""


def start(corpus: Corpus) -> dict[str, int]:
    """Give the corpus a tree by month, to be brought in step; return what was made.

    Raises:
        MissingError: nothing was ever published.
    """
    snapshots.published(corpus)
    if not monthly.wanted(corpus):
        corpus.store.put(layout.WANTS_MONTHS, b"{}")
    return follow(corpus)


def stop(corpus: Corpus) -> None:
    """Let the tree by month go with the next `promote`, and its files with `expire`."""
    corpus.store.delete([layout.WANTS_MONTHS])


def follow(corpus: Corpus, *, full: bool = False) -> dict[str, int]:
    """Make the months of the current snapshot that are wanted and missing; return how many.

    `full` makes those again too that have a damaged file.
    """
    if not monthly.wanted(corpus):
        return {}
    snapshot = snapshots.current(corpus)
    made = {"months": 0, "files_read": 0, "files_written": 0}
    for month, name in monthly.fingerprints(snapshot).items():
        found = monthly.find(corpus, name)
        if found is not None and not (full and _forget_damaged(corpus, found)):
            continue
        with telemetry.stage("monthly", month=month) as span:
            states = _states(corpus, snapshot, month)
            tables = {table: _write(corpus, name, table, states) for table in layout.TABLES}
            manifest = MonthManifest(fingerprint=name, month=month, tables=tables)
            corpus.store.delete([layout.unit(monthly.STAGE, name)])  # one that cannot be read
            corpus.finish(layout.unit(monthly.STAGE, name), manifest)
            counts = {
                "months": 1,
                "files_read": sum(len(_parts(table, states)) for table in layout.TABLES),
                "files_written": sum(map(len, tables.values())),
            }
            span.update(counts)
        made = {key: made[key] + counts[key] for key in made}
    return made


def _forget_damaged(corpus: Corpus, made: MonthManifest) -> bool:
    bad = [ref.key for ref in made.files if trouble(corpus.store, ref.key, ref)]
    if bad:
        corpus.store.delete([layout.unit(monthly.STAGE, made.fingerprint), *bad])
    return bool(bad)


def leaves(corpus: Corpus, name: str) -> dict[str, Leaf]:
    """Return the leaf folders of a month in the plain tree; none when it is not there."""
    made = monthly.find(corpus, name)
    if made is None:
        return {}
    return {
        layout.month_tree(table, made.month): parts(files) for table, files in made.tables.items()
    }


def findings(corpus: Corpus, snapshot: Snapshot) -> Iterator[Finding]:
    """Months have the rows of their nights, and the tree by month the months (5)."""
    wanted: dict[str, FileRef] = {}
    names = monthly.fingerprints(snapshot) if monthly.wanted(corpus) else {}
    for month, name in names.items():
        made = monthly.find(corpus, name)
        if made is None:
            yield broken(5, f"{month}: expected it in few files, found none; `winnow promote`")
            continue
        yield from _of_month(corpus, snapshot, made)
        for folder, leaf in leaves(corpus, name).items():
            wanted |= {folder + file: ref for file, ref in leaf.items()}
    surplus = {info.key for info in corpus.store.list(layout.MONTHLY)} - wanted.keys()
    for key in sorted(surplus):
        yield broken(5, f"{key}: expected no such object, found one; {_HEALS}")
    for key, ref in sorted(wanted.items()):
        if said := trouble(corpus.store, key, ref):
            yield broken(5, f"{said}; {_HEALS}")


def _of_month(corpus: Corpus, snapshot: Snapshot, made: MonthManifest) -> Iterator[Finding]:
    damage = [said for ref in made.files if (said := trouble(corpus.store, ref.key, ref))]
    if not damage and (table := _differs(corpus, snapshot, made)):
        damage = [f"{made.month}: expected the rows of its nights in {table}, found others"]
    for said in damage:
        yield broken(5, f"{said}; {_HEALS}")


def _differs(corpus: Corpus, snapshot: Snapshot, made: MonthManifest) -> str:
    """Say in which table a month does not have the rows of its nights, in order; "" in none."""
    states = _states(corpus, snapshot, made.month)
    for table in layout.TABLES:
        rows = _rows(corpus, table, _parts(table, states))
        mine = (batch for ref in made.tables[table] for batch in corpus.batches(ref, rows=_ROWS))
        if not _same(rows, mine):
            return table
    return ""


def files(corpus: Corpus, snapshot: Snapshot, table: str) -> dict[str, tuple[FileRef, ...]]:
    """Return the files of a table in the months of a snapshot that were made, by month."""
    if table not in layout.TABLES or not monthly.wanted(corpus):
        return {}
    found = {
        month: monthly.find(corpus, name) for month, name in monthly.fingerprints(snapshot).items()
    }
    return {month: made.tables[table] for month, made in found.items() if made is not None}


def _states(corpus: Corpus, snapshot: Snapshot, month: str) -> list[DumpState]:
    return [
        snapshots.load_state(corpus, snapshot, date)
        for date in sorted(snapshot.dumps)
        if layout.month_of(date) == month
    ]


def _parts(table: str, states: list[DumpState]) -> list[_Part]:
    """Return the published files of some nights in the order in which their rows are written."""
    found = [
        (state.dump_date, language, ref)
        for state in states
        for language, ref in of_table(state, table)
    ]
    return sorted(found, key=lambda part: part[1])  # nights and files stay in order


def _write(corpus: Corpus, name: str, table: str, states: list[DumpState]) -> tuple[FileRef, ...]:
    """Write the rows of a table; a file without rows if there are none, so that all can be read."""
    order = [field.name for field in reversed(TABLES[table].partitions)]
    keys = (*order, *KEYS) if table == "documents" else order
    rows = _rows(corpus, table, _parts(table, states))
    written = write_sorted(rows, FORM, corpus.scratch_file, keys=keys)
    if not written:
        empty = _schema(table).empty_table()
        return (corpus.write(monthly.STAGE, name, f"{table}-00000", empty),)
    return tuple(
        corpus.adopt(monthly.STAGE, name, f"{table}-{number:05d}", path, count)
        for number, (path, count) in enumerate(written)
    )


def _rows(corpus: Corpus, table: str, files: list[_Part]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of files one after the other, with date and language as columns.

    Columns that an older schema did not have are null. Files are fetched some at a time: there are
    many, and most of what each takes is waiting.
    """
    schema = _schema(table)
    with ThreadPoolExecutor(WORKERS) as pool:
        for first in range(0, len(files), WORKERS):
            some = files[first : first + WORKERS]
            with tempfile.TemporaryDirectory(dir=corpus.scratch) as folder:
                fetch = [pool.submit(corpus.store.fetch, ref, Path(folder)) for *_, ref in some]
                for (night, language, _), path in zip(some, fetch, strict=True):
                    with pq.ParquetFile(path.result(), memory_map=True) as file:
                        for batch in file.iter_batches(_ROWS):
                            yield _whole(batch, schema, night, language)


def _schema(table: str) -> pa.Schema:
    """Return the columns of a table by month; those of older files may be null."""
    return pa.schema([field.with_nullable(nullable=True) for field in TABLES[table].whole])


def _whole(batch: pa.RecordBatch, schema: pa.Schema, night: str, language: str) -> pa.RecordBatch:
    constant = {"dump_date": date.fromisoformat(night), "language": language}
    there = set(batch.schema.names)
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in there
        else pa.repeat(pa.scalar(constant.get(field.name), field.type), batch.num_rows)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _same(one: Iterator[pa.RecordBatch], two: Iterator[pa.RecordBatch]) -> bool:
    """Compare two streams of rows, however they are cut."""
    left, right = next(one, None), next(two, None)
    while left is not None and right is not None:
        count = min(left.num_rows, right.num_rows)
        if not left.slice(0, count).equals(right.slice(0, count)):
            return False
        left = left.slice(count) if left.num_rows > count else next(one, None)
        right = right.slice(count) if right.num_rows > count else next(two, None)
    return left is None and right is None
