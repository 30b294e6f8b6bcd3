"""Names of months and weekdays in many languages.

Holds: `folded`, `month_of`, `is_weekday`, `words`. Reads the packaged table `date_names.json` once
a process (made from CLDR by `models/dates/build.py`). Not here: dates (`written.py`).
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache, lru_cache
from importlib import resources

_DROPPED = str.maketrans({"ı": "i", "\u0307": None, "\u0640": None, ".": None, "\u200f": None})
"""Dotless and dotted i are one letter here, as capitals do not say which it was."""


def folded(word: str) -> str:
    """Return the form in which names are compared: small letters, no full stops, plain i."""
    small = unicodedata.normalize("NFC", word).casefold().translate(_DROPPED)
    return " ".join(unicodedata.normalize("NFC", small).split())


@lru_cache(4096)
def month_of(word: str, *, dotted: bool = False) -> int | None:
    """Return the number of the month that a word names in any language, else None.

    Args:
        word: the word; case and full stops do not count.
        dotted: whether a full stop stands after the day. Polish has none there, and the languages
            in which its names mean other months have one.
    """
    word = folded(word)
    months, undotted, _ = _table()
    return months.get(word) or (None if dotted else undotted.get(word))


def is_weekday(word: str) -> bool:
    """Whether a word names a day of the week in any language."""
    return folded(word) in _table()[2]


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(text.split())


@cache
def _table() -> tuple[dict[str, int], dict[str, int], frozenset[str]]:
    data = json.loads(resources.files("pipeline.dates").joinpath("date_names.json").read_bytes())
    return data["months"], data["undotted"], frozenset(data["weekdays"])
