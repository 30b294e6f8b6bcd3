"""The language vote, the writing of texts, and what nobody should have to survive."""

from __future__ import annotations

import unicodedata

import msgspec
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.enrich.annotator import annotate, resolve
from pipeline.enrich.codepoints import look, windows
from pipeline.enrich.labels import canonical
from pipeline.enrich.language import Language, identify
from pipeline.enrich.ngrams import ngrams
from pipeline.enrich.paragraphs import Span, Unit, is_mixed, sentences, shares, units
from pipeline.enrich.vote import Ballot, Verdict, card, decide, familiar
from pipeline.model.schemas import LANGUAGE_COLUMNS

GERMAN = "Der Wärter des Leuchtturms zählte jeden Abend vor dem Essen alle Schiffe im Hafen. "
RUSSIAN = "И вечером смотритель маяка снова считал корабли, которые стояли в гавани. "
ENGLISH = "The keeper of the lighthouse counted the ships every evening before supper. "


def alone(text: str) -> Language:
    """Identify one text."""
    (found,) = identify([text])
    return found


def ballot(
    first: tuple[str, float], second: tuple[str, float], third: tuple[str, float] | None
) -> Ballot:
    """Return votes on a text that fits the language of the first as texts in it usually do."""
    fit = card().fit.get(first[0], (0.0, 0.0))[0]
    return Ballot(first=first, second=second, third=third, fit=fit, tokens=100.0)


@pytest.mark.parametrize(
    ("first", "second", "third", "expected"),
    [
        (("eng", 0.99), ("eng", 0.98), None, ("eng", "ok", "both")),
        (("eng", 0.31), ("eng", 0.98), None, ("eng", "ok", "both")),
        (("eng", 0.29), ("eng", 0.98), None, ("und", "low_confidence", "")),
        (("hrv", 0.8), ("bos", 0.98), ("hrv", 0.9), ("hrv", "ok", "both_close")),
        (("dan", 0.95), ("swe", 0.98), ("dan", 0.9), ("dan", "ok", "first_third")),
        (("dan", 0.45), ("swe", 0.0), ("dan", 0.9), ("und", "disagree", "")),
        (("heb", 0.6), ("yid", 0.95), ("yid", 0.9), ("yid", "ok", "second_third")),
        (("heb", 0.6), ("yid", 0.85), ("yid", 0.9), ("und", "disagree", "")),
        (("dan", 0.6), ("swe", 0.95), ("swe", 0.9), ("und", "disagree", "")),
        (("dan", 0.99), ("swe", 0.99), ("nob", 0.99), ("und", "disagree", "")),
        (("und", 0.9), ("und", 0.9), None, ("und", "disagree", "")),
        (("yue", 0.7), ("zho", 0.98), ("zho", 0.9), ("zho", "ok", "both_close")),
        (("yue", 0.95), ("zho", 0.98), ("zho", 0.9), ("yue", "ok", "both_close")),
        (("zxx", 0.7), ("eng", 0.98), ("eng", 0.9), ("zxx", "non_linguistic", "")),
        (("zxx", 0.4), ("eng", 0.98), ("eng", 0.9), ("und", "disagree", "")),
    ],
)
def test_vote(
    first: tuple[str, float],
    second: tuple[str, float],
    third: tuple[str, float] | None,
    expected: tuple[str, str, str],
) -> None:
    """Agreement of two decides, inside a group too; py3langid is overruled only where blind."""
    found = decide(ballot(first, second, third))
    assert (found.language, found.status, found.how) == expected


def test_agreement_on_a_text_unlike_its_language_is_no_answer() -> None:
    """Detectors agree on the nearest language they know; a text far from it stays undetermined."""
    usual = ballot(("eng", 0.99), ("eng", 0.99), None)
    mean, deviation = card().fit["eng"]
    strange = msgspec.structs.replace(usual, fit=mean - 5 * deviation, tokens=1000.0)
    assert familiar(usual)
    assert decide(strange) == Verdict("und", 0.0, "unfamiliar")


def test_fewer_tokens_forgive_more() -> None:
    """The fit of a short text says less, so that the same fit rejects a longer one only."""
    mean, deviation = card().fit["eng"]
    usual = ballot(("eng", 0.99), ("eng", 0.99), None)
    fits = [
        familiar(msgspec.structs.replace(usual, fit=mean - 5 * deviation, tokens=tokens))
        for tokens in (10.0, 1000.0)
    ]
    assert fits == [True, False]


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["eng", "hrv", "msa"]))
def test_more_confidence_never_means_less(one: float, other: float, language: str) -> None:
    """Published confidence rises with that of the detector, and stays a probability."""
    low, high = sorted((one, other))
    found = [decide(ballot((language, sure), (language, 1.0), None)) for sure in (low, high)]
    assert 0.0 <= found[0].confidence <= found[1].confidence <= 1.0


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
    assert identify([text]) == [expected]


def test_control_characters_do_not_change_the_answer() -> None:
    """CLD2 refuses control characters, so they are hidden from detectors."""
    dirty = "\x00".join(ENGLISH * 3) + "\ue000\ufffe\x1b"
    assert alone(dirty).language == alone(ENGLISH * 3).language == "eng"
    assert alone(dirty).confidence == alone(ENGLISH * 3).confidence


def test_very_long_text_is_judged_by_three_windows() -> None:
    """The middle of a long text counts as much as its beginning, and its length costs nothing."""
    text = ENGLISH * 3 + GERMAN * 20_000
    assert alone(text).language == "deu"


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
    found = alone(text)
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


@pytest.fixture(scope="module")
def package() -> LanguageIdentifier:
    """Load py3langid as its own package does."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
@example([ENGLISH, GERMAN.upper(), RUSSIAN, "", "e\u0301tait une fois", "\ud800 x"])
def test_compiled_scores_are_those_of_the_package(
    package: LanguageIdentifier, texts: list[str]
) -> None:
    """Whatever the text, the compiled walk gives the package's probability for the same label."""
    found = ngrams().score(texts)
    expected = [package.rank(text) for text in texts]
    for label, sure, ranked in zip(found.labels, found.confidences, expected, strict=True):
        ties = {canonical(code) for code, odds in ranked if odds >= ranked[0][1] - 1e-4}
        assert label in ties
        assert sure == pytest.approx(ranked[0][1], abs=2e-4)


def test_a_text_in_two_languages_says_where_each_is() -> None:
    """Shares count letters, spans lie where the paragraphs are, and the larger part names it."""
    text = ENGLISH * 3 + "\n" + RUSSIAN * 6 + "\n\n" + RUSSIAN * 2 + "\n" + ENGLISH
    found = alone(text)
    middle = len(ENGLISH) * 3 + 1
    after = middle + len(RUSSIAN) * 8 + 3
    assert found.spans == (
        Span(0, middle, "eng"),
        Span(middle, after, "rus"),
        Span(after, len(text), "eng"),
    )
    letters = {
        name: sum(character.isalpha() for character in part)
        for name, part in (("rus", RUSSIAN * 8), ("eng", ENGLISH * 4))
    }
    assert found.shares == tuple(
        (name, round(count / sum(letters.values()), 4)) for name, count in letters.items()
    )
    assert (found.language, found.is_mixed) == ("rus", True)


def test_names_and_headings_make_no_mixture() -> None:
    """Short lines are read with the paragraph after them, whatever language they resemble."""
    text = f"Zhou Xiaoyun\n{ENGLISH}\nXi'an Baoji Hanzhong\n{ENGLISH * 2}\nSchlussverkauf\n"
    found = alone(text)
    assert (found.shares, found.is_mixed) == ((("eng", 1.0),), False)


def test_a_quotation_is_a_share_but_no_mixture() -> None:
    """Below a tenth of the letters another language is listed and the flag stays off."""
    found = alone((ENGLISH + "\n") * 20 + GERMAN + "\n" + ENGLISH)
    assert [name for name, _ in found.shares] == ["eng", "deu"]
    assert not found.is_mixed


def test_a_hidden_character_does_not_move_a_span() -> None:
    """Spans count characters of the stored text, those that detectors never see included."""
    dirty = "\x00" * 7 + ENGLISH * 2 + "\n" + RUSSIAN * 2
    assert alone(dirty).spans[1] == Span(8 + 2 * len(ENGLISH), len(dirty), "rus")


def test_a_text_of_one_line_is_cut_at_spaces() -> None:
    """Text without line breaks has spans too, to a thousand characters or so."""
    found = alone(ENGLISH * 30 + RUSSIAN * 30)
    assert [span.language for span in found.spans] == ["eng", "rus"]
    assert abs(found.spans[0].end - 30 * len(ENGLISH)) < 1100


NOTICE = {
    "eng": "The ministers agreed on the new rules late last night in Brussels. ",
    "spa": "Los ministros llegaron anoche a un acuerdo sobre las nuevas normas. ",
    "deu": "Die Minister haben sich gestern Abend auf die neuen Regeln geeinigt. ",
    "tur": "Bakanlar dün gece geç saatlerde yeni kurallar üzerinde anlaştı. ",
}


@pytest.mark.parametrize("languages", [("eng", "spa"), ("deu", "tur"), ("tur", "eng")])
def test_a_line_in_two_languages_is_mixed(languages: tuple[str, str]) -> None:
    """A bilingual notice on one line is not undetermined: each sentence has its language."""
    found = alone("".join(NOTICE[language] for language in languages))
    assert (found.status, found.is_mixed) == ("ok", True)
    assert tuple(span.language for span in found.spans) == languages
    assert found.language in languages


def test_a_short_text_in_no_known_language_stays_undetermined() -> None:
    """Reading by sentences finds no mixture in invented words."""
    found = alone("Zorvik plenta mur gashi telombra. Quintar vos breluma nid okasti frenn wubalo.")
    assert (found.language, found.is_mixed) == ("und", False)


@given(st.text("ab. |。\n中 \x00", max_size=200), st.integers(1, 30))
@example("A word.", 20)
@example("", 20)
def test_sentences_tile_the_text(text: str, least: int) -> None:
    """Sentences lie side by side to the last character; where there are two, none is too short."""
    found = sentences(text, least)
    assert "".join(text[unit.start : unit.end] for unit in found) == text
    assert len(found) == 1 or all(unit.letters >= least for unit in found)


@given(st.text("ab\n中 \x00", max_size=400))
@example("word " * 900)
@example("w" * 4000)
def test_units_tile_the_text(text: str) -> None:
    """Paragraph units lie side by side from the first character to the last, each with letters."""
    found = units(text)
    assert "".join(text[unit.start : unit.end] for unit in found) == text
    assert all(unit.letters >= 40 for unit in found) or len(found) == 1


def test_crumbs_are_not_listed() -> None:
    """A language with less than a hundredth of the letters has no share of its own."""
    parts = [Unit(0, 500, 995), Unit(500, 505, 5)]
    assert shares(parts, ["eng", "deu"]) == [("eng", 0.995)]


def test_undetermined_parts_mix_nothing() -> None:
    """Code or an unknown language beside a known one is no mixture of two languages."""
    assert not is_mixed([("eng", 0.5), ("und", 0.3), ("zxx", 0.2)])
    assert is_mixed([("eng", 0.9), ("deu", 0.1)])


def test_answers_do_not_depend_on_the_batch() -> None:
    """A text has the same answer alone and among others."""
    texts = [ENGLISH, RUSSIAN + "\n" + GERMAN * 2, "", GERMAN * 300, "x"]
    assert identify(texts) == [alone(text) for text in texts]
