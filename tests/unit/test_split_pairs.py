"""What a later look knows of the lines around one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_measure import measure
from pipeline.ingest.split_pairs import AROUND, NEAR, NEVER, PAIR_NAMES, outlook, pair_features

TITLE = "“I have only ever been late once”"
DECK = "The ferry captain on forty years, two storms and a lost anchor"
BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."
EMPTY = sl.Lexicon.empty()


@pytest.fixture
def told() -> dict[str, np.ndarray]:
    """What is told of each of six lines, by name: a title and its deck stand in the middle."""
    text = f"{BODY}\n{BODY}\n{TITLE}\n{DECK}\n{BODY}\n{BODY}"
    page = measure(sl.scan(text.encode(), EMPTY))
    odds = np.array([NEVER, -5, 1, 2, -6, -7], dtype=np.float32)
    furniture = np.array([-6, -5, -4, -3, -2, 7], dtype=np.float32)
    rows = pair_features(page, outlook(page, odds, furniture), np.arange(6))
    return dict(zip(PAIR_NAMES, rows.T, strict=True))


def test_title_and_deck_each_see_the_other_on_its_side(told: dict[str, np.ndarray]) -> None:
    """The likely line is known to stand behind the title, and before the deck."""
    assert (told["odds+1"][2], told["odds-1"][2]) == (2, -5)
    assert (told["odds+1"][3], told["odds-1"][3]) == (-6, 1)
    assert told["best_1"][2] == 2


def test_beyond_the_page_nothing_begins(told: dict[str, np.ndarray]) -> None:
    """The first and the last line have neighbours on one side only."""
    assert all(told[f"odds{step:+d}"][0] == NEVER for step in NEAR if step < 0)
    assert all(told[f"odds{step:+d}"][5] == NEVER for step in NEAR if step > 0)
    assert told["odds-3"][5] == 1


def test_the_lines_of_the_site_around_one_are_told(told: dict[str, np.ndarray]) -> None:
    """On either side and of the line itself; beyond the page nothing is said."""
    assert [told[f"site{step:+d}"][2] for step in AROUND] == [0, -6, -5, -4, -3, -2, 7]
    assert told["site+1"][5] == 0
