"""The topic table and the topic annotator."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich import topic, topic_table
from pipeline.enrich.annotator import annotate, resolve
from pipeline.errors import ConfigError
from pipeline.model.schemas import TOPIC_COLUMNS

COURT = (
    "The court sentenced the former director to four years in prison for fraud. Prosecutors said "
    "that he had stolen money from his clients; his lawyer announced an appeal. Police had "
    "arrested him last year after an investigation into forged documents. "
)
TAMIL = "இன்று காலை காற்று மிகவும் பலமாக வீசியதால் படகு புறப்படவில்லை, எல்லோரும் துறைமுகத்தின் அருகே காத்திருந்தார்கள். "


def test_long_supported_text_gets_two_topics() -> None:
    """First and second topic are ids of the taxonomy with labels, the first more probable."""
    batch = annotate(pa.array([COURT]), resolve(("language", "topic")))
    (row,) = batch.to_pylist()
    assert (row["topic"], row["topic_label"]) == ("medtop:02000000", "crime, law and justice")
    assert row["topic_status"] == "ok"
    assert row["topic_confidence"] > row["topic_2_confidence"] >= 0
    assert row["topic_2"] != row["topic"]
    assert row["topic_model"] == topic_table.card().model_id


@pytest.mark.parametrize(
    ("text", "status"),
    [(COURT[:100], "short"), (TAMIL * 10, "unsupported_language"), ("", "unsupported_language")],
)
def test_abstention(text: str, status: str) -> None:
    """Without enough letters or in a language the table does not know, topics are null."""
    (row,) = annotate(pa.array([text]), resolve(("language", "topic"))).to_pylist()
    empty = {name: row[name] for name in ("topic", "topic_label", "topic_confidence", "topic_2")}
    assert (row["topic_status"], set(empty.values())) == (status, {None})


def test_answers_do_not_depend_on_the_batch() -> None:
    """A document's columns are the same alone and among others."""
    texts = [COURT, TAMIL, COURT[::-1] * 2, "", COURT * 40]
    annotators = resolve(("language", "topic"))
    alone = [annotate(pa.array([text]), annotators).to_pylist()[0] for text in texts]
    assert annotate(pa.array(texts), annotators).to_pylist() == alone


def test_low_confidence_is_still_filled() -> None:
    """A topic that is little more probable than others stands, marked as one not to trust."""
    flat = np.full((2, 17), 0.65 / 16)
    flat[0, 3], flat[1, 3] = 0.35, 0.4
    batch = topic._columns(["ok", "ok"], np.array([True, True]), flat)
    assert batch.column("topic").to_pylist() == ["medtop:04000000"] * 2
    assert batch.column("topic_status").to_pylist() == ["low_confidence", "ok"]


def test_topic_needs_a_language() -> None:
    """Settings that put topic before language are refused with the remedy."""
    with pytest.raises(ConfigError, match='Put "language" before "topic"'):
        annotate(pa.array([COURT]), resolve(("topic",)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=4))
def test_probabilities_of_any_text_sum_to_one(texts: list[str]) -> None:
    """Hostile texts, empty ones too, get a distribution over the 17 topics."""
    found = topic_table.table().probabilities(texts)
    assert found.shape == (len(texts), 17)
    assert np.allclose(found.sum(axis=1), 1.0)


def test_changed_table_is_refused(tmp_path: Path) -> None:
    """A table that is not the one the sidecar names is a configuration error."""
    path = tmp_path / "topic_table.npy"
    shutil.copy(topic_table.FOLDER / "topic_table.npy", path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(ConfigError, match=r"expected topic_table\.npy with sha256"):
        topic_table.TopicTable(topic_table.card(), tmp_path, topic_table.tokenizer_path())


def test_missing_tokenizer_is_refused(tmp_path: Path) -> None:
    """A missing tokenizer is named with the way to get it back."""
    with pytest.raises(ConfigError, match="found no file"):
        topic_table.TopicTable(topic_table.card(), topic_table.FOLDER, tmp_path / "sp.model")


def test_artefact_is_small_and_complete() -> None:
    """The packaged table stays below 4 MB and its card has a value a topic."""
    facts = topic_table.card()
    assert (topic_table.FOLDER / "topic_table.npy").stat().st_size < 4_000_000
    sizes = {len(values) for values in (facts.topics, facts.prior, facts.bias, facts.scale)}
    assert sizes == {17}
    assert [topic.id[:9] for topic in facts.topics] == [f"medtop:{n:02d}" for n in range(1, 18)]


def test_columns_are_the_declared_ones() -> None:
    """The annotator declares exactly the topic columns of the schema."""
    (found,) = resolve(("topic",))
    assert list(found.columns) == TOPIC_COLUMNS
