"""What a text is written with: letters, script, and characters that detectors cannot bear.

Holds: `Writing`, `look`, `windows`. Reads the packaged table `codepoints.json` once a process.
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

Codes: TypeAlias = NDArray[np.uint32]

UNWRITTEN = "Zyyy"
LETTER, UNBEARABLE = 1, 2
HANS, HANT = 1, 2
DENSE = {"Hani", "Hans", "Hant", "Jpan", "Kore"}
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
    script: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    chinese: NDArray[np.uint8]


@cache
def _table() -> _Table:
    data = json.loads(resources.files("pipeline.enrich").joinpath("codepoints.json").read_bytes())
    lengths = np.diff([*data["starts"], 0x110000])
    chinese = np.zeros(0x110000, np.uint8)
    chinese[[ord(character) for character in data["hans"]]] = HANS
    chinese[[ord(character) for character in data["hant"]]] = HANT
    return _Table(
        tuple(data["scripts"]),
        np.repeat(np.array(data["script"], np.uint8), lengths),
        np.repeat(np.array(data["kind"], np.uint8), lengths),
        chinese,
    )


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
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kind = table.kind[codes]
    counts = np.bincount(kind, minlength=3)
    if counts[UNBEARABLE]:
        codes = codes[kind != UNBEARABLE]
        kind = kind[kind != UNBEARABLE]
        text = codes.tobytes().decode("utf-32-le")
    letters = codes[kind == LETTER]
    script = _script(table, letters) if len(letters) else UNWRITTEN
    weight = 2 if script in DENSE else 1
    return Writing(text, len(letters) * weight, script, visible=bool(text.strip()))


def _script(table: _Table, letters: Codes) -> str:
    counts = np.bincount(table.script[letters], minlength=len(table.names))
    counts[0] = 0
    if not counts.any():
        return UNWRITTEN
    at = table.names.index
    han, kana, hangul = counts[at("Hani")], counts[at("Hira")] + counts[at("Kana")], at("Hang")
    cjk = han + kana
    best = int(counts.argmax())
    # 1. Han and kana compete with other scripts together, not each alone.
    if cjk > counts[best] or table.names[best] in {"Hani", "Hira", "Kana"}:
        return "Jpan" if kana > KANA_SHARE * cjk else _chinese(table, letters)
    # 2. Korean keeps its name with any number of Han characters below half.
    return "Kore" if best == hangul else table.names[best]


def _chinese(table: _Table, letters: Codes) -> str:
    """Decide by characters that only one way of writing has; a draw stays `Hani`."""
    counts = np.bincount(table.chinese[letters], minlength=3)
    if counts[HANS] == counts[HANT]:
        return "Hani"
    return "Hans" if counts[HANS] > counts[HANT] else "Hant"
