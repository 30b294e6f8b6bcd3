"""What the lines that look alike say of each other."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_kin import DOUBT, KIN_NAMES, LEVELS, UNIT, USUAL, kinship
from pipeline.ingest.split_measure import measure

MANY, SHARE, ODDS = range(3)
CLOSE_ODDS = KIN_NAMES.index("close_kin_odds")
NEAR_MANY, NEAR_ODDS = (KIN_NAMES.index(f"near_kin_{name}") for name in ("many", "odds"))
EQUAL_MANY, EQUAL_ODDS = (KIN_NAMES.index(f"after_equal_kin_{name}") for name in ("many", "odds"))
REACH = LEVELS[0][2]
NEAR = LEVELS[2][2]

TITLE = "Ferry returns to the northern islands after repairs"
BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."


def kin(lines: list[str], odds: list[float]) -> np.ndarray:
    """Return every line's numbers: many, share and odds of its broad kin, then of the others."""
    page = measure(sl.scan("\n".join(lines).encode(), sl.Lexicon.empty()))
    return kinship(page.kinds, np.array(odds, dtype=np.float32))


def test_likely_kin_make_a_line_likely() -> None:
    """A title among titles that are likely boundaries has better kin than among unlikely ones."""
    page = [TITLE, BODY, BODY] * 4
    good = kin(page, [3.0, -5.0, -5.0] * 4)
    bad = kin(page, [-3.0, -5.0, -5.0] * 4)

    assert good[ODDS, 3] > 0 > bad[ODDS, 3]
    assert good[CLOSE_ODDS, 3] > bad[CLOSE_ODDS, 3]


def test_kin_are_counted_without_the_line_itself() -> None:
    """Each of four titles has three kin, the first of the page as well; half of the lines are."""
    found = kin([TITLE, BODY] * 4, [0.0] * 8)

    assert found[MANY, ::2].tolist() == [2.0] * 4
    assert found[SHARE, ::2].tolist() == [-1.0] * 4


def test_the_first_line_of_a_page_is_a_title() -> None:
    """The one other line that looks like it takes its odds from it, whatever it scored itself."""
    page = [TITLE, BODY, BODY, TITLE, BODY]
    found = kin(page, [-12.0, -5.0, -5.0, -3.0, -5.0])

    even = (1 + DOUBT * USUAL / UNIT) / (1 + DOUBT)
    assert found[ODDS, 3] == pytest.approx(np.log(even / (1 - even)), abs=0.01)
    assert found[ODDS, 3] > found[ODDS, 2] + 1


def test_a_line_without_kin_is_as_likely_as_any() -> None:
    """What a line itself scores is not held for it: alone of its kind it gets the usual odds."""
    usual = USUAL / UNIT
    found = kin([BODY, TITLE, BODY], [0.0, 9.0, 0.0])

    assert DOUBT > 0
    assert found[ODDS, 1] == np.float32(np.log(usual / (1 - usual)))


def test_kin_far_away_do_not_count() -> None:
    """Only `REACH` lines on either side are looked at, however long the page is."""
    count = 3 * REACH
    odds = np.where(np.arange(count) < REACH, 3.0, -3.0).tolist()
    found = kin([BODY] * count, odds)

    assert found[MANY, -1] == np.float32(np.log2(1.0 + REACH))
    assert found[ODDS, -1] < -2.8
    assert found[ODDS, 1] > 2.8


def test_moving_surroundings_equal_those_counted_afresh() -> None:
    """The sums that follow the line are those of a fresh count at every line."""
    rng = np.random.default_rng(3)
    lines = [str(rng.choice([TITLE, BODY, "One", "- two", "3."])) for _ in range(REACH + 60)]
    odds = rng.normal(-1, 2, len(lines)).astype(np.float32).tolist()

    whole = kin(lines, odds)
    last = len(lines) - 1
    alone = kin(lines[last - REACH - 1 :], odds[last - REACH - 1 :])

    assert whole[:, last].tolist() == alone[:, -1].tolist()


def test_lines_that_follow_equal_lines_are_kin() -> None:
    """What a site prints under every article tells of the line behind it, whatever that looks like.

    Here a paragraph without a title: of its looks only sentences are like it, none a boundary.
    """
    prompt = "Follow us on all channels"
    page = [line for n in range(3) for line in (TITLE, f"{n} {BODY}", prompt)] + ["3 " + BODY, BODY]
    found = kin(page, [3.0, -5.0, -5.0] * 3 + [-3.0, -5.0])

    assert found[EQUAL_MANY, 9] == np.float32(np.log2(1.0 + 2))
    assert found[EQUAL_ODDS, 9] > 0 > found[ODDS, 9]
    assert found[EQUAL_MANY, 10] == 0


def test_kin_close_by_are_told_apart_from_those_of_other_sites() -> None:
    """On a page of several sites the lines nearby say what a title looks like here."""
    page = [TITLE, BODY] * 60
    odds = [3.0, -5.0] * 30 + [-4.0, -5.0] * 30
    found = kin(page, odds)

    assert found[NEAR_MANY, -2] == np.float32(np.log2(1.0 + NEAR // 2))
    assert found[NEAR_ODDS, -2] < found[ODDS, -2]
