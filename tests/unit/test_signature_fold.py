"""The fold table."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.signature.fold import FOLD, folded


def test_the_table_never_changes() -> None:
    """The table has the digest under which stored signatures were made."""
    assert (
        hashlib.sha256(FOLD.tobytes()).hexdigest()
        == "f3a31535509795fe59fc63cd1e2254c5f7e76a7717e2964c45f4b21e6c1f17fa"
    )


@pytest.mark.parametrize(
    ("char", "expected"),
    [
        ("A", b"a"),
        ("_", b"_"),
        ("7", b"7"),
        (" ", b"\0"),
        ("É", b"e"),
        ("ß", b"ss"),
        ("ﬁ", b"fi"),
        ("½", b"1\0002"),
        ("ς", "σ".encode()),
        ("ـ", b""),
        ("\u0301", b""),
        ("\u0334", b""),
        ("\u20dd", b""),
        ("\u00ad", b""),
        ("\ufe0f", b""),
        ("\u200b", b"\0"),
        ("ी", "ी".encode()),
        ("\u0cf3", "\u0cf3".encode()),
        ("中", b"\0" + "中".encode() + b"\0"),
        ("が", b"\0" + "が".encode() + b"\0"),
        ("한", "한".encode()),
        ("ﷺ", "ﷺ".encode()),
        ("㌀", b"\0"),
        ("𝐇", b"h"),
    ],
)
def test_one_character(char: str, expected: bytes) -> None:
    """Each kind of character folds by its rule."""
    assert folded(char) == expected


def test_folding_at_most_doubles_the_bytes() -> None:
    """The kernel's buffer is twice the longest text, so no character may grow more."""
    for code in [*range(0x1, 0xD800), *range(0xE000, 0x10000)]:
        assert int(FOLD[code]) >> 56 <= 2 * len(chr(code).encode())
