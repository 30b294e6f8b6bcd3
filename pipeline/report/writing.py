"""How templates write numbers, and the environment that makes every value safe to print.

Holds: `environment`, `size`, `whole`, `share`, `number`, `cell`, `seconds`. Pure.
Not here: what the pages say (`page.py`; the pages in Airflow are in `plugins/`).

Every value that a template prints is made visible and then escaped, by the environment and not by
who writes a template.
"""

from __future__ import annotations

from typing import Final

from jinja2 import BaseLoader, Environment, StrictUndefined

from pipeline.report.visible import shown

_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_THOUSAND: Final = 1000


def environment(loader: BaseLoader) -> Environment:
    """Return an environment for templates of HTML."""
    made = Environment(
        loader=loader,
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "size": size, "whole": whole, "share": share, "number": number, "seconds": seconds,
        "cell": cell
    }  # fmt: skip
    return made


def size(value: float) -> str:
    """Write a number of bytes with three digits."""
    for unit in _UNITS[:-1]:
        if abs(value) < _THOUSAND:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.3g} {unit}"
        value /= _THOUSAND
    return f"{value:,.0f} {_UNITS[-1]}"


def whole(value: float) -> str:
    """Write a count with its thousands apart."""
    return f"{value:,.0f}"


def share(part: float, total: float = 1.0) -> str:
    """Write a part of a total in percent; nothing has no share."""
    return f"{part / total:.1%}" if total else "–"


def number(value: float | None) -> str:
    """Write a limit or a measure: counts whole, shares with three digits."""
    if value is None:
        return "–"
    return whole(value) if abs(value) > 1 else f"{value:.3f}"


def cell(value: str | float) -> str:
    """Write a value of a figure's table: a share when it is no whole number below one."""
    if isinstance(value, str):
        return value or "–"
    return share(value) if isinstance(value, float) and value <= 1 else f"{value:,}"


def seconds(value: float) -> str:
    """Write a length of time as people say it."""
    if value < 120:
        return f"{value:,.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
