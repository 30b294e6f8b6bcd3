"""Signatures against a plain Python reference, bit by bit."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import InputError
from pipeline.signature import Signatures, pair_similarity, sign, similarity
from pipeline.signature.signatures import FACTORS, TERMS

WORD = 2**64 - 1
C1, C2, C3, C4 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
C5, C6, C7, C8 = 0xD6E8FEB86659FD93, 0x9FB21C651E98DF25, 0x165667B19E3779F9, 0xFF51AFD7ED558CCD
SPACELESS = ("HIRAGANA", "KATAKANA", "CJK UNIFIED", "CJK COMPAT", "THAI", "LAO", "KHMER", "MYANMAR")


def fold_reference(char: str) -> str:
    """Fold one character of the test corpus; NUL ends a word."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    if unicodedata.name(char, "").startswith(("HANGUL SYLLABLE", "HIRAGANA", "KATAKANA", "THAI")):
        parts = char
    out = []
    for part in parts:
        category, mark = unicodedata.category(part), unicodedata.combining(part)
        if category == "Mn" and (mark >= 200 or 10 <= mark <= 35 or ord(part) >= 0xE0000):
            continue
        if category == "Cf" and part != "\u200b":
            continue
        if not (category[0] in "LNM" or part == "_"):
            out.append("\0")
        elif unicodedata.name(part, "").startswith(SPACELESS):
            out.append(f"\0{part}\0")
        else:
            out.append(part)
    return "".join(out)


def tokens_reference(text: str) -> list[bytes]:
    """Cut a text into folded words."""
    folded = "".join(fold_reference(char) for char in text)
    return [word.encode() for word in folded.split("\0") if word]


def mix(value: int) -> int:
    """SplitMix64's finaliser."""
    value = (value ^ value >> 30) * C3 & WORD
    value = (value ^ value >> 27) * C4 & WORD
    return value ^ value >> 31


def fold_product(left: int, right: int) -> int:
    """Upper half XOR lower half of a 128-bit product."""
    return (left * right >> 64) ^ (left * right & WORD)


def hash_bytes(data: bytes, one: int = 0, two: int = 0) -> tuple[int, int]:
    """Two hashes of some bytes."""
    size = len(data)
    while len(data) > 16:
        block = int.from_bytes(data[:8], "little")
        one = (one ^ block) * C6 & WORD
        one ^= one >> 32
        two = (two ^ block) * C5 & WORD
        two ^= two >> 29
        data = data[8:]
    low, high = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
    return (
        fold_product(one ^ low ^ C1, high ^ size ^ C2),
        fold_product(two ^ low ^ C7, high ^ size ^ C8),
    )


def content_reference(text: str, tokens: list[bytes]) -> bytes:
    """The 128-bit content hash."""
    if not tokens:
        first, second = hash_bytes(text.encode(), C8, C3) if text else (0, 0)
        first, second = mix(first ^ C5), mix(second ^ C6)
    else:
        first, second = C3, C4
        for token in tokens:
            one, two = hash_bytes(token)
            first = (first ^ one) * C1 & WORD
            first ^= first >> 32
            second = (second ^ two) * C2 & WORD
            second ^= second >> 29
        first, second = mix(first ^ len(tokens)), mix(second + len(tokens) * C7 & WORD)
    return first.to_bytes(8, "little") + second.to_bytes(8, "little")


def minima_reference(tokens: list[bytes]) -> list[int]:
    """The 128 minima of 32 bits, none for short texts."""
    words = [hash_bytes(token)[0] for token in tokens]
    shingles = []
    for at in range(len(words) - 4):
        factors = (1, C1, C2, C5, C7)
        value = sum(word * by for word, by in zip(words[at : at + 5], factors, strict=True)) & WORD
        shingles.append(((value ^ value >> 29) * C3 & WORD) >> 32)
    if not shingles:
        return []
    return [
        min((a * shingle + b) % 2**32 for shingle in shingles)
        for a, b in zip(FACTORS.tolist(), TERMS.tolist(), strict=True)
    ]


def bands_reference(minima: list[int]) -> bytes:
    """The 20 band keys."""
    keys = []
    for band in range(20 if minima else 0):
        value = (band * C1 + 1) & WORD
        for at in range(band * 6, band * 6 + 6, 2):
            value = (value ^ minima[at] ^ minima[at + 1] << 32) * C6 & WORD
            value ^= value >> 32
        keys.append(mix(value).to_bytes(8, "little"))
    return b"".join(keys) or bytes(160)


def nasty_texts() -> list[str]:
    """Texts that break tokenisers: many scripts, marks, astral letters, all lengths of words."""
    dice = random.Random(7)  # noqa: S311 - texts, not secrets
    alphabet = (
        "abcXYZ019_ .,-!’“éÜñßяЖλς中文日あガ한กำ\u0e31ລខမşİ½ﬁⅧ²नीत्"
        "\u0301\u3000\u00ad\u200b\u200d\ufeff😀🏳𠀀𐐷𝔘\U000e0100 \n" + "e" * 20 + " " * 9
    )
    texts = ["".join(dice.choices(alphabet, k=dice.randint(0, 300))) for _ in range(300)]
    words = ["x" * size for size in range(70)] + [" ".join("ab" * n for n in range(40))]
    edges = ["", " ", "\n", "😀", "😀 😀", "!?", "…", "a", "a b c d", "a b c d e", "A  b\tC-d,E!"]
    aligned = ["é" * n + "Word " * 5 + "x" * (64 - n) for n in range(66)]
    return [*edges, *texts, *words, *aligned, "one two " * 400]


def test_signatures_equal_the_reference_bit_by_bit() -> None:
    """Tokens, content hash, band keys and minima equal those of plain Python on nasty texts."""
    texts = nasty_texts()
    signed = sign(pa.array(texts))
    for row, text in enumerate(texts):
        tokens = tokens_reference(text)
        minima = minima_reference(tokens)
        assert signed.tokens[row] == len(tokens), text
        assert signed.shingles[row] == max(0, len(tokens) - 4), text
        assert signed.content_hash[row].tobytes() == content_reference(text, tokens), text
        assert signed.band_keys[row].tobytes() == bands_reference(minima), text
        assert signed.minima[row].tolist() == [
            (value ^ value >> 8) & 255 for value in minima or [0] * 128
        ]


def test_the_stored_bits_never_change() -> None:
    """The signature of one sentence is the one that old dumps hold on disk."""
    signed = sign(pa.array(["The quick brown fox jumps over the lazy dog. Ένα δύο 三四五"]))
    assert signed.content_hash[0].tobytes().hex() == "08d5003ebc7ef0c06512a1edad6f1a7a"
    assert signed.band_keys[0, :16].tobytes().hex() == "111260fa46be390268935279481b225d"
    assert signed.minima[0, :16].tobytes().hex() == "e8b91d742ee4d4f6110d516763e756fe"


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_and_chunks_sign_like_whole_arrays(kind: pa.DataType) -> None:
    """A slice, a chunked array and a large string array give the rows of the plain array."""
    texts = nasty_texts()
    whole = sign(pa.array(texts))
    array = pa.array(texts, kind)
    parts = pa.chunked_array([array.slice(0, 5), array.slice(5, 0), array.slice(5)])
    for signed in (sign(array.slice(3, 200)), sign(parts.slice(3, 200))):
        assert np.array_equal(signed.content_hash, whole.content_hash[3:203])
        assert np.array_equal(signed.band_keys, whole.band_keys[3:203])
        assert np.array_equal(signed.minima, whole.minima[3:203])
        assert np.array_equal(signed.tokens, whole.tokens[3:203])


def test_no_texts_give_no_signatures() -> None:
    """Empty arrays, with or without chunks, give zero rows of the right widths."""
    for empty in (pa.array([], pa.string()), pa.chunked_array([], pa.string())):
        signed = sign(empty)
        assert (len(signed), signed.content_hash.shape, signed.minima.shape) == (
            0,
            (0, 16),
            (0, 128),
        )


def test_nulls_are_refused() -> None:
    """A null text is an error that says how many there are."""
    with pytest.raises(InputError, match="found 1 nulls"):
        sign(pa.array(["a", None]))


def test_other_types_are_refused() -> None:
    """Bytes and numbers are not texts."""
    with pytest.raises(InputError, match="found int64"):
        sign(pa.array([1]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Crème brûlée, at 9!", "creme  BRULEE at 9"),
        ("Straße", "STRASSE"),
        ("co\u00adoperate", "cooperate"),
        ("office Ⅷ", "oﬃce viii"),
        ("𝐇𝐞𝐥𝐥𝐨 world", "hello world"),
        ("東京、日本", "東京 日本"),
        ("e\u0301te\u0301", "été"),
    ],
)
def test_texts_that_differ_in_form_alone_are_exact_copies(one: str, other: str) -> None:
    """Case, accents, spacing, punctuation and compatibility forms do not count."""
    signed = sign(pa.array([one, other]))
    assert signed.content_hash[0].tobytes() == signed.content_hash[1].tobytes()


def test_texts_that_differ_in_letters_are_not() -> None:
    """Vowel signs, voicing, word borders, order, emoji and spaces alone all make a difference."""
    texts = [
        "दिन",
        "दीन",
        "か",
        "が",
        "ab c",
        "a bc",
        "abc",
        "c ab",
        "😀",
        "😀😀",
        "🎉",
        "",
        " ",
        "!",
    ]
    assert len({row.tobytes() for row in sign(pa.array(texts)).content_hash}) == len(texts)


def test_broken_utf8_is_signed_without_leaving_the_buffer() -> None:
    """A character that the text's end cuts off ends a word."""
    broken = b"word \xf0\x9f"
    offsets = pa.py_buffer(np.array([0, len(broken)], np.int32).tobytes())
    texts = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(broken))
    assert sign(texts).content_hash.tobytes() == sign(pa.array(["word"])).content_hash.tobytes()


def test_similarity_is_one_for_copies_and_near_zero_for_strangers() -> None:
    """The ends of the scale, for vectors, matrices and index pairs alike."""
    texts = pa.array([" ".join(f"{kind}{n}" for n in range(300)) for kind in "aab"])
    minima = sign(texts).minima
    assert similarity(minima[0], minima[1]) == np.float32(1)
    assert similarity(minima[:2], minima[1:]).tolist()[0] == 1.0
    assert similarity(minima[0], minima[2]) < np.float32(0.05)
    pairs = np.array([[0, 1], [0, 2]])
    assert np.array_equal(
        pair_similarity(minima, minima, pairs), similarity(minima[[0, 0]], minima[[1, 2]])
    )


@pytest.mark.parametrize("share", [0.5, 0.7, 0.8, 0.9])
def test_the_estimate_is_unbiased_and_as_sharp_as_the_theory(share: float) -> None:
    """Mean and spread over 400 pairs are those of 128 fair draws at the true Jaccard similarity."""
    size, pairs = 300, 400
    shared = round(2 * size * share / (1 + share))
    truth = shared / (2 * size - shared)
    texts = []
    for pair in range(pairs):  # a common tail makes common shingles; unlike heads make unlike ones
        tail = " ".join(f"t{pair}_{n}" for n in range(shared + 4))
        for side in "ab":
            head = " ".join(f"{side}{pair}_{n}" for n in range(size - shared))
            texts.append(f"{head} {tail}")
    minima = sign(pa.array(texts)).minima
    estimates = similarity(minima[::2], minima[1::2]).astype(np.float64)
    spread = (truth * (1 - truth) / 128) ** 0.5
    assert abs(estimates.mean() - truth) < 4 * spread / pairs**0.5 + 0.002
    assert 0.85 < estimates.std() / spread < 1.2


def test_parts_join_in_order() -> None:
    """Concatenating signatures keeps row order."""
    texts = pa.array(["a b c d e f", "x", "y z"])
    joined = Signatures.concat([sign(texts.slice(0, 1)), sign(texts.slice(1))])
    assert np.array_equal(joined.content_hash, sign(texts).content_hash)
