"""The pass over a page: lines, words, classes of characters."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.ingest import split_chars as chars
from pipeline.ingest import split_lines as sl


def scan(text: str) -> sl.Lines:
    """Scan a text of whose words nothing is known."""
    return sl.scan(text.encode("utf-8", "surrogatepass"), sl.Lexicon.empty())


def column(text: str, name: int) -> list[int]:
    """Return a column of all non-blank lines."""
    return [int(value) for value in scan(text).columns[name, :-1]]


@pytest.mark.parametrize(
    ("char", "kind"),
    [
        ("a", chars.LOWER),
        ("Ж", chars.UPPER),
        ("ع", chars.CASELESS),
        ("한", chars.CASELESS),
        ("中", chars.SPACELESS),
        ("ก", chars.SPACELESS),
        ("\u0e31", chars.SPACELESS),
        ("\u0301", chars.MARK),
        ("٣", chars.DIGIT),
        ("—", chars.DASH),
        ("「", chars.OPEN),
        ("”", chars.CLOSE),
        ("、", chars.COMMA),
        ("：", chars.COLON),
        ("።", chars.STOP),
        ("\u3000", chars.SPACE),
        ("\u200b", chars.HIDDEN),
        ("\ud800", chars.OTHER),
    ],
)
def test_classes_of_characters(char: str, kind: int) -> None:
    """Characters are classed by what they do in a line, in any script."""
    assert chars.char_class(char) == kind
    assert chars.char_table()[0][ord(char)] == kind


@pytest.mark.parametrize(
    ("text", "numbers", "places", "total"),
    [
        ("", [], [], 0),
        ("\n", [], [], 1),
        ("a", [0], [0], 1),
        ("a\n", [0], [0], 1),
        (" \n\n b\n", [2], [3], 3),
        ("a\r\n\r\nb", [0, 2], [0, 5], 3),
        ("中文\n\ud800x\n\x00\nz", [0, 1, 3], [0, 3, 8], 4),
        ("\U00020000\U0001f600\nb", [0, 1], [0, 3], 2),
        ("\u200b\n\ufeff\n", [], [], 2),
    ],
)
def test_lines_and_places(text: str, numbers: list[int], places: list[int], total: int) -> None:
    """Only lines with something visible are kept, with their number and place in characters."""
    lines = scan(text)

    assert column(text, sl.NUMBER) == numbers
    assert column(text, sl.CHAR) == places
    assert lines.total == total
    assert int(lines.columns[sl.CHAR, -1]) == len(text)


def test_what_a_line_looks_like() -> None:
    """Indentation, ends, digits and lengths are measured; quotes at the end are looked through."""
    text = "  On 5 May: “Yes.”\n中文标题\nNo end"

    assert column(text, sl.INDENT) == [2, 0, 0]
    assert column(text, sl.LENGTH) == [13, 8, 5]
    assert column(text, sl.DIGITS) == [1, 0, 0]
    assert column(text, sl.END) == [chars.STOP, chars.SPACELESS, chars.LOWER]
    assert column(text, sl.CLOSED) == [1, 0, 0]
    assert column(text, sl.FIRST) == [chars.UPPER, chars.SPACELESS, chars.UPPER]


def test_a_date_before_the_text_is_told_from_numbers_in_it() -> None:
    """Digits among a line's first characters are counted apart, behind its indentation."""
    text = "  date 2022-10-12 On 11 October\nOn the afternoon of October the 12th\n2023.04.05"

    assert column(text, sl.EARLY) == [10, 0, 8]


def test_words_are_folded_and_known_by_their_stem() -> None:
    """Case and what follows the sixth letter do not make another word; the first letters do."""
    tokens = scan("Harbour HARBOURS harbouring; garbour").tokens

    assert len(tokens) == 4
    assert tokens[0] == tokens[1] == tokens[2]
    assert tokens[3] != tokens[0]


def test_pairs_of_characters_are_words_where_there_are_no_spaces() -> None:
    """Four ideographs make three pairs; a space or a line end parts them."""
    assert len(scan("甲乙丙丁").tokens) == 3
    assert len(scan("甲乙 丙丁").tokens) == 2
    assert len(scan("甲乙\n丙丁").tokens) == 2
    assert scan("甲乙丙丁甲乙").tokens[0] == scan("甲乙丙丁甲乙").tokens[4]


def test_frequent_words_are_no_content_words() -> None:
    """A word whose place is flagged is counted as a word and not kept as a content word."""
    lexicon = sl.Lexicon.empty()
    lexicon.stops[scan("harbour").tokens >> np.uint32(32 - sl.STOP_BITS)] = 1

    lines = sl.scan(b"the harbour wall", lexicon)

    assert len(lines.tokens) == 2
    assert int(lines.columns[sl.WORDS, 0]) == 3


def test_numbers_have_the_same_head() -> None:
    """Lines that begin with different numbers begin alike; with different words they do not."""
    heads = column("12 ducks\n7 geese\nSeven swans", sl.HEAD)

    assert heads[0] == heads[1]
    assert heads[0] != heads[2]


def test_what_a_line_begins_with_is_known() -> None:
    """Lines with one first word have what the lexicon says of it, whatever follows."""
    lexicon = sl.Lexicon.empty()
    place = sl.head_places(scan("Editor").columns[sl.HEAD, :1])
    lexicon.heads[:, place] = [[-40], [30], [7]]

    columns = sl.scan(b"Editors: A. Reed\nThe editor\n(editor)", lexicon).columns

    assert columns[sl.BEGINS, :-1].tolist() == [-40, 0, -40]
    assert columns[sl.ENDS, :-1].tolist() == [30, 0, 30]
    assert columns[sl.SERVES, :-1].tolist() == [7, 0, 7]


def test_lines_that_a_site_prints_begin_or_end_alike() -> None:
    """Whatever number or name stands there, and however they are indented."""
    page = "Tags: port, ferry\n  Tags: mill\nTasks: mill\n3 comments\n12  comments\nNo comments yet"
    opens, closes = column(page, sl.OPENS), column(page, sl.CLOSES)

    assert opens[0] == opens[1] != opens[2]
    assert closes[1] == closes[2]
    assert opens[3] == opens[4]
    assert closes[3] == closes[4] != closes[5]
    assert len(set(column("2020-11-08\n2021-10-25\n標籤：甲乙\n標籤：丙", sl.OPENS))) == 2


def test_part_of_a_page_is_a_page() -> None:
    """Lines taken out of a page keep their places; their words are counted from their first."""
    page = scan("one two\nthree four five\n\nsix seven\n")

    part = page.part(1, 3)

    assert part.size == 2
    assert part.columns[sl.CHAR].tolist() == page.columns[sl.CHAR, 1:].tolist()
    assert part.columns[sl.TOKEN].tolist() == [0, 3, 5]
    assert part.tokens.tolist() == page.tokens[2:].tolist()
