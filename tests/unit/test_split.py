"""Segments: edges, titles, scores, and the texts that have no lines to speak of."""

from __future__ import annotations

import pytest

from pipeline.ingest.segments import Segment, whole
from pipeline.ingest.split import TITLE_CHARS, split_page
from pipeline.ingest.splitters import names, resolve
from pipeline.model.settings import IngestSettings

SETTINGS = IngestSettings()
BODY = "The harbour was quiet and the boats lay still in the morning fog."
LAST = "Nobody had seen the lamp on the pier go out."


def document(text: str, title: str | None, lines: int) -> Segment:
    """Return the one segment of a text that is one document."""
    return Segment("document", 0, len(text), 1, lines, title, None, "")


@pytest.mark.parametrize("name", names())
def test_no_text_has_no_segments(name: str) -> None:
    """An empty page is tiled by nothing."""
    assert resolve(name).split("", settings=SETTINGS) == []


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(("text", "lines"), [(" \n\n\t\n", 3), ("\n", 1), ("\u3000", 1)])
def test_white_space_is_furniture(name: str, text: str, lines: int) -> None:
    """A blank page is one segment of furniture that says so."""
    expected = [Segment("furniture", 0, len(text), 1, lines, None, None, "blank")]

    assert resolve(name).split(text, settings=SETTINGS) == expected


def test_one_line_is_a_document_without_a_title() -> None:
    """Where nothing follows the first line it is the text, not its title."""
    assert split_page(BODY, settings=SETTINGS) == [document(BODY, None, 1)]


def test_the_first_line_is_the_title() -> None:
    """The title is the first line with something in it, without the white space around it."""
    text = f"\n  Fog in the harbour \r\n\n{BODY}\n\n"

    assert split_page(text, settings=SETTINGS) == [document(text, "Fog in the harbour", 5)]


def test_a_long_first_line_is_no_title() -> None:
    """A paragraph at the beginning is not taken for a title."""
    text = "harbour " * (TITLE_CHARS // 8 + 1) + "\n" + BODY

    assert split_page(text, settings=SETTINGS)[0].title is None


def test_furniture_around_a_document() -> None:
    """Furniture at both ends of a page has segments of its own; the blank lines go with it.

    What stands before a last sentence is inside of the document.
    """
    text = f"Tag: fog\n\nFog in the harbour\n\n{BODY}\n\nRead more\n{LAST}\n"
    found = split_page(text, settings=SETTINGS)

    assert [(s.kind, s.reason, s.line_start, s.line_end) for s in found] == [
        ("furniture", "archive_heading", 1, 2),
        ("document", "", 3, 8),
    ]
    text = text.removesuffix(f"{LAST}\n")
    assert split_page(text, settings=SETTINGS)[-1].reason == "navigation"


def test_nothing_but_furniture() -> None:
    """A page of navigation has no document."""
    found = split_page("Tag: fog\nNext page\nRead more\n", settings=SETTINGS)

    assert [s.reason for s in found] == ["archive_heading", "navigation", "navigation"]
    assert {s.title for s in found} == {None}


def test_odds_alone_take_no_page_away() -> None:
    """A list of errands looks like a menu, and no phrase knows it: it stays a document."""
    found = split_page("Buy milk\nCall Anna\nBook flight\n", settings=SETTINGS)

    assert [(s.kind, s.line_start, s.line_end) for s in found] == [("document", 1, 3)]


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        ("Facebook\n", ["document"]),
        ("Facebook\nPrint\n", ["furniture", "furniture", "document"]),
        ("Print\nRead more\n", ["furniture", "furniture", "document"]),
    ],
)
def test_weak_lines_count_beside_others(before: str, kinds: list[str]) -> None:
    """One word of a menu at an edge may be the article's; two, or beside furniture, are not."""
    found = split_page(f"{before}Fog in the harbour\n\n{BODY}\n", settings=SETTINGS)

    assert [segment.kind for segment in found] == kinds


def test_no_splitting() -> None:
    """The splitter `none` takes the whole text, furniture and all, and gives it no title."""
    text = f"Tag: fog\n\n{BODY}"

    assert whole(text, settings=SETTINGS) == [document(text, None, 3)]


def test_a_long_line_is_one_document() -> None:
    """Two million characters on one line are one document, in any script."""
    for word in ("harbour ", "港"):
        text = word * (2_000_000 // len(word))
        assert split_page(text, settings=SETTINGS) == [document(text, None, 1)]
