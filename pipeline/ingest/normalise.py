"""From the characters of a dump file to published text.

Holds: `text`, `mended`, `title`, `line` (for urls and ids), `published`. Pure functions.
Not here: which characters (`pages.py`, `jsonl.py`), what is cut at line ends (`tidy.py`), folding
for comparison (`signature`).

Published text: line ends are LF; no control characters but LF and TAB; no blanks at line ends; no
blank lines at either end; NFC. Nothing else changes, and a second pass changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import unicodedata
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.ingest.mojibake import repaired
from pipeline.ingest.tidy import CONTROL, tidy

MAX_TITLE = 300
MAX_MARKS = 64
"""Longest run of combining marks that is composed: putting them in order is quadratic."""

REPLACEMENT = "\ufffd"
_CHUNK = 1 << 20

_SURROGATES = re.compile(r"[\ud800-\udfff]")
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:$|[T ])", re.ASCII)


def text(raw: str) -> str:
    """Return the published form of a document's text ("" when nothing is left)."""
    return _without_blank_lines(_composed(tidy(raw)).rstrip())


def mended(raw: str) -> tuple[str, bool]:
    """Return the published form of a text, and whether it was decoded wrongly and is mended.

    That comes first: what was decoded as Latin-1 is full of control characters, which no published
    text has.
    """
    better = repaired(raw)
    said = text(better) if better is not raw else ""
    return (said, True) if said else (text(raw), False)


def _without_blank_lines(raw: str) -> str:
    """Cut blank lines at the start; the indent of the first line that says something stays."""
    indent = len(raw) - len(raw.lstrip())
    return raw[raw.rfind("\n", 0, indent) + 1 :]


def title(raw: str | None, *, mend: bool = False) -> str | None:
    """Return a title on one line of at most `MAX_TITLE` characters, or None.

    `mend`: the text that it belongs to was decoded wrongly.
    """
    return (line(repaired(raw) if mend and raw else raw) or "")[:MAX_TITLE].rstrip() or None


def line(raw: str | None) -> str | None:
    """Return a value on one line, blanks collapsed; None when nothing is left."""
    if not raw:
        return None
    one = " ".join(raw.split())
    if not one.isprintable():  # told at ten times the pattern's pace
        one = CONTROL.sub("", one)
    return _composed(one).strip() or None


def published(raw: object) -> dt.date | None:
    """Return the date that an ISO date or datetime begins with, or None."""
    return _date(raw[:11]) if isinstance(raw, str) else None


@lru_cache(4096)
def _date(head: str) -> dt.date | None:
    found = _DATE.match(head)
    if not found:
        return None
    try:
        return dt.date(*map(int, found.groups()))
    except ValueError:
        return None


def without_surrogates(raw: str) -> str:
    """Replace lone surrogates, which no UTF-8 file can hold, one for one."""
    if raw.isascii():
        return raw
    try:
        raw.encode()  # twice the regex's pace, and hardly any text has some
    except UnicodeEncodeError:
        return _SURROGATES.sub(REPLACEMENT, raw)
    return raw


def _composed(raw: str) -> str:
    if raw.isascii():
        return raw
    if not _has_many_marks(raw):
        return _nfc(raw)
    parts = _many_marks().split(raw)
    return "".join([part if number % 2 else _nfc(part) for number, part in enumerate(parts)])


def _nfc(raw: str) -> str:
    return raw if unicodedata.is_normalized("NFC", raw) else unicodedata.normalize("NFC", raw)


def _has_many_marks(raw: str) -> bool:
    """Whether more than `MAX_MARKS` combining marks stand in a row.

    Such a run holds every `MAX_MARKS`-th character of the text at least once: where none of these
    is a mark, which is nearly always, nothing else is looked at.
    """
    table = _mark_table()
    if not table[np.frombuffer(raw[::MAX_MARKS].encode("utf-32-le"), np.uint32)].any():
        return False
    for at in range(0, len(raw), _CHUNK):
        chunk = raw[at : at + _CHUNK + MAX_MARKS].encode("utf-32-le")
        found = np.flatnonzero(table[np.frombuffer(chunk, np.uint32)])
        if (found[MAX_MARKS:] - found[:-MAX_MARKS] == MAX_MARKS).any():
            return True
    return False


@cache
def _mark_table() -> npt.NDArray[np.bool_]:
    """Say of each code point whether it is a combining mark; planes above 1 have none."""
    table = np.zeros(sys.maxunicode + 1, np.bool_)
    table[[point for point in range(0x20000) if unicodedata.combining(chr(point))]] = True
    return table


@cache
def _many_marks() -> re.Pattern[str]:
    marks = "".join(map(chr, np.flatnonzero(_mark_table())))
    return re.compile(f"([{re.escape(marks)}]{{{MAX_MARKS + 1},}})")
