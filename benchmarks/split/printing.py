"""How a site prints an article that was written for the splitter.

Holds: `Site`, `make_site`, `printed`. Not here: which articles stand on a page (`written.py`).
"""

from __future__ import annotations

import random
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from noise import Draft, caption, sentences, stamp
from pages import Style
from shelves import WrittenArticle

AS_IT_WAS = 0.7
"""Share of the articles laid out that stay so."""
LONG = 60
"""Characters above which a line is a sentence, and not a heading."""
FORMS = {
    "paragraphs": (12, 10), "blocks": (3, 10), "one line": (3, 2), "single": (1.5, 0.5),
    "teaser": (3, 1), "sentences": (1, 1), "verse": (1, 5)
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


class Site(NamedTuple):
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


def make_site(rng: random.Random, shelf: list[WrittenArticle], *, alone: bool) -> Site:
    """Draw a site that has these articles; `alone`: each stands on a page by itself."""
    weights = [weight[alone] for weight in FORMS.values()]
    prompts = [article.prompt for article in shelf if article.prompt]
    return Site(
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


def printed(
    rng: random.Random, article: WrittenArticle, site: Site, style: Style
) -> tuple[Draft, Style]:
    """Print an article in the site's way, or as its own page had it."""
    if article.laid_out and rng.random() < AS_IT_WAS:
        lines = [article.title, *article.text] if article.title else article.text
        draft = Draft(article.title or "", [])
        draft.lines += [(line, True) for line in lines]
        return draft, Style("", (0,), 0)
    return _draft(rng, article, site), style


def _draft(rng: random.Random, article: WrittenArticle, site: Site) -> Draft:
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
    _text(rng, draft, [line.strip() for line in article.text if line.strip()], site)
    for line in article.below if site.around and whole else []:
        draft.add(line)
    for line in site.prompt or (article.prompt if whole else []):
        draft.add(line)
    return draft


def _title(title: str, site: Site) -> str:
    title = title.upper() if site.capital else title
    return title + "." if site.stopped and title[-1].isalnum() else title


def _text(rng: random.Random, draft: Draft, texts: list[str], site: Site) -> None:
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
