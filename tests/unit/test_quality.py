"""Quality signals: numbers counted by hand, and texts on which they mislead."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.annotator import annotate, resolve
from pipeline.enrich.quality import CHARACTERS, OF_WORDS, measure
from pipeline.model.schemas import QUALITY_COLUMNS

TEXT = "The cat sat on the mat...\n\n- one item\n - one item \n\n# 12 of 300\nL'eau, THE end…"
EXPECTED = {
    "mean_word_length": 57 / 19,
    "symbol_to_word_ratio": 3 / 19,
    "alphabetic_word_fraction": 14 / 19,
    "stop_word_fraction": 5 / 15,
    "line_count": 5,
    "duplicate_line_fraction": 1 / 5,
    "duplicate_line_character_fraction": 10 / 71,
    "ellipsis_line_fraction": 2 / 5,
    "bullet_line_fraction": 2 / 5,
    "terminal_punctuation_line_fraction": 2 / 5,
}


def one(text: str, language: str = "eng") -> dict[str, float]:
    """Return the numbers of one text."""
    return {
        name: float(values[0])
        for name, values in measure(pa.array([text], pa.string()), [language]).items()
    }


def test_numbers_are_those_counted_by_hand() -> None:
    """Words, symbols, stop words and lines are counted as the model card says."""
    assert one(TEXT) == pytest.approx(EXPECTED)


def test_the_columns_are_declared() -> None:
    """Every number is a column, and every column but the model's id is a number."""
    assert [*one("")]
    assert {*one("")} | {"quality_model"} == {f.name for f in QUALITY_COLUMNS}


@pytest.mark.parametrize("text", ["", " \n\t\u3000\n"])
def test_nothing_has_no_shares(text: str) -> None:
    """A text without anything visible has no lines, and no share of anything."""
    found = one(text)
    assert found.pop("line_count") == 0
    assert all(math.isnan(value) for value in found.values())


def test_words_without_spaces_are_not_counted() -> None:
    """In Japanese a run between spaces is a sentence: its length says nothing, so it is null."""
    found = one("今日は雨です。\n明日は晴れる。", "jpn")
    assert {name for name, value in found.items() if math.isnan(value)} == OF_WORDS
    assert found["terminal_punctuation_line_fraction"] == 1


def test_stop_words_need_a_list() -> None:
    """A language without a list has no share; the wrong language's list finds next to nothing."""
    assert math.isnan(one("the of and", "und")["stop_word_fraction"])
    german = "Der Wärter zählte die Schiffe und schrieb es in das Buch"
    assert one(german, "deu")["stop_word_fraction"] > 0.5 > one(german)["stop_word_fraction"]


def test_known_to_mislead() -> None:
    """Dialogue opened by a dash looks like a list; lines that differ by a digit look unique."""
    assert one("— Come in.\n– Thank you.")["bullet_line_fraction"] == 0.5
    assert one("Read more (1)\nRead more (2)")["duplicate_line_fraction"] == 0


def test_long_texts_are_measured_by_their_beginning() -> None:
    """What stands behind the first 262,144 characters changes nothing."""
    text = "word " * (CHARACTERS // 5 + 1)
    assert one(text) == one(text + "\n...\n" * 99)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=5))
def test_shares_are_shares(texts: list[str]) -> None:
    """Whatever the text, shares lie between 0 and 1, and a text does not depend on its batch."""
    found = measure(pa.array(texts, pa.string()), ["eng"] * len(texts))
    for name, values in found.items():
        if name.endswith("_fraction"):
            assert all(math.isnan(value) or 0 <= value <= 1 for value in values)
    for row, text in enumerate(texts):
        alone = one(text)
        for name, values in found.items():
            assert values[row] == alone[name] or (
                math.isnan(values[row]) and math.isnan(alone[name])
            )


def test_the_annotator_works_without_a_language() -> None:
    """Alone it measures all but stop words; numbers that do not exist are null, never nan."""
    row = annotate(pa.array(["A plain text of words.", ""]), resolve(("quality",))).to_pylist()
    assert row[0]["stop_word_fraction"] is None
    assert row[0]["line_count"] == 1
    assert row[1]["mean_word_length"] is None
    assert row[1]["quality_model"] == "quality/1"
