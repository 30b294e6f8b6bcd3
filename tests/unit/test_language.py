"""The language vote, the writing of texts, and what nobody should have to survive."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.enrich.annotator import annotate, resolve
from pipeline.enrich.codepoints import look, windows
from pipeline.enrich.language import Language, decide, identify
from pipeline.model.schemas import LANGUAGE_COLUMNS

ENGLISH = "The keeper of the lighthouse counted the ships every evening before supper. "


@pytest.mark.parametrize(
    ("first", "second", "third", "expected"),
    [
        (("eng", 0.99), ("eng", 0.98), None, ("eng", 0.99, "ok")),
        (("eng", 0.31), ("eng", 0.98), None, ("eng", 0.75, "ok")),
        (("eng", 0.29), ("eng", 0.98), None, ("und", 0.29, "low_confidence")),
        (("hrv", 0.8), ("bos", 0.98), ("hrv", 0.9), ("hrv", 0.8, "ok")),
        (("dan", 0.95), ("swe", 0.98), ("dan", 0.9), ("dan", 0.9, "ok")),
        (("dan", 0.45), ("swe", 0.0), ("dan", 0.9), ("und", 0.4, "disagree")),
        (("dan", 0.6), ("swe", 0.95), ("swe", 0.9), ("swe", 0.6, "ok")),
        (("dan", 0.3), ("swe", 0.95), ("swe", 0.9), ("swe", 0.3, "low_confidence")),
        (("dan", 0.3), ("swe", 0.85), ("swe", 0.9), ("und", 0.3, "disagree")),
        (("dan", 0.99), ("swe", 0.99), ("nob", 0.99), ("und", 0.4, "disagree")),
        (("und", 0.9), ("und", 0.9), None, ("und", 0.4, "disagree")),
        (("yue", 0.7), ("zho", 0.98), ("zho", 0.9), ("zho", 0.75, "ok")),
        (("yue", 0.95), ("zho", 0.98), ("zho", 0.9), ("yue", 0.95, "ok")),
        (("zxx", 0.7), ("eng", 0.98), ("eng", 0.9), ("zxx", 0.7, "non_linguistic")),
        (("zxx", 0.4), ("eng", 0.98), ("eng", 0.9), ("eng", 0.4, "low_confidence")),
    ],
)
def test_vote(
    first: tuple[str, float],
    second: tuple[str, float],
    third: tuple[str, float] | None,
    expected: tuple[str, float, str],
) -> None:
    """Agreement of two decides, inside a group too; disagreement of all gives und."""
    assert decide(first, second, third=third) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Language("und", 0.0, "empty", "Zyyy")),
        (" \n\t ", Language("und", 0.0, "empty", "Zyyy")),
        ("\x00\x07", Language("und", 0.0, "empty", "Zyyy")),
        ("2026-11-21 12:30 +++", Language("zxx", 1.0, "non_linguistic", "Zyyy")),
        ("🙂🚢", Language("zxx", 1.0, "non_linguistic", "Zyyy")),
        ("Good morning", Language("und", 0.0, "short", "Latn")),
        ("早上好", Language("und", 0.0, "short", "Hani")),
    ],
)
def test_texts_that_nobody_is_asked_about(text: str, expected: Language) -> None:
    """Below 20 letters no detector is asked: they would answer with confidence."""
    assert identify(text) == expected


def test_control_characters_do_not_change_the_answer() -> None:
    """CLD2 refuses control characters, so they are hidden from detectors."""
    dirty = "\x00".join(ENGLISH * 3) + "\ue000\ufffe\x1b"
    assert identify(dirty) == identify(ENGLISH * 3)


def test_very_long_text_is_judged_by_three_windows() -> None:
    """The middle of a long text counts as much as its beginning, and its length costs nothing."""
    german = "Der Wärter des Leuchtturms zählte jeden Abend vor dem Essen alle Schiffe. "
    text = ENGLISH * 500 + german * 40_000
    assert identify(text).language == "deu"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain words", "Latn"),
        ("простые слова", "Cyrl"),
        ("αβγ", "Grek"),
        ("国家发展和历史", "Hans"),
        ("國家發展和歷史", "Hant"),
        ("山水人口", "Hani"),
        ("東京の港で船を待つ", "Jpan"),
        ("カタカナ", "Jpan"),
        ("대한민국 大韓", "Kore"),
        ("मराठी", "Deva"),
        ("12:30", "Zyyy"),
        ("ªº", "Latn"),
    ],
)
def test_script(text: str, script: str) -> None:
    """The script is that of most letters; Chinese and Japanese are told apart by kana."""
    assert look(text).script == script


@given(st.text(max_size=200))
def test_letters_are_what_unicode_says(text: str) -> None:
    """Letters of alphabets count once and dense characters twice, by Unicode's categories."""
    found = look(text)
    letters = sum(unicodedata.category(character)[0] == "L" for character in text)
    weight = 2 if found.script in {"Hani", "Hans", "Hant", "Jpan", "Kore"} else 1
    assert found.letters == letters * weight


@given(st.text(max_size=300), st.integers(2, 5), st.integers(1, 80))
def test_windows_lie_in_the_text_from_end_to_end(text: str, count: int, size: int) -> None:
    """Short texts stay whole; of long ones the first and last characters are in a window."""
    parts = windows(text, count=count, size=size)
    if len(text) <= count * size:
        assert parts == (text,)
    else:
        assert [len(part) for part in parts] == [size] * count
        assert parts[0] == text[:size]
        assert text.rindex(parts[-1]) >= len(text) - size - count


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), max_size=120)
    | st.text("\x00\u200f\ufffd\ue000🙂<&;aб中\n", min_size=20, max_size=400)
)
@example("<html>&#0;&#xffff;" * 9)
@example("\u202e\u0301" * 100 + "a" * 30)
def test_no_text_is_too_hostile(text: str) -> None:
    """Whatever an Arrow string can hold gets a partition value of three lower-case letters."""
    found = identify(text)
    assert len(found.language) == 3
    assert found.language.isascii()
    assert found.language.islower()
    assert 0.0 <= found.confidence <= 1.0


def test_columns_are_the_declared_ones() -> None:
    """The annotator returns its declared fields, one row a text, in order."""
    (language,) = resolve(("language",))
    texts = pa.array([ENGLISH, "", "И вечером смотритель маяка снова считал корабли в гавани."])
    batch = annotate(texts, (language,))
    assert [batch.schema.field(field.name) for field in LANGUAGE_COLUMNS] == LANGUAGE_COLUMNS
    assert batch.column("language").to_pylist() == ["eng", "und", "rus"]
    assert batch.column("language_bcp47").to_pylist() == ["en", "und", "ru"]
    assert batch.column("topic_status").to_pylist() == ["off", "off", "off"]
    assert set(batch.column("language_model").to_pylist()) == {language.model}
    assert "pycld2-" in language.model
