"""How often document formats are told right: precision and recall of each, by language.

Holds: `cases`, `scores`, `main`. All texts are put together from `forms.toml`, from a seed.
Not here: the single examples that rules were written by (`tests/unit/test_forms.py`).

    python -m benchmarks.forms
"""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.enrich.forms import FORMS, OTHER, forms

SEED, EACH = 20_261_126, 40
POOLS = Path(__file__).with_name("forms.toml")

Pool = dict[str, Any]


class Case(NamedTuple):
    """A text, its language and its format."""

    language: str
    expected: str
    text: str


def cases() -> Iterator[Case]:
    """Yield `EACH` texts of every format in every language."""
    rng = random.Random(SEED)
    for language, pool in tomllib.loads(POOLS.read_text("utf-8")).items():
        for name, make in MAKERS.items():
            for _ in range(EACH):
                yield Case(language, name, make(rng, pool, "" if language == "zho" else " "))


def scores() -> Counter[tuple[str, str, str]]:
    """Count texts by language, format and the format that the rules tell."""
    made = list(cases())
    found = forms(pa.array([case.text for case in made]), [case.language for case in made])
    return Counter(
        (case.language, case.expected, said or OTHER)
        for case, (said, _) in zip(made, found, strict=True)
    )


def main() -> None:
    """Print precision and recall of each format, and its recall in each language."""
    counts = scores()
    languages = list(dict.fromkeys(language for language, _, _ in counts))
    print(f"forms: {counts.total():,} made texts in {len(languages)} languages")
    print(f"{'format':20}{'precision':>10}{'recall':>8}  recall by language; taken for")
    for name in (*FORMS, OTHER):
        right = _sum(counts, expected=name, said=name)
        precision = right / max(_sum(counts, said=name), 1)
        recall = right / _sum(counts, expected=name)
        by = " ".join(
            f"{one} {counts[one, name, name] / _sum(counts, language=one, expected=name):.2f}"
            for one in languages
        )
        wrong = Counter({said: _sum(counts, expected=name, said=said) for said in (*FORMS, OTHER)})
        del wrong[name]
        others = ", ".join(f"{said} {count}" for said, count in wrong.most_common() if count)
        print(f"{name:20}{precision:>10.3f}{recall:>8.3f}  {by}; {others or 'nothing'}")


def _sum(
    counts: Counter[tuple[str, str, str]], *, language: str = "", expected: str = "", said: str = ""
) -> int:
    wanted = (language, expected, said)
    return sum(
        count
        for key, count in counts.items()
        if all(not one or one == two for one, two in zip(wanted, key, strict=True))
    )


def _article(rng: random.Random, pool: Pool, gap: str) -> str:
    """Three paragraphs, a dateline in half of them; a third is of prices, a third of a court."""
    news = rng.choice(("news", "trade", "court"))
    said = [rng.sample(pool["news"], rng.randrange(1, 4)) for _ in range(3)]
    said[rng.randrange(3)] += pool[news][:2]
    start = f"{pool['place']} — " if rng.random() < 0.5 else ""
    return start + "\n\n".join(gap.join(paragraph) for paragraph in said)


def _transcript(rng: random.Random, pool: Pool, gap: str) -> str:
    """Turns of two or three people, some of two sentences; a time before each in a third."""
    people, timed = rng.sample(pool["names"], rng.randrange(2, 4)), rng.random() < 1 / 3
    lines = []
    for turn in range(rng.randrange(6, 14)):
        said = gap.join(rng.sample(pool["speech"], rng.randrange(1, 3)))
        clock = f"[00:{turn:02d}:{rng.randrange(60):02d}] " if timed else ""
        lines.append(f"{clock}{people[turn % len(people)]}: {said}")
    return "\n".join(lines)


def _law(rng: random.Random, pool: Pool, gap: str) -> str:
    """Numbered provisions, the number on a line of its own in half of them."""
    first, apart = rng.randrange(1, 40), rng.random() < 0.5
    lines = []
    for number in range(first, first + rng.randrange(4, 8)):
        head = pool["article"].format(n=number)
        said = gap.join(rng.sample(pool["law"], rng.randrange(1, 3)))
        lines.append(f"{head}\n{said}" if apart else f"{head}. {said}")
    return "\n".join(lines)


def _questions(rng: random.Random, pool: Pool, _: str) -> str:
    """Pairs, marked in half of the texts and only a question and its answer in the others."""
    ask, tell = pool["marks"] if rng.random() < 0.5 else ("", "")
    places = rng.sample(range(len(pool["asked"])), rng.randrange(3, 6))
    pairs = [f"{ask}{pool['asked'][place]}\n{tell}{pool['answered'][place]}" for place in places]
    return "\n\n".join(pairs)


def _advert(rng: random.Random, pool: Pool, _: str) -> str:
    """Four to six lines of an offer."""
    lines = rng.sample(pool["advert"], rng.randrange(4, 7))
    return "\n".join(
        line.format(price=pool["price"].format(n=rng.randrange(9, 80))) for line in lines
    )


def _list(rng: random.Random, pool: Pool, gap: str) -> str:
    """A title that promises so many, and as many numbered lines, with a sentence each in half."""
    items = rng.sample(pool["items"], rng.randrange(4, 9))
    told = rng.random() < 0.5
    lines = [pool["title"].format(n=len(items))]
    for number, item in enumerate(items, 1):
        lines.append(f"{number}. {item}")
        if told:
            lines.append(gap.join(rng.sample(pool["other"], 1)))
    return "\n".join(lines)


def _other(rng: random.Random, pool: Pool, gap: str) -> str:
    """Diary, recipe and thoughts; in half of the texts a table of facts, names and colons."""
    said = [rng.sample(pool["other"], rng.randrange(1, 4)) for _ in range(rng.randrange(2, 5))]
    facts = rng.sample(pool["facts"], len(pool["facts"])) if rng.random() < 0.5 else []
    return "\n".join([*facts, *(gap.join(paragraph) for paragraph in said)])


MAKERS: dict[str, Callable[[random.Random, Pool, str], str]] = {
    "transcript": _transcript,
    "questions_answers": _questions,
    "law_notice": _law,
    "advertisement": _advert,
    "listicle": _list,
    "news_article": _article,
    OTHER: _other,
}


if __name__ == "__main__":
    main()
