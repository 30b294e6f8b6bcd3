"""The articles that pages are made of, sorted by language, and ways to give them other subjects.

Holds: `Library`. Reads what `articles.py` wrote. Not here: noise and layout (`noise.py`).

The manuals all speak of software. So that neighbouring articles differ as much, or as little, as
those of a news site, an article's content words are exchanged: each of a share of its words
becomes, throughout the article, another word of the language (another ideograph in Chinese and
Japanese). Repetition, the thing that the splitter reads, stays what the author made it.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from articles import Article, load

WORD = re.compile(r"[^\W\d_]{2,}")
IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
COMMON = 150
"""The most frequent words of a language are never exchanged."""
COUNTED = 300
"""Articles of a language whose words are counted, more or less."""
SPREAD = 0x9E3779B97F4A7C15
"""Odd, without a pattern: what a checksum is multiplied by, so that all its bits count."""
SCRIPT = 200
"""Ideographs above which a language is taken to be written in them."""
HELD_LANGUAGES = frozenset({"fi", "el", "he", "km"})
"""Languages that training never sees."""
TEST_FOLDS, TUNE_FOLDS = range(10), range(10, 20)
"""Of 100: articles (with all their translations) for the evaluation, and for the calibration."""


def _part(article: Article) -> str:
    if article.language in HELD_LANGUAGES or article.fold in TEST_FOLDS:
        return "test"
    return "tune" if article.fold in TUNE_FOLDS else "train"


def by_language(articles: Iterable[Article]) -> dict[str, list[Article]]:
    """Sort articles by language."""
    shelves: dict[str, list[Article]] = {}
    for article in articles:
        shelves.setdefault(article.language, []).append(article)
    return shelves


def sampled(articles: Iterable[Article]) -> Iterator[Article]:
    """Yield some `COUNTED` articles of each language, from all its packages."""
    for shelf in by_language(articles).values():
        yield from shelf[:: max(1, len(shelf) // COUNTED)]


class Library:
    """Articles by language; the part to train on, to calibrate on, or to test on.

    Attributes:
        common: the most frequent words of each language.
        rare: the other words of each language, or its ideographs.
    """

    def __init__(self, cache: Path, *, part: str) -> None:
        """Load the articles of one part (train, tune, test); the word lists are of any part."""
        every = load(cache)
        self.common: dict[str, frozenset[str]] = {}
        self.rare: dict[str, list[str]] = {}
        self.signs: dict[str, list[str]] = {}
        self._count_words(every)
        self.articles = by_language([article for article in every if _part(article) == part])
        self.articles = {k: v for k, v in sorted(self.articles.items()) if len(v) >= 20}
        self.packages: dict[tuple[str, str], list[Article]] = {}
        for language, found in self.articles.items():
            for article in found:
                self.packages.setdefault((language, article.package), []).append(article)

    def _count_words(self, every: list[Article]) -> None:
        words: dict[str, Counter[str]] = {}
        signs: dict[str, Counter[str]] = {}
        for article in sampled(every):
            text = " ".join(text for _, text in article.blocks)[:6000]
            words.setdefault(article.language, Counter()).update(set(WORD.findall(text.lower())))
            signs.setdefault(article.language, Counter()).update(set(IDEOGRAPH.findall(text)))
        for language, counts in words.items():
            ranked = [w for w, n in sorted(counts.items(), key=lambda x: (-x[1], x[0])) if n > 1]
            self.common[language] = frozenset(ranked[:COMMON])
            self.rare[language] = ranked[COMMON : COMMON + 8000] or ["lorem"]
            order = sorted(signs[language].items(), key=lambda x: (-x[1], x[0]))
            self.signs[language] = [c for c, n in order if n > 1]

    def pick(self, rng: random.Random, language: str, near: Article | None) -> Article:
        """Choose an article; half of those after `near` are of the same manual."""
        same = near is not None and rng.random() < 0.5
        shelf = self.packages[near.language, near.package] if same else self.articles[language]
        found = [rng.choice(shelf) for _ in range(rng.choice([1, 2, 4, 8]))]
        return max(found, key=lambda article: sum(len(text) for _, text in article.blocks))

    def pool(self, rng: random.Random, language: str) -> list[str]:
        """Choose the words that the articles of a page share: mostly any, sometimes few."""
        rare = self.rare[language]
        many = rng.choice([len(rare), len(rare), 2000, 600, 250])
        return rare if many >= len(rare) else rng.sample(rare, many)

    def subject(self, rng: random.Random, language: str, pool: list[str]) -> Exchange:
        """Choose another subject for an article, in words of `pool`."""
        share = rng.choice([0.0, 0.2, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8, 0.9])
        scatter = rng.choice([0.0, 0.0, 0.0, 0.1, 0.2, 0.35, 0.5])
        signs = self.signs[language]
        if len(signs) > SCRIPT:
            return Exchange(
                rng, IDEOGRAPH, frozenset(signs[:COMMON]), signs, (share * 0.7, scatter)
            )
        return Exchange(rng, WORD, self.common[language], pool, (share, scatter))


class Exchange:
    """Exchanges a share of the content words, the same by the same at every place.

    Some texts also lose repetition, as in languages that bend their words and in prose that
    avoids saying a thing twice: a share of the places of content words get a word at random.
    The memory of what became what is the only state.
    """

    def __init__(
        self,
        rng: random.Random,
        unit: re.Pattern[str],
        common: frozenset[str],
        rare: list[str],
        shares: tuple[float, float],
    ) -> None:
        """Take the units (words or ideographs) to keep, those to exchange by, and the shares."""
        self.rng, self.unit, self.common, self.rare = rng, unit, common, rare
        self.share, self.scatter = shares
        self.salt = rng.getrandbits(32)
        self.memory: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return the text on its other subject."""
        if self.share == 0.0 and self.scatter == 0.0:
            return text
        return self.unit.sub(self._scattered if self.scatter else self._same, text)

    def _same(self, match: re.Match[str]) -> str:
        old = match.group()
        new = self.memory.get(old)
        return self._meet(old) if new is None else new

    def _scattered(self, match: re.Match[str]) -> str:
        new = self._same(match)
        if self.rng.random() >= self.scatter or match.group().lower() in self.common:
            return new
        return _cased(self.rare[int(len(self.rare) * self.rng.random())], match.group())

    def _meet(self, old: str) -> str:
        """Decide what a word becomes, in whatever case it stands."""
        key = old.lower()
        drawn = zlib.crc32(key.encode("utf-8", "replace"), self.salt) * SPREAD >> 32 & 0xFFFFFFFF
        # Of ideographs the common ones are exchanged too: there, pairs of them are the words.
        keep = (key in self.common and self.unit is WORD) or drawn / 2**32 >= self.share
        new = old if keep else _cased(self.rare[drawn * 40503 % len(self.rare)], old)
        self.memory[old] = new
        return new


def _cased(word: str, like: str) -> str:
    return word.title() if like[0].isupper() else word
