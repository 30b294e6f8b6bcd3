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
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from articles import Article, load

WORD = re.compile(r"[^\W\d_]{2,}")
IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
COMMON = 150
"""The most frequent words of a language are never exchanged."""
HELD_LANGUAGES = frozenset({"fi", "ko", "el", "tr", "vi", "hi", "ar", "he", "km"})
"""Languages that training never sees."""
TEST_FOLDS, TUNE_FOLDS = range(10), range(10, 20)
"""Of 100: articles (with all their translations) for the evaluation, and for the calibration."""


def _part(article: Article) -> str:
    if article.language in HELD_LANGUAGES or article.fold in TEST_FOLDS:
        return "test"
    return "tune" if article.fold in TUNE_FOLDS else "train"


class Library:
    """Articles by language; the part to train on, to calibrate on, or to test on.

    Attributes:
        common: the most frequent words of each language.
        rare: the other words of each language, or its ideographs.
    """

    def __init__(self, cache: Path, *, part: str) -> None:
        """Load the articles of one part (train, tune, test); the word lists are of all."""
        every = load(cache)
        self.common: dict[str, frozenset[str]] = {}
        self.rare: dict[str, list[str]] = {}
        self.signs: dict[str, list[str]] = {}
        self._count_words(every)
        self.articles: dict[str, list[Article]] = {}
        for article in every:
            if _part(article) == part:
                self.articles.setdefault(article.language, []).append(article)
        self.articles = {k: v for k, v in sorted(self.articles.items()) if len(v) >= 20}
        self.packages: dict[tuple[str, str], list[Article]] = {}
        for language, found in self.articles.items():
            for article in found:
                self.packages.setdefault((language, article.package), []).append(article)

    def _count_words(self, every: list[Article]) -> None:
        words: dict[str, Counter[str]] = {}
        signs: dict[str, Counter[str]] = {}
        for article in every:
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

    def subject(self, rng: random.Random, language: str) -> Callable[[str], str]:
        """Return a way to exchange words: the same words by the same ones, at every call."""
        share = rng.choice([0.0, 0.2, 0.4, 0.5, 0.6, 0.6, 0.7, 0.8, 0.9])
        salt = rng.getrandbits(48)
        memory: dict[str, str] = {}
        common, rare = self.common[language], self.rare[language]
        signs = self.signs[language]

        def word(match: re.Match[str]) -> str:
            old = match.group()
            key = old.lower()
            if key not in memory:
                dice = random.Random(f"{salt}{key}")
                keep = key in common or dice.random() >= share
                memory[key] = key if keep else rare[int(len(rare) * dice.random())]
            new = memory[key]
            return old if new == key else new.title() if old[0].isupper() else new

        def sign(match: re.Match[str]) -> str:
            old = match.group()
            if old not in memory:
                dice = random.Random(f"{salt}{old}")
                memory[old] = (
                    signs[int(len(signs) * dice.random())] if dice.random() < share * 0.7 else old
                )
            return memory[old]

        def exchange(text: str) -> str:
            if share == 0.0:
                return text
            if len(signs) > 200:
                text = IDEOGRAPH.sub(sign, text)
                return text
            return WORD.sub(word, text)

        return exchange
