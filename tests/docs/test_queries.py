"""The queries of docs/queries.md on published corpora, with retractions, on disk and on S3."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.dataset as ds
import pytest
from click.testing import CliRunner
from pyarrow import fs

from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.audit import sightings as asking
from pipeline.cli import cli
from pipeline.model.settings import Settings
from pipeline.storage.open import open_store
from tests.conftest import BUCKET
from tests.nights import land, run, settings_for

PAGE = (Path(__file__).parents[2] / "docs/queries.md").read_text("utf-8")
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
NIGHTS = ["2026-11-20", "2026-11-21", "2026-11-24"]
Row = dict[str, Any]


def story(name: str, *more: str) -> str:
    """A text of its own, with some words behind it."""
    return " ".join([*(f"{name}{at}" for at in range(60)), *more])


CORPUS: Mapping[str, Mapping[str, list[str]]] = {
    NIGHTS[0]: {"north": [story("a"), story("b")], "south": [story("a", "again")]},
    NIGHTS[1]: {"north": [story("c")], "south": [story("a"), story("c", "more"), story("d")]},
    NIGHTS[2]: {"east": [story("a").upper(), story("d"), story("e")]},
}


def publish(settings: Settings, order: list[str]) -> Settings:
    """Publish the nights in some order."""
    landing = open_store(settings.store.landing, endpoint_url=settings.store.endpoint_url)
    for number, date in enumerate(order):
        for source, texts in CORPUS[date].items():
            rows = [json.dumps({"id": str(at), "text": text}) for at, text in enumerate(texts)]
            land(landing, [(f"{source}/{date}/texts.jsonl", "\n".join(rows).encode())])
        run(settings, date, f"run{number}")
    return settings


def local(home: Path, order: list[str]) -> Settings:
    """Publish the nights below a folder, where the page says."""
    (home / "landing").mkdir(parents=True)
    settings = settings_for(str(home / "landing"), str(home / ".demo/corpus"))
    return publish(settings, order)


def expected(rows: list[Row]) -> list[Row]:
    """Count sightings by their definition."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["witness_id"] or row["document_id"], []).append(row)
    return [
        {
            "document_id": name,
            "duplicate_count": len(seen) - 1,
            "first_seen": min(row["dump_date"] for row in seen),
            "last_seen": max(row["dump_date"] for row in seen),
            "nights": len({row["dump_date"] for row in seen}),
            "sources": sorted({row["source"] for row in seen}),
        }
        for name, seen in sorted(found.items())
    ]


def asked(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """Run a query."""
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Settings]]:
    """The same nights in order, and with the first one late so that it retracts."""
    orders = [NIGHTS, [NIGHTS[2], NIGHTS[1], NIGHTS[0]]]
    folders = [tmp_path_factory.mktemp("queries") for _ in orders]
    return [(home, local(home, order)) for home, order in zip(folders, orders, strict=True)]


def test_the_page_shows_the_views_that_the_command_prints() -> None:
    """The first block of the page begins what `winnow sightings --sql` prints for the demo."""
    assert asking.VIEWS.format(corpus=".demo/corpus").startswith(BLOCKS[0] + "\n")


def test_every_statement_of_the_page_runs(
    homes: list[tuple[Path, Settings]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks run one after the other, and each query has an answer."""
    monkeypatch.chdir(homes[0][0])
    with duckdb.connect() as connection:
        connection.execute(BLOCKS[0])
        answers = [asked(connection, block) for block in BLOCKS[1:]]
    assert len(BLOCKS) == 5
    assert all(answers)
    most, appeared, copied, by_night = answers
    assert [row["duplicate_count"] for row in most] == [3, 1, 1, 0, 0]
    assert [row["reason"] == "unique" for row in appeared] == [True] + [False] * (len(appeared) - 1)
    assert len(appeared) > 1
    assert {(row["origin"], row["copier"]): row["texts"] for row in copied} == {
        ("north", "south"): 2,
        ("north", "east"): 1,
        ("south", "east"): 1,
        ("south", "north"): 1,
    }
    assert [row["published"] for row in by_night] == [2, 2, 1]


def test_sightings_follow_from_the_verdicts_whatever_the_order(
    homes: list[tuple[Path, Settings]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """View and command agree with the definition, and no order of nights changes them."""
    tables = []
    for home, settings in homes:
        monkeypatch.chdir(home)
        with duckdb.connect() as connection:
            connection.execute(BLOCKS[0])
            rows = asked(connection, "FROM sightings ORDER BY document_id")
            assert rows == expected(asked(connection, "FROM verdicts"))
        with runner.corpus_session(settings) as corpus:
            table = asking.sightings(corpus)
        assert table.schema == asking.SCHEMA
        assert table.to_pylist() == rows
        tables.append(rows)
    assert tables[0] == tables[1]
    assert [row["duplicate_count"] for row in tables[0]].count(3) == 1
    assert {str(row["last_seen"]) for row in tables[0]} == set(NIGHTS)


def test_sightings_follow_a_night_that_is_emptied(tmp_path: Path) -> None:
    """When the night of the published copy goes, its duplicates are seen as the restored one's."""
    settings = local(tmp_path, NIGHTS)
    landing = open_store(settings.store.landing)
    with runner.corpus_session(settings) as corpus:
        (before,) = [row for row in asking.sightings(corpus).to_pylist() if row["nights"] == 3]
    landing.delete([f"{source}/{NIGHTS[0]}/texts.jsonl" for source in CORPUS[NIGHTS[0]]])
    run(settings, NIGHTS[0], "gone", allow_deleted=True)
    with runner.corpus_session(settings) as corpus:
        after = asking.sightings(corpus).to_pylist()
    assert before["duplicate_count"] == 3
    assert max(row["duplicate_count"] for row in after) == 1
    assert min(row["first_seen"] for row in after) == dt.date.fromisoformat(NIGHTS[1])


def test_appearances_are_the_same_for_every_id_of_a_text(
    homes: list[tuple[Path, Settings]],
) -> None:
    """The published document comes first, then its duplicates by date, whichever is asked for."""
    with runner.corpus_session(homes[1][1]) as corpus:
        rows = asking.sightings(corpus).to_pylist()
        (most,) = [row["document_id"] for row in rows if row["duplicate_count"] == 3]
        seen = asking.appearances(corpus, most)
        again = [asking.appearances(corpus, row["document_id"]) for row in seen]
    assert [row["kept"] for row in seen] == [True, False, False, False]
    assert [row["dump_date"] for row in seen] == [NIGHTS[0], NIGHTS[0], NIGHTS[1], NIGHTS[2]]
    assert {row["source"] for row in seen} == {"north", "south", "east"}
    assert again == [seen] * 4


def test_the_command_lists_texts_and_where_they_appeared(
    homes: list[tuple[Path, Settings]],
) -> None:
    """`winnow sightings` has the texts seen most often, one text by any id, and the views."""
    corpus = ["--corpus", homes[0][1].store.corpus]

    def winnow(*words: str) -> str:
        ended = CliRunner().invoke(cli, ["sightings", *corpus, *words], catch_exceptions=False)
        assert ended.exit_code == 0
        return str(ended.stdout)

    most = json.loads(winnow("--json", "--limit", "2"))
    assert [row["duplicate_count"] for row in most] == [3, 1]
    seen = json.loads(winnow("--json", most[0]["document_id"]))
    assert [row["dump_date"] for row in seen] == [NIGHTS[0], NIGHTS[0], NIGHTS[1], NIGHTS[2]]
    assert "east, north, south" in winnow()
    assert f"east/{NIGHTS[2]}/texts.jsonl" in winnow(most[0]["document_id"])
    assert winnow("--sql") == asking.VIEWS.format(corpus=corpus[1])


def test_sightings_of_a_corpus_on_s3(object_store: ObjectStore, tmp_path: Path) -> None:
    """The views over an Arrow dataset on S3 give what the command gives there."""
    (tmp_path / "landing").mkdir()
    prefix = "queries"
    settings = settings_for(
        str(tmp_path / "landing"), f"s3://{BUCKET}/{prefix}", endpoint_url=object_store.url
    )
    publish(settings, NIGHTS[::-1])
    server = fs.S3FileSystem(endpoint_override=object_store.url, region="us-east-1")
    verdicts = ds.dataset(f"{BUCKET}/{prefix}/verdicts", filesystem=server, partitioning="hive")
    with duckdb.connect() as connection:
        connection.register("verdicts", verdicts)
        for statement in BLOCKS[0].split(";\n")[2:]:
            connection.execute(statement)
        rows = asked(connection, "FROM sightings ORDER BY document_id")
    with runner.corpus_session(settings) as corpus:
        told = asking.sightings(corpus).to_pylist()
    dates = ("first_seen", "last_seen")
    assert [row | {name: str(row[name]) for name in dates} for row in rows] == [
        row | {name: str(row[name]) for name in dates} for row in told
    ]
    assert max(row["duplicate_count"] for row in rows) == 3
