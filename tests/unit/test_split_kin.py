"""What the lines that look alike say of each other."""

from __future__ import annotations

import numpy as np

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_kin import DOUBT, REACH, UNIT, USUAL, kinship

NO_STOPS = np.zeros(1 << sl.STOP_BITS, dtype=np.uint8)
TITLE = "Ferry returns to the northern islands after repairs"
BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."


def kin(lines: list[str], odds: list[float]) -> np.ndarray:
    """Return the four numbers of every line of a page."""
    columns = sl.scan("\n".join(lines).encode(), NO_STOPS).columns
    return kinship(columns, np.array(odds, dtype=np.float32))


def test_likely_kin_make_a_line_likely() -> None:
    """A title among titles that are likely boundaries has better kin than among unlikely ones."""
    page = [TITLE, BODY, BODY] * 4
    good = kin(page, [3.0, -5.0, -5.0] * 4)
    bad = kin(page, [-3.0, -5.0, -5.0] * 4)

    assert good[1, 3] > 0 > bad[1, 3]
    assert good[3, 3] > bad[3, 3]


def test_kin_are_counted_without_the_line_itself() -> None:
    """Of four titles three stand after a full stop; each of these has two such kin."""
    found = kin([TITLE, BODY] * 4, [0.0] * 8)

    assert found[2, 2::2].tolist() == [np.float32(np.log2(3.0))] * 3
    assert found[0, 0] == 0


def test_a_line_without_kin_is_as_likely_as_any() -> None:
    """What a line itself scores is not held for it: alone of its kind it gets the usual odds."""
    usual = USUAL / UNIT
    found = kin([BODY, TITLE, BODY], [0.0, 9.0, 0.0])

    assert DOUBT > 0
    assert found[1, 1] == np.float32(np.log(usual / (1 - usual)))


def test_kin_far_away_do_not_count() -> None:
    """Only `REACH` lines on either side are looked at, however long the page is."""
    count = 3 * REACH
    odds = np.where(np.arange(count) < REACH, 3.0, -3.0).tolist()
    found = kin([BODY] * count, odds)

    assert found[0, -1] == np.float32(np.log2(1.0 + REACH))
    assert found[1, -1] < -2.8
    assert found[1, 1] > 2.8


def test_moving_surroundings_equal_those_counted_afresh() -> None:
    """The sums that follow the line are those of a fresh count at every line."""
    rng = np.random.default_rng(3)
    lines = [str(rng.choice([TITLE, BODY, "One", "- two", "3."])) for _ in range(REACH + 60)]
    odds = rng.normal(-1, 2, len(lines)).astype(np.float32).tolist()

    whole = kin(lines, odds)
    last = len(lines) - 1
    alone = kin(lines[last - REACH - 1 :], odds[last - REACH - 1 :])

    assert whole[:, last].tolist() == alone[:, -1].tolist()
