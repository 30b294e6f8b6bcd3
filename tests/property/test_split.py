"""What must hold of every split, whatever the text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.segments import Segment, check_tiling
from pipeline.ingest.splitters import names, resolve
from pipeline.model.settings import IngestSettings

SETTINGS = IngestSettings()
PIECES = st.sampled_from(
    [
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "  ",
        "\u3000",
        "\x00",
        "\x85",
        "\u2028",
        "\u200b",
        "\ud800",
        "\udcff",
        "\U0001f600",
        "\U00020000",
        "Read more",
        "标签归档:某某",
        "Category archives: salt",
        "The harbour opens again in spring",
        "The harbour had been closed since the storm of October.",
        "码头将于春季重新开放",
        "码头自十月的风暴以来一直关闭。",
        "Гавань снова откроется весной",
        "ท่าเรือจะเปิดอีกครั้ง",
        "1. ",
        "Q: ",
        "…",
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=[]), max_size=200),
    st.lists(PIECES, max_size=120).map("".join),
    st.lists(st.tuples(PIECES, st.integers(1, 40)), max_size=30).map(
        lambda parts: "\n".join(piece * times for piece, times in parts)
    ),
)


def lines_of(segment: Segment, text: str) -> tuple[int, int]:
    """Count the lines of a span the slow way: first and last, from 1."""
    first = text.count("\n", 0, segment.char_start) + 1
    inside = text[segment.char_start : segment.char_end]
    return first, first + inside.count("\n") - inside.endswith("\n")


def visible(line: str) -> bool:
    """Say whether a line has anything that is neither white space nor a control character."""
    return any(
        not char.isspace() and unicodedata.category(char) not in {"Cc", "Cf"} for char in line
    )


@pytest.mark.parametrize("name", names())
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_segments_tile_the_text(name: str, text: str) -> None:
    """Every character is in exactly one segment, in order, and no segment is empty."""
    found = resolve(name).split(text, settings=SETTINGS)

    assert "".join(text[s.char_start : s.char_end] for s in found) == text
    edges = [0, *(s.char_end for s in found)]
    assert edges[:-1] == [s.char_start for s in found]
    assert all(s.char_start < s.char_end for s in found)
    check_tiling(text, found, name)


@pytest.mark.parametrize("name", names())
@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_lines_agree_with_characters(name: str, text: str) -> None:
    """The lines of a segment are those that its characters stand in; it begins where one does."""
    found = resolve(name).split(text, settings=SETTINGS)

    assert [lines_of(s, text) for s in found] == [(s.line_start, s.line_end) for s in found]
    assert all(s.char_start == 0 or text[s.char_start - 1] == "\n" for s in found)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_furniture_has_a_reason_and_documents_have_words(text: str) -> None:
    """Only furniture has a reason; a document is not blank; its title is its first visible line."""
    for segment in resolve("page").split(text, settings=SETTINGS):
        inside = text[segment.char_start : segment.char_end]
        assert (segment.kind == "furniture") == bool(segment.reason)
        assert segment.kind == "furniture" or not inside.isspace()
        if segment.title is not None:
            assert segment.kind == "document"
            assert segment.title == segment.title.strip()
            assert segment.title in next(filter(visible, inside.split("\n")))


@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_the_same_text_is_split_the_same_way(text: str) -> None:
    """Splitting depends on nothing but the text and the settings."""
    assert resolve("page").split(text, settings=SETTINGS) == resolve("page").split(
        text, settings=SETTINGS
    )


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, floor=st.floats(0, 1))
def test_no_boundary_scores_below_the_setting(text: str, floor: float) -> None:
    """A boundary that is less likely than `min_split_score` is not cut."""
    found = resolve("page").split(text, settings=IngestSettings(min_split_score=floor))

    scores = [s.score for s in found if s.score is not None]
    assert all(score >= round(floor, 4) for score in scores)
