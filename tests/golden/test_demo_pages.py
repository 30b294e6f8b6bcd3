"""The demo's glued pages, in twelve languages: what a newcomer sees is split as it was written."""

from __future__ import annotations

from demo.editions import edition
from demo.grammar import Article
from demo.pages import page
from pipeline.ingest.split import split_page
from pipeline.model.settings import IngestSettings

NIGHTS = range(2)


def written(text: str, articles: tuple[Article, ...]) -> set[int]:
    """Return the lines (from 1) on which the titles stand."""
    lines = text.split("\n")
    starts: list[int] = []
    for article in articles:
        starts.append(lines.index(article.title, starts[-1] if starts else 0) + 1)
    return set(starts)


def test_demo_pages_are_split_at_their_titles() -> None:
    """Of all articles at least 95 % begin a document, and of all documents 99 % an article."""
    wanted, found, right = 0, 0, 0
    for night in NIGHTS:
        for heading, articles in edition(night).pages:
            text = page(heading, articles).decode()
            segments = split_page(text, settings=IngestSettings())
            starts = {segment.line_start for segment in segments if segment.kind == "document"}
            titles = written(text, articles)
            wanted, found, right = (
                wanted + len(titles),
                found + len(starts),
                right + len(starts & titles),
            )

    assert wanted > 100
    assert right >= 0.95 * wanted
    assert right >= 0.99 * found
