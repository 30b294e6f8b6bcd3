"""Annotators by name, from this package and from others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.enrich.annotator import COLUMNS, LANGUAGE, annotate, resolve
from pipeline.enrich.inspect import annotate_texts
from pipeline.errors import ConfigError
from pipeline.model.schemas import DOCUMENTS

OTHER = """
import pyarrow as pa
from pipeline.enrich.annotator import LANGUAGE, Annotator
from pipeline.model.schemas import TOPIC_COLUMNS

def shout():
    def run(texts, earlier):
        answers = pa.array(["eng"] * len(texts))
        return pa.RecordBatch.from_arrays([answers], schema=pa.schema([LANGUAGE]))
    return Annotator(name="shout", columns=(LANGUAGE,), annotate=run, model="shout/1")

def foreign():
    field = pa.field("mood", pa.string())
    run = lambda texts, earlier: earlier
    return Annotator(name="foreign", columns=(field,), annotate=run, model="f/1")

def nothing():
    return {"name": "nothing"}

def short():
    run = lambda texts, earlier: pa.RecordBatch.from_arrays(
        [pa.array(["eng"])], schema=pa.schema([LANGUAGE]))
    return Annotator(name="short", columns=(LANGUAGE,), annotate=run, model="s/1")

def said(word):
    run = lambda texts, earlier: pa.RecordBatch.from_arrays(
        [pa.array([word] * len(texts))], schema=pa.schema([LANGUAGE]))
    return Annotator(name="said", columns=(LANGUAGE,), annotate=run, model=f"said/{word}")

CONSTANT = 7
"""
POINTS = """[winnow.annotators]
shout = winnow_shout:shout
foreign = winnow_shout:foreign
nothing = winnow_shout:nothing
short = winnow_shout:short
said = winnow_shout:said
constant = winnow_shout:CONSTANT
gone = winnow_shout:gone
elsewhere = winnow_elsewhere:one
"""


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with two annotators, as pip would leave it."""
    (tmp_path / "winnow_shout.py").write_text(OTHER)
    folder = tmp_path / "winnow_shout-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: winnow-shout\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    resolve.cache_clear()


def test_order_is_that_of_the_settings() -> None:
    """Annotators come in the order in which settings name them."""
    assert [one.name for one in resolve(("language", "topic"))] == ["language", "topic"]


def test_unknown_name_lists_the_known() -> None:
    """A misspelt annotator is refused with the names that exist."""
    with pytest.raises(ConfigError, match=r"expected one of .*language, .*topic.*found 'langauge'"):
        resolve(("langauge",))


def test_columns_are_made_once() -> None:
    """Two annotators of the same column contradict each other."""
    with pytest.raises(ConfigError, match="column language is already made by language"):
        resolve(("language", "language"))


@pytest.mark.usefixtures("other_package")
def test_other_packages_add_annotators() -> None:
    """An entry point is found by name and its columns are used."""
    (shout,) = resolve(("shout",))
    batch = annotate(pa.array(["a", "b"]), (shout,))
    assert batch.column(LANGUAGE.name).to_pylist() == ["eng", "eng"]


@pytest.mark.usefixtures("other_package")
def test_undeclared_columns_are_refused() -> None:
    """A column that the schema does not declare cannot slip into published files."""
    with pytest.raises(ConfigError, match="Declare the column"):
        resolve(("foreign",))


@pytest.mark.usefixtures("other_package")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "annotator nothing: expected its factory to return an Annotator .* found dict"),
        ("constant", "expected winnow_shout:CONSTANT to be a function .* found int"),
        ("gone", "expected winnow_shout:gone to be a function, found .*no attribute"),
        ("elsewhere", "expected winnow_elsewhere:one to be a function, found No module named"),
        ("shout:loud", "expected 'shout' with an argument after a colon, found"),
        ("said", "expected 'said' without an argument after a colon, found"),
        ("topic:x", "expected 'topic' with an argument"),
    ],
)
def test_what_is_no_annotator_is_refused(name: str, said: str) -> None:
    """Each error says what was expected, what the entry point gave, and what to do."""
    with pytest.raises(ConfigError, match=said):
        resolve((name,))


@pytest.mark.usefixtures("other_package")
def test_an_argument_reaches_the_factory() -> None:
    """What stands behind the colon is the factory's, and may be part of the model's id."""
    (one,) = resolve(("said:fra",))
    assert one.model == "said/fra"
    assert annotate(pa.array(["a"]), (one,)).column("language").to_pylist() == ["fra"]


@pytest.mark.usefixtures("other_package")
def test_rows_cannot_be_lost() -> None:
    """An annotator that returns fewer rows than texts is refused by name."""
    with pytest.raises(ConfigError, match="annotator short: expected a RecordBatch with 2 rows"):
        annotate(pa.array(["a", "b"]), resolve(("short",)))


def test_no_annotators_give_typed_constants() -> None:
    """With every annotator off the columns are there, say so, and no required one is null."""
    batch = annotate(pa.array(["a", "b"]), ())
    assert batch.schema == COLUMNS
    assert batch.column("language").to_pylist() == ["und", "und"]
    assert [f.name for f in COLUMNS if not f.nullable and batch.column(f.name).null_count] == []


def test_columns_are_those_of_the_documents() -> None:
    """Every annotation column but the partition value is a column of published documents."""
    assert [field for field in COLUMNS if field not in DOCUMENTS] == [LANGUAGE]


def test_model_ids_load_no_models() -> None:
    """Resolving annotators, as planning does, reads no tokenizer and no detector model."""
    code = (
        "from pipeline.enrich import annotator, detectors, ngrams, topic_table;"
        "ids = [a.model for a in annotator.resolve(('language', 'topic'))];"
        "caches = (topic_table.table, ngrams.ngrams, detectors._network);"
        "print(all(ids), sum(cache.cache_info().currsize for cache in caches))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "0"]


def test_texts_come_back_in_order_across_batches() -> None:
    """The helper for people with texts keeps order over batch ends and bears broken strings."""
    texts = ["", "\udc80" * 3, "A plain sentence about the harbour and the ships in it."] * 401
    rows = list(annotate_texts(texts))
    expected = ["empty", "non_linguistic", "ok"] * 401
    assert [row["language_status"] for row in rows] == expected
