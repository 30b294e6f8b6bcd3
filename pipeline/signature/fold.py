"""What each character becomes before texts are compared.

Holds: `FOLD`, the table that the kernel reads, and `folded`, the rule behind it.
Reads and writes nothing. Not here: cutting into words and hashing (`kernel.py`).

A character becomes bytes: its folded letters in UTF-8, or a zero byte where a word ends. Case,
accents and compatibility forms are folded away (`É`, `é` and `e` are one letter, `ﬁ` is `fi`).
Marks that spell (Indic vowel signs, viramas, kana voicing, Thai tones) stay: without them
different short texts would be "exact" copies. In scripts that put no space between words each
character stands between two zero bytes and so is a word of its own.

A decomposition that would take more than twice the bytes of its character is not made (ligatures
of whole phrases, Hangul, kana), so folded text is at most twice as long as the text.

The bits must be the same for ever and under every supported Python, or old signatures stop
matching: `tests/unit/test_signature_fold.py` pins the table's digest.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt

STYLED: Final = range(0x1D400, 0x1D800)
"""Mathematical alphanumerics, which fancy text abuses as letters; they follow the BMP in `FOLD`."""

_ASSIGNED_LATER: Final = {0x0CF3, 0x0ECE}
"""Marks that Unicode 15 (Python 3.12) knows and Unicode 14 (3.11) does not."""

SPACELESS: Final = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Myanmar
    range(0x1780, 0x1800),  # Khmer
    range(0x1950, 0x19E0),  # Tai Le, New Tai Lue
    range(0x1A20, 0x1AB0),  # Tai Tham
    range(0x2E80, 0x3000),  # Han radicals
    range(0x3005, 0x3008),  # iteration mark, closing mark, zero
    range(0x3040, 0x3130),  # Hiragana, Katakana, Bopomofo
    range(0x31A0, 0x3200),  # Bopomofo, strokes, Katakana
    range(0x3400, 0x4DC0),  # Han
    range(0x4E00, 0xA4D0),  # Han, Yi
    range(0xA9E0, 0xAA00),  # Myanmar
    range(0xAA60, 0xAAE0),  # Myanmar, Tai Viet
    range(0xF900, 0xFB00),  # Han
)
_HANGUL: Final = range(0xAC00, 0xD7A4)
_TATWEEL: Final = 0x0640
_ZERO_WIDTH_SPACE: Final = 0x200B
_SELECTORS: Final = {0x034F, 0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10)}


def folded(char: str) -> bytes:
    """Return what one character below U+10000 or in `STYLED` becomes."""
    limit = 2 * len(char.encode("utf-8", "surrogatepass"))
    if ord(char) not in _HANGUL:
        plain = unicodedata.normalize("NFKD", char).casefold()
        parts = b"".join(_piece(part) for part in unicodedata.normalize("NFKD", plain))
        squeezed = re.sub(b"\0+", b"\0", parts)
        if len(squeezed) <= limit:
            return squeezed
    return _piece(char)


def _piece(char: str) -> bytes:
    """Return a character that decomposes no further: letters, nothing, or the end of a word."""
    if _dropped(char):
        return b""
    if not _in_word(char):
        return b"\0"
    letters = char.encode("utf-8")
    return b"\0" + letters + b"\0" if any(ord(char) in block for block in SPACELESS) else letters


def _dropped(char: str) -> bool:
    code, category = ord(char), unicodedata.category(char)
    if category == "Cf":
        return code != _ZERO_WIDTH_SPACE
    if code == _TATWEEL or category == "Me":
        return True
    if category != "Mn":
        return False
    position = unicodedata.combining(char)
    # 1: overlays; 10-35: Hebrew, Arabic and Syriac points; from 200: accents. The others spell.
    return code in _SELECTORS or position == 1 or 10 <= position <= 35 or position >= 200


def _in_word(char: str) -> bool:
    return char == "_" or unicodedata.category(char)[0] in "LNM" or ord(char) in _ASSIGNED_LATER


def _table() -> npt.NDArray[np.uint64]:
    """Pack `folded` into one integer a character: up to 6 bytes, their number on top."""
    codes = [*range(0x10000), *STYLED]
    packed = np.zeros(len(codes), np.uint64)
    for place, code in enumerate(codes):
        letters = folded(chr(code)) if not 0xD800 <= code < 0xE000 else b"\0"
        packed[place] = int.from_bytes(letters, "little") | len(letters) << 56
    packed.flags.writeable = False
    return packed


if sys.byteorder != "little":
    raise ImportError(
        f"signatures: expected a little-endian machine, found {sys.byteorder}-endian. "
        "Their bits would differ from those already stored; run Winnow on x86-64 or AArch64."
    )

FOLD: Final = _table()
