"""How often personal data, dates and statements of translation are found, and what is mistaken.

Holds: `cases`, `Case`, `scores`, `main`. All texts are made here, from a seed: sentences in eight
languages with a number, date or statement in them, or with one that only looks like it.
Not here: the single examples that rules were written by (`tests/unit/test_personal.py` and others).

    python -m benchmarks.flags
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from pipeline.enrich.check_digits import IBAN_LENGTHS, is_card, luhn
from pipeline.enrich.personal import find
from pipeline.enrich.stated_dates import stated
from pipeline.enrich.translation import FLAGGED
from pipeline.enrich.translation import scores as translated

SEED, EACH = 20_261_125, 200

CARRIERS = {
    "eng": "The council met in the town hall. {} The boats left the harbour in the evening.",
    "deu": "Der Rat tagte im Rathaus. {} Die Boote verließen am Abend den Hafen.",
    "fra": "Le conseil s'est réuni à la mairie. {} Les bateaux ont quitté le port le soir.",
    "spa": "El consejo se reunió en el ayuntamiento. {} Los barcos dejaron el puerto.",
    "por": "O conselho reuniu-se na câmara. {} Os barcos deixaram o porto à noite.",
    "pol": "Rada zebrała się w ratuszu. {} Łodzie opuściły port wieczorem.",
    "rus": "Совет собрался в ратуше. {} Лодки вышли из порта вечером.",
    "zho": "委员会在市政厅开会。{}船只在傍晚离开港口。",
}
PHONES = {"eng": "Tel.", "deu": "Telefon:", "fra": "Tél.", "spa": "Teléfono:", "por": "Telefone:",
          "pol": "tel.", "rus": "Тел.:", "zho": "电话："}  # fmt: skip
MONTHS = {
    "eng": ("{d} {m} {y}", "January March May October December"),
    "deu": ("{d}. {m} {y}", "Januar März Mai Oktober Dezember"),
    "fra": ("{d} {m} {y}", "janvier mars mai octobre décembre"),
    "spa": ("{d} de {m} de {y}", "enero marzo mayo octubre diciembre"),
    "por": ("{d} de {m} de {y}", "janeiro março maio outubro dezembro"),
    "pol": ("{d} {m} {y}", "stycznia marca maja października grudnia"),
    "rus": ("{d} {m} {y} года", "января марта мая октября декабря"),
    "zho": ("{y}年{n}月{d}日", "1 3 5 10 12"),
}
NUMBERS = (1, 3, 5, 10, 12)
STATED = {
    "eng": "(This article was machine translated.)", "deu": "(Maschinell übersetzt.)",
    "fra": "(Traduction automatique.)", "spa": "(Traducción automática.)",
    "por": "(Tradução automática.)", "pol": "(Automatyczne tłumaczenie.)",
    "rus": "(Машинный перевод.)", "zho": "（机器翻译）",
}  # fmt: skip
PEOPLE = {
    "eng": "Translated by Anna Berg.", "deu": "Übersetzt von Anna Berg.",
    "fra": "Traduit par Anna Berg.", "spa": "Traducido por Anna Berg.",
    "por": "Traduzido por Anna Berg.", "pol": "Tłumaczenie: Anna Berg.",
    "rus": "Перевод Анны Берг.", "zho": "安娜翻译。",
}  # fmt: skip


class Case(NamedTuple):
    """A text with something in it, and what should be found: a kind, a date, or nothing."""

    group: str
    text: str
    expected: str


def cases() -> Iterator[Case]:
    """Yield all cases."""
    rng = random.Random(SEED)
    for group, (expected, make) in MAKERS.items():
        for number in range(EACH):
            language = list(CARRIERS)[number % len(CARRIERS)]
            inside, wanted = make(rng, language), expected
            if group.startswith("date: "):
                inside, _, wanted = inside.partition("|")
            yield Case(group, CARRIERS[language].format(inside), wanted)


def scores() -> dict[str, tuple[int, int]]:
    """Return for each group how many cases came out as expected, and how many there are."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    made = list(cases())
    texts = pa.array([case.text for case in made])
    people, days, said = find(texts), stated(texts), translated(texts)
    for row, case in enumerate(made):
        if case.group.startswith("date"):
            answer = ",".join(str(day) for day in days[row])
        elif case.group.startswith("translation"):
            answer = "flag" if said[row] >= FLAGGED else ""
        else:
            answer = ",".join(one.kind for one in people.get(row, []))
        found[case.group].append(answer == case.expected)
    return {group: (sum(hits), len(hits)) for group, hits in found.items()}


def main() -> None:
    """Print a row a group."""
    print(f"flags: made texts in {len(CARRIERS)} languages; share of texts with just what is there")
    for group, (right, count) in scores().items():
        print(f"{group:44}{right / count:>8.3f} of {count}")


def _digits(rng: random.Random, count: int) -> str:
    return str(rng.randrange(1, 10)) + "".join(str(rng.randrange(10)) for _ in range(count - 1))


def _iban(rng: random.Random, _: str, *, wrong: bool = False) -> str:
    country = rng.choice(["AT", "BE", "CH", "DE", "DK", "EE", "ES", "FI", "HR", "LT", "PL", "PT"])
    body = _digits(rng, IBAN_LENGTHS[country] - 4)
    check = 98 - int(body + "".join(str(int(one, 36)) for one in country) + "00") % 97
    text = f"{country}{(check + wrong * rng.randrange(1, 90)) % 97:02d}{body}"
    if wrong and not _off(text):
        return _iban(rng, _, wrong=True)
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4)) + "."


def _off(text: str) -> bool:
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 != 1


def _card(rng: random.Random, _: str) -> str:
    while not is_card(text := "4" + _digits(rng, 15)):
        pass
    return " ".join(text[at : at + 4] for at in range(0, 16, 4)) + "."


def _wrong_card(rng: random.Random, _: str) -> str:
    while luhn(text := "4" + _digits(rng, 15)):
        pass
    return " ".join(text[at : at + 4] for at in range(0, 16, 4)) + "."


def _phone(rng: random.Random, language: str) -> str:
    return f"{PHONES[language]} 0{_digits(rng, 3)} {_digits(rng, 6)}."


def _isbn(rng: random.Random, _: str) -> str:
    body = "978" + _digits(rng, 9)
    check = -sum(int(one) * (1, 3)[at % 2] for at, one in enumerate(body)) % 10
    return f"ISBN {body[:3]}-{body[3]}-{body[4:7]}-{body[7:12]}-{check}."


def _spanish(rng: random.Random, _: str) -> str:
    number = _digits(rng, 8)
    return f"DNI {number}{'TRWAGMYFPDXBNJZSQVHLCKE'[int(number) % 23]}."


def _brazilian(rng: random.Random, _: str) -> str:
    text = _digits(rng, 9)
    for first in (10, 11):
        total = sum(
            int(one) * weight for one, weight in zip(text, range(first, 1, -1), strict=True)
        )
        text += str(total * 10 % 11 % 10)
    return f"CPF {text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}."


def _date(rng: random.Random, language: str) -> str:
    order, months = MONTHS[language]
    place, day, year = rng.randrange(5), rng.randrange(1, 29), rng.randrange(1950, 2027)
    text = order.format(d=day, m=months.split()[place], n=NUMBERS[place], y=year)
    return f"{text}.|{date(year, NUMBERS[place], day)}"


def _iso(rng: random.Random, _: str) -> str:
    day = date(rng.randrange(1950, 2027), rng.randrange(1, 13), rng.randrange(1, 29))
    return f"({day})|{day}"


Maker = Callable[[random.Random, str], str]
MAKERS: dict[str, tuple[str, Maker]] = {
    "iban": ("iban", _iban),
    "card, in groups": ("card", _card),
    "phone, after its word": ("phone", _phone),
    "phone, +": ("phone", lambda rng, _: f"+{rng.choice((33, 34, 48, 49))} {_digits(rng, 9)}."),
    "e-mail": ("email", lambda rng, _: f"a{_digits(rng, 3)}.berg@mail{_digits(rng, 2)}.example."),
    "id: Spain": ("id", _spanish),
    "id: Brazil": ("id", _brazilian),
    "nothing: iban, wrong digit": ("", lambda rng, code: _iban(rng, code, wrong=True)),
    "nothing: card, wrong digit": ("", _wrong_card),
    "nothing: book number": ("", _isbn),
    "nothing: name of an image": (
        "",
        lambda rng, _: f"IMG_{_digits(rng, 8)}_{_digits(rng, 6)}.jpg",
    ),
    "nothing: picture id": ("", lambda rng, _: f"(Photo {_digits(rng, rng.choice((9, 10, 16)))})"),
    "nothing: order": ("", lambda rng, _: f"#{_digits(rng, 10)}, {_digits(rng, 12)}."),
    "nothing: order in threes": ("", lambda rng, _: f"Order {_digits(rng, 3)}-{_digits(rng, 7)}."),
    "nothing: timestamp": (
        "",
        lambda rng, _: f"2026-11-{rng.randrange(10, 31)}T10:{_digits(rng, 2)}:15",
    ),
    "nothing: seconds": ("", lambda rng, _: f"t=1{_digits(rng, 9)} {_digits(rng, 13)}"),
    "nothing: sum": (
        "",
        lambda rng, _: f"€ {_digits(rng, 2)} {_digits(rng, 3)} {_digits(rng, 3)}.",
    ),
    "date: in words": ("", _date),
    "date: ISO": ("", _iso),
    "date, none: day and month alone": (
        "",
        lambda rng, _: f"{rng.randrange(1, 29)}.{rng.randrange(1, 13)}.",
    ),
    "date, none: two readings": (
        "",
        lambda rng, _: f"0{rng.randrange(1, 6)}/0{rng.randrange(6, 10)}/2024",
    ),
    "date, none: score or range": ("", lambda rng, _: f"21-{rng.randrange(10, 20)}, 2017-2021."),
    "translation: stated": ("flag", lambda _, code: STATED[code]),
    "translation, none: a person's name": ("", lambda _, code: PEOPLE[code]),
}
"""Groups: what must be found, and what makes the text. A date says itself which it is."""


if __name__ == "__main__":
    main()
