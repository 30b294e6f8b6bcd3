"""Which lines of a page look alike."""

from __future__ import annotations

import numpy as np

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_kinds import Kinds, kinds

NO_STOPS = np.zeros(1 << sl.STOP_BITS, dtype=np.uint8)
TITLE = "Ferry returns to the northern islands after repairs"
ASKED = "Will the ferry to the northern islands ever return?"
BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."


def sorted_lines(*lines: str) -> Kinds:
    """Return the kinds of a page's lines."""
    return kinds(sl.scan("\n\n".join(lines).encode(), NO_STOPS).columns)


def test_titles_are_of_the_kind_of_the_first_line() -> None:
    """A title in the page looks like the one that opens it, and not like the text between."""
    found = sorted_lines(TITLE, BODY, TITLE, BODY)

    assert found.of[:, 0].tolist() == found.of[:, 2].tolist()
    assert found.of[0, 1] == found.of[0, 3] != found.of[0, 0]


def test_a_question_is_a_title_as_well() -> None:
    """A full stop ends a sentence; a question mark ends titles too."""
    found = sorted_lines(TITLE, BODY, ASKED, BODY, TITLE + ".", BODY)

    assert found.of[0, 2] == found.of[0, 0]
    assert found.of[0, 4] != found.of[0, 0]


def test_lines_are_counted_by_kind() -> None:
    """How many there are of a kind in the page, and how far away the next ones are."""
    found = sorted_lines(TITLE, BODY, BODY, TITLE, BODY)
    broad, close = found.of[:, 0]

    assert (found.many[0, broad], found.many[1, close]) == (2, 2)
    assert found.many.sum(axis=1).tolist() == [5, 5]
    assert (found.ahead[0], found.back[3]) == (3, 3)
    assert found.ahead[3] == 5 - 3
