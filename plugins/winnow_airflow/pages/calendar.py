"""Nights as a calendar: months of weeks of days.

Holds: `Month`, `months`. Pure. Not here: the state of a night (`pipeline/audit/status.py`).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Month:
    """A month. `weeks`: seven cells each from Monday, a day and its night; 0 is another month's."""

    name: str
    weeks: tuple[tuple[tuple[int, Row | None], ...], ...]


def months(rows: Iterable[Row]) -> list[Month]:
    """Return the months that have a night, the newest first."""
    by_month: dict[tuple[int, int], dict[int, Row]] = {}
    for row in rows:
        day = date.fromisoformat(row["dump_date"])
        by_month.setdefault((day.year, day.month), {})[day.day] = row
    return [
        Month(f"{calendar.month_name[month]} {year}", _weeks(year, month, nights))
        for (year, month), nights in sorted(by_month.items(), reverse=True)
    ]


def _weeks(
    year: int, month: int, nights: Mapping[int, Row]
) -> tuple[tuple[tuple[int, Row | None], ...], ...]:
    weeks = calendar.Calendar().monthdayscalendar(year, month)
    return tuple(tuple((day, nights.get(day)) for day in week) for week in weeks)
