"""The Delta table over the published files: in step with every commit, and mended after any end."""

from __future__ import annotations

import datetime as dt
import re
import threading
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable

from pipeline.cli import cli
from pipeline.errors import ConfigError, MissingError
from pipeline.publish import delta
from pipeline.publish.beside import bring_in_step
from pipeline.publish.rollback import rollback
from pipeline.storage import layout
from pipeline.storage.local import LocalStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus
from tests.publishing import Doc, publish_version

FIRST, SECOND = "2026-11-20", "2026-11-21"
PAGE = (Path(__file__).parents[2] / "docs/reading.md").read_text("utf-8")
Rows = dict[tuple[str, str], int]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """A night on disk, as a Delta table."""
    for name in ("corpus", "scratch"):
        (tmp_path / name).mkdir()
    made = Corpus(LocalStore(tmp_path / "corpus"), tmp_path / "scratch")
    publish_version(made, FIRST, [Doc(), Doc("deu")])
    delta.start(made)
    return made


def table(corpus: Corpus) -> DeltaTable:
    """Open the table as anybody would."""
    return DeltaTable(corpus.store.url.removeprefix("file://") + "/store")


def rows(corpus: Corpus) -> Rows:
    """Count what the table shows by date and language."""
    found: Rows = {}
    shown = table(corpus).to_pyarrow_dataset().to_table(columns=["dump_date", "language"])
    for row in shown.to_pylist():
        key = (str(row["dump_date"]), row["language"])
        found[key] = found.get(key, 0) + 1
    return found


def test_each_commit_is_a_version(corpus: Corpus) -> None:
    """New nights, nights published again with fewer partitions, rollbacks: each in one version."""
    one = {(FIRST, "eng"): 1, (FIRST, "deu"): 1}
    assert rows(corpus) == one
    publish_version(corpus, SECOND, [Doc()] * 3)
    bring_in_step(corpus)
    two = one | {(SECOND, "eng"): 3}
    assert rows(corpus) == two
    publish_version(corpus, FIRST, [Doc()] * 2, version=2)
    bring_in_step(corpus)
    assert rows(corpus) == {(FIRST, "eng"): 2, (SECOND, "eng"): 3}
    rollback(corpus, 2, run_id="back")
    bring_in_step(corpus)
    assert rows(corpus) == two
    versions = table(corpus).version()
    bring_in_step(corpus)
    assert table(corpus).version() == versions
    assert len(DeltaTable(table(corpus).table_uri, version=versions - 1).file_uris()) == 2


def test_engines_read_it(corpus: Corpus) -> None:
    """Through deltalake, DuckDB and Polars give the rows with their partition columns."""
    shown = table(corpus).to_pyarrow_dataset()
    query = "SELECT language, count(*) FROM shown WHERE dump_date = '2026-11-20' GROUP BY ALL"
    assert sorted(duckdb.sql(query).fetchall()) == [("deu", 1), ("eng", 1)]
    assert shown.schema.names
    lazy = pl.scan_delta(table(corpus).table_uri, use_pyarrow=True)
    german = lazy.filter(pl.col("language") == "deu").select("dump_date").collect()
    assert german.rows() == [(dt.date(2026, 11, 20),)]


@pytest.mark.parametrize("lost", [0, 1, 2, "all"])
def test_a_log_that_lost_steps_is_mended(corpus: Corpus, lost: int | str) -> None:
    """Late by some commits, or gone: the next call writes the difference or starts again."""
    publish_version(corpus, SECOND, [Doc()] * 3)
    bring_in_step(corpus)
    whole = rows(corpus)
    log = sorted(info.key for info in corpus.store.list(layout.DELTA))
    corpus.store.delete(log if lost == "all" else log[len(log) - int(lost) :])
    assert delta.start(corpus) == table(corpus).version()
    assert rows(corpus) == whole


def test_two_at_once_end_in_step(corpus: Corpus) -> None:
    """Two writers of the log race; it shows the current snapshot once."""
    publish_version(corpus, SECOND, [Doc()] * 3)
    racers = [threading.Thread(target=delta.follow, args=(corpus,)) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    delta.follow(corpus)
    assert rows(corpus) == {(FIRST, "eng"): 1, (FIRST, "deu"): 1, (SECOND, "eng"): 3}


def test_a_broken_log_stops_no_commit(corpus: Corpus, events: list[dict[str, Any]]) -> None:
    """What is no Delta log is said in the events, and trees are in step all the same."""
    for info in list(corpus.store.list(layout.DELTA)):
        corpus.store.put(info.key, b"{")
    publish_version(corpus, SECOND, [Doc()])
    assert bring_in_step(corpus)["copied"] > 0
    assert [event["event"] for event in events if event["event"].startswith("delta")] == [
        "delta.late"
    ]


def test_a_corpus_without_a_log_stays_without(tmp_path: Path) -> None:
    """Nobody gets a Delta table who did not ask for one."""
    for name in ("corpus", "scratch"):
        (tmp_path / name).mkdir()
    made = Corpus(LocalStore(tmp_path / "corpus"), tmp_path / "scratch")
    with pytest.raises(MissingError, match="expected a published corpus"):
        delta.start(made)
    publish_version(made, FIRST, [Doc()])
    bring_in_step(made)
    assert delta.follow(made) is None
    assert list(made.store.list(layout.DELTA)) == []


def test_a_corpus_in_memory_cannot_be_one(memory_corpus: Corpus) -> None:
    """Delta readers could not reach it."""
    publish_version(memory_corpus, FIRST, [Doc()])
    with pytest.raises(ConfigError, match="S3 or in a folder"):
        delta.start(memory_corpus)


@pytest.mark.server
def test_the_command_and_the_page_on_s3(s3_store: S3Store, tmp_path: Path) -> None:
    """`winnow delta` on a real server, a commit after it, and the lines of docs/reading.md."""
    corpus = Corpus(s3_store, tmp_path)
    publish_version(corpus, FIRST, [Doc(), Doc("deu")])
    endpoint = s3_store.for_arrow["AWS_ENDPOINT_URL"]
    flags = ["delta", "--corpus", s3_store.url, "--endpoint-url", endpoint]
    for _ in range(2):
        said = CliRunner().invoke(cli, flags, catch_exceptions=False)
        assert said.output.endswith("/store is a Delta table; version 1 is in step.\n")
    publish_version(corpus, SECOND, [Doc()] * 3)
    bring_in_step(corpus)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (block,) = [block for block in blocks if "DeltaTable" in block]
    where = s3_store.url.removeprefix("s3://")
    names: dict[str, Any] = {}
    code = block.replace("bucket/prefix", where).replace("https://s3.example", endpoint)
    exec(code, names)  # noqa: S102 - running the page is the point
    shown = names["documents"].to_table(columns=["dump_date", "language"]).to_pylist()
    assert sorted((str(row["dump_date"]), row["language"]) for row in shown) == [
        (FIRST, "deu"),
        (FIRST, "eng"),
        *[(SECOND, "eng")] * 3,
    ]
