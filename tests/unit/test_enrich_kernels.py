"""Compiled code over the bytes of a batch finds what plain Python finds in each text."""

from __future__ import annotations

import re
from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.digits import numbers, years
from pipeline.enrich.form_lines import CHARACTERS, COLONS, LINES, PROSE, survey
from pipeline.enrich.phrases import Phrases
from pipeline.enrich.utf8 import buffers, decode

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=5)
WORDS = Phrases(("said", " told", "сказал", "übersetzt"), ("%", "@-@", "報道"))
MIXED = st.lists(
    st.sampled_from([*"saidtold @-%報道\n", "said", "Сказал", "ÜBERSETZT", "é", "🙂"])
).map("".join)
DIGITS = st.lists(st.sampled_from([*"0123456789 ().+-,/:\nAz年月日é٣", "2024", "1999-12-31"])).map(
    "".join
)
SPACES = "".join(
    one for one in map(chr, range(0x3001)) if one.isspace() and not "\x1c" <= one <= "\x1f"
)
"""White space as the kernel knows it: that of Python without four separators of files."""
FIND = [
    re.compile("said| told|сказал|übersetzt", re.IGNORECASE),
    re.compile("%|@-@|報道"),
]


@given(TEXTS)
def test_bytes_become_the_code_points_of_the_texts(texts: list[str]) -> None:
    """Every code point of every text is read, whatever stands before it in the array."""
    held = pa.array(["before é", *texts, "after"], pa.string()).slice(1, len(texts))
    data, offsets = buffers(held)
    found = []
    for row in range(len(texts)):
        place, codes = int(offsets[row]), []
        while place < offsets[row + 1]:
            code, place = decode(data, place)
            codes.append(code)
        found.append("".join(map(chr, codes)))
    assert found == texts


@given(st.lists(MIXED, max_size=4))
def test_phrases_are_counted_as_a_pattern_would(texts: list[str]) -> None:
    """One automaton counts what a regular expression of each kind finds, in any capitals."""
    found = WORDS.count(pa.array(["said", *texts], pa.string()).slice(1))
    assert found.tolist() == [[len(one.findall(text)) for one in FIND] for text in texts]


@given(st.lists(DIGITS, max_size=4))
def test_windows_hold_every_number_and_year(texts: list[str]) -> None:
    """No group of digits that could be a person's, and no year beside a day, is out of sight."""
    batch = pa.array(["1234567", *texts], pa.string()).slice(1)
    for row, text in enumerate(texts):
        for windows, pattern in (
            (numbers(batch), r"(?a:\d)(?:[ ().+A-Z-]{0,4}(?a:\d)){6,}"),
            (years(batch), r"(?<!\d)20(?a:\d\d)-(?a:\d\d?)-(?a:\d\d?)"),
        ):
            seen = [(low, high) for one, low, high in windows.tolist() if one == row]
            assert all(before[1] < after[0] for before, after in pairwise(seen))
            for match in re.finditer(pattern, text):
                assert any(low <= match.start() and match.end() <= high for low, high in seen)


@given(TEXTS)
def test_lines_are_those_of_python(texts: list[str]) -> None:
    """Lines with something in them, their characters and long ones are counted."""
    found = survey(pa.array(texts, pa.string()), ("Q", "A"))
    for text, counted in zip(texts, found.tolist(), strict=True):
        lines = [line.strip(SPACES) for line in text.split("\n")]
        lengths = [len(line) for line in lines if line]
        assert counted[LINES] == len(lengths)
        assert counted[CHARACTERS] == sum(lengths)
        assert counted[PROSE] == sum(length for length in lengths if length > 80)


def test_a_colon_near_the_beginning_opens_a_turn() -> None:
    """A colon counts before a space, at the end, or in full width; not in a time or far away."""
    lines = ["Anna: yes", "Anna:", "张三：好", "12:30", "http://x", "w" * 70 + ": no"]
    found = survey(pa.array(lines), ("Q", "A"))
    assert found[:, COLONS].tolist() == [1, 1, 1, 0, 0, 0]
