"""Made texts of flags and formats: what is there is found, and what looks like it is not."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import forms
from benchmarks.flags import MAKERS, scores

FOUND = scores()


@pytest.mark.parametrize("group", MAKERS)
def test_made_texts_come_out_as_expected(group: str) -> None:
    """In eight languages at least 98 of 100 texts of each group have just what was put in."""
    right, count = FOUND[group]
    assert count == 200
    assert right >= 0.98 * count


def test_made_documents_get_their_format() -> None:
    """In each of six languages four in five of each format are told right, and few are mistaken."""
    counts = forms.scores()
    right, made, said = Counter[str](), Counter[str](), Counter[str]()
    for (language, expected, told), count in counts.items():
        made[expected] += count
        said[told] += count
        if expected == told:
            assert count >= 0.8 * forms.EACH, (language, expected)
            right[expected] += count
    assert made.keys() == said.keys() == right.keys() == forms.MAKERS.keys()
    assert min(right[name] / made[name] for name in made) > 0.9
    assert min(right[name] / said[name] for name in said) > 0.9
