"""The phrases that blog software and news sites print around articles, by kind and language.

Holds: `phrases`, `of_language`, `kinds`, `languages`. Reads `furniture.toml` beside this module,
once a process. Not here: which lines are furniture (`split_furniture.py`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

NO_LANGUAGE: Final = "und"
"""The key of what is written so in every language: names of networks, of software."""


def phrases(kind: str) -> frozenset[str]:
    """Return all phrases of a kind, in small letters; blanks at their ends matter."""
    return frozenset(phrase for listed in _tables()[kind].values() for phrase in listed)


def of_language(kind: str, language: str) -> tuple[str, ...]:
    """Return a language's phrases of a kind (ISO 639-1), and behind them those of no language."""
    table = _tables()[kind]
    others = () if language == NO_LANGUAGE else table.get(NO_LANGUAGE, ())
    return (*table.get(language, ()), *others)


def kinds() -> tuple[str, ...]:
    """Return the kinds there are; `furniture.toml` says what each is."""
    return tuple(_tables())


def languages(kind: str) -> tuple[str, ...]:
    """Return the languages that have phrases of a kind, `und` among them."""
    return tuple(_tables()[kind])


@cache
def _tables() -> dict[str, dict[str, tuple[str, ...]]]:
    text = files("pipeline.ingest").joinpath("furniture.toml").read_text("utf-8")
    return {
        kind: {language: tuple(listed) for language, listed in table.items()}
        for kind, table in tomllib.loads(text).items()
    }
