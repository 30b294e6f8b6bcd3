"""The passes over UTF-8 bytes say what Python's own string methods say."""

from __future__ import annotations

import re
import sys

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.ingest.insets import _ENDINGS, is_image_name
from pipeline.ingest.tidy import CONTROL, has_insets, tidy

SPACES = "".join(chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace())
CONTROLS = "".join(filter(CONTROL.match, map(chr, range(0x100))))
LOOKALIKES = "\u0300\u061c\u180e\u200b\u200d\u2027\u202a\u2060\u2fff\u3001\ufeff\ufffd\ud800\udc85"
"""Characters that share their first bytes with white space, and surrogates."""
WORDS = [
    "a",
    "Z",
    "é",
    "Я",
    "ש",
    "م",
    "ก",
    "क\u093c",
    "世",
    "한",
    "ɐ",
    "𝔸",
    "😀",
    "\u0085",
    "«",
    "ß",
]
NAMES = ["a.jpg", "b.JPEG", "c.avif", "d.tif", "e.svg.", ".png", "f.jpgs", "g.kpg", "h.\u212apg"]
texts = st.lists(
    st.one_of(
        st.sampled_from([*SPACES, *CONTROLS, *LOOKALIKES, *WORDS, *NAMES, "\n", "\n", "\r\n"]),
        st.characters(),
    ),
    max_size=30,
).map("".join)


def by_hand(raw: str) -> str:
    """Do what `tidy` does, a line at a time."""
    raw = re.sub("\r\n?", "\n", raw)
    raw = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", raw)
    return "\n".join(line.rstrip() for line in raw.split("\n"))


@given(texts, st.integers(0, 130))
@example("".join(f"{char}x{char}\n" for char in SPACES), 0)
@example("".join(chr(code) + "\n" for code in range(0x3100)), 0)
@settings(max_examples=1000, deadline=None)
def test_line_ends_are_tidied_as_by_hand(raw: str, place: int) -> None:
    """Line ends, controls and blanks at line ends go, wherever they stand; nothing else does."""
    raw = "x" * place + raw + "\n" + "y" * place  # 64 bytes are looked at together
    assert tidy(raw) == by_hand(raw)


@given(texts)
@settings(max_examples=1000, deadline=None)
def test_a_second_look_finds_nothing_to_tidy(raw: str) -> None:
    """What is tidy is not copied."""
    once = tidy(raw)
    assert tidy(once) is once


@given(texts)
@example("a\n\n \u3000\na\u2009\n")
@example("ab\nb\n")
@example("世.JPG")
@example("\u1680\n\u1680")
@settings(max_examples=2000, deadline=None)
def test_insets_are_looked_for_where_a_line_may_be_one(raw: str) -> None:
    """That is: two neighbouring lines are equal or one is named like an image, blanks apart."""
    said = [line.strip() for line in raw.split("\n") if line.strip()]
    # str.strip() takes U+001C to U+001F and U+0085 for white space, as the kernel does.
    expected = any(map(str.__eq__, said, said[1:])) or any(map(is_image_name, said))
    assert has_insets(raw, _ENDINGS) == expected


def test_extensions_have_three_or_four_letters() -> None:
    """That is what the look at line ends takes for granted."""
    sizes = {len(int(code).to_bytes(8, "big").lstrip(b"\0")) for code in np.unique(_ENDINGS)}
    assert sizes == {4, 5}
