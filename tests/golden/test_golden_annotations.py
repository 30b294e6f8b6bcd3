"""Golden sentences and paragraphs, written for this project, with their language and topic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.enrich.inspect import annotate_texts

FOLDER = Path(__file__).parent
LANGUAGES: dict[str, str] = json.loads((FOLDER / "languages.json").read_text("utf-8"))
TOPICS: list[dict[str, str]] = json.loads((FOLDER / "topics.json").read_text("utf-8"))


def annotated(text: str) -> dict[str, Any]:
    """Annotate one text."""
    (row,) = annotate_texts([text])
    return row


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_sentence_has_its_language(language: str) -> None:
    """A single sentence of everyday prose is identified with a status of ok."""
    row = annotated(LANGUAGES[language])
    assert (row["language"], row["language_status"]) == (language, "ok")


@pytest.mark.parametrize("case", TOPICS, ids=lambda case: f"{case['language']}-{case['topic'][:9]}")
def test_paragraph_has_its_topic(case: dict[str, str]) -> None:
    """A paragraph plainly about one thing has that topic first, in every supported script."""
    row = annotated(case["text"])
    assert (row["language"], row["topic_label"]) == (case["language"], case["topic"])


def test_capitals_do_not_change_the_language() -> None:
    """A text shouted in capitals keeps its language, where the script has capitals."""
    texts = [LANGUAGES[code].upper() for code in ("eng", "deu", "fra", "pol", "rus", "ell")]
    assert [row["language"] for row in annotate_texts(texts)] == [
        "eng", "deu", "fra", "pol", "rus", "ell",
    ]  # fmt: skip
