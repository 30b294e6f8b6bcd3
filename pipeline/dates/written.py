"""Dates as people write them: day, month and year, in many languages and scripts.

Holds: `Written`, `dates_in`, `only_date`. Pure functions of one line.
Not here: which date is that of publication (`ingest/facts.py`), names of months (`words.py`).

A date counts only if it can be read in one way. Year first is year, month, day. With full stops
the day comes first, as in every language of CLDR that writes dates so. With slashes or hyphens
`13/04/2024` and `04/13/2024` have one reading, `03/04/2024` has two and is no date here. Years of
two digits, and years of other calendars than the Gregorian, are none either.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.dates.words import is_weekday, month_of

FIRST_YEAR, LAST_YEAR = 1600, 2099

_WORD = r"[^\s\d.,،;:/()|\[\]<>—–-]{2,20}"
_OF = r"(?:(?:de|del|of|d[’'])\s{0,2})?"
_DIGITS = re.compile(r"\d\d{3,}")  # found faster than \d{4,}; and ASCII digits faster still
_ASCII_DIGITS = re.compile(r"[0-9][0-9]{3,}")
_FROM_YEAR = re.compile(
    rf"""(?P<y>\d{{4}})(?:
    \s?[年년]\s?(?P<m1>\d{{1,2}})\s?[月월]\s?(?P<d1>\d{{1,2}})\s?[日일号號]
    |(?P<iso>[-/]|\.\s?)(?P<m2>\d{{1,2}})(?P=iso)(?P<d2>\d{{1,2}})
    |\.?\s(?:m\.\s|gada\s)?(?P<w>{_WORD})\s(?P<d3>\d{{1,2}})
    )(?!\d|[-./]\d)""",
    re.VERBOSE,
)
_TO_YEAR = re.compile(
    rf"""(?:(?<![\d.,/-])(?:
    (?P<d1>\d{{1,2}})\.\s?(?P<m1>\d{{1,2}})\.\s?
    |(?P<a>\d{{1,2}})(?P<sign>[/-])(?P<b>\d{{1,2}})(?P=sign)
    |(?P<d2>\d{{1,2}})\s+tháng\s+(?P<m2>\d{{1,2}}),?\s+(?:năm\s+)?
    |(?P<d3>\d{{1,2}})(?P<dot>\.)?(?i:st|nd|rd|th|er|re|[ºª°])?[\s-]{{0,2}}{_OF}
        (?P<w3>{_WORD}(?:\s{_WORD})?)\.?[,،]?[\s-]{{1,2}}{_OF}
    )|(?<!\w)(?P<w4>{_WORD})\.?\s{{1,2}}(?P<d4>\d{{1,2}})(?i:st|nd|rd|th)?,?\s{{1,2}}
    )(?P<y>\d{{4}})\Z""",
    re.VERBOSE,
)
_CENTURIES = tuple(str(year // 100) for year in range(FIRST_YEAR, LAST_YEAR, 100))
_DAY_NAME = re.compile(r"[^\W\d]+")
_DAY = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_GOES_ON = re.compile(r"[-./]\d")
_BEFORE_YEAR = 48
_YEAR_DIGITS = 4
_AROUND = " \t\u00a0\u3000,،，、;.·()（）[]【】<>《》-–—:："
_TIME = re.compile(
    r"(?:at|um|à|alle|ore|a las|às|o|в|saat|kl\.?|klo|T)?\s*"
    r"(?:上午|下午|晚上|午前|午後|오전|오후)?\s*"
    r"\d{1,2}[:：.hч時时시]\d{0,2}(?:[:：]\d{2}|分|분)?(?:\.\d+)?\s*"
    r"(?:[ap]\.?m\.?)?\s*(?:uhr|h|hrs|[A-Z]{1,5}|[+-]\d{2}:?\d{2}|\([A-Z]{2,4}\))?",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(?:г|года|год|р|року|r|roku|թ|ж)(?=\W|$)\.?")


class Written(NamedTuple):
    """A date and where it stands in its line; `is_iso`: digits with the year first."""

    date: dt.date
    start: int
    end: int
    is_iso: bool


def dates_in(line: str) -> Iterator[Written]:
    """Yield the dates of a line, in order: what stands around each year is looked at."""
    if line.isascii() and not any(map(line.__contains__, _CENTURIES)):  # quicker than a pattern
        return
    place = 0
    for year in (_ASCII_DIGITS if line.isascii() else _DIGITS).finditer(line):
        if year.end() - year.start() > _YEAR_DIGITS:
            continue
        found = _FROM_YEAR.match(line, year.start())
        date = _with_year_first(found) if found else None
        if not date and not _GOES_ON.match(line, year.end()):
            start = max(place, year.start() - _BEFORE_YEAR)
            if _DAY.search(line, start, year.start()):
                found = _TO_YEAR.search(line, start, year.end())
                date = _with_year_last(found) if found else None
        if found and date:
            is_iso = bool(found.groupdict().get("iso"))
            yield Written(date, found.start(), found.end(), is_iso)
            place = found.end()


def only_date(line: str) -> Written | None:
    """Return the date of a line that is a date and nothing else, weekday and time apart."""
    found = next(dates_in(line), None)
    if found is None:
        return None
    before = line[: found.start].strip(_AROUND)
    if before and not is_weekday(before):
        return None
    return found if is_time(line[found.end :]) else None


def is_time(rest: str) -> bool:
    """Whether what stands behind a date is a time, a weekday, a word for year, or nothing."""
    rest = rest.strip(_AROUND)
    for sign in (_YEARS, _DAY_NAME, _TIME):
        found = sign.match(rest)
        if found and (sign is not _DAY_NAME or is_weekday(found[0])):
            rest = rest[found.end() :].strip(_AROUND)
    return not rest or is_weekday(rest)


def _with_year_first(found: re.Match[str]) -> dt.date | None:
    """Read a match, or None when what it says is no date."""
    if name := found["w"]:
        month = _month(name, dotted=True)
        return _made(found["y"], month, found["d3"]) if month else None
    kind = "2" if found["iso"] else "1"
    return _made(found["y"], int(found[f"m{kind}"]), found[f"d{kind}"])


def _with_year_last(found: re.Match[str]) -> dt.date | None:
    """Read a match, or None when what it says is no date or more than one."""
    year = found["y"]
    for kind in "12":
        if month := found[f"m{kind}"]:
            return _made(year, int(month), found[f"d{kind}"])
    if found["sign"]:
        return _in_one_order(year, found["a"], found["b"])
    kind = "3" if found["w3"] else "4"
    number = _month(found[f"w{kind}"], dotted=bool(found["dot"]))
    return _made(year, number, found[f"d{kind}"]) if number else None


def _month(words: str, *, dotted: bool) -> int | None:
    """Read the name of a month, of two words at most: "تشرين الأول", "marzo" of "marzo de"."""
    first, _, second = words.partition(" ")
    return month_of(first if second in {"de", "del"} else words, dotted=dotted)


def _in_one_order(year: str, first: str, second: str) -> dt.date | None:
    """Read day and month whose order is not stated: they are equal, or one is no month."""
    readings = {_made(year, int(second), first), _made(year, int(first), second)} - {None}
    return readings.pop() if len(readings) == 1 else None


def _made(year: str, month: int, day: str) -> dt.date | None:
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    try:
        return dt.date(int(year), month, int(day))
    except ValueError:
        return None
