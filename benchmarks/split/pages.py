"""Pages of concatenated articles with known boundaries: unlimited labelled data.

Holds: `GeneratedPage`, `make_page`, `manual_page`, `manual_pages`; `assemble`, `join_sites`,
`make_style`. A page is a function of the library and a seed.
Not here: what happens inside an article (`noise.py`, `feeds.py`),
what a site adds (`site_lines.py`), pages of articles written for it (`written.py`).
"""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from articles import Article
from feeds import make_feed, written
from library import Library
from noise import FORMATS, Draft, render
from site_lines import dress, make_site

INDENTS = ["", "", "", "  ", "  ", "\u3000\u3000", "    ", "\t", " "]
GAPS = [(1,), (1,), (1,), (1,), (1,), (0,), (2,), (1, 2), (1, 2, 3), (0, 1)]


TIDY = 0.55
"""Share of the pages whose articles are all made alike, without noise."""
SITES = 0.06
"""Share of the pages that are several under each other."""
FRAYED = 0.015
"""Share of the pages with a space too many here and there."""
HEADLESS = 0.05
"""Share of the pages that begin somewhere in an article."""
RAW = 0.06
"""Share of the pages of one article that are a page of a manual as it is, headings and all."""


class GeneratedPage(NamedTuple):
    """A page. `starts`: the lines (from 0) at which its documents begin, the first one included.

    `furniture`: those lines of the site that are known to be its own and no document's.
    """

    text: str
    starts: list[int]
    language: str
    furniture: Sequence[int] = ()


class _Writer(NamedTuple):
    """A site: how it writes an article, and whether all its articles are laid out alike."""

    article: Callable[[Article, Callable[[str], str]], Draft]
    uniform: bool


class Style(NamedTuple):
    """How lines are set: indentation of the text, blank lines between lines, width."""

    indent: str
    gaps: tuple[int, ...]
    wrap: int


def make_page(library: Library, seed: int, *, single: bool | None = None) -> GeneratedPage:
    """Put articles of one language (seldom two) under each other.

    Args:
        library: where the articles are from.
        seed: everything else follows from it.
        single: whether the page has one article only; by default three pages of eight have.
    """
    rng = random.Random(seed)
    if single is None and rng.random() < SITES:
        return join_sites(
            [_page(rng, library, single=None) for _ in range(rng.choice([2, 2, 3, 4]))]
        )
    return _page(rng, library, single=single)


def _page(rng: random.Random, library: Library, *, single: bool | None) -> GeneratedPage:
    language = rng.choice(list(library.articles))
    single = rng.random() < 0.38 if single is None else single
    if single and rng.random() < RAW:
        return manual_page(library.pick(rng, language, None))
    count = 1 if single else rng.choice([2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 10, 12, 16])
    write = _tidy_site(rng, count) if rng.random() < TIDY else _rough_site(rng, library, language)
    uniform = write.uniform or rng.random() < 0.4
    base = make_style(rng)
    wrap = 72 if rng.random() < 0.03 else 0
    longest = rng.choice([1, 1, 1, 2, 3] if single else [1, 1, 1, 1, 2])
    pool = library.pool(rng, language)
    drafts: list[tuple[Draft, Style]] = []
    near: Article | None = None
    exchange = library.subject(rng, language, pool)
    for _ in range(count):
        if rng.random() < 0.03:
            language, near = rng.choice(list(library.articles)), None
            pool = library.pool(rng, language)
        article = _longer(rng, library, library.pick(rng, language, near), longest)
        if near is None or rng.random() < 0.9:
            exchange = library.subject(rng, language, pool)
        near = article
        style = base if uniform or rng.random() < 0.3 else make_style(rng)
        drafts.append((write.article(article, exchange), style._replace(wrap=wrap)))
    if rng.random() < HEADLESS:
        draft = drafts[0][0]
        del draft.lines[: rng.randrange(len(draft.lines))]
    return assemble(rng, drafts, language)


def _rough_site(rng: random.Random, library: Library, language: str) -> _Writer:
    """Articles of many formats, with all that scraping does to them."""
    form = (
        rng.choices([f for _, f in FORMATS], [w for w, _ in FORMATS])[0]
        if rng.random() < 0.35
        else None
    )
    site = make_site(rng, library.articles[language])

    def article(found: Article, exchange: Callable[[str], str]) -> Draft:
        draft = render(rng, found, exchange, form)
        dress(rng, site, draft)
        return draft

    return _Writer(article, uniform=False)


def _tidy_site(rng: random.Random, count: int) -> _Writer:
    """Articles made all alike."""
    feed = make_feed(rng, single=count == 1)
    return _Writer(lambda found, exchange: written(rng, found, exchange, feed), uniform=True)


def join_sites(pages: list[GeneratedPage]) -> GeneratedPage:
    """Put pages of several sites under each other."""
    lines: list[str] = []
    starts: list[int] = []
    furniture: list[int] = []
    for page in pages:
        starts += [len(lines) + start for start in page.starts]
        furniture += [len(lines) + at for at in page.furniture]
        lines += [*page.text.split("\n"), ""]
    return GeneratedPage("\n".join(lines), starts, pages[0].language, furniture)


def manual_page(article: Article) -> GeneratedPage:
    """Take an article of a manual as it is, headings and all."""
    text = "\n\n".join([article.title, *(text for _, text in article.blocks)])
    return GeneratedPage(text, [0], article.language)


def manual_pages(library: Library, seed: int) -> GeneratedPage:
    """Put articles of manuals under each other as they are; half of the pages lose their headings.

    These are no news, and no line is judged by what they look like.
    """
    rng = random.Random(seed)
    language, near = rng.choice(list(library.articles)), None
    indent, headed = rng.choice(INDENTS), rng.random() < 0.5
    lines: list[str] = []
    starts: list[int] = []
    for _ in range(rng.choice([2, 2, 3, 4, 5, 8])):
        near = library.pick(rng, language, near)
        starts.append(len(lines))
        lines += [near.title, ""]
        for kind, text in near.blocks:
            if kind != "h" or headed:
                lines += [*(indent + line for line in text.split("\n")), ""]
    return GeneratedPage("\n".join(lines), starts, language)


def make_style(rng: random.Random) -> Style:
    """Draw a style."""
    return Style(rng.choice(INDENTS), rng.choice(GAPS), 0)


def _longer(rng: random.Random, library: Library, article: Article, longest: int) -> Article:
    """Let other articles of the same manual become sections of this one."""
    blocks = list(article.blocks)
    for _ in range(rng.randint(0, longest - 1)):
        other = rng.choice(library.packages[article.language, article.package])
        blocks += [("h", other.title), *other.blocks]
    if rng.random() < 0.05:
        blocks = blocks[: rng.randint(1, len(blocks))]
    return Article(article.name, article.package, article.language, article.title, blocks[:700])


def assemble(rng: random.Random, drafts: list[tuple[Draft, Style]], language: str) -> GeneratedPage:
    """Put rendered articles under each other."""
    lines: list[str] = []
    starts: list[int] = []
    for draft, style in drafts:
        starts.append(len(lines))
        for line, body in draft.lines:
            indent = style.indent if body else ""
            if style.wrap and len(line) > style.wrap and " " in line:
                lines += textwrap.wrap(line, style.wrap, initial_indent=indent)
            else:
                lines.append(indent + line)
            lines += [
                rng.choice(["", "", "", "", " "]) if rng.random() < 0.1 else ""
                for _ in range(rng.choice(style.gaps))
            ]
        if lines and lines[-1].strip() and rng.random() < 0.8:
            lines.append("")
    _fray(rng, lines)
    return GeneratedPage("\n".join(lines), starts, language)


def _fray(rng: random.Random, lines: list[str]) -> None:
    """Let a space stray before lines here and there."""
    if rng.random() < FRAYED:
        for at, line in enumerate(lines):
            if line.strip() and rng.random() < 0.05:
                lines[at] = " " + line
