"""What the benchmark of languages counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.languages import CORE, Case, calibration_error, f1, supported

CARD = Path(__file__).parents[2] / "docs" / "models" / "language.md"


def test_sixty_core_languages_are_supported_and_stated() -> None:
    """The list that figures are of stands in the model card, and the vote supports all of it."""
    (line,) = re.findall(r"^Core languages: (.+)\.$", CARD.read_text("utf-8"), re.MULTILINE)
    assert len(CORE) == 60
    assert set(line.split()) == CORE
    assert supported() >= CORE


def test_f1_counts_what_is_taken_for_a_language() -> None:
    """A foreign text taken for German costs German, and no answer costs recall alone."""
    cases = [
        Case("set", "deu", "deu", 0.9),
        Case("set", "deu", "und", 0.0),
        Case("set", "xyz", "deu", 0.9),
        Case("set", "bos", "hrv", 0.9),
    ]
    assert f1(cases, {"deu"}) == {"deu": pytest.approx(0.5)}
    assert f1(cases[:2], {"deu"}) == {"deu": pytest.approx(2 / 3)}
    assert f1(cases, {"bos", "hrv"}) == {"hbs": 1.0}
    assert f1(cases, {"bos"}, str) == {"bos": 0.0}


def test_calibration_error_weighs_bins_by_their_texts() -> None:
    """Right as often as it says costs nothing; always wrong at .9 costs .9."""
    assert calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)
    assert calibration_error([0.9] * 4, [False] * 4) == pytest.approx(0.9)
    assert calibration_error([0.9, 0.9, 0.1, 0.1], [True, True, False, False]) == pytest.approx(0.1)
