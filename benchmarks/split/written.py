"""Pages of articles that were written for the splitter, as sites and archives have them.

Holds: `make_written_page`, `written_page`, `archive_page`. A page is a function of shelves and a
seed. Not here: the articles (`shelves.py`), how one is printed (`printing.py`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
from pages import GeneratedPage, assemble, join_sites, make_style
from printing import make_site, printed
from relics import altered
from shelves import Shelves, WrittenArticle, archived
from site_dumps import SiteDump, dressed, dump_page

COUNTS = [2, 2, 3, 3, 4, 5, 6, 8, 10]
SINGLE = 0.3
"""Share of the pages of one article."""
OF = 3
"""Articles of which the longest is taken to stand on a page alone."""
SITES = 0.1
"""Share of the pages that are several under each other."""
TOGETHER = 0.5
"""Share of the pages on which articles of one group stand beside each other."""
ARCHIVES = 0.6
"""Share of the pages that are an archive's: articles from many sites."""
DUMPS = 0.3
"""Share of the pages that are of one dump, where there are any."""
TONGUES = 0.1
"""Share of an archive's pages whose articles are in several languages."""
WHOLE = 0.7
"""Share of an archive's articles of which nothing is left out."""
SOME = (12, 120)
"""Lines, blank ones included, that are left of others at least and at most."""


def make_written_page(
    shelves: Shelves, seed: int, *, relics: bool = False, dumps: Sequence[SiteDump] = ()
) -> GeneratedPage:
    """Put articles of one language under each other; seldom the pages of several languages.

    `relics`: whether some of the articles are altered as pages to learn from are (`relics.py`);
    `dumps`: what some pages are taken from as it is, and others have furniture from
    (`site_dumps.py`).
    """
    rng = random.Random(seed)
    many = rng.choice([2, 2, 3]) if rng.random() < SITES else 1
    archives = archived(shelves)
    pages = []
    for _ in range(many):
        if dumps and rng.random() < DUMPS:
            pages.append(dump_page(rng, rng.choice(dumps)))
        elif archives and rng.random() < ARCHIVES:
            pages.append(archive_page(rng, archives, relics=relics))
        else:
            language = rng.choice(list(shelves))
            pages.append(_page(rng, language, shelves[language], relics=relics))
    if dumps:
        pages = [dressed(rng, page, dumps) for page in pages]
    return join_sites(pages) if many > 1 else pages[0]


def written_page(
    article: WrittenArticle, language: str, seed: int, *, relics: bool = False
) -> GeneratedPage:
    """Make a page of one article."""
    rng = random.Random(seed)
    article = altered(rng, article, language, [article]) if relics else article
    site = make_site(rng, [article], alone=True)
    return assemble(rng, [printed(rng, article, site, make_style(rng))], language)


def _page(
    rng: random.Random, language: str, shelf: list[WrittenArticle], *, relics: bool
) -> GeneratedPage:
    """Put some articles of a shelf under each other, all printed by one site."""
    count = 1 if rng.random() < SINGLE else min(len(shelf), rng.choice(COUNTS))
    chosen = rng.sample(shelf, count)
    if count == 1:
        chosen = [max(rng.sample(shelf, min(OF, len(shelf))), key=len)]
    chosen = _ordered(rng, chosen)
    if relics:
        chosen = [altered(rng, article, language, shelf) for article in chosen]
    site, style = make_site(rng, shelf, alone=count == 1), make_style(rng)
    return assemble(rng, [printed(rng, article, site, style) for article in chosen], language)


def _ordered(rng: random.Random, chosen: list[WrittenArticle]) -> list[WrittenArticle]:
    """Put articles of one group beside each other, on some pages."""
    if rng.random() >= TOGETHER:
        return chosen
    order = {article.group: at for at, article in enumerate(chosen) if article.group}
    pairs = sorted(enumerate(chosen), key=lambda pair: order.get(pair[1].group, pair[0]))
    return [article for _, article in pairs]


def archive_page(rng: random.Random, shelves: Shelves, *, relics: bool = False) -> GeneratedPage:
    """Put articles of many sites under each other: each is laid out its own way."""
    language = rng.choices(list(shelves), [len(shelf) for shelf in shelves.values()])[0]
    shelf = shelves[language]
    if rng.random() < TONGUES:
        shelf = [article for each in shelves.values() for article in each]
    count = 1 if rng.random() < SINGLE else min(len(shelf), rng.choice(COUNTS))
    drafts = []
    for one in _ordered(rng, rng.sample(shelf, count)):
        article = altered(rng, one, language, shelf) if relics else one
        site = make_site(rng, [article], alone=True)._replace(titled=True)
        drafts.append(printed(rng, _less(rng, article), site, make_style(rng)))
    return assemble(rng, drafts, language)


def _less(rng: random.Random, article: WrittenArticle) -> WrittenArticle:
    """Leave out what stands before and after some lines of an article, now and then.

    Nothing is left out before them where there is no title: what is left would begin nowhere.
    """
    size = rng.randint(*SOME)
    if rng.random() < WHOLE or len(article.text) <= size:
        return article
    first = rng.choice([0, rng.randrange(len(article.text) - size)]) if article.title else 0
    while not article.text[first].strip():
        first += 1
    gap = [""] if article.title and not article.text[0].strip() else []
    return msgspec.structs.replace(article, text=[*gap, *article.text[first : first + size]])
