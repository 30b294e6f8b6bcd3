"""Articles written for the splitter, and pages of them as sites lay them out.

Holds: `WrittenArticle`, `read_shelves`, `make_written_page`, `written_page`. Reads
`written/<language>.jsonl` beside this module. A page is a function of a shelf and a seed.
Not here: articles made of manuals (`articles.py`, `noise.py`).

The articles are invented and written in the language itself, sixteen to 140 of each: reports,
briefs, interviews, laws, recipes, live tickers, with and without a title. Nothing in them is
exchanged. Those of one `group` are about one subject, and are on one side of every division.
"""

from __future__ import annotations

import hashlib
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from library import HELD_LANGUAGES
from noise import Draft, caption, sentences, stamp
from pages import GeneratedPage, assemble, join_sites, make_style

FOLDER = Path(__file__).with_name("written")
PARTS = ("train", "tune", "test")
TEST, TUNE = range(64), range(64, 96)
"""Of 256: articles to measure with, a quarter, and to calibrate with, an eighth."""
COUNTS = [2, 2, 3, 3, 4, 5, 6, 8, 10]
SINGLE = 0.3
"""Share of the pages of one article."""
OF = 3
"""Articles of which the longest is taken to stand on a page alone."""
SITES = 0.1
"""Share of the pages that are several under each other."""
TOGETHER = 0.5
"""Share of the pages on which articles of one group stand beside each other."""
LONG = 60
"""Characters above which a line is a sentence, and not a heading."""
FORMS = {
    "paragraphs": (12, 10), "blocks": (3, 10), "one line": (3, 2), "single": (1.5, 0.5),
    "teaser": (3, 1), "sentences": (1, 1), "verse": (0.5, 3)
}  # fmt: skip
"""How the text of an article is laid out, and how often where several articles and where one stand
on a page: a paragraph a line; neighbouring paragraphs on one line; all on one line, or on that of
the title; only its beginning; a sentence a line; a few words a line."""
TITLED = (0.96, 0.65)
"""How often titles are printed: of several articles, of one."""
VERSE = [18, 30, 45]
"""Characters of a line of a few words."""
BLOCKS = [400, 800, 1500]
"""Characters from which a line of paragraphs is long enough."""


class WrittenArticle(msgspec.Struct, frozen=True):
    """An article line by line. `above`, `below`: what is printed between title and text, after it.

    `prompt`: what a site adds. `group`: what articles about one subject share, or nothing.
    """

    kind: str
    group: str | None
    title: str | None
    above: list[str]
    text: list[str]
    below: list[str]
    prompt: list[str]

    def __len__(self) -> int:
        """Return the characters of the text."""
        return sum(map(len, self.text))

    def digest(self, language: str) -> bytes:
        """Return what divides articles by chance, those of one group alike."""
        key = f"{language} {self.group or self.title or self.text[0]}"
        return hashlib.sha256(key.encode()).digest()

    def part(self, language: str) -> str:
        """Say what it is for: to train, tune or test; languages that are held out only test."""
        at = self.digest(language)[0]
        if language in HELD_LANGUAGES or at in TEST:
            return "test"
        return "tune" if at in TUNE else "train"


Shelves = dict[str, list[WrittenArticle]]


class _Site(NamedTuple):
    """How a site prints its articles."""

    form: str
    titled: bool  # whether titles are printed at all
    capital: bool
    stopped: bool  # titles end with a full stop
    dated: bool  # a date stands under each title
    picture: bool  # a file name does
    captions: float  # how often one stands behind a line of text
    around: bool  # whether lines above and below the text are printed
    prompt: list[str]  # what stands under every article


def read_shelves(part: str, folder: Path = FOLDER) -> Shelves:
    """Read the articles of one part by language, in the order of the files."""
    shelves: Shelves = {}
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        found = [msgspec.json.decode(line, type=WrittenArticle) for line in lines if line.strip()]
        mine = [article for article in found if article.part(path.stem) == part]
        if mine:
            shelves[path.stem] = mine
    return shelves


def half(shelves: Shelves, side: int) -> Shelves:
    """Return every other article, those of one group together; 0 and 1 make all."""
    found = {
        name: [article for article in shelf if article.digest(name)[1] % 2 == side]
        for name, shelf in shelves.items()
    }
    return {name: shelf for name, shelf in found.items() if shelf}


def make_written_page(shelves: Shelves, seed: int) -> GeneratedPage:
    """Put articles of one language under each other; seldom the pages of several languages."""
    rng = random.Random(seed)
    many = rng.choice([2, 2, 3]) if rng.random() < SITES else 1
    pages = []
    for _ in range(many):
        language = rng.choice(list(shelves))
        pages.append(_page(rng, language, shelves[language]))
    return join_sites(pages) if many > 1 else pages[0]


def written_page(article: WrittenArticle, language: str, seed: int) -> GeneratedPage:
    """Make a page of one article."""
    rng = random.Random(seed)
    draft = _draft(rng, article, _site(rng, [article], alone=True))
    return assemble(rng, [(draft, make_style(rng))], language)


def _page(rng: random.Random, language: str, shelf: list[WrittenArticle]) -> GeneratedPage:
    """Put some articles of a shelf under each other, all printed by one site."""
    count = 1 if rng.random() < SINGLE else min(len(shelf), rng.choice(COUNTS))
    chosen = rng.sample(shelf, count)
    if count == 1:
        chosen = [max(rng.sample(shelf, min(OF, len(shelf))), key=len)]
    if rng.random() < TOGETHER:
        order = {article.group: at for at, article in enumerate(chosen) if article.group}
        chosen = [
            article
            for _, article in sorted(enumerate(chosen), key=lambda p: order.get(p[1].group, p[0]))
        ]
    site, style = _site(rng, shelf, alone=count == 1), make_style(rng)
    return assemble(rng, [(_draft(rng, article, site), style) for article in chosen], language)


def _site(rng: random.Random, shelf: list[WrittenArticle], *, alone: bool) -> _Site:
    weights = [weight[alone] for weight in FORMS.values()]
    prompts = [article.prompt for article in shelf if article.prompt]
    return _Site(
        form=rng.choices(list(FORMS), weights)[0],
        titled=rng.random() < TITLED[alone],
        capital=rng.random() < 0.04,
        stopped=rng.random() < 0.04,
        dated=rng.random() < 0.12,
        picture=rng.random() < 0.06,
        captions=rng.choice([0.05, 0.2]) if rng.random() < 0.1 else 0.0,
        around=rng.random() < 0.8,
        prompt=rng.choice(prompts) if prompts and rng.random() < 0.12 else [],
    )


def _draft(rng: random.Random, article: WrittenArticle, site: _Site) -> Draft:
    """Print an article as a site does."""
    draft = Draft(article.title or "", [("p", text) for text in article.text])
    if article.title and site.titled:
        draft.add(_title(article.title, site), body=False)
    if site.dated:
        draft.add(stamp(rng))
    if site.picture:
        draft.add(f"{rng.getrandbits(64):016x}.jpg")
    whole = site.form != "teaser"
    for line in article.above if site.around else []:
        draft.add(line)
    _text(rng, draft, article.text, site)
    for line in article.below if site.around and whole else []:
        draft.add(line)
    for line in site.prompt or (article.prompt if whole else []):
        draft.add(line)
    return draft


def _title(title: str, site: _Site) -> str:
    title = title.upper() if site.capital else title
    return title + "." if site.stopped and title[-1].isalnum() else title


def _text(rng: random.Random, draft: Draft, texts: list[str], site: _Site) -> None:
    """Print the text, with captions between its lines where the site has them."""
    parts = _laid_out(rng, texts, site.form)
    if site.form == "single" and draft.lines:
        line, body = draft.lines[0]
        draft.lines[0] = (" ".join([line, *parts]), body)
        return
    for part in parts:
        draft.add(part)
        if site.captions and rng.random() < site.captions:
            caption(rng, draft)


def _laid_out(rng: random.Random, texts: list[str], form: str) -> list[str]:
    """Return the lines of the text."""
    match form:
        case "paragraphs":
            return texts
        case "sentences":
            return [part for text in texts for part in sentences(text)]
        case "blocks":
            return list(_blocks(texts, rng.choice(BLOCKS)))
        case "verse":
            return [line for text in texts for line in _verse(rng, text)]
        case "teaser":
            long = next((at for at, text in enumerate(texts) if len(text) > LONG), 0)
            return texts[: long + rng.choice([1, 1, 2])]
        case _:
            return [" ".join(texts)]


def _verse(rng: random.Random, text: str) -> list[str]:
    """Break a paragraph into lines of a few words, as posts for small screens are."""
    size = rng.choice(VERSE)
    if " " in text[:200]:
        lines = textwrap.wrap(text, size, break_long_words=False, break_on_hyphens=False)
    else:
        lines = [text[at : at + size // 2] for at in range(0, len(text), size // 2)]
    return [line.rstrip(",，、") for line in lines]


def _blocks(texts: list[str], least: int) -> Iterator[str]:
    """Put paragraphs on one line until it is long enough; headings stay lines of their own."""
    held: list[str] = []
    for text in texts:
        if len(text) >= LONG:
            held.append(text)
        if held and (len(text) < LONG or sum(map(len, held)) >= least):
            yield " ".join(held)
            held = []
        if len(text) < LONG:
            yield text
    if held:
        yield " ".join(held)
