"""Which lines of a page look alike."""

from __future__ import annotations

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_kinds import (
    AFTER_EQUAL,
    AFTER_KIND,
    BEFORE_KIND,
    BROAD_KIND,
    CLOSE_KIND,
    Kinds,
)
from pipeline.ingest.split_measure import measure

TITLE = "Ferry returns to the northern islands after repairs"
ASKED = "Will the ferry to the northern islands ever return?"
BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."


def sorted_lines(*lines: str) -> Kinds:
    """Return the kinds of a page's lines."""
    return measure(sl.scan("\n\n".join(lines).encode(), sl.Lexicon.empty())).kinds


def test_titles_are_of_the_kind_of_the_first_line() -> None:
    """A title in the page looks like the one that opens it, and not like the text between."""
    found = sorted_lines(TITLE, BODY, TITLE, BODY)

    assert found.of[:2, 0].tolist() == found.of[:2, 2].tolist()
    assert found.of[0, 1] == found.of[0, 3] != found.of[0, 0]


def test_a_question_is_a_title_as_well() -> None:
    """A full stop ends a sentence; a question mark ends titles too."""
    found = sorted_lines(TITLE, BODY, ASKED, BODY, TITLE + ".", BODY)

    assert found.of[0, 2] == found.of[0, 0]
    assert found.of[0, 4] != found.of[0, 0]


def test_lines_are_counted_by_kind() -> None:
    """How many there are of a kind in the page, and how far away the next ones are."""
    found = sorted_lines(TITLE, BODY, BODY, TITLE, BODY)
    broad, close = found.of[[BROAD_KIND, CLOSE_KIND], 0]

    assert (found.many[0, broad], found.many[1, close]) == (2, 2)
    assert found.many.sum(axis=1).tolist() == [5, 5]
    assert (found.ahead[0], found.back[3]) == (3, 3)
    assert found.ahead[3] == 5 - 3


def test_lines_are_told_by_their_neighbours() -> None:
    """The same line after a title and after a sentence is of two kinds, of one by itself."""
    found = sorted_lines(TITLE, BODY, BODY, TITLE, BODY, BODY)

    assert found.of[CLOSE_KIND, 1] != found.of[CLOSE_KIND, 3]
    assert found.of[AFTER_KIND, 1] == found.of[AFTER_KIND, 4] != found.of[AFTER_KIND, 2]
    assert found.of[BEFORE_KIND, 1] == found.of[BEFORE_KIND, 4]
    assert found.of[BEFORE_KIND, 0] == found.of[BEFORE_KIND, 3] != found.of[BEFORE_KIND, 1]


def test_lines_behind_equal_lines_are_known() -> None:
    """Only what stands behind a line that is there again has a number, the same everywhere."""
    found = sorted_lines(TITLE, BODY, ASKED, BODY, TITLE + ".")
    told = found.of[AFTER_EQUAL].tolist()

    assert told[0] == told[1] == told[3] == -1
    assert told[2] == told[4] >= 0
