"""Sorted Parquet files: bytes depend on rows, and a merge is a sort."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model.schemas import DOCUMENTS
from pipeline.model.settings import PublishSettings
from pipeline.storage.sorted_files import KEYS, merge_sorted, sort_table, write_sorted

SCHEMA = pa.schema([DOCUMENTS.field(n) for n in ("document_id", "source", "text", "topic")])
SMALL = PublishSettings(row_group_rows=7, row_group_bytes=300, file_bytes=4000)

Scratch = Callable[[], Path]

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "document_id": st.uuids().map(lambda value: value.hex),
            "source": st.sampled_from(["wire", "web", "é"]),
            "text": st.text(st.characters(codec="utf-8"), max_size=60),
            "topic": st.none() | st.sampled_from(["", "medtop:01000000", "medtop:15000000"]),
        }
    ),
    max_size=60,
    unique_by=lambda row: row["document_id"],
)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """Return a function that gives a new path every time."""
    numbers = itertools.count()
    return lambda: tmp_path / f"{next(numbers)}.parquet"


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort as the contract says, in plain Python: null topics last, bytes of UTF-8."""
    return sorted(
        rows,
        key=lambda row: (
            row["topic"] is None,
            (row["topic"] or "").encode(),
            row["source"].encode(),
            row["document_id"],
        ),
    )


def written(rows: list[dict[str, Any]], scratch: Scratch, size: int) -> list[tuple[Path, int]]:
    """Sort rows and write them in batches of `size`."""
    table = sort_table(pa.Table.from_pylist(rows, SCHEMA)).combine_chunks()
    return write_sorted(iter(table.to_batches(max_chunksize=size)), SMALL, scratch)


FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(ROWS, st.integers(1, 9), st.integers(1, 4), st.integers(1, 3000))
def test_bytes_depend_on_the_rows_alone(
    scratch: Scratch, rows: list[dict[str, Any]], size: int, runs: int, budget: int
) -> None:
    """Any batches, any number of runs and any memory give the same files, in the right order."""
    straight = written(rows, scratch, 1000)
    paths = [path for run in range(runs) for path, _ in written(rows[run::runs], scratch, size)]
    merged = write_sorted(merge_sorted(paths, SCHEMA, budget=budget), SMALL, scratch)
    assert [path.read_bytes() for path, _ in merged] == [path.read_bytes() for path, _ in straight]
    found = [row for path, _ in merged for row in pq.read_table(path).to_pylist()]
    assert found == in_order(rows)


@FEW
@given(ROWS)
def test_groups_and_files_keep_their_bounds(scratch: Scratch, rows: list[dict[str, Any]]) -> None:
    """No row group exceeds its rows or bytes of text unless it is a single row."""
    for path, count in written(rows, scratch, 1000):
        file = pq.ParquetFile(path)
        assert file.metadata.num_rows == count
        for number in range(file.num_row_groups):
            texts = file.read_row_group(number, columns=["text"]).column("text").to_pylist()
            size = sum(len(text.encode()) for text in texts)
            assert len(texts) <= SMALL.row_group_rows
            assert size <= SMALL.row_group_bytes or len(texts) == 1


def test_groups_are_filled_exactly(scratch: Scratch) -> None:
    """Row groups are cut at the exact number of rows, whatever the batches."""
    rows = [
        {"document_id": f"{n:032x}", "source": "wire", "text": "", "topic": None} for n in range(20)
    ]
    ((path, count),) = written(rows, scratch, 3)
    metadata = pq.ParquetFile(path).metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert (count, sizes) == (20, [7, 7, 6])


def test_files_rotate(scratch: Scratch) -> None:
    """A file that has reached its size is closed and the next rows go to a new one."""
    rows = [
        {"document_id": f"{n:032x}", "source": "wire", "text": f"{n} " * 9, "topic": None}
        for n in range(300)
    ]
    files = written(rows, scratch, 50)
    assert len(files) > 2
    assert sum(count for _, count in files) == 300
    assert all(path.stat().st_size >= SMALL.file_bytes for path, _ in files[:-1])


def test_what_readers_need_is_in_the_file(scratch: Scratch) -> None:
    """Sorting columns, page index, bloom filter and few dictionaries; no pandas metadata."""
    rows = [{"document_id": "0" * 32, "source": "wire", "text": "a", "topic": None}]
    ((path, _),) = written(rows, scratch, 1)
    file = pq.ParquetFile(path)
    group = file.metadata.row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    order = [SCHEMA.names[column.column_index] for column in group.sorting_columns]
    assert order == list(KEYS)
    assert [column.nulls_first for column in group.sorting_columns] == [False] * 3
    assert all(column.has_offset_index and column.has_column_index for column in columns.values())
    few = {name for name, column in columns.items() if column.has_dictionary_page}
    assert few == {"source", "topic"}
    assert set(file.metadata.metadata) == {b"ARROW:schema"}
    assert file.schema_arrow == SCHEMA


def test_nothing_gives_no_file(scratch: Scratch) -> None:
    """No rows, no runs: no file."""
    assert write_sorted(iter(()), SMALL, scratch) == []
    assert list(merge_sorted([], SCHEMA)) == []
    assert written([], scratch, 5) == []


def test_an_abandoned_merge_closes_its_files(scratch: Scratch) -> None:
    """A reader that stops early leaves no file open."""
    rows = [
        {"document_id": f"{n:032x}", "source": "wire", "text": "x", "topic": None} for n in range(9)
    ]
    ((path, _),) = written(rows, scratch, 9)
    merge = merge_sorted([path], SCHEMA, budget=1)
    assert next(merge).num_rows == 1
    merge.close()
    open_files = {link.resolve() for link in Path("/proc/self/fd").iterdir() if link.exists()}
    assert path not in open_files
