"""Pages of a tidy site: title and paragraphs, article after article, all made alike.

Holds: `Feed`, `make_feed`, `written`. Pure functions of a random generator and an article.
Not here: what scraping does to articles (`noise.py`), articles side by side (`pages.py`).

What tells a title from a heading here is the page as a whole: its first line is one, the others
look like it, and few other lines do. Briefs of two or three sentences are the hard case: of a
single one there is too little to know its subject by.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from articles import Article
from noise import Draft, fragment, headline, names, sentences, stamp

LENGTHS = [(8, 40), (15, 60), (20, 70), (30, 90), (40, 120), (60, 160), (2, 200)]
"""Characters of the titles of a site."""
SIZES = [1, 2, 2, 3, 3, 4, 5, 8, 12, 20, 40, 80]
"""Sentences of an article, more or less."""
LEAST = 40
"""Characters of a list's item that may stand in a paragraph."""
ASIDES = ["question", "interview", "heading", "double heading", "quote"]
"""What stands between paragraphs and looks like a title."""
ENDS = " .,;:。，、．।។"


class Feed(NamedTuple):
    """What the articles of a site have in common."""

    title: tuple[int, int]
    bare: bool  # titles end without a full stop
    sentences: int
    paragraph: tuple[int, int]  # sentences of a paragraph; none: the whole text is one line
    heads: float  # share of the articles that keep their inner headings
    pictures: int  # every so manieth article has one; 0: none
    dated: str  # where a date stands: "", "under" the title, "last"
    aside: str  # short lines between the paragraphs: "", or one of `ASIDES`
    asides: float  # share of the paragraphs that one stands before


def make_feed(rng: random.Random, *, single: bool) -> Feed:
    """Draw a site. A page of one article is rather long, and rather has inner headings."""
    return Feed(
        title=rng.choice(LENGTHS),
        bare=rng.random() < 0.9,
        sentences=rng.choice(SIZES[4:] if single else SIZES),
        paragraph=rng.choice([(1, 1), (1, 2), (1, 3), (2, 4), (2, 4), (3, 6), (0, 0)]),
        heads=rng.choice([0.0, 0.5, 1.0] if single else [0.0, 0.0, 0.0, 0.3, 1.0]),
        pictures=rng.choice([0, 0, 0, 0, 1, 2, 3]),
        dated=rng.choice(["", "", "", "", "", "under", "last"]),
        aside=rng.choice(["", *ASIDES] if single else ["", "", "", "", *ASIDES]),
        asides=rng.choice([0.1, 0.2, 0.4, 0.8]),
    )


def written(
    rng: random.Random, article: Article, exchange: Callable[[str], str], feed: Feed
) -> Draft:
    """Write an article as the site writes its articles."""
    enough = _first(article.blocks, 2 * feed.sentences)
    draft = Draft(exchange(article.title), [(kind, exchange(text)) for kind, text in enough])
    draft.title = _title(rng, draft, article.package, feed)
    draft.add(draft.title, body=False)
    if feed.dated == "under":
        draft.add(f"{stamp(rng)} {names(rng, draft) if rng.random() < 0.5 else ''}", body=False)
    pictured = feed.pictures and rng.randrange(feed.pictures) == 0
    heads = rng.random() < feed.heads and feed.paragraph != (0, 0)
    left = max(1, round(feed.sentences * rng.uniform(0.5, 1.5)))
    for head, texts in _sections(draft.blocks):
        if head and heads and left > 0:
            draft.add(head, body=False)
        parts = [part for text in texts for part in sentences(text)]
        _paragraphs(rng, draft, parts[:left], feed)
        left = max(0, left - len(parts))
        if pictured and len(draft.lines) > 1:
            _picture(rng, draft)
            pictured = False
    if feed.dated == "last":
        draft.add(stamp(rng))
    return draft


def _first(blocks: list[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """Return the blocks up to so many sentences: more are not needed."""
    count = 0
    for at, (kind, text) in enumerate(blocks):
        count += len(sentences(text)) if kind in {"p", "li"} else 0
        if count >= most:
            return blocks[: at + 1]
    return blocks


def _title(rng: random.Random, draft: Draft, manual: str, feed: Feed) -> str:
    low, high = feed.title
    title = ""
    for _ in range(4):
        title = headline(rng, draft, manual)
        if low <= len(title) <= high:
            break
    if len(title) > high:
        cut = title[:high]
        title = cut.rsplit(" ", 1)[0] if " " in cut[low:] else cut
    kind = rng.random()
    bare = title.rstrip(ENDS) or title
    if kind < 0.08:
        return bare + rng.choice(["?", "?", "!", "？"])
    if kind < 0.14:
        left, right = rng.choice(["“”", "‘’", "«»", "''", '""', "「」"])
        return rng.choice([f"{left}{bare}{right}", f"{names(rng, draft)}: {left}{bare}{right}"])
    return bare if feed.bare else title


def _sections(blocks: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the texts under each heading; what is too short to be a paragraph is left out."""
    head, texts = "", list[str]()
    for kind, text in blocks:
        if kind == "h":
            yield head, texts
            head, texts = text, []
        elif kind != "pre" and (kind == "p" or len(text) >= LEAST):
            texts.append(text)
    yield head, texts


def _paragraphs(rng: random.Random, draft: Draft, parts: list[str], feed: Feed) -> None:
    """Add some sentences, so many a paragraph."""
    low, high = feed.paragraph
    opened = len(draft.lines) > 1 + (feed.dated == "under")
    if high == 0 and opened and parts:
        line, body = draft.lines[-1]
        draft.lines[-1] = (" ".join([line, *parts]), body)
        return
    at = 0
    while at < len(parts):
        size = rng.randint(low, high) or len(parts)
        if feed.aside and len(draft.lines) > 1 and high and rng.random() < feed.asides:
            _aside(rng, draft, feed.aside)
        draft.add(" ".join(parts[at : at + size]))
        at += size


def _aside(rng: random.Random, draft: Draft, kind: str) -> None:
    """Add a line, or two, that is part of the article and looks like a title."""
    text = fragment(rng, draft, 15, rng.choice([40, 80, 160]))
    asks = rng.choice("???？")
    match kind:
        case "question":
            draft.add(text + asks)
        case "interview":
            label = names(rng, draft).split()[:1] or ["?"]
            draft.add(rng.choice([f"{label[0]}: ", "", "- "]) + text + asks)
        case "quote":
            left, right = rng.choice(["“”", '""', "«»", "「」"])
            draft.add(f"{left}{text}{rng.choice(['', '?', '!', '.'])}{right}")
        case _:
            draft.add(text)
            if kind == "double heading":
                draft.add(fragment(rng, draft, 10, 60))


def _picture(rng: random.Random, draft: Draft) -> None:
    """A file name, a caption, or both; captions may be printed twice."""
    if rng.random() < 0.5:
        draft.add(f"{rng.getrandbits(128):032x}.jpg")
    caption = fragment(rng, draft, 15, 80)
    if rng.random() < 0.3:
        caption = f"{names(rng, draft)}, {rng.randint(1970, 2026)}: {names(rng, draft)}"
    for _ in range(rng.choice([1, 1, 2])):
        draft.add(caption)
