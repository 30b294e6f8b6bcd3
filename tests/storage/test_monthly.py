"""The tree by month: the rows of the nights in few files, in step, or soon made again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.model.finding import Finding
from pipeline.publish import expire as expiring
from pipeline.publish import monthly
from pipeline.publish.beside import bring_in_step
from pipeline.publish.promote import promote
from pipeline.publish.rollback import rollback
from pipeline.publish.verify import verify_trees
from pipeline.publish.view import View
from pipeline.reading import dataset, table_schema
from pipeline.storage import layout, snapshots
from pipeline.storage import monthly as months
from pipeline.storage.local import LocalStore
from pipeline.storage.units import Corpus
from tests.deadly import survives
from tests.publishing import Doc, publish_version

NIGHTS = ("2026-10-30", "2026-11-20", "2026-11-21")
DOCS = [Doc(), Doc("deu", "medtop:1"), Doc("deu"), Doc("fra", "medtop:2")]
KEYS = ["dump_date", "language", "document_id", "text"]
Rows = list[tuple[object, ...]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder for a corpus."""
    for name in ("corpus", "scratch"):
        (tmp_path / name).mkdir()
    return tmp_path / "corpus"


@pytest.fixture
def corpus(folder: Path) -> Corpus:
    """Two nights of a month and one of the month before, in step by month too."""
    made = Corpus(LocalStore(folder), folder.parent / "scratch")
    for date in NIGHTS:
        publish_version(made, date, DOCS)
    bring_in_step(made)
    monthly.start(made)
    bring_in_step(made)
    return made


def drift(corpus: Corpus) -> list[Finding]:
    """Say how both trees differ from the current snapshot."""
    snapshot = snapshots.current(corpus)
    view = View(corpus, snapshot, threshold=0.75)
    return [*verify_trees(view), *monthly.findings(corpus, snapshot)]


def rows(table: pa.Table | pd.DataFrame) -> Rows:
    """Return date, language, id and text of every row, sorted."""
    frame = table.to_pandas() if isinstance(table, pa.Table) else table
    return sorted(tuple(map(str, row)) for row in frame[KEYS].itertuples(index=False))


def by_night(folder: Path) -> Rows:
    """Return the rows of the plain tree."""
    return rows(ds.dataset(folder / "documents", partitioning="hive").to_table())


def by_month(folder: Path) -> Rows:
    """Return the rows of the tree by month, as anybody would read it."""
    return rows(pd.read_parquet(folder / "monthly/documents"))


def objects(corpus: Corpus) -> dict[str, str]:
    """Return every object of the tree by month, with the hash of its bytes."""
    return {
        info.key: hashlib.sha256(corpus.store.get(info.key)[0]).hexdigest()
        for info in corpus.store.list(layout.MONTHLY)
    }


def test_a_month_is_a_file_a_table_with_the_rows_of_its_nights(
    corpus: Corpus, folder: Path
) -> None:
    """Ten files of documents become two; date and language are columns; rows are in order."""
    assert sorted(objects(corpus)) == [
        f"monthly/{table}/month={month}/part-00000.parquet"
        for table in sorted(layout.TABLES)
        for month in ("2026-10", "2026-11")
    ]
    assert by_month(folder) == by_night(folder)
    assert len(by_month(folder)) == len(NIGHTS) * len(DOCS)
    table = pq.read_table(folder / "monthly/documents/month=2026-11", partitioning=None)
    assert table.schema.names == table_schema("documents").names
    order = ["language", "dump_date", "topic", "source", "document_id"]
    assert table.equals(table.sort_by([(name, "ascending") for name in order]))
    for name in ("verdicts", "quarantine", "runs"):
        whole = dataset(name, str(folder), dump_dates=NIGHTS).to_table()
        stored = pq.read_table(folder / f"monthly/{name}", partitioning=None)
        assert sorted(map(str, stored.to_pylist())) == sorted(map(str, whole.to_pylist()))
    assert drift(corpus) == []


def test_commits_bring_their_months_in_step_and_leave_the_others(
    corpus: Corpus, folder: Path
) -> None:
    """New, changed and rolled back nights: the same rows as the nights have, other months alone."""
    october = corpus.store.stat("monthly/documents/month=2026-10/part-00000.parquet")
    whole = objects(corpus)
    steps: list[Callable[[], object]] = [
        lambda: publish_version(corpus, "2026-11-19", DOCS),
        lambda: publish_version(corpus, NIGHTS[2], [Doc()], 2),
        lambda: rollback(corpus, 3, run_id="back"),
    ]
    for step in steps:
        step()
        bring_in_step(corpus)
        assert by_month(folder) == by_night(folder)
        assert drift(corpus) == []
    assert objects(corpus) == whole
    assert corpus.store.stat("monthly/documents/month=2026-10/part-00000.parquet") == october
    rollback(corpus, 1, run_id="far")
    bring_in_step(corpus)
    assert {key.split("/")[2] for key in objects(corpus)} == {"month=2026-10"}


def test_its_bytes_follow_from_the_nights(corpus: Corpus, tmp_path: Path) -> None:
    """Nights in another order, by other runs, end in the same files; but runs know times."""
    (tmp_path / "other").mkdir()
    other = Corpus(LocalStore(tmp_path / "other"), corpus.scratch)
    publish_version(other, NIGHTS[1], [Doc()])
    monthly.start(other)
    for date in reversed(NIGHTS):
        publish_version(other, date, DOCS)
        bring_in_step(other)
    expected = {key: digest for key, digest in objects(corpus).items() if "/runs/" not in key}
    assert expected == {k: v for k, v in objects(other).items() if "/runs/" not in k}


def test_killed_at_every_write(corpus: Corpus, folder: Path) -> None:
    """Whatever was done when it died, readers see whole months, and the next call heals."""
    before, deadly, lived = by_month(folder), 0, False
    while not lived:
        deadly += 1
        publish_version(corpus, NIGHTS[2], [Doc()], 1 + deadly)
        promote(corpus)
        lived = survives(folder, deadly, bring_in_step)
        after = by_night(folder)
        assert rows(dataset("documents", str(folder)).to_table()) == after
        assert by_month(folder) in (before, after)
        bring_in_step(corpus)
        assert by_month(folder) == after
        before = after
    assert deadly > 12
    assert drift(corpus) == []


def test_a_dataset_reads_months_and_stays_as_it_is(corpus: Corpus, folder: Path) -> None:
    """Months for nights, of earlier snapshots too until they expire; a date opens no other."""
    url = str(folder)
    held = dataset("documents", url)
    assert [Path(name).parts[-3] for name in held.files] == ["monthly", "monthly"]
    assert held.schema == table_schema("documents")
    before = held.to_table()
    assert rows(before) == rows(dataset("documents", url, dump_dates=NIGHTS).to_table())
    october = ds.field("dump_date") == dt.date(2026, 10, 30)
    assert len(list(held.get_fragments(filter=october))) == 1
    assert held.count_rows(filter=october & (ds.field("language") == "deu")) == 2
    publish_version(corpus, NIGHTS[2], [Doc()], 2)
    mixed = dataset("documents", url)
    assert {Path(name).parts[-3] for name in mixed.files} == {"publish", "monthly"}
    bring_in_step(corpus)
    assert rows(mixed.to_table()) == rows(dataset("documents", url).to_table())
    for day in range(2):
        rule = expiring.Rule(snapshots=2, days=0)
        expiring.expire(corpus, rule, now=_later(day))
    assert held.to_table().equals(before)
    assert dataset("documents", url, snapshot=3).to_table().equals(before)
    for day in range(2, 4):
        expiring.expire(corpus, expiring.Rule(snapshots=1, days=0), now=_later(day))
    with pytest.raises(FileNotFoundError):
        held.to_table()
    assert drift(corpus) == []
    assert len(list(corpus.store.list(f"{layout.DATA}monthly/"))) == len(objects(corpus))


def _later(days: int) -> float:
    return dt.datetime.now(dt.UTC).timestamp() + (days + 1) * expiring.DAY + 60


def _lose(corpus: Corpus, key: str) -> None:
    corpus.store.delete([key])


def _break(corpus: Corpus, key: str) -> None:
    corpus.store.delete([key])
    corpus.store.put(key, b"PAR1 no more")


@pytest.mark.parametrize("place", ["data/monthly", "units/monthly", "monthly/documents"])
def test_damage_is_found_and_healed(corpus: Corpus, folder: Path, place: str) -> None:
    """A lost or damaged file, manifest or copy breaks promise 5, and `promote --full` mends it."""
    whole = objects(corpus)
    for damage in (_lose, _break):
        damage(corpus, max(info.key for info in corpus.store.list() if place in info.key))
        assert {one.promise for one in drift(corpus)} == {5}
        bring_in_step(corpus, full=True)
        assert drift(corpus) == []
        assert objects(corpus) == whole
        assert by_month(folder) == by_night(folder)


def test_rows_that_are_not_those_of_the_nights_are_found(corpus: Corpus) -> None:
    """A month that was made wrong has sound files; verifying compares rows."""
    snapshot = snapshots.current(corpus)
    name = months.fingerprints(snapshot)["2026-11"]
    made = months.find(corpus, name)
    assert made is not None
    (ref,) = made.tables["verdicts"]
    table = corpus.read(ref)
    wrong = corpus.write(months.STAGE, name, "wrong", table.slice(1))
    corpus.store.delete([layout.unit(months.STAGE, name)])
    tables = made.tables | {"verdicts": (wrong,)}
    corpus.finish(
        layout.unit(months.STAGE, name),
        type(made)(fingerprint=name, month="2026-11", tables=tables),
    )
    assert "2026-11: expected the rows of its nights in verdicts" in str(drift(corpus)[0])


def test_files_of_an_older_schema_show_null(corpus: Corpus, folder: Path) -> None:
    """A column that came later is null in the rows of nights that were written before it."""
    state = snapshots.load_state(corpus, snapshots.current(corpus), NIGHTS[0])
    old = folder / state.verdicts.key
    table = pq.read_table(old, partitioning=None)
    pq.write_table(table.drop_columns(["tombstone_id"]), old)
    parts = [(NIGHTS[0], "", state.verdicts)]
    corpus.store.fetch = lambda *_, **__: old  # type: ignore[method-assign] # its hash is another
    (batch,) = monthly._rows(corpus, "verdicts", parts)
    assert batch.schema.names == table_schema("verdicts").names
    assert batch["tombstone_id"].null_count == batch.num_rows == len(DOCS)


def test_the_command_begins_and_ends_it(corpus: Corpus, folder: Path) -> None:
    """`winnow compact` makes what is missing; with `--stop` the tree goes, and files expire."""

    def compact(*flags: str) -> str:
        words = ["compact", "--corpus", str(folder), *flags]
        return CliRunner().invoke(cli, words, catch_exceptions=False).output.splitlines()[-1]

    publish_version(corpus, NIGHTS[2], [Doc()], 2)
    promote(corpus)
    made = {"months": 1, "files_read": 11, "files_written": 4}
    assert json.loads(compact("--json")) == made | {"dumps": 1, "copied": 4, "deleted": 0}
    assert compact() == "months=0 files_read=0 files_written=0 dumps=0 copied=0 deleted=0"
    assert drift(corpus) == []
    assert compact("--stop") == "months=0 dumps=2 copied=0 deleted=8"
    assert objects(corpus) == {}
    assert drift(corpus) == []
    assert Path(dataset("documents", str(folder)).files[0]).parts[-3] != "monthly"
    for day in range(2):
        expiring.expire(corpus, expiring.Rule(snapshots=1, days=0), now=_later(day))
    assert list(corpus.store.list(f"{layout.DATA}monthly/")) == []
