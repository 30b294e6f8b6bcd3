"""The bytes of a batch of texts, where Arrow keeps them, for compiled code.

Holds: `Bytes`, `Offsets`, `buffers`, `decode`, `flags` and its bits. Copies nothing.
Not here: what is counted (`quality_kernel.py`, `form_lines.py`, `digits.py`, `phrases.py`).

A batch is one run of UTF-8: kernels go over all texts in one call, so that Python does nothing for
a text in which there is nothing to find.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.codepoints import letter_weights
from pipeline.signature.compiled import i64, jit

Bytes: TypeAlias = NDArray[np.uint8]
Offsets: TypeAlias = NDArray[np.int32]

SPACE, LETTER, BULLET, END = 1, 2, 4, 8

_SPACES = [9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029,
           0x202F, 0x205F, 0x3000]  # fmt: skip
_BULLETS = "•‣▶◀◦■□▪▫–-*·●○"
_ENDS = '.!?"”»…。！？」।؟۔'


def buffers(texts: pa.StringArray) -> tuple[Bytes, Offsets]:
    """Return the bytes of a batch and its n + 1 offsets: text i is bytes `[i]` to `[i + 1]`.

    Both are read-only, so that kernels are compiled once, whoever made the array.
    """
    _, places, data = texts.buffers()
    start = texts.offset
    if not len(texts):
        places, data, start = pa.py_buffer(bytes(4)), None, 0
    offsets = np.frombuffer(places, np.int32)[start : start + len(texts) + 1]
    held = np.frombuffer(data if data is not None else b"", np.uint8)
    offsets.flags.writeable = held.flags.writeable = False
    return held, offsets


@cache
def flags() -> Bytes:
    """Return for each code point whether it is white space, a letter, a bullet, a sentence's end.

    `END` are the signs that a sentence ends with, `BULLET` those that open an item of a list.
    """
    found = np.where(letter_weights() > 0, LETTER, 0).astype(np.uint8)
    found[_SPACES] |= SPACE
    found[[ord(one) for one in _BULLETS]] |= BULLET
    found[[ord(one) for one in _ENDS]] |= END
    return found


@jit
def decode(data: Bytes, place: int) -> tuple[int, int]:
    """Return the code point at a place, and the place of the next; the bytes are sound UTF-8."""
    first = i64(data[place])
    if first < 0x80:
        return first, place + 1
    second = i64(data[place + 1]) & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second, place + 2
    third = i64(data[place + 2]) & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third, place + 3
    fourth = i64(data[place + 3]) & 0x3F
    return (first & 0x07) << 18 | second << 12 | third << 6 | fourth, place + 4
