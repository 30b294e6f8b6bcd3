"""Articles written for the splitter: what is measured with is not learned from."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.ingest.split_lines import HEAD, Lexicon, head_places, scan

SPLIT = Path(__file__).parents[2] / "benchmarks" / "split"


@pytest.fixture(scope="module")
def written() -> ModuleType:
    """Import what makes pages as the scripts beside it do: by name."""
    return _neighbour("written")


@pytest.fixture(scope="module")
def shelves() -> ModuleType:
    """Import what reads the articles."""
    return _neighbour("shelves")


def _neighbour(name: str) -> ModuleType:
    sys.path.insert(0, str(SPLIT))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SPLIT))


def test_every_article_is_in_one_part(shelves: ModuleType) -> None:
    """Parts share no article, and together they are all that the files hold."""
    files = sorted((SPLIT / "written").rglob("*.jsonl"))
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in files)
    parts = [shelves.read_shelves(part) for part in shelves.PARTS]
    texts = [
        (name, a.title, *a.text) for part in parts for name, shelf in part.items() for a in shelf
    ]

    assert len({path.stem for path in files}) == 54
    assert lines == len(texts) == len(set(texts)) >= 16 * 54


def test_articles_on_one_subject_stay_on_one_side(shelves: ModuleType) -> None:
    """No group is learned from and measured with."""
    sides: dict[tuple[str, str], set[str]] = {}
    for part in shelves.PARTS:
        for name, shelf in shelves.read_shelves(part).items():
            for article in shelf:
                if article.group:
                    sides.setdefault((name, article.group), set()).add(part)

    assert len(sides) >= 96
    assert {len(found) for found in sides.values()} == {1}


def test_halves_share_no_subject_and_make_the_whole(shelves: ModuleType) -> None:
    """What a look is judged by has not been learned from, and nothing is left out."""
    learned = shelves.read_shelves("train")
    halves = [shelves.half(learned, side) for side in range(2)]
    told = [
        {(name, a.group or a.title or a.text[0]) for name, shelf in half.items() for a in shelf}
        for half in halves
    ]

    assert told[0].isdisjoint(told[1])
    assert min(map(len, told)) > 0.4 * sum(map(len, told))
    assert sum(len(shelf) for half in halves for shelf in half.values()) == sum(
        map(len, learned.values())
    )


def test_held_languages_only_measure(shelves: ModuleType) -> None:
    """A language that is held out is in no part that is learned from."""
    learned = {*shelves.read_shelves("train"), *shelves.read_shelves("tune")}

    assert shelves.HELD_LANGUAGES.isdisjoint(learned)
    assert set(shelves.read_shelves("test")) > shelves.HELD_LANGUAGES


def test_documents_of_a_page_begin_with_their_articles(
    written: ModuleType, shelves: ModuleType
) -> None:
    """A page begins with a document, every start is a line of text, a seed makes one page."""
    learned = shelves.read_shelves("train")
    for seed in range(200):
        page = written.make_written_page(learned, seed)
        lines = page.text.split("\n")

        assert page.starts[0] == 0
        assert page.starts == sorted(set(page.starts))
        assert all(lines[start].strip() for start in page.starts)
        assert page == written.make_written_page(learned, seed)


def test_an_archive_keeps_the_layout_of_its_articles(
    written: ModuleType, shelves: ModuleType
) -> None:
    """Some articles stand there line by line as their page had them, and begin where it is said."""
    learned = shelves.archived(shelves.read_shelves("train"))
    opened = {"\n".join(_lines(a)[:4]) for shelf in learned.values() for a in shelf}
    kept = total = 0
    for seed in range(100):
        page = written.archive_page(random.Random(seed), learned)  # noqa: S311
        lines = page.text.split("\n")
        total += len(page.starts)
        kept += sum("\n".join(lines[start : start + 4]) in opened for start in page.starts)

    assert 0.5 * total < kept < total


def _lines(article: Any) -> list[str]:
    return [article.title, *article.text] if article.title else article.text


def test_first_words_tell_beginnings_from_ends(shelves: ModuleType) -> None:
    """What articles begin with, and end with, is known by its first word; of others nothing is."""
    text = ["The ferry is late.", "", "Photo: the pier", "The ferry is new.", "(Editor: Ann Reed)"]
    article = shelves.WrittenArticle("report", None, "Harbour notes", [], text, [], [])
    segment = _neighbour("site_dumps").Segment("furniture", None, ["Ferries to share", "More"])
    dump = _neighbour("site_dumps").SiteDump("en-1", "en", [segment])
    begins, ends, serves = _neighbour("heads").head_table({"en": [article] * 20}, [dump] * 20)
    words = ["Harbour", "editors", "Photo", "Lantern", "Ferries"]
    places = [head_places(scan(w.encode(), Lexicon.empty()).columns[HEAD, :1])[0] for w in words]

    assert begins[places[0]] > 0 > ends[places[0]]
    assert ends[places[1]] > 0 > begins[places[1]]
    assert max(begins[places[2]], ends[places[2]]) < 0
    assert begins[places[3]] == ends[places[3]] == serves[places[3]] == 0
    assert serves[places[4]] > 0 > max(serves[place] for place in places[:3])
