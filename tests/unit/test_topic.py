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
from pipeline.enrich.topic_table import Found
from pipeline.errors import ConfigError
from pipeline.model.schemas import TOPIC_COLUMNS

COURT = (
    "The court sentenced the former director to four years in prison for fraud. Prosecutors said "
    "that he had stolen money from his clients; his lawyer announced an appeal. Police had "
    "arrested him last year after an investigation into forged documents. "
)
TRIAL = (
    "The supreme court overturned the verdict because a juror had spoken to a witness. Two judges "
    "dissented; the trial will begin anew before another chamber, and the defendant stays on bail. "
    "The judge read the decision in a courtroom that was full to the last seat. "
)
MATCH = (
    "The striker scored twice and the team won the match. The coach praised the goalkeeper; the "
    "club leads the league and meets its rival in the final on Saturday, when the captain returns. "
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
    assert row["topic_model"] == topic_table.model_id()


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


def test_no_bit_of_a_probability_depends_on_the_batch() -> None:
    """What is rounded later would fall on the other side of a half for some text of a large corpus.

    A shard that is published again asks only about texts that are new in it.
    """
    texts = [f"{text} {number}" for number in range(20) for text in (COURT, TRIAL, MATCH)]
    table = topic_table.table()
    found, alone = table.find(texts), [table.find([text]) for text in texts]
    assert found.sure.tolist() == [one.sure.tolist()[0] for one in alone]
    assert found.narrow_sure.tolist() == [one.narrow_sure.tolist()[0] for one in alone]


def test_low_confidence_is_still_filled() -> None:
    """A topic that is little more probable than others stands, marked as one not to trust."""
    found = Found(
        topics=np.array([[3, 0], [3, 0]]),
        sure=np.array([[0.35, 0.3], [0.4, 0.3]]),
        narrow=np.array([20, 21]),
        narrow_sure=np.array([0.49, 0.5]),
    )
    batch = topic._columns(["short", "ok", "ok"], found)
    assert batch.column("topic").to_pylist() == [None, "medtop:04000000", "medtop:04000000"]
    assert batch.column("topic_status").to_pylist() == ["short", "low_confidence", "ok"]
    labels = batch.column("topic_narrow_label").to_pylist()
    assert labels == [None, None, topic_table.card().narrow[21].label]


def test_narrow_topic_is_below_the_first() -> None:
    """Where there is a second-level topic, it is one of those of the first topic."""
    above = {one.id: topic_table.card().topics[one.top].id for one in topic_table.card().narrow}
    found = annotate(pa.array([TRIAL, MATCH * 2]), resolve(("language", "topic"))).to_pylist()
    assert found[0]["topic_narrow_label"] == "judiciary"
    narrow = [row for row in found if row["topic_narrow"]]
    assert [above[row["topic_narrow"]] for row in narrow] == [row["topic"] for row in narrow]
    assert all(0.5 <= row["topic_narrow_confidence"] <= row["topic_confidence"] for row in narrow)


def test_the_middle_and_the_end_count() -> None:
    """A long document is read at its beginning, its middle and its end."""
    weather = "Cloudy with some rain in the evening, and ten degrees. "
    text = weather * 12 + COURT * 60
    (row,) = annotate(pa.array([text]), resolve(("language", "topic"))).to_pylist()
    assert row["topic_label"] == "crime, law and justice"


def test_topic_needs_a_language() -> None:
    """Settings that put topic before language are refused with the remedy."""
    with pytest.raises(ConfigError, match='Put "language" before "topic"'):
        annotate(pa.array([COURT]), resolve(("topic",)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=4))
def test_any_text_gets_two_topics_with_probabilities(texts: list[str]) -> None:
    """Hostile texts, empty ones too, get two different topics whose probabilities can both hold."""
    found = topic_table.table().find(texts)
    assert found.topics.shape == found.sure.shape == (len(texts), 2)
    assert (found.topics[:, 0] != found.topics[:, 1]).all()
    assert (found.sure >= 0).all()
    assert (found.sure[:, 0] >= found.sure[:, 1]).all()
    assert (found.sure[:, 0] <= 1).all()
    assert (found.narrow_sure <= found.sure[:, 0]).all()


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
    """The packaged table stays below 10 MB and its card has a value a topic."""
    facts = topic_table.card()
    assert (topic_table.FOLDER / "topic_table.npy").stat().st_size < 10_000_000
    sizes = {len(values) for values in (facts.topics, facts.prior, facts.bias, facts.offsets)}
    assert sizes == {17}
    assert [topic.id[:9] for topic in facts.topics] == [f"medtop:{n:02d}" for n in range(1, 18)]


def test_columns_are_the_declared_ones() -> None:
    """The annotator declares exactly the topic columns of the schema."""
    (found,) = resolve(("topic",))
    assert list(found.columns) == TOPIC_COLUMNS
