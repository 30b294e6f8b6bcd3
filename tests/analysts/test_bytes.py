"""What a query reads: partitions, columns and row groups that it does not need stay unread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from pipeline.model.schemas import DOCUMENTS
from pipeline.model.settings import PublishSettings
from pipeline.reading import dataset
from pipeline.storage.sorted_files import sort_table, write_sorted
from tests.analysts.conftest import Demo
from tests.analysts.counted import PROTOCOL, Counted
from tests.storage.fault_proxy import FaultProxy

NIGHT, LANGUAGE = "2026-11-18", "fra"
SHARE = 0.05
QUERY = "SELECT title, topic_label FROM {} WHERE dump_date = DATE '2026-11-18' AND language = 'fra'"


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


def test_duckdb_reads_one_night_and_language_from_s3_for_a_twentieth(demo: Demo) -> None:
    """Of the largest demo table, over HTTP: counted by a proxy between DuckDB and the server."""
    tables = {path.name: size(path) for path in demo.trees.iterdir()}
    assert max(tables, key=lambda name: tables[name]) == "documents"
    with FaultProxy(demo.endpoint, "GET", []) as proxy:
        documents = dataset("documents", demo.url, endpoint_url=proxy.url, dump_dates=[NIGHT])
        resolving = proxy.sent
        with duckdb.connect() as connection:
            connection.register("documents", documents)
            found = connection.execute(QUERY.format("documents")).fetchall()
            asked = proxy.sent - resolving
            connection.execute("SELECT sum(length(text)) FROM documents").fetchall()
            whole_night = proxy.sent - resolving - asked
    part = demo.trees / f"documents/dump_date={NIGHT}/language={LANGUAGE}"
    assert len(found) == ds.dataset(part).count_rows() > 0
    assert 0 < asked <= resolving + asked <= SHARE * tables["documents"]
    assert whole_night > 5 * asked  # the proxy does count: twelve languages are read for this


def test_a_filter_finds_its_partition_among_all_nights(demo: Demo) -> None:
    """The same without naming the night to `dataset`: what the query itself reads is as little."""
    with FaultProxy(demo.endpoint, "GET", []) as proxy:
        documents = dataset("documents", demo.url, endpoint_url=proxy.url)
        opened = proxy.sent
        with duckdb.connect() as connection:
            connection.register("documents", documents)
            connection.execute(QUERY.format("documents")).fetchall()
    assert 0 < proxy.sent - opened <= SHARE * size(demo.trees / "documents")


def test_duckdb_opens_one_partition_of_the_plain_tree(demo: Demo) -> None:
    """DuckDB's own reader looks into the first file, for the columns, and the one asked for."""
    files = Counted()
    tree = demo.trees / "documents"
    with duckdb.connect() as connection:
        connection.register_filesystem(files)
        table = f"read_parquet('{PROTOCOL}://{tree}/*/*/*.parquet', hive_partitioning = true)"
        found = connection.execute(QUERY.format(table)).fetchall()
    first = min(str(path) for path in tree.rglob("*.parquet"))
    part = tree / f"dump_date={NIGHT}/language={LANGUAGE}/part-00000.parquet"
    assert set(files.sizes) == {first, str(part)}
    assert len(found) == ds.dataset(part).count_rows()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pa.Table]:
    """One partition as the publish stage writes it: 60,000 rows of six topics, in row groups."""
    rows = 60_000
    chance = np.random.default_rng(1)
    words = np.array([f"w{number}" for number in range(5000)])
    texts = [" ".join(words[chance.integers(0, 5000, 60)]) for _ in range(rows)]
    columns: dict[str, Any] = {
        "document_id": [f"{number * 7919 % 2**61:032x}" for number in range(rows)],
        "topic": [f"medtop:{number % 6:02d}000000" for number in range(rows)],
        "text": texts,
        "char_count": [len(text) for text in texts],
    }
    table = pa.table(
        [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.array([_plain(field.type)] * rows, field.type)
            for field in DOCUMENTS
        ],
        schema=DOCUMENTS,
    )
    table = sort_table(table)
    folder = tmp_path_factory.mktemp("large")
    target = folder / "part-00000.parquet"
    written = write_sorted(
        iter(table.to_batches()), PublishSettings(row_group_rows=10_000), lambda: target
    )
    assert [count for _, count in written] == [rows]
    return target, table


def _plain(kind: pa.DataType) -> object:
    """Return some value of a type."""
    if pa.types.is_string(kind):
        return "same"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_list(kind):
        return None
    return pa.scalar(1).cast(kind).as_py()


def counted(path: Path, query: str, *values: str) -> tuple[list[tuple[object, ...]], int]:
    """Run a query over one file; return its answer and the bytes read."""
    files = Counted()
    with duckdb.connect() as connection:
        connection.register_filesystem(files)
        found = connection.execute(query.format(f"'{PROTOCOL}://{path}'"), values).fetchall()
    return found, files.total


def test_columns_that_are_not_named_stay_unread(large: tuple[Path, pa.Table]) -> None:
    """Counting topics reads next to nothing of a file that is mostly text."""
    path, table = large
    found, read = counted(path, "SELECT topic, count(*) FROM {} GROUP BY topic")
    assert sorted(found) == [(f"medtop:{n:02d}000000", 10_000) for n in range(6)]
    assert read < SHARE * path.stat().st_size
    assert table.num_rows == 60_000


def test_row_groups_of_other_topics_stay_unread(large: tuple[Path, pa.Table]) -> None:
    """Rows are sorted by topic: a filter on it reads a part of the texts, in DuckDB and pyarrow."""
    path, table = large
    wanted = "medtop:03000000"
    found, read = counted(path, "SELECT sum(length(text)) FROM {} WHERE topic = ?", wanted)
    expected = pc.sum(table.filter(pc.equal(table["topic"], wanted))["char_count"]).as_py()
    assert found == [(expected,)]
    whole, everything = counted(path, "SELECT sum(length(text)) FROM {}")
    assert whole == [(pc.sum(table["char_count"]).as_py(),)]
    assert read < everything / 4
    (fragment,) = ds.dataset(path).get_fragments()
    assert len(fragment.split_by_row_group(ds.field("topic") == wanted)) == 1


def test_a_document_is_found_by_its_id_without_reading_all(large: tuple[Path, pa.Table]) -> None:
    """The bloom filter of `document_id` rules out row groups that cannot hold it."""
    path, table = large
    wanted = table["document_id"][31_000].as_py()
    found, read = counted(path, "SELECT length(text) FROM {} WHERE document_id = ?", wanted)
    assert found == [(table["char_count"][31_000].as_py(),)]
    assert read < path.stat().st_size / 4
    nobody, less = counted(path, "SELECT text FROM {} WHERE document_id = ?", "f" * 31 + "0")
    assert nobody == []
    assert less < read
