"""What differs between two texts, word by word, in any script, however long they are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup.words import CHARACTERS, Comparison, compare

Said = list[tuple[str, str]]


def parts(found: Comparison) -> list[Said]:
    """Return the hunks as pairs of kind and text."""
    return [[(part.kind, part.text) for part in hunk.parts] for hunk in found.hunks]


@pytest.mark.parametrize(
    ("document", "witness", "expected"),
    [
        pytest.param(
            "Today is Monday. All is well.",
            "Today is Sunday. All is well.",
            [
                ("same", "Today is"),
                ("witness", " Sunday"),
                ("document", " Monday"),
                ("same", ". All is well."),
            ],
            id="words",
        ),
        pytest.param(
            "今天是星期一，天气很好。",
            "今天是星期日，天气很好。",
            [
                ("same", "今天是星期"),
                ("witness", "日"),
                ("document", "一"),
                ("same", "，天气很好。"),
            ],
            id="Chinese, by characters",
        ),
        pytest.param(
            "วันที่ ๑ นี้",
            "วันนี้",
            [("same", "วัน"), ("document", "ที่ ๑"), ("same", " นี้")],
            id="Thai, marks with their letter",
        ),
        pytest.param(
            "हिन्दी में लिखा पाठ",
            "हिन्दी में पढ़ा पाठ",
            [
                ("same", "हिन्दी में"),
                ("witness", " पढ़ा"),
                ("document", " लिखा"),
                ("same", " पाठ"),
            ],
            id="Hindi, whole words",
        ),
        pytest.param("", "all gone", [("witness", "all gone")], id="nothing left"),
        pytest.param("all new", "", [("document", "all new")], id="nothing before"),
        pytest.param(
            "A, B!", "a b", [("witness", "a b"), ("document", "A, B!")], id="case and signs"
        ),
    ],
)
def test_single_words_are_told_apart(document: str, witness: str, expected: Said) -> None:
    """Equal words stand around; what differs is as short as the script allows."""
    assert parts(compare(document, witness)) == [expected]


def test_white_space_is_not_compared() -> None:
    """Other line ends are no difference, and never break the line of a hunk."""
    assert compare("a  b\nc", "a b c").hunks == ()
    found = compare("a\n\nb d", "a b c")
    assert parts(found) == [[("same", "a b"), ("witness", " c"), ("document", " d")]]


WORDS = [f"word{number}" for number in range(400)]


def test_changes_far_apart_are_places_of_their_own() -> None:
    """Each hunk says where it begins in both texts and shows eight words around."""
    changed = [*WORDS[:100], "new", *WORDS[100:300], *WORDS[301:]]
    document, witness = " ".join(changed), " ".join(WORDS)
    found = compare(document, witness)
    assert (found.same, found.only_document, found.only_witness) == (399, 1, 1)
    first, second = found.hunks
    assert parts(found)[0][1] == ("document", " new")
    assert parts(found)[1][1] == ("witness", " word300")
    assert document[first.document :].startswith("word92 ")
    assert witness[second.witness :].startswith("word292 ")
    assert len(parts(found)[1][0][1].split()) == 8


def test_a_moved_paragraph_is_found_once() -> None:
    """What stays in order is the longest part; the other one goes and comes."""
    moved = WORDS[350:] + WORDS[:350]
    found = compare(" ".join(moved), " ".join(WORDS))
    assert (found.same, found.only_document, found.only_witness) == (350, 50, 50)


def test_long_pieces_lose_their_middle() -> None:
    """A person sees the beginning and the end of a long insertion, and how much is left out."""
    ((part,),) = parts(compare(" ".join(WORDS), ""))
    assert part[1].startswith("word0 word1 ")
    assert "… (340 words) …" in part[1]
    assert part[1].endswith(" word399")


def test_only_so_many_places_are_listed() -> None:
    """The others are counted."""
    changed = [word if number % 40 else f"other{number}" for number, word in enumerate(WORDS)]
    found = compare(" ".join(changed), " ".join(WORDS), hunks=3)
    assert (len(found.hunks), found.hidden, found.cut) == (3, 7, False)


@pytest.mark.parametrize("letters", ["ab", "a", "abcdefghijklmnop"])
def test_huge_repetitive_texts_are_bounded(letters: str) -> None:
    """A million words without a shingle to hold on to are compared up to a limit."""
    dice = random.Random(1)  # noqa: S311 - no secret
    one, two = (" ".join(dice.choices(letters, k=1_000_000)) for _ in range(2))
    found = compare(one, two)
    assert found.cut
    assert found.same + found.only_document <= CHARACTERS
    assert sum(len(part.text) for hunk in found.hunks for part in hunk.parts) < 200_000


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd", ".", "一", "二", "é"]), max_size=60).map(
    " ".join
)


@given(TEXTS, TEXTS)
def test_a_comparison_accounts_for_every_word(document: str, witness: str) -> None:
    """Words in common and words of one text alone sum to the words of each text."""
    found = compare(document, witness, hunks=1000)
    assert found.same + found.only_document == len(document.split())
    assert found.same + found.only_witness == len(witness.split())
    for kind, number in (("document", found.only_document), ("witness", found.only_witness)):
        listed = [
            p.text for h in found.hunks for p in h.parts if p.kind == kind and "…" not in p.text
        ]
        assert sum(len(text.split()) for text in listed) == number
    assert (found.hunks == ()) == (document.split() == witness.split())
