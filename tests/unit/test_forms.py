"""Form, machine translation and stated dates: what the rules know, and where they are wrong."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from pipeline.enrich.annotator import annotate, resolve
from pipeline.enrich.forms import FORMS, forms
from pipeline.enrich.stated_dates import stated
from pipeline.enrich.translation import FLAGGED, scores
from pipeline.model.schemas import DATE_COLUMNS, FORM_COLUMNS, TRANSLATION_COLUMNS

NEWS = (
    "LISBON (Reuters) - The port of the capital will close for a week, the harbour master said on "
    "Monday.\nHe told reporters that the cranes were older than the law allows, and that ships "
    "would be sent to Porto.\nAccording to the union, two hundred people will stay at home."
)
TALK = "\n".join(
    f"{name}: {words}"
    for name, words in [
        ("ANNA BERG", "Good evening."),
        ("MR COLE", "Thank you for having me."),
        ("ANNA BERG", "Why salt?"),
        ("MR COLE", "Because it keeps."),
        ("ANNA BERG", "And sugar?"),
    ]
)
LAW = (
    "Article 1\nThe council shall be elected hereby.\nArticle 2\nPursuant to Article 1 the seat "
    "is in the town.\nArticle 3\nNotwithstanding Article 2 it may meet elsewhere."
)
ASKED = "Q: Is it open?\nA: Yes.\nQ: All day?\nA: Until six."
SOLD = "Buy now! Free shipping on all lamps.\nLamp $19\nLamp, large $29\nLimited time only."
LISTED = "5 ways to store salt\n1. In a jar\n2. In a box\n3. In a bag\n4. In a cellar\n5. At sea"
GERMAN = (
    "Die Polizei teilte am Montag mit, dass der Hafen der Hauptstadt eine Woche lang geschlossen "
    "bleibt. Laut dem Hafenmeister sind die Kräne älter, als das Gesetz erlaubt, sagte er."
)

STORY = (
    "Researchers compared machine translation of court records in eleven languages with the work "
    "of sworn translators, and found that it saved a third of the time."
)


def form(text: str, language: str = "eng") -> str | None:
    """Return the form of one text."""
    return forms(pa.array([text], pa.string()), [language])[0][0]


def score(text: str) -> float:
    """Return the score of one text."""
    return scores(pa.array([text], pa.string()))[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NEWS, "news_article"), (TALK, "transcript"), (LAW, "law_notice"), (SOLD, "advertisement"),
        (ASKED, "questions_answers"), (LISTED, "listicle"), ("Salt.\nFog.\nRain.", "other"),
        ("", "other"),
    ],
)  # fmt: skip
def test_each_form_is_known(text: str, expected: str) -> None:
    """A plain example of each form is named; what is none of them is other."""
    assert form(text) == expected


def test_a_form_is_not_the_others() -> None:
    """No example gives another rule evidence enough."""
    examples = {"news_article": NEWS, "transcript": TALK, "law_notice": LAW,
                "advertisement": SOLD, "questions_answers": ASKED, "listicle": LISTED}  # fmt: skip
    assert examples.keys() == FORMS.keys()
    assert {name: form(text) for name, text in examples.items()} == {n: n for n in FORMS}


def test_languages_without_words_get_null_instead_of_other() -> None:
    """German news are known; where no words are, only what lines show is named."""
    assert form(GERMAN, "deu") == "news_article"
    assert form("Salt.\nFog.", "swa") is None
    assert form(ASKED, "swa") == "questions_answers"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The recipe: salt, water, time.", "other"),
        ("A novel.\n" + "She said nothing and he said nothing, and the sea said nothing. " * 3,
         "news_article"),
        ("Council adopts 3 articles.\nIt rained, and nobody spoke. " * 3, "other"),
    ],
)  # fmt: skip
def test_known_to_mislead(text: str, expected: str) -> None:
    """A novel in which people speak passes for news; a report that quotes nobody does not."""
    assert form(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Fog over the harbour.\n(Translated by Google)",
        "This article was automatically translated.",
        "Nebel über dem Hafen. Übersetzt mit DeepL.",
        "Brouillard. (Traduction automatique)",
        "港に霧。（機械翻訳）",
        "Fog ⁇ over the ⁇ harbour",
    ],
)
def test_what_says_or_shows_that_it_is_translated(text: str) -> None:
    """Statements in many languages and leftovers of tokenizers are flagged."""
    assert score(text) >= FLAGGED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Translated from the Norwegian by Anna Berg.",
        "This text was not automatically translated.",
        STORY,
        "Price & quot; size",
    ],
)
def test_what_is_not_flagged(text: str) -> None:
    """A translator's name, a denial and a story about translation are no sign."""
    assert score(text) < FLAGGED


def test_fluent_machine_translation_is_missed() -> None:
    """Nothing is said and nothing shows: the score is 0, which does not say that a person wrote."""
    assert score(GERMAN) == 0.0


def test_dates_are_found_in_many_languages() -> None:
    """Days named in full are found; their earliest and latest and how many differ are columns."""
    text = (
        "On 21 November 2026, am 3. März 2025, le 14 juillet 1789, 2024年5月6日, 2024-05-06.\n"
        + "x" * 200
        + " 1 de enero de 2027"
    )
    row = annotate(pa.array([text, "none"]), resolve(("dates",))).to_pylist()
    assert (row[0]["stated_dates"], row[0]["stated_first"], row[0]["stated_last"]) == (
        5, date(1789, 7, 14), date(2027, 1, 1),
    )  # fmt: skip
    assert (row[1]["stated_dates"], row[1]["stated_first"]) == (0, None)


def test_what_is_no_date() -> None:
    """Two readings, impossible days, months alone and days without a year are none."""
    text = "03/04/2024, 31 February 2024, May 2024, on Monday, 12 March, 20241121"
    assert stated(pa.array([text])) == [[]]


def test_declared_columns_are_made() -> None:
    """Each annotator makes its columns, typed, one row a text."""
    batch = annotate(pa.array(["", NEWS]), resolve(("forms", "translation", "dates")))
    for field in (*FORM_COLUMNS, *TRANSLATION_COLUMNS, *DATE_COLUMNS):
        assert batch.schema.field(field.name) == field
        if not field.name.startswith(("document_format", "stated_")):
            assert batch.column(field.name).null_count == 0
