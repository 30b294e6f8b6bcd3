"""Altered articles and pages: whatever is done to them, documents begin where it is said."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SPLIT = Path(__file__).parents[2] / "benchmarks" / "split"
SEEDS = range(120)


@pytest.fixture(scope="module")
def split() -> Iterator[Any]:
    """Import what makes pages as the scripts beside it do: by name."""
    sys.path.insert(0, str(SPLIT))
    try:
        yield import_module
    finally:
        sys.path.remove(str(SPLIT))


@pytest.fixture(scope="module")
def relics(split: Any) -> ModuleType:
    """Import what alters articles."""
    return split("relics")


@pytest.fixture(scope="module")
def article(split: Any) -> Any:
    """An article with a title, a quotation and three paragraphs."""
    paragraph = "The ferry left the harbour at seven on Monday morning with sixty people aboard."
    text = ["", paragraph, "", "“I was never once late for it,” the captain said.", "", paragraph]
    return split("shelves").WrittenArticle("report", None, "Ferry returns", [], text, [], [])


def test_every_relic_occurs_and_nothing_of_the_text_is_lost(
    relics: ModuleType, article: Any
) -> None:
    """A quotation as the title, no title, a date before it, a line that names another article."""
    other = article.__class__("brief", None, "Lamp lit", [], ["It shines."], [], [])
    made = [_altered(relics, article, other, seed) for seed in range(400)]

    assert any(one.title == "“I was never once late for it,”" for one in made)
    assert any(one.title is None and one.text[0] == article.text[1] for one in made)
    assert any(one.title is None and one.text[0].endswith(" " + article.text[1]) for one in made)
    assert any("Read also: Lamp lit" in one.text[1:-1] for one in made)
    assert sum(one == article for one in made) > 200
    for one in made:
        rest = "\n".join([one.title or "", *one.text])
        assert all(line in rest for line in article.text)


def _altered(relics: ModuleType, article: Any, other: Any, seed: int) -> Any:
    return relics.altered(random.Random(seed), article, "en", [article, other])  # noqa: S311


def test_documents_begin_where_they_did(split: Any, relics: ModuleType) -> None:
    """Setting all lines alike, and rows of the site between articles, keep every beginning."""
    learned = split("shelves").read_shelves("train")
    furnished = split("site_rows").furnished
    changed = 0
    for seed in SEEDS:
        page = split("written").make_written_page(learned, seed)
        made = relics.relaid(furnished(page, seed), seed)
        old, new = page.text.split("\n"), made.text.split("\n")
        changed += made != page

        assert [new[at].strip() for at in made.starts] == [old[at].strip() for at in page.starts]
        assert {line.strip() for line in old} - {""} <= {line.strip() for line in new}
        assert {new[at] for at in made.furniture}.isdisjoint({new[at] for at in made.starts})
    assert 0.2 * len(SEEDS) < changed < len(SEEDS)


def test_rows_of_a_site_stand_at_the_edges_of_articles(split: Any) -> None:
    """What is put on a page is no line inside an article: articles stay whole."""
    learned = split("shelves").read_shelves("train")
    for seed in SEEDS:
        page = split("written").make_written_page(learned, seed)
        made = split("site_rows").furnished(page, seed)
        whole = page.text.split("\n")
        for start, stop in zip(page.starts, [*page.starts[1:], len(whole)], strict=True):
            assert "\n".join(whole[start:stop]) in made.text
        rows = made.text.split("\n")
        kept = [row for at, row in enumerate(rows) if at not in set(made.furniture)]
        assert kept == whole
