"""What a text is written with: letters, script, and characters that detectors cannot bear.

Holds: `Writing`, `look`, `windows`, `bearable`, `code_points`, `letter_weights`. Reads the packaged
table `codepoints.json` once a process.
Not here: which language it is (`language.py`), how the table was made (`models/language/`).
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.signature.compiled import jit

Codes: TypeAlias = NDArray[np.uint32]
Small: TypeAlias = NDArray[np.uint8]
Counts: TypeAlias = NDArray[np.int64]

UNWRITTEN = "Zyyy"
LETTER, UNBEARABLE = 1, 2
HANS, HANT = 1, 2
DENSE = {"Hani", "Hans", "Hant", "Jpan", "Kore"}
DENSE_PARTS = ("Hani", "Hira", "Kana", "Hang", "Bopo")
KANA_SHARE = 0.05
"""Japanese prose has a third of kana or more; Chinese prose has none but in names."""


class Writing(msgspec.Struct, frozen=True):
    """One text as detectors may see it.

    `letters` counts code points of category L, those of Chinese, Japanese and Korean twice: a
    character says as much as two letters of an alphabet, or more. `script` is ISO 15924, `Zyyy`
    without letters. `visible` says that something is there besides white space.
    """

    text: str
    letters: int
    script: str
    visible: bool


class _Table(msgspec.Struct, frozen=True):
    names: tuple[str, ...]
    script: Small
    kind: Small
    chinese: Small
    weight: Small


@cache
def _table() -> _Table:
    data = json.loads(resources.files("pipeline.enrich").joinpath("codepoints.json").read_bytes())
    lengths = np.diff([*data["starts"], 0x110000])
    chinese = np.zeros(0x110000, np.uint8)
    chinese[[ord(character) for character in data["hans"]]] = HANS
    chinese[[ord(character) for character in data["hant"]]] = HANT
    script = np.repeat(np.array(data["script"], np.uint8), lengths)
    kind = np.repeat(np.array(data["kind"], np.uint8), lengths)
    dense = np.isin(script, [data["scripts"].index(name) for name in DENSE_PARTS])
    weight = np.where(kind == LETTER, np.where(dense, 2, 1), 0).astype(np.uint8)
    return _Table(tuple(data["scripts"]), script, kind, chinese, weight)


def windows(text: str, *, count: int, size: int) -> tuple[str, ...]:
    """Cut `count` windows of `size` characters, evenly from the first to the last character.

    A text no longer than all windows together is returned whole.
    """
    if len(text) <= count * size:
        return (text,)
    step = (len(text) - size) // (count - 1)
    return tuple(text[start : start + size] for start in range(0, count * step, step))


def look(text: str) -> Writing:
    """Count letters, decide the script, and drop control, private and unassigned characters."""
    table = _table()
    codes = code_points(text)
    scripts, kinds, chinese = _survey(codes, table.script, table.kind, table.chinese)
    if kinds[UNBEARABLE]:
        text = bearable(text)
    letters = int(kinds[LETTER])
    script = _script(table, scripts, chinese) if letters else UNWRITTEN
    weight = 2 if script in DENSE else 1
    return Writing(text, letters * weight, script, visible=bool(text.strip()))


def bearable(text: str) -> str:
    """Drop the characters that detectors cannot bear."""
    codes = code_points(text)
    kept: bytes = codes[_table().kind[codes] != UNBEARABLE].tobytes()
    return kept.decode("utf-32-le")


def letter_weights() -> Small:
    """Return for each code point 0, 1 (a letter) or 2 (a letter that says as much as two)."""
    return _table().weight


def code_points(text: str) -> Codes:
    """Return the code points of a text, surrogates too."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@jit
def _survey(
    codes: Codes, script: Small, kind: Small, chinese: Small
) -> tuple[Counts, Counts, Counts]:
    """Count scripts of letters, kinds of characters, and Chinese letters of one way of writing."""
    scripts = np.zeros(256, np.int64)
    kinds = np.zeros(3, np.int64)
    ways = np.zeros(3, np.int64)
    for code in codes:
        what = kind[code]
        kinds[what] += 1
        if what == LETTER:
            scripts[script[code]] += 1
            ways[chinese[code]] += 1
    return scripts, kinds, ways


def _script(table: _Table, counts: Counts, chinese: Counts) -> str:
    counts[0] = 0
    if not counts.any():
        return UNWRITTEN
    at = table.names.index
    han, kana, hangul = counts[at("Hani")], counts[at("Hira")] + counts[at("Kana")], at("Hang")
    cjk = han + kana
    best = int(counts.argmax())
    # 1. Han and kana compete with other scripts together, not each alone.
    if cjk > counts[best] or table.names[best] in {"Hani", "Hira", "Kana"}:
        return "Jpan" if kana > KANA_SHARE * cjk else _chinese(chinese)
    # 2. Korean keeps its name with any number of Han characters below half.
    return "Kore" if best == hangul else table.names[best]


def _chinese(counts: Counts) -> str:
    """Decide by characters that only one way of writing has; a draw stays `Hani`."""
    if counts[HANS] == counts[HANT]:
        return "Hani"
    return "Hans" if counts[HANS] > counts[HANT] else "Hant"
