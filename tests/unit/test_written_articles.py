"""Articles written for the splitter: what is measured with is not learned from."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

SPLIT = Path(__file__).parents[2] / "benchmarks" / "split"


@pytest.fixture(scope="module")
def written() -> ModuleType:
    """Import the loader as the scripts beside it do: by name."""
    sys.path.insert(0, str(SPLIT))
    try:
        import written as module  # noqa: PLC0415 - a script's neighbour, not of a package
    finally:
        sys.path.remove(str(SPLIT))
    return module


def test_every_article_is_in_one_part(written: ModuleType) -> None:
    """Parts share no article, and together they are all that the files hold."""
    files = sorted((SPLIT / "written").glob("*.jsonl"))
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in files)
    parts = [written.read_shelves(part) for part in written.PARTS]
    texts = [(name, *a.text) for part in parts for name, shelf in part.items() for a in shelf]

    assert len(files) == 48
    assert lines == len(texts) == len(set(texts)) >= 16 * len(files)


def test_articles_on_one_subject_stay_on_one_side(written: ModuleType) -> None:
    """No group is learned from and measured with."""
    sides: dict[tuple[str, str], set[str]] = {}
    for part in written.PARTS:
        for name, shelf in written.read_shelves(part).items():
            for article in shelf:
                if article.group:
                    sides.setdefault((name, article.group), set()).add(part)

    assert len(sides) >= 96
    assert {len(found) for found in sides.values()} == {1}


def test_halves_share_no_subject_and_make_the_whole(written: ModuleType) -> None:
    """What a look is judged by has not been learned from, and nothing is left out."""
    shelves = written.read_shelves("train")
    halves = [written.half(shelves, side) for side in range(2)]
    told = [
        {(name, a.group or a.text[0]) for name, shelf in half.items() for a in shelf}
        for half in halves
    ]

    assert told[0].isdisjoint(told[1])
    assert min(map(len, told)) > 0.4 * sum(map(len, told))
    assert sum(len(shelf) for half in halves for shelf in half.values()) == sum(
        map(len, shelves.values())
    )


def test_held_languages_only_measure(written: ModuleType) -> None:
    """A language that is held out is in no part that is learned from."""
    learned = {*written.read_shelves("train"), *written.read_shelves("tune")}

    assert written.HELD_LANGUAGES.isdisjoint(learned)
    assert set(written.read_shelves("test")) > written.HELD_LANGUAGES


def test_documents_of_a_page_begin_with_their_articles(written: ModuleType) -> None:
    """A page begins with a document, every start is a line of text, a seed makes one page."""
    shelves = written.read_shelves("train")
    for seed in range(200):
        page = written.make_written_page(shelves, seed)
        lines = page.text.split("\n")

        assert page.starts[0] == 0
        assert page.starts == sorted(set(page.starts))
        assert all(lines[start].strip() for start in page.starts)
        assert page == written.make_written_page(shelves, seed)
