"""What kind of character each code point is, as tables that the kernels read.

Holds: the classes and `char_table`. Reads and writes nothing.
Not here: the pass over the text (`split_lines.py`).

The classes know no language: they follow Unicode categories. Scripts that put no space between
words have a class of their own, because there a pair of characters stands for a word.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

OTHER: Final = 0
LOWER: Final = 1
UPPER: Final = 2
CASELESS: Final = 3

DIGIT: Final = 4
MARK: Final = 5
SPACELESS: Final = 6
SYMBOL: Final = 7
DASH: Final = 8
OPEN: Final = 9
CLOSE: Final = 10
COMMA: Final = 11
COLON: Final = 12
STOP: Final = 13
ASK: Final = 14
SPACE: Final = 15
HIDDEN: Final = 16
KINDS: Final = 17

LIMIT: Final = 0x20000
"""Above this only ideographs are common; they are classed by range, the rest is `OTHER`."""

_SPACELESS: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # marks that repeat an ideograph
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # ideographs
    (0x4E00, 0x9FFF),  # ideographs
    (0xF900, 0xFAFF),  # ideographs
    (0x1B000, 0x1B16F),  # old kana
)
_COMMAS: Final = ",;、،؛，；､፣፤⸴՝"
_COLONS: Final = ":：︰፡፥"
_STOPS: Final = ".…。｡．۔।॥።෴။៕།。։"
_ASKS: Final = "?!？！؟፧՞"
"""Marks that end a sentence, and titles as well."""
_BY_CATEGORY: Final = {
    "Ll": LOWER,
    "Lu": UPPER,
    "Lt": UPPER,
    "Lo": CASELESS,
    "Lm": CASELESS,
    "Nd": DIGIT,
    "Nl": DIGIT,
    "No": DIGIT,
    "Mn": MARK,
    "Mc": MARK,
    "Me": MARK,
    "Pd": DASH,
    "Ps": OPEN,
    "Pi": OPEN,
    "Pe": CLOSE,
    "Pf": CLOSE,
    "Po": SYMBOL,
    "Pc": SYMBOL,
    "Sm": SYMBOL,
    "Sc": SYMBOL,
    "Sk": SYMBOL,
    "So": SYMBOL,
    "Cc": HIDDEN,
    "Cf": HIDDEN,
}


def char_class(char: str) -> int:
    """Return the class of one character."""
    if char.isspace():
        return SPACE
    for marks, kind in (
        (_COMMAS, COMMA),
        (_COLONS, COLON),
        (_STOPS, STOP),
        (_ASKS, ASK),
        ("\"'＂", OPEN),
    ):
        if char in marks:
            return kind
    category = unicodedata.category(char)
    if category[0] in "LNM" and any(low <= ord(char) <= high for low, high in _SPACELESS):
        return SPACELESS
    return _BY_CATEGORY.get(category, OTHER)


@cache
def char_table() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """Return class and lower-case form of every code point below `LIMIT`."""
    classes = np.zeros(LIMIT + 1, dtype=np.uint8)
    lower = np.arange(LIMIT + 1, dtype=np.uint32)
    for code in range(LIMIT):
        char = chr(code)
        classes[code] = char_class(char)
        small = char.lower()
        if len(small) == 1:
            lower[code] = min(ord(small), LIMIT)
    return classes, lower
