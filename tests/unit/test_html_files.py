"""Files that are web pages themselves: which they are, and what is kept of them."""

from __future__ import annotations

import pytest

from pipeline.ingest.html_files import looks_like_html
from pipeline.ingest.pieces import Piece
from pipeline.model.settings import IngestSettings
from tests.reading import read_whole

SAID = "The council met on Tuesday and agreed to mend the old bridge before winter comes. "


def page(text: str = SAID, *, head: str = "<title>A bridge</title>") -> str:
    """Return a page with navigation and one article."""
    return (
        f"<!DOCTYPE html>\n<html><head>{head}</head><body><nav><a href=/>Home</a></nav>"
        f"<article><h1>A bridge</h1><p>{text * 5}</p></article></body></html>"
    )


def read(stored: bytes, **settings: int) -> list[Piece]:
    """Read a file, closing its books and checking that its spans tile it."""
    return read_whole(stored, IngestSettings(**settings), kind="html")  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<!DOCTYPE html><html>", True),
        ("\n<HTML lang=en>", True),
        ("<?xml version='1.0'?>\n<!-- made by x -->\n<!doctype html PUBLIC 'x'>", True),
        ("<body class=a><p>", True),
        ("<htmlish>", False),
        ("<header>", False),
        ("An article about <html> and what it is", False),
        ("<?xml version='1.0'?><rss>", False),
    ],
)
def test_what_a_page_begins_with(head: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """A document type or the outermost element, not the word somewhere."""
    assert looks_like_html(head) is expected


def test_a_page_is_a_document_without_its_markup() -> None:
    """Title and main content are kept."""
    (piece,) = read(page().encode())
    assert (piece.title, piece.mime) == ("A bridge", "text/html")
    assert piece.text.startswith("A bridge\n\nThe council met")
    assert "Home" not in piece.text


@pytest.mark.parametrize("between", ["", "\n\n"])
def test_pages_that_cat_joined_are_documents_each(between: str) -> None:
    """A page ends where the next begins, wherever blocks are cut."""
    stored = between.join(page(f"Article {number}. " + SAID) for number in range(2000)).encode()
    pieces = read(stored)
    assert [piece.text.count(f"Article {n}. ") for n, piece in enumerate(pieces)] == [5] * 2000


def test_a_page_that_is_too_long_costs_itself() -> None:
    """Pages before and after are kept."""
    pieces = read((page() + page(SAID * 900) + page()).encode(), max_record_bytes=100_000)
    assert [piece.reason for piece in pieces] == ["", "record_too_long", ""]


def test_a_page_says_its_encoding() -> None:
    """What it says counts before what its bytes look like."""
    text = "Šaty dělají člověka, říká staré přísloví. "
    (piece,) = read(page(text, head="<meta charset=iso-8859-2>").encode("iso-8859-2"))
    assert text.strip() in piece.text
    assert piece.encoding == "iso-8859-2"


def test_a_page_without_words_is_furniture() -> None:
    """Scripts alone say nothing."""
    (piece,) = read(b"<html><body><script>x()</script></body></html>")
    assert (piece.kind, piece.reason) == ("furniture", "no_text")
