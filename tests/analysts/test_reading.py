"""The one-line readers of docs/reading.md, on S3 and on disk, and the dataset of one snapshot."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from pipeline import runner
from pipeline.errors import ConfigError, MissingError
from pipeline.model import schemas
from pipeline.publish.promote import promote
from pipeline.reading import dataset, table_schema
from pipeline.storage import layout, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.open import open_store
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus
from tests.analysts.conftest import Demo
from tests.conftest import BUCKET
from tests.publishing import Doc, make_night, publish_night

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reading.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ON_DISK = [block for block in BLOCKS if ".demo/corpus" in block and "pyspark" not in block]
ON_S3 = [
    block
    for block in BLOCKS
    if "https://s3.example" in block and "Delta" not in block and "pyspark" not in block
]
S3_READERS = ["pandas", "pyarrow", "duckdb", "polars", "dataset", "by month"]


def rows(found: Any) -> pd.DataFrame:
    """Bring what a block calls `documents` into pandas, whatever library it is of."""
    if isinstance(found, duckdb.DuckDBPyRelation):
        return found.df()
    if isinstance(found, pl.LazyFrame):
        return pd.DataFrame(found.collect().to_dicts())
    if isinstance(found, ds.Dataset):
        frame: pd.DataFrame = found.to_table().to_pandas()
        return frame
    assert isinstance(found, pd.DataFrame)
    return found


def executed(block: str, demo: Demo) -> dict[str, Any]:
    """Run a block as it stands, but for the names of bucket, prefix and server."""
    names: dict[str, Any] = {}
    exec(placed(block, demo), names)  # noqa: S102 - running the page is the point
    return names


def placed(block: str, demo: Demo) -> str:
    """Return a block with the names of bucket, prefix and server of the demo."""
    where = demo.url.removeprefix("s3://")
    return block.replace("bucket/prefix", where).replace("https://s3.example", demo.endpoint)


def kept(demo: Demo) -> dict[tuple[str, str], str]:
    """Return (dump date, id) → language of every published document, from verdicts and files."""
    with runner.corpus_session(demo.settings) as corpus:
        snapshot = snapshots.current(corpus)
        found = {}
        for date in snapshot.dumps:
            state = snapshots.load_state(corpus, snapshot, date)
            for part in state.documents:
                for ref in part.files:
                    ids = corpus.read(ref, columns=["document_id"])["document_id"].to_pylist()
                    found |= {(date, name): part.language for name in ids}
            verdicts = corpus.read(state.verdicts, columns=["document_id", "kept"]).to_pylist()
            told = {(date, row["document_id"]) for row in verdicts if row["kept"]}
            assert told == {key for key in found if key[0] == date}
    return found


def seen(frame: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the same of what a reader gave."""
    dates = frame["dump_date"].astype(str).str[:10]
    keys = zip(dates, frame["document_id"], strict=True)
    return dict(zip(keys, frame["language"].astype(str), strict=True))


def test_the_page_has_a_line_for_every_library() -> None:
    """From disk there are five readers, from S3 four, the dataset and the tree by month."""
    assert len(ON_DISK) == 4
    assert sum("pyspark" in block for block in BLOCKS) == 2
    assert len(ON_S3) == len(S3_READERS)


@pytest.mark.parametrize("block", ON_DISK, ids=["pandas", "pyarrow", "duckdb", "polars"])
def test_each_reader_on_disk_sees_every_document(at_home: Demo, block: str) -> None:
    """The line gives all published documents once, with date and language."""
    frame = rows(executed(block, at_home)["documents"])
    assert seen(frame) == kept(at_home)
    assert len(frame) == len(kept(at_home))


@pytest.mark.parametrize("block", ON_S3, ids=S3_READERS)
def test_each_reader_on_s3_sees_every_document(at_home: Demo, block: str) -> None:
    """The same from the server, and time travel by the number of a snapshot."""
    names = executed(block, at_home)
    assert seen(rows(names["documents"])) == kept(at_home)
    if "earlier" in names:
        assert {date for date, _ in seen(rows(names["earlier"]))} == {"2026-11-16"}


def test_each_library_reads_the_dataset_in_a_line(at_home: Demo) -> None:
    """One night and language through pyarrow, pandas, DuckDB and Polars are the same rows."""
    (block,) = [block for block in BLOCKS if "in_polars = pl.scan_pyarrow" in block]
    names = executed(block, at_home)
    expected = {
        key
        for key, language in kept(at_home).items()
        if (key[0], language) == ("2026-11-16", "eng")
    }
    assert len(expected) > 10
    frames = [names["in_arrow"].to_pandas(), names["in_pandas"]]
    frames += [rows(names["in_duckdb"]), rows(names["in_polars"])]
    assert [set(seen(frame)) for frame in frames] == [expected] * 4
    assert [len(frame) for frame in frames] == [len(expected)] * 4


def test_spark_reads_from_disk_and_from_s3(at_home: Demo, spark: list[str]) -> None:
    """A real Spark, from the lines of the page, counts every night and language."""
    on_disk, on_s3 = (placed(block, at_home) for block in BLOCKS if "pyspark" in block)
    asked = (
        "counts = documents.groupBy('dump_date', 'language').count().collect()\n"
        "kinds = dict(documents.dtypes)\n"
        "print(repr((kinds['dump_date'], kinds['language'],"
        " sorted((str(r[0]), r[1], r[2]) for r in counts))))\n"
    )
    done = subprocess.run(
        [*spark, "-c", on_disk + asked + on_s3 + asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    expected: dict[tuple[str, str], int] = {}
    for (date, _), language in kept(at_home).items():
        expected[date, language] = expected.get((date, language), 0) + 1
    counts = sorted((*key, number) for key, number in expected.items())
    assert done.stdout.splitlines()[-2:] == [repr(("date", "string", counts))] * 2


def test_every_table_has_its_schema_and_rows(demo: Demo) -> None:
    """The dataset of each table has the columns of the contract and the partition columns."""
    with runner.corpus_session(demo.settings) as corpus:
        snapshot = snapshots.current(corpus)
        states = [snapshots.load_state(corpus, snapshot, date) for date in snapshot.dumps]
    expected = {
        "documents": sum(state.counts.kept for state in states),
        "verdicts": sum(state.counts.documents for state in states),
        "quarantine": sum(state.quarantine.rows for state in states),
        "runs": sum(ref.rows for state in states for ref in state.runs),
    }
    for table in layout.TABLES:
        found = dataset(table, demo.url, endpoint_url=demo.endpoint)
        assert found.schema == table_schema(table)
        assert found.to_table().num_rows == expected[table]


def test_some_nights_alone(demo: Demo) -> None:
    """Nights that are named are read; one that the snapshot does not have is passed over."""
    wanted = ["2026-11-17", "2027-01-01"]
    found = dataset("verdicts", demo.url, endpoint_url=demo.endpoint, dump_dates=wanted)
    assert set(found.to_table()["dump_date"].to_pylist()) == {dt.date(2026, 11, 17)}


def test_what_cannot_be_read_is_said(demo: Demo, tmp_path: Path) -> None:
    """Unknown tables, snapshots and corpora are errors with a next step."""
    with pytest.raises(ConfigError, match="one of the tables documents, verdicts"):
        dataset("pages", demo.url, endpoint_url=demo.endpoint)
    with pytest.raises(MissingError, match="expected snapshot 99"):
        dataset("documents", demo.url, endpoint_url=demo.endpoint, snapshot=99)
    with pytest.raises(MissingError, match="expected a published corpus"):
        dataset("documents", str(tmp_path))
    with pytest.raises(ConfigError, match="S3 or in a folder"):
        dataset("documents", _in_memory(tmp_path))


def _in_memory(tmp_path: Path) -> str:
    corpus = Corpus(open_store("memory://reading"), tmp_path)
    publish_night(corpus, make_night(corpus, "2026-11-20", [[Doc()]]))
    return corpus.store.url


def test_columns_that_came_later_are_null_in_old_files(tmp_path: Path) -> None:
    """A file written before a column existed is read beside one that has it."""
    corpus, url = _local(tmp_path)
    old = schemas.DOCUMENTS
    after = old.append(pa.field("new_fact", pa.string()))
    publish_night(corpus, make_night(corpus, "2026-11-20", [[Doc()]]))
    found = dataset("documents", url)
    both = found.replace_schema(pa.schema([*after, *list(table_schema("documents"))[-2:]]))
    assert both.to_table(columns=["new_fact", "language"]).to_pylist() == [
        {"new_fact": None, "language": "eng"}
    ]


def _local(folder: Path) -> tuple[Corpus, str]:
    """Return an empty corpus in a folder, and its URL."""
    for name in ("corpus with space", "scratch"):
        (folder / name).mkdir()
    store = LocalStore(folder / "corpus with space")
    return Corpus(store, folder / "scratch"), store.url


def test_a_dataset_stays_as_it_is_while_nights_are_published(
    s3_store: S3Store, tmp_path: Path
) -> None:
    """Readers beside a publisher see whole snapshots, and what they opened does not change."""
    corpus = Corpus(s3_store, tmp_path)
    endpoint = s3_store._endpoint_url
    first, second = "2026-11-20", "2026-11-21"

    def version(number: int) -> None:
        for date in (first, second):
            docs = [Doc("eng" if at % 2 else "deu") for at in range(6 + number)]
            parent = snapshots.current(corpus)
            made = make_night(
                corpus,
                date,
                [docs],
                run_id=f"{date}-{number}",
                parent=parent,
                planned_at=float(number),
                marks=f"v{number}",
            )
            publish_night(corpus, made)
            promote(corpus)

    def read(snapshot: int | None = None) -> dict[dt.date, set[str]]:
        open_ = dataset("documents", s3_store.url, endpoint_url=endpoint, snapshot=snapshot)
        table = open_.to_table(columns=["dump_date", "text"]).to_pydict()
        found: dict[dt.date, list[str]] = {}
        for date, text in zip(table["dump_date"], table["text"], strict=True):
            found.setdefault(date, []).append(text)
        assert all(len(set(texts)) == len(texts) for texts in found.values())
        return {
            date: {text.split()[-1] + str(len(texts)) for text in texts}
            for date, texts in found.items()
        }

    version(0)
    held = dataset("documents", s3_store.url, endpoint_url=endpoint)
    before = held.to_table()
    publisher = Thread(target=lambda: [version(number) for number in range(1, 6)])
    publisher.start()
    reads = []
    while publisher.is_alive():
        reads.append(read())
    publisher.join()
    reads.append(read())
    whole = [{f"v{number}{6 + number}"} for number in range(6)]
    for one in reads:
        early, late = (whole.index(one[dt.date.fromisoformat(date)]) for date in (first, second))
        assert early - late in {0, 1}  # the second night follows the first
    assert held.to_table().equals(before)
    assert read(snapshot=2) == read(snapshot=2) != reads[-1]
    assert reads[-1][dt.date(2026, 11, 21)] == whole[5]
    assert BUCKET in s3_store.url
