"""Made-up news in many languages, from small grammars.

Holds: `Voice` (one language), `Article`, `load_voices`, `write_article`.
Reads `demo/texts/<language>.toml`. Not here: what lands on which night (`editions.py`).

A template such as `"{The council|Parliament} met in {place} for {n} hours"` is expanded from the
inside out: `{name}` is a slot, `{a|b}` a choice. The dice are seeded by the article's name, so an
article is the same on every machine.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

TEXTS = Path(__file__).parent / "texts"
_BRACES = re.compile(r"\{([^{}]*)\}")
_SENTENCES = (13, 20)


class Topic(msgspec.Struct, frozen=True):
    """Titles and sentences of one field of life."""

    titles: tuple[str, ...]
    sentences: tuple[str, ...]


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """One language: names, places, sentences for every article and for each topic.

    `cast`: the people of one article; without it `{name}` is anybody.
    """

    first: tuple[str, ...]
    last: tuple[str, ...]
    places: tuple[str, ...]
    orgs: tuple[str, ...]
    days: tuple[str, ...]
    tag: str
    common: tuple[str, ...]
    topics: dict[str, Topic]
    cast: tuple[str, ...] = ()
    name_join: str = " "
    sentence_join: str = " "


class Article(msgspec.Struct, frozen=True):
    """One made-up article; `caption` stands under its picture."""

    language: str
    topic: str
    title: str
    paragraphs: tuple[str, ...]
    caption: str

    @property
    def text(self) -> str:
        """The body as one string, paragraphs on lines of their own."""
        return "\n".join(self.paragraphs)


def load_voices() -> dict[str, Voice]:
    """Read every language's grammar, sorted by ISO 639-3 code."""
    return {
        path.stem: msgspec.convert(tomllib.loads(path.read_text("utf-8")), Voice)
        for path in sorted(TEXTS.glob("*.toml"))
    }


def write_article(language: str, voice: Voice, name: str, *, topic: str = "") -> Article:
    """Write the article called `name`: the same name gives the same article, on any topic."""
    dice = random.Random(f"{language}/{name}")
    topic = topic or pick(dice, sorted(voice.topics))
    voice = _settled(dice, voice)
    low, high = _SENTENCES
    wanted = low + int(dice.random() * (high - low + 1))
    sentences = list(_sentences(dice, voice, voice.topics[topic], wanted=wanted))
    title = expand(dice, voice, pick(dice, voice.topics[topic].titles)).strip()
    sentences[0] = title + (". " if voice.sentence_join else "。") + sentences[0]
    caption = expand(dice, voice, "{place}, {year}: {name}")
    return Article(
        language, topic, title, _paragraphs(dice, sentences, voice.sentence_join), caption
    )


def write_sentences(voice: Voice, name: str, count: int) -> list[str]:
    """Write `count` sentences on all topics, as a page that grows line by line needs them."""
    dice = random.Random(name)
    pool = [s for topic in voice.topics.values() for s in topic.sentences]
    return [expand(dice, voice, pick(dice, pool)) for _ in range(count)]


def expand(dice: random.Random, voice: Voice, template: str) -> str:
    """Fill slots and take choices, from the inside out."""
    while found := _BRACES.search(template):
        inner = found.group(1)
        filled = pick(dice, inner.split("|")) if "|" in inner else _slot(dice, voice, inner)
        template = template[: found.start()] + filled + template[found.end() :]
    return template


def pick(dice: random.Random, values: Sequence[str]) -> str:
    """Choose one value by `random()` alone, whose sequence Python promises to keep."""
    return values[int(dice.random() * len(values))]


def _slot(dice: random.Random, voice: Voice, slot: str) -> str:
    roll = dice.random()
    match slot:
        case "name":
            return pick(dice, voice.cast) if voice.cast else _person(dice, voice)
        case "place" | "org" | "day":
            return pick(dice, getattr(voice, slot + "s"))
        case "n":
            return str(11 + int(roll * 88))
        case "k":
            return str(1100 + 50 * int(roll * 900))
        case "pct":
            return str(3 + int(roll * 38))
        case "year":
            return str(1978 + int(roll * 46))
        case _:
            message = f"expected a slot such as name or place, found {slot!r} in demo/texts"
            raise ValueError(message)


def _settled(dice: random.Random, voice: Voice) -> Voice:
    """Return the voice with the few people and places that one article is about."""
    return msgspec.structs.replace(
        voice,
        cast=tuple(_person(dice, voice) for _ in range(3)),
        places=tuple(_shuffled(dice, voice.places)[:2]),
        orgs=tuple(_shuffled(dice, voice.orgs)[:1]),
    )


def _person(dice: random.Random, voice: Voice) -> str:
    return pick(dice, voice.first) + voice.name_join + pick(dice, voice.last)


def _sentences(dice: random.Random, voice: Voice, topic: Topic, *, wanted: int) -> list[str]:
    """Two sentences on the topic, one that could stand anywhere, and so on."""
    templates: list[str] = []
    while len(templates) < wanted:
        special, common = _shuffled(dice, topic.sentences), _shuffled(dice, voice.common)
        for index in range(0, len(special), 2):
            templates += special[index : index + 2] + common[index // 2 : index // 2 + 1]
    return [expand(dice, voice, template) for template in templates[:wanted]]


def _shuffled(dice: random.Random, values: Sequence[str]) -> list[str]:
    return sorted(values, key=lambda _: dice.random())


def _paragraphs(dice: random.Random, sentences: list[str], join: str) -> tuple[str, ...]:
    paragraphs: list[str] = []
    while sentences:
        size = 2 + int(dice.random() * 3)
        paragraphs.append(join.join(sentences[:size]))
        sentences = sentences[size:]
    return tuple(paragraphs)
