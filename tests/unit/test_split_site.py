"""The lines of a site among those of articles, told before any is judged."""

from __future__ import annotations

import pytest

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_furniture import furniture_reason, is_weak
from pipeline.ingest.split_site import marked

BODY = "The ferry left the harbour at seven on Monday morning with sixty passengers aboard."


def site(*lines: str) -> list[int]:
    """Return what is marked of each line."""
    text = "\n".join(lines)
    return [int(value) for value in marked(text, _scanned(text)).columns[sl.SITE, :-1]]


def _scanned(text: str) -> sl.Lines:
    return sl.scan(text.encode("utf-8", "surrogatepass"), sl.Lexicon.empty())


@pytest.mark.parametrize(
    "line",
    [
        "Tag Archives: harbour",
        "Home > News > Harbour",
        "  « Older posts    Newer posts »",
        "1 2 3 … 18 Next »",
        "Next: The lamp is lit",
        "84 comments",
        "Comments | Print | Share",
        "Seite drucken | Nach oben",
        "上一篇：灯亮了",
        "Share on Facebook",
        "\u3000Распечатать | Наверх",
    ],
)
def test_a_line_of_the_site_is_marked_where_it_stands(line: str) -> None:
    """Between two articles as well as at the edge of a page, whatever is around it."""
    assert site(BODY, line, BODY, "\ud800", line) == [0, 2, 0, 0, 2]


def test_weak_lines_are_marked_as_such() -> None:
    """What is furniture beside others only is told apart from what is always."""
    assert is_weak("Facebook")
    assert furniture_reason("Facebook", opens=True) is None
    assert site(BODY, "Facebook", BODY) == [0, 1, 0]


@pytest.mark.parametrize(
    "line", [BODY, "1. Wash the rice", "2014", "The lamp is lit", "Next, wash the rice", "***", "x"]
)
def test_lines_of_articles_are_not(line: str) -> None:
    """Numbers, steps and titles stay with their articles."""
    assert site(BODY, line, BODY) == [0, 0, 0]


def test_every_line_that_is_read_as_furniture_is_found() -> None:
    """The lines worth reading are told by their first words: none is missed by that."""
    lines = [
        "Archivo del mes: noviembre 2014", "Imprimir | Enviar a un amigo | Me gusta",
        "« Anterior  1  2  3  4  Siguiente »", "Deel dit artikel: Facebook Twitter",
        "In trang này | Gửi email | Về đầu trang", "← เรื่องก่อนหน้า เรื่องถัดไป →",
        "페이스북 공유하기   트위터 공유하기", "Skip to content", "Powered by WordPress",
    ]  # fmt: skip
    known = [line for line in lines if furniture_reason(line, opens=True)]

    assert len(known) == len(lines)
    assert site(*lines) == [2] * len(lines)
