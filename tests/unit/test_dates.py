"""Dates as people write them, in many languages, and what is no date."""

from __future__ import annotations

import datetime as dt
import json
import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dates.words import folded, is_weekday, month_of
from pipeline.dates.written import dates_in, only_date

DAY = dt.date(2024, 3, 12)


@pytest.mark.parametrize(
    "line",
    [
        "March 12, 2024", "Tuesday, 12 March 2024", "12th of March 2024", "MARCH 12TH 2024",
        "Mar 12, 2024 10:15 AM", "Mar. 12, 2024 at 10:15 a.m. EST", "mardi 12 mars 2024",
        "12 de marzo de 2024", "martes, 12 de marzo del 2024", "12 de março de 2024",
        "12. März 2024",
        "12 marzo 2024", "martedì 12 marzo 2024, ore 10.15", "вторник, 12 марта 2024 г.",
        "12 марта 2024 года, 10:15", "12 березня 2024 р.", "12 marca 2024 r.", "12 Mart 2024 Salı",
        "12 MART 2024", "12 mars 2024 kl. 10.15", "12. maaliskuuta 2024", "2024. március 12.",
        "12 Μαρτίου 2024", "12 مارس 2024", "١٢ آذار ٢٠٢٤", "الثلاثاء، 12 مارس 2024",
        "12 במרץ 2024", "12 मार्च 2024", "12 tháng 3 năm 2024", "2024年3月12日",
        "2024年03月12日 星期二 10:20", "2024年3月12日（火）10時20分", "2024년 3월 12일 화요일",
        "2024. 3. 12.",
        "2024. 3. 12. 오후 3:20", "2024.03.12 10:20", "2024-03-12", "2024-03-12T10:20:33Z",
        "2024-03-12T10:20:33+01:00", "2024/3/12 10:20:33", "[12.03.2024]", "12.3.2024, 10:15 Uhr",
    ],
)  # fmt: skip
def test_one_day_in_many_languages(line: str) -> None:
    """A line that is a date, with a weekday or a time at most, says which day it is."""
    found = only_date(line)
    assert found is not None
    assert found.date == DAY
    assert found.is_iso == bool(re.match(r"2024[-/.] ?\d", line))


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("13/03/2024", dt.date(2024, 3, 13)),
        ("03/13/2024", dt.date(2024, 3, 13)),
        ("13-03-2024", dt.date(2024, 3, 13)),
        ("05/05/2024", dt.date(2024, 5, 5)),
        ("03.04.2024", dt.date(2024, 4, 3)),
        ("2024/03/04", dt.date(2024, 3, 4)),
        ("03/04/2024", None),
        ("03-04-2024", None),
        ("13/13/2024", None),
        ("12/3/24", None),
    ],
)
def test_the_order_of_day_and_month_is_never_guessed(line: str, day: dt.date | None) -> None:
    """It counts when the way of writing states it, or when the other order is no date."""
    assert [found.date for found in dates_in(line)] == ([day] if day else [])


@pytest.mark.parametrize(
    ("line", "month"),
    [
        ("12 listopada 2024", 11),
        ("12. listopada 2024", None),
        ("12. srpnja 2024", 7),
        ("12 KASIM 2024", 11),
        ("12 تشرين الأول 2024", 10),
        ("12. 10. 2024", 10),
    ],
)
def test_names_that_mean_two_months_need_a_sign(line: str, month: int | None) -> None:
    """Polish and Croatian share names for different months; the full stop tells which it is."""
    assert [found.date.month for found in dates_in(line)] == ([month] if month else [])


@pytest.mark.parametrize(
    "line",
    [
        "", "March 12", "12 March", "2024", "March 2024", "12 March 24", "2024-13-40", "30.02.2024",
        "2024.1.2.3", "10.0.2024.1", "1403/02/03", "12 มีนาคม 2567", "令和6年3月12日",
        "Chapter 12, 2024",
        "Windows 11 2024", "12-14 March 2024x", "call 12 2024 123", "20240312", "1234-567-12",
    ],
)  # fmt: skip
def test_what_is_no_date(line: str) -> None:
    """Without year, of another calendar, impossible, or a number that looks like one."""
    assert [found.date for found in dates_in(line)] == []


def test_all_dates_of_a_line_have_their_places() -> None:
    """They come in order, and a line with more than a date is not only a date."""
    line = "From 12 March 2024 to March 14, 2024 (2024-03-20)."
    found = list(dates_in(line))
    assert [line[one.start : one.end] for one in found] == [
        "12 March 2024", "March 14, 2024", "2024-03-20",
    ]  # fmt: skip
    assert only_date(line) is None
    assert only_date("Wegen 12. März 2024") is None


@given(day=st.dates(dt.date(1600, 1, 1), dt.date(2099, 12, 31)))
def test_every_day_can_be_written(day: dt.date) -> None:
    """Written out in any order that is stated, each day of five centuries is read back."""
    name = ["January", "February", "March", "April", "May", "June", "July", "August",
            "September", "October", "November", "December"][day.month - 1]  # fmt: skip
    for line in (
        f"{day:%Y-%m-%d}", f"{day.day}.{day.month}.{day.year}", f"{day.day} {name} {day.year}",
        f"{name} {day.day}, {day.year}", f"{day.year}年{day.month}月{day.day}日",
    ):  # fmt: skip
        assert [found.date for found in dates_in(line)] == [day]


@given(line=st.text(st.sampled_from("0123456789./-年月日 Marchde,ºмая\u0307İ"), max_size=80))
def test_no_line_is_too_odd(line: str) -> None:
    """Whatever stands there, dates lie in the line, in order and apart."""
    edges = [0, *(edge for one in dates_in(line) for edge in (one.start, one.end))]
    assert edges == sorted(edges)
    assert edges[-1] <= len(line)


def test_names_are_compared_without_their_case() -> None:
    """Capitals do not say which i a Turkish word has, and short names may have full stops."""
    assert folded("KASIM") == folded("kasım")
    assert month_of("Sept.") == month_of("sept") == 9
    assert month_of("Marzipan") is None
    assert is_weekday("ВТОРНИК")
    assert not is_weekday("March")


def test_the_table_is_folded_and_says_where_it_is_from() -> None:
    """No name could be missed because it is stored in another form than it is looked up in."""
    data = json.loads(resources.files("pipeline.dates").joinpath("date_names.json").read_bytes())
    names = [*data["months"], *data["undotted"], *data["weekdays"]]
    assert [name for name in names if folded(name) != name] == []
    assert set(data["months"].values()) == set(range(1, 13))
    assert not data["months"].keys() & data["undotted"].keys()
    assert data["source"].startswith("CLDR")
