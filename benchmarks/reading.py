"""What a reader pays for file size, row groups, bloom filter and page index, on real rows.

Run `python -m benchmarks.reading CORPUS [ROWS]`: it takes the published documents of a corpus (a
folder, such as `.demo/corpus`), makes ROWS of them with ids and word orders of their own, writes
them as the publish stage does with other settings, and asks three questions of each with DuckDB.
Bytes are counted by a file system between DuckDB and the files, so they are the same on any
machine; CPU seconds are the median of five.

`python -m benchmarks.reading CORPUS ROWS small` asks of a month of small nights instead: ROWS in 30
nights and 12 languages, once as a file for each of both, and once as `winnow compact` writes them.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from pipeline.model.files import FileRef
from pipeline.model.schemas import DOCUMENTS
from pipeline.model.settings import PublishSettings
from pipeline.publish import monthly
from pipeline.storage import layout, sorted_files
from pipeline.storage.local import LocalStore
from pipeline.storage.units import Corpus
from pipeline.storage.verify import sha256_of
from tests.analysts.counted import PROTOCOL, Counted

QUERIES = {
    "topic": "SELECT sum(length(text)) FROM {} WHERE topic = (SELECT max(topic) FROM {})",
    "id": "SELECT title, length(text) FROM {} WHERE document_id = '{wanted}'",
    "counts": "SELECT source, topic_label, count(*) FROM {} GROUP BY ALL",
}


def rows(corpus: Path, wanted: int) -> pa.Table:
    """Return rows of a corpus, over and over, each with an id and an order of words of its own."""
    table = ds.dataset(corpus / "documents", schema=DOCUMENTS).to_table()
    chance = random.Random(1)
    places = [number % table.num_rows for number in range(wanted)]
    texts = []
    for text in table["text"].take(pa.array(places)).to_pylist():
        words = text.split(" ")
        chance.shuffle(words)
        texts.append(" ".join(words))
    ids = [hashlib.md5(b"%d" % number).hexdigest() for number in range(wanted)]  # noqa: S324
    made = table.take(pa.array(places))
    for name, values in (("document_id", ids), ("text", texts)):
        at = made.schema.get_field_index(name)
        made = made.set_column(at, DOCUMENTS.field(name), pa.array(values))
    return sorted_files.sort_table(made.combine_chunks())


def written(table: pa.Table, folder: Path, settings: PublishSettings, files: int = 1) -> Path:
    """Write rows as published files, `files` of them by ranges of ids."""
    folder.mkdir()
    numbers = iter(range(10**6))

    def scratch() -> Path:
        return folder / f"part-{next(numbers):05d}.parquet"

    for part in range(files):
        share = table.take(pa.array(range(part, table.num_rows, files)))
        sorted_files.write_sorted(iter(share.to_batches()), settings, scratch)
    return folder


def asked(folder: Path, wanted: str) -> list[tuple[int, float]]:
    """Return bytes read and CPU seconds of each question."""
    found = []
    for query in QUERIES.values():
        seconds, read = [], 0
        for _ in range(5):
            files = Counted()
            with duckdb.connect() as connection:
                connection.execute("SET threads = 1")
                connection.register_filesystem(files)
                where = f"read_parquet('{PROTOCOL}://{folder}/*.parquet')"
                start = time.process_time()
                connection.execute(
                    query.replace("{}", where).replace("{wanted}", wanted)
                ).fetchall()
                seconds.append(time.process_time() - start)
            read = files.total
        found.append((read, statistics.median(seconds)))
    return found


def without(option: str, value: object) -> Callable[[], object]:
    """Return a patch of the writer that leaves one thing out; the pipeline has no such setting."""
    options = sorted_files.SortedWriter._options  # noqa: SLF001

    def less(self: sorted_files.SortedWriter, distinct: int) -> dict[str, object]:
        return options(self, distinct) | {option: value}

    return lambda: mock.patch.object(sorted_files.SortedWriter, "_options", less)


MONTH = {
    "one topic": "SELECT sum(length(text)) FROM {} WHERE topic = (SELECT max(topic) FROM {})",
    "one id": "SELECT title, length(text) FROM {} WHERE document_id = '{wanted}'",
    "counts": "SELECT dump_date, language, topic_label, count(*) FROM {} GROUP BY ALL",
    "one language": "SELECT sum(length(text)) FROM {} WHERE language = 'l07'",
    "a night of it": "SELECT title FROM {} WHERE language = 'l07' AND dump_date = '2026-11-17'",
}


def nights_and_month(table: pa.Table, home: Path) -> dict[str, str]:
    """Write rows as a file a night and language, and as a month; return what DuckDB reads."""
    (home / "scratch").mkdir()
    corpus = Corpus(LocalStore(home), home / "scratch")
    files = []
    for language in range(12):
        for night in range(30):
            share = table.take(pa.array(range(language * 30 + night, table.num_rows, 360)))
            key = layout.tree("documents", f"2026-11-{night + 1:02d}", f"l{language:02d}")
            (home / key).mkdir(parents=True)
            path = home / key / layout.part(0)
            sorted_files.write_sorted(iter(share.to_batches()), PublishSettings(), lambda p=path: p)
            ref = FileRef(f"{key}{layout.part(0)}", sha256_of(path), path.stat().st_size, 0)
            files.append((f"2026-11-{night + 1:02d}", f"l{language:02d}", ref))
    folder = home / "monthly"
    folder.mkdir()
    merged = monthly._rows(corpus, "documents", files)  # noqa: SLF001
    sorted_files.write_sorted(
        merged, monthly.FORM, lambda: folder / layout.part(0), keys=("language", "dump_date")
    )
    return {
        "a file a night and language": f"{home}/documents/*/*/*.parquet",
        "a month": f"{folder}/*.parquet",
    }


def small_nights(corpus: Path, wanted: int) -> None:
    """Print what a month of small nights costs in both forms; CPU seconds without counting."""
    table = rows(corpus, wanted)
    some = table["document_id"][wanted // 2].as_py()
    print(f"{wanted} rows of 30 nights in 12 languages; MB read and CPU seconds\n")
    with tempfile.TemporaryDirectory() as home:
        for name, where in nights_and_month(table, Path(home)).items():
            cells = []
            for query in MONTH.values():
                seconds, files = [], Counted()
                for at in range(6):
                    place = f"{PROTOCOL}://{where}" if at == 0 else where
                    asked = query.replace("{}", f"read_parquet('{place}', hive_partitioning=true)")
                    with duckdb.connect() as connection:
                        connection.register_filesystem(files)
                        connection.execute("SET threads = 1")
                        start = time.process_time()
                        connection.execute(asked.replace("{wanted}", some)).fetchall()
                        seconds.append(time.process_time() - start)
                cells.append(f" {files.total / 1e6:7.3f} {statistics.median(seconds[1:]):6.3f}s")
            sizes = [path.stat().st_size for path in Path("/").glob(where[1:])]
            print(f"{name:30} {len(sizes):4} files {sum(sizes) / 1e6:7.1f} MB")
            for question, cell in zip(MONTH, cells, strict=True):
                print(f"    {question:14}{cell}", flush=True)


def main(corpus: Path, wanted: int) -> None:
    """Print a line for each way of writing."""
    table = rows(corpus, wanted)
    some = table["document_id"][wanted // 2].as_py()
    usual = PublishSettings()
    ways: list[tuple[str, PublishSettings, int, Callable[[], object] | None]] = [
        ("as published: 20,000 rows a group", usual, 1, None),
        ("5,000 rows a group", PublishSettings(row_group_rows=5_000), 1, None),
        ("60,000 rows a group", PublishSettings(row_group_rows=60_000), 1, None),
        ("no bloom filter", usual, 1, without("bloom_filter_options", None)),
        ("no page index", usual, 1, without("write_page_index", value=False)),
        ("100 files", usual, 100, None),
    ]
    print(f"{wanted} rows; bytes read in MB and CPU seconds\n")
    print(f"{'':36} {'size':>7}" + "".join(f" {name:>14}" for name in QUERIES))
    with tempfile.TemporaryDirectory() as home:
        for number, (name, settings, files, patch) in enumerate(ways):
            with patch() if patch else tempfile.TemporaryFile():  # type: ignore[attr-defined]
                folder = written(table, Path(home) / str(number), settings, files)
            size = sum(path.stat().st_size for path in folder.iterdir())
            cells = "".join(f" {read / 1e6:7.2f} {cpu:5.2f}s" for read, cpu in asked(folder, some))
            print(f"{name:36} {size / 1e6:7.1f}{cells}", flush=True)


if __name__ == "__main__":
    how = small_nights if "small" in sys.argv[3:] else main
    how(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120_000)
