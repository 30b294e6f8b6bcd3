"""Taking the site's lines off the ends of documents: enough of them, and none of the article's."""

from __future__ import annotations

import numpy as np

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_edges import Edge, trimmed
from pipeline.ingest.split_pairs import NEVER

BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."


def edges(lines: list[str], odds: list[float]) -> tuple[Edge, Edge]:
    """Trim a page of these lines, each with its log odds of being the site's."""
    text = "\n".join(lines)
    scanned = sl.scan(text.encode(), sl.Lexicon.empty())
    return trimmed(text, scanned, (0, len(lines)), np.array(odds, dtype=np.float32))


def places(edge: Edge) -> list[int]:
    """Return which lines an edge has."""
    return [at for at, _ in edge]


def test_a_menu_of_unknown_words_is_the_sites_if_its_lines_are_likely_to_be() -> None:
    """Above an article and below it, in the order of the page."""
    lines = ["Lock", "Boat register", BODY, BODY, "Ferry shop", "Friends of the lock"]
    before, after = edges(lines, [1, 2, NEVER, NEVER, 2, 1])

    assert (places(before), places(after)) == ([0, 1], [4, 5])
    assert {reason for _, reason in before + after} == {"navigation"}
    assert edges(lines, [NEVER] * 6) == ([], [])


def test_one_doubtful_line_is_the_articles() -> None:
    """Its odds are too little by themselves, and enough beside a line that is surely the site's."""
    lines = [BODY, BODY, "Ferry shop"]

    assert places(edges(lines, [NEVER, NEVER, 1])[1]) == []
    assert places(edges([*lines, "Older posts"], [NEVER, NEVER, 1, NEVER])[1]) == [2, 3]


def test_a_line_between_those_of_the_site_goes_with_them_if_it_says_little_against_it() -> None:
    """A sentence does; behind it nothing is looked for."""
    lines = [BODY, "Older posts", "The lock", "Newer posts"]

    assert places(edges(lines, [NEVER, NEVER, 0, NEVER])[1]) == [1, 2, 3]
    assert places(edges(lines, [NEVER, NEVER, -3, NEVER])[1]) == [3]


def test_a_page_of_nothing_else_is_all_the_sites() -> None:
    """No line is taken from both ends."""
    before, after = edges(["Older posts", "Lock", "Newer posts"], [NEVER, 3, NEVER])

    assert (places(before), after) == ([0, 1, 2], [])
