"""Rows that belong to an archive's page and to none of its articles, put between these.

Holds: `furnished`. Pure function of a page and a seed. Not here: the phrases
(`pipeline/ingest/furniture.toml`), prompts that a site prints under every article of its own
(`site_lines.py`).

A row that the splitter knows for what it is tells where an article ends; so does one of words it
does not know, by its shape: cells of a word or two, page numbers, arrows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, NamedTuple

from pages import GeneratedPage

from pipeline.ingest.split_phrases import of_language

FURNISHED: Final = 0.3
"""Share of the pages with such rows."""
PLACES: Final = 0.35
"""Share of the places between articles, on these pages, that have some."""
DIVIDERS: Final = (" | ", "  ", "    ", " · ", "\u3000", " / ")


class Place(NamedTuple):
    """Where a row stands: the language of its site, and the title of an article there."""

    language: str
    title: str


NAVIGATION: Final = "navigation"

Row = Callable[[random.Random, Place], str]


def furnished(page: GeneratedPage, seed: int) -> GeneratedPage:
    """Return a page as it came, or with rows of its site above, between and below the articles."""
    rng = random.Random(f"rows {seed}")
    if rng.random() >= FURNISHED:
        return page
    lines: list[str] = []
    starts: list[int] = []
    furniture: list[int] = []
    begun, known = set(page.starts), set(page.furniture)
    source = page.text.split("\n")
    for at, line in enumerate([*source, None]):
        if (at in begun or line is None) and rng.random() < PLACES:
            rows = _rows(rng, Place(page.language, source[rng.choice(page.starts)].strip()))
            furniture += range(len(lines), len(lines) + len(rows))
            lines += rows
        if at in begun:
            starts.append(len(lines))
        if at in known:
            furniture.append(len(lines))
        if line is not None:
            lines.append(line)
    return GeneratedPage("\n".join(lines), starts, page.language, furniture)


def _rows(rng: random.Random, place: Place) -> list[str]:
    """Return one to four rows with the blank lines around them."""
    gap = rng.choice([0, 0, 1])
    rows: list[str] = []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4])):
        rows += [rng.choice(KINDS)(rng, place), *[""] * gap]
    return rows if gap else [*rows, *[""] * rng.choice([0, 1, 1])]


def _word(rng: random.Random, kind: str, language: str) -> str:
    """Draw a phrase, of navigation where there is none of its kind, English where there is none."""
    word = rng.choice(
        of_language(kind, language)
        or of_language(NAVIGATION, language)
        or of_language(NAVIGATION, "en")
    )
    return word[:1].upper() + word[1:] if rng.random() < 0.8 else word


def _menu(rng: random.Random, place: Place) -> str:
    words = [_word(rng, "menus", place.language) for _ in range(rng.choice([2, 3, 3, 4, 5]))]
    return rng.choice(DIVIDERS).join(words)


def _single(rng: random.Random, place: Place) -> str:
    return _word(rng, rng.choice(["menus", NAVIGATION, "comments", "networks"]), place.language)


def _posts(rng: random.Random, place: Place) -> str:
    older, newer = _word(rng, "posts", place.language), _word(rng, "posts", place.language)
    left, right = rng.choice([("« ", " »"), ("← ", " →"), ("", ""), ("<< ", " >>"), ("‹ ", " ›")])
    return rng.choice([f"{left}{older}", f"{left}{older}{rng.choice(DIVIDERS)}{newer}{right}"])


def _pages(rng: random.Random, place: Place) -> str:
    last = rng.randint(3, 40)
    shown = " ".join(str(number) for number in range(1, rng.randint(3, 6)))
    more = _word(rng, NAVIGATION, place.language)
    return rng.choice([f"{shown} … {last} {more} »", f"{shown} {more}", f"« {shown} … {last} »"])


def _shares(rng: random.Random, place: Place) -> str:
    networks = [_word(rng, "networks", place.language) for _ in range(rng.choice([2, 3, 4]))]
    share = _word(rng, "shares", place.language)
    return share + rng.choice([": ", " ", " | "]) + rng.choice(DIVIDERS).join(networks)


def _other(rng: random.Random, place: Place) -> str:
    return _word(rng, "others", place.language) + rng.choice([": ", "：", " : "]) + place.title[:90]


def _archive(rng: random.Random, place: Place) -> str:
    words = place.title.split() or [place.title]
    return _word(rng, "archives", place.language) + rng.choice([": ", "：", " : "]) + words[0][:20]


def _path(rng: random.Random, place: Place) -> str:
    cells = [
        _word(rng, "homes", place.language),
        _word(rng, "labels", place.language),
        place.title[:30],
    ]
    return rng.choice([" > ", " » ", " / ", " › "]).join(cells)


KINDS: Final[tuple[Row, ...]] = (
    _menu, _menu, _single, _single, _posts, _posts, _pages, _pages, _shares, _other, _archive, _path
)  # fmt: skip
