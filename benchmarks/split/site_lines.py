"""What a site adds to every article: standing prompts at the end, standing lines under the title.

Holds: `Site`, `make_site`, `dress`. Pure functions of a random generator.
Not here: what is peculiar to an article (`noise.py`).

"Follow us", "Send your stories to": such lines return under article after article, differ by a
word at most, and speak of nothing that the article speaks of. They belong to the article above.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from articles import Article
from noise import Draft, fragment, names, sentences

PLAIN = 0.6
"""Share of the pages whose sites add nothing."""
CUT_SHORT = 0.05
"""Share of the articles that break off in the middle of their last line."""
OTHER_WORD = 0.3
"""Share of the standing lines that differ by a word from article to article."""


class Site(NamedTuple):
    """Standing lines and the share of the articles that have them."""

    openings: list[str]
    closings: list[str]
    share: float


def make_site(rng: random.Random, shelf: list[Article]) -> Site:
    """Draw the standing lines of a site from articles of its language."""
    if rng.random() < PLAIN:
        return Site([], [], 0.0)
    closings = [_prompt(rng, rng.choice(shelf)) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
    openings = [_prompt(rng, rng.choice(shelf))[:100]] if rng.random() < 0.25 else []
    return Site(openings, closings, rng.choice([0.3, 0.6, 0.9, 1.0]))


def _prompt(rng: random.Random, article: Article) -> str:
    """Return a line of a few words or sentences, sometimes with an address."""
    draft = Draft(article.title, article.blocks)
    texts = [text for kind, text in article.blocks if kind == "p"] or [article.title]
    kind = rng.random()
    if kind < 0.5:
        parts = sentences(rng.choice(texts)) or [article.title]
        at = rng.randrange(len(parts))
        line = " ".join(parts[at : at + rng.choice([1, 1, 2])])
    else:
        line = fragment(rng, draft, 30, 160) + rng.choice(["", "", ".", ":", "!", "?"])
    if rng.random() < 0.3:
        host = (names(rng, draft).split() or ["x"])[0].lower() + ".example"
        line += rng.choice([f" news@{host}", f" @{host}", f" www.{host}", f" {host}."])
    return line[:260]


def dress(rng: random.Random, site: Site, draft: Draft) -> None:
    """Put the site's lines into a rendered article, and break some articles off."""
    body = rng.random() < 0.7
    if rng.random() < CUT_SHORT and len(draft.lines) > 2:
        line, indented = draft.lines[-1]
        draft.lines[-1] = (line[: rng.randint(1, 60)].strip() or line, indented)
    if rng.random() >= site.share:
        return
    for line in site.openings:
        draft.lines.insert(1, (_varied(rng, line, draft), body))
    for line in site.closings:
        draft.add(_varied(rng, line, draft), body=body)


def _varied(rng: random.Random, line: str, draft: Draft) -> str:
    words = line.split()
    if len(words) < 4 or rng.random() >= OTHER_WORD:
        return line
    words[rng.randrange(len(words))] = names(rng, draft) or words[0]
    return " ".join(words)
