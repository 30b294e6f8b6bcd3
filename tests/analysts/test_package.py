"""`datapackage.json`: what the trees hold, valid to an independent validator, after each commit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import runner
from pipeline.model.columns import TABLES
from pipeline.publish import package
from pipeline.publish.beside import bring_in_step
from pipeline.publish.rollback import rollback
from pipeline.storage import layout, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.units import Corpus
from tests.analysts import tools
from tests.analysts.conftest import Demo
from tests.publishing import Doc, publish_version

FIRST, SECOND = "2026-11-20", "2026-11-21"
VALIDATE = """
import json, sys
from frictionless import FrictionlessException, Package
try:
    package = Package.from_descriptor(json.load(open(sys.argv[1])))
    print({one.name: 1 + len(one.extrapaths) for one in package.resources})
except FrictionlessException as error:
    print("refused:", error)
"""


def told(corpus: Corpus) -> dict[str, Any]:
    """Return the description that is stored."""
    found: dict[str, Any] = json.loads(corpus.store.get(layout.PACKAGE)[0])
    return found


def paths(found: dict[str, Any]) -> set[str]:
    """Return every file that a description names."""
    return {path for one in found["resources"] for path in one["path"]}


def trees(corpus: Corpus) -> dict[str, int]:
    """Return every file in the plain trees, with its size."""
    return {
        info.key: info.size for table in layout.TABLES for info in corpus.store.list(f"{table}/")
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Two small nights on disk, in step."""
    for name in ("corpus", "scratch"):
        (tmp_path / name).mkdir()
    made = Corpus(LocalStore(tmp_path / "corpus"), tmp_path / "scratch")
    for date in (FIRST, SECOND):
        publish_version(made, date, [Doc(), Doc("deu")])
        bring_in_step(made)
    return made


def test_a_validator_takes_it(demo: Demo, tmp_path: Path) -> None:
    """frictionless, which knows nothing of Winnow, finds no error in that of the demo."""
    with runner.corpus_session(demo.settings) as corpus:
        found = told(corpus)
    worse = [found["resources"][0] | {"schema": {"fields": [{"name": "a", "type": "word"}]}}]
    for name, change in (("good", {}), ("bad", {"resources": worse})):
        (tmp_path / f"{name}.json").write_text(json.dumps(found | change))
    answers = [
        subprocess.run(
            [tools.python(), "-c", VALIDATE, str(tmp_path / f"{name}.json")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for name in ("good", "bad")
    ]
    assert answers[0] == repr({one["name"]: len(one["path"]) for one in found["resources"]})
    assert answers[1].startswith("refused:")


def test_it_names_every_file_column_and_row_of_the_demo(demo: Demo) -> None:
    """Files are those of the trees; columns those of the files; rows and bytes add up."""
    with runner.corpus_session(demo.settings) as corpus:
        found, sizes = told(corpus), trees(corpus)
        sequence = snapshots.current(corpus).sequence
    assert found["winnow"]["snapshot"] == sequence
    assert paths(found) == set(sizes)
    for one in found["resources"]:
        assert one["bytes"] == sum(sizes[path] for path in one["path"])
        rows = sum(pq.read_metadata(demo.trees / path).num_rows for path in one["path"])
        assert one["winnow"]["rows"] == rows
        names = [field["name"] for field in one["schema"]["fields"]]
        assert names == TABLES[one["name"]].whole.names
        assert all(len(field["description"]) > 5 for field in one["schema"]["fields"])


def test_it_follows_commits_and_rollbacks(corpus: Corpus) -> None:
    """Partitions that go, nights that are rolled back, and nothing written when nothing changed."""
    assert paths(told(corpus)) == set(trees(corpus))
    before = corpus.store.stat(layout.PACKAGE)
    assert not package.refresh(corpus)
    assert corpus.store.stat(layout.PACKAGE) == before
    publish_version(corpus, SECOND, [Doc()], version=2)
    bring_in_step(corpus)
    assert not any("language=deu" in path and SECOND in path for path in paths(told(corpus)))
    assert paths(told(corpus)) == set(trees(corpus))
    rollback(corpus, 1, run_id="back")
    bring_in_step(corpus)
    assert set(told(corpus)["winnow"]["nights"]) == {FIRST}
    assert paths(told(corpus)) == set(trees(corpus))


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"winnow": {}}', None])
def test_a_lost_or_damaged_description_is_made_again(corpus: Corpus, damage: bytes | None) -> None:
    """The next call writes the same bytes, whatever was there."""
    whole = corpus.store.get(layout.PACKAGE)[0]
    corpus.store.delete([layout.PACKAGE])
    if damage is not None:
        corpus.store.put(layout.PACKAGE, damage)
    assert package.refresh(corpus)
    assert corpus.store.get(layout.PACKAGE)[0] == whole


def test_unchanged_nights_are_not_read_again(corpus: Corpus) -> None:
    """A commit of one night reads the state of that night alone."""
    before = told(corpus)
    first = snapshots.current(corpus).dumps[FIRST].state.key
    publish_version(corpus, SECOND, [Doc()] * 3, version=2)
    (corpus.store.fetch(snapshots.current(corpus).dumps[FIRST].state, corpus.scratch)).unlink()
    after = package.describe(corpus, snapshots.current(corpus), before)
    assert after["winnow"]["nights"][FIRST] == before["winnow"]["nights"][FIRST]
    assert after["winnow"]["nights"][SECOND] != before["winnow"]["nights"][SECOND]
    assert corpus.store.stat(first) is None


def test_an_empty_corpus_has_none(memory_corpus: Corpus) -> None:
    """Before the first commit nothing is written."""
    assert not package.refresh(memory_corpus)
    assert memory_corpus.store.stat(layout.PACKAGE) is None
