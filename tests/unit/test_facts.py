"""Author and date of publication as pages state them, and the rule that found the date."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.facts import Facts, facts_of
from pipeline.ingest.pages import text_pieces
from pipeline.ingest.splitters import resolve
from pipeline.model.settings import IngestSettings

DAY = dt.date(2024, 3, 12)
PROSE = "The harbour had been closed since the storm of October 3, 2023, and nobody had worked. "


def page(*lines: str) -> str:
    """Return an article whose first lines are these, behind a title."""
    return "\n\n".join(["Fog in the harbour", *lines, PROSE * 3, PROSE * 4, PROSE * 20])


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Published on 12 March 2024", "labelled_line"),
        ("Published: Tuesday, March 12, 2024 10:15 AM", "labelled_line"),
        ("Posted on March 12, 2024 by admin", "labelled_line"),
        ("Published 6:04 AM EST, Tue March 12, 2024", "labelled_line"),
        ("Veröffentlicht um 14:30 Uhr, 12. März 2024", "labelled_line"),
        (
            " date 2024-03-12 On the afternoon of March 11, the Bureau held a meeting",
            "labelled_line",
        ),
        ("Publicado el 12 de marzo de 2024", "labelled_line"),
        ("Publié le mardi 12 mars 2024 à 10h15", "labelled_line"),
        ("Date de publication : 12 mars 2024", "labelled_line"),
        ("Veröffentlicht am 12. März 2024", "labelled_line"),
        ("Pubblicato il 12 marzo 2024", "labelled_line"),
        ("Publicado em 12 de março de 2024", "labelled_line"),
        ("Опубликовано 12 марта 2024 г.", "labelled_line"),
        ("Data publikacji: 12 marca 2024", "labelled_line"),
        ("Yayınlanma Tarihi: 12 Mart 2024 - 10:15", "labelled_line"),
        ("تاريخ النشر: 12 مارس 2024", "labelled_line"),
        ("发布时间：2024-03-12 10:20 来源：新华网", "labelled_line"),
        ("公開日：2024年3月12日", "labelled_line"),
        ("기사입력 2024. 3. 12. 오후 3:20", "labelled_line"),
        ("Updated 13 March 2024 | Published 12 March 2024", "labelled_line"),
        ("2024-03-12 10:20", "iso_line"),
        ("2024.03.12", "iso_line"),
        ("Tuesday, 12 March 2024", "date_line"),
        ("12.03.2024", "date_line"),
        ("Jane Doe - 12 March 2024", "date_line"),
        ("By Jane Doe | March 12, 2024", "byline_line"),
        ("By Jane Doe, March 12, 2024", "byline_line"),
        ("2024-03-12 10:20 来源：新华网", "byline_line"),
        ("来源：新华网 2024-03-12 10:20", "byline_line"),
        ("WASHINGTON, March 12, 2024 (Agency) — The harbour opens.", "dateline"),
        ("BERLIN, 12. März 2024 – Der Hafen öffnet.", "dateline"),
        ("Madrid, 12 mar 2024 (Agencia).- El puerto abre.", "dateline"),
        ("МОСКВА, 12 марта 2024 /Агентство/. Порт открыт.", "dateline"),
        ("新华社北京2024年3月12日电 港口开放。", "dateline"),
    ],
)
def test_each_rule_finds_its_date(line: str, rule: str) -> None:
    """The date that a line states as that of publication, with the name of the rule."""
    found = facts_of(page(line))
    assert (found.published, found.rule) == (DAY, rule)


@pytest.mark.parametrize(
    "line",
    [
        PROSE,
        "Last updated: March 12, 2024",
        "Updated | March 12, 2024",
        "更新时间：2024-03-12",
        "Published 03/04/2024",
        "Published in March",
        "Published data from 12 March 2024 show",
        "Dated 12 March 2024",
        "03/04/2024",
        "March 12",
        "LISBON, March 12 (Agency) - The harbour opens.",
        "On March 12, 2024 – the day of the storm – it was closed.",
        "At 10: 00 on March 12th, 2024, the Information Office held a conference",
        "The council met on 12 March 2024 - and agreed.",
        "Concert: 12 March 2024 - bring a coat",
        "中新网3月12日电 港口开放。",
    ],
)
def test_other_dates_are_not_taken(line: str) -> None:
    """Of events, of updates, without year, or with two readings: nothing is stated."""
    assert facts_of(page(line)) == Facts()


@pytest.mark.parametrize(
    "line",
    [
        "By Jane Doe", "BY JANE DOE", "By Jane Doe and John Roe, staff writers",
        "(Reporter Ann Lee)",
        "Written by: Jane Doe", "Por María López y Juan Ruiz", "Par Jean Dupont", "Von Hans Müller",
        "Di Maria Rossi", "Autor: João da Silva", "Автор: Иван Петров", "Autorka: Anna Nowak",
        "Haber: Ayşe Yılmaz", "بقلم: محمد علي", "作者：张三", "本报记者 张三 通讯员 李四",
        "文/张三",
        "【山田太郎】", "山田太郎記者", "홍길동 기자 abc@news.example", "[서울] 홍길동 기자 =",
        "□ Daily’s journalist Ann Lee",
    ],
)  # fmt: skip
def test_author_lines_are_kept_as_they_stand(line: str) -> None:
    """In each language its own words, label included."""
    assert facts_of(page(line)).byline == line


@pytest.mark.parametrize(
    "line",
    [
        "By the end of the year the harbour opens", "By Monday", "By March Next Year", "By design",
        "By far, the best", "By Jane Doe. And then the fog came.", "Por favor", "Von hier aus",
        "Author", "Author: it is not known who wrote this. Or so it is said.",
        "作者 简介", "文 化", "图文：美国影片出租商百视达递交破产保护申请", "Text",
        "Text: " + "x" * 150, "(the end)",
        "作者：这是一个很长的句子它不可能是一个名字因为名字没有这么长而且它还在继续下去",
    ],
)  # fmt: skip
def test_other_lines_name_no_author(line: str) -> None:
    """Words for author begin sentences as well."""
    assert facts_of(page(line)).byline is None


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("(Author: Ann Lee, professor)", Facts("(Author: Ann Lee, professor)")),
        (PROSE + "（记者 张三）", Facts("记者 张三")),
        ("Автор: Иван Петров", Facts("Автор: Иван Петров")),
        ("2024年3月12日", Facts(None, DAY, "closing_line")),
        ("Опубликовано: 12.03.2024", Facts(None, DAY, "labelled_line")),
        ("By Jane Doe", Facts()),
        (PROSE, Facts()),
    ],
)
def test_the_last_lines_are_looked_at_too(last: str, expected: Facts) -> None:
    """What stands at the end with a label, in brackets, or as a date alone."""
    assert facts_of(f"{page()}\n{last}") == expected


@pytest.mark.parametrize("colon", [":", "："])
def test_an_author_shares_its_line_with_date_and_source(colon: str) -> None:
    """As sites in Chinese print it, with one blank between them."""
    line = f"2024年3月12日 14:30 来源{colon}新华网 作者{colon}张三 责任编辑{colon}李四"
    assert facts_of(page(line)) == Facts(f"作者{colon}张三", DAY, "byline_line")


def test_a_title_is_no_author_and_first_rules_come_first() -> None:
    """Titles begin with "By" too; a label says more than a line that is only a date."""
    assert facts_of(f"By Land And Sea\n{PROSE}") == Facts()
    found = facts_of(page("2024-03-11", "Published 12 March 2024", "13 March 2024"))
    assert (found.published, found.rule) == (DAY, "labelled_line")
    assert facts_of(page("2024-03-12", "13 March 2024")).published == DAY


def test_the_middle_of_a_text_states_nothing() -> None:
    """Only a few lines at both ends count, however long the text is."""
    middle = "\n".join(
        [PROSE * 9] * 7 + ["Published 12 March 2024", "By Jane Doe"] + [PROSE * 9] * 7
    )
    assert facts_of(middle) == Facts()
    assert facts_of("x" * 100_000) == facts_of("") == facts_of("\n") == Facts()


@given(
    text=st.text(max_size=300)
    | st.lists(
        st.sampled_from(["By ", "作者：", "Published ", "12 March 2024", "\n", "|", "(", "a"]),
        max_size=30,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_text_is_too_odd(text: str) -> None:
    """A date has a rule and a rule has a date; a byline is part of the text."""
    found = facts_of(text)
    assert (found.published is None) == (found.rule is None)
    assert found.byline is None or (found.byline in text and found.byline.strip())


def test_pages_have_their_facts() -> None:
    """Each article of a page has its own, whatever the splitter."""
    text = page("By Jane Doe | March 12, 2024")
    (piece,) = text_pieces([text], IngestSettings(splitter="none"), splitter=resolve("none"))
    assert (piece.byline, piece.published, piece.published_rule) == (
        "By Jane Doe", DAY, "byline_line",
    )  # fmt: skip
