"""Published text: what is changed, and that nothing else is."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.ingest import normalise


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\r\nb\rc\n", "a\nb\nc"),
        ("a\0b\x07c\x85d\x9fe\x7ff", "abcdef"),
        ("a\tb\n\tc", "a\tb\n\tc"),
        ("a  \nb\t\nc\u3000\n", "a\nb\nc"),
        ("\n \n\n  indented\nx\n\n \n", "  indented\nx"),
        ("e\u0301", "é"),
        ("a\n\n\n\nb", "a\n\n\n\nb"),
        ("a  b", "a  b"),
        ("\u2028a\u200bb", "\u2028a\u200bb"),
        (" \0\r\n\t", ""),
        ("", ""),
    ],
)
def test_text_is_normalised(raw: str, expected: str) -> None:
    """Line ends, controls, blanks at ends and composition are made uniform; the rest stays."""
    assert normalise.text(raw) == expected


def test_long_runs_of_marks_stay_cheap_and_unchanged() -> None:
    """A million combining marks in a row are left as they are; the text around is composed."""
    marks = "\u0300\u0316" * 500_000
    assert normalise.text("e\u0301 x" + marks + " e\u0301") == "é x" + marks + " é"


def test_a_run_of_marks_across_chunks_is_found() -> None:
    """The look for long runs overlaps from chunk to chunk."""
    marks = "\u0316\u0300" * 40
    raw = "é" * (normalise._CHUNK - 30) + marks
    assert normalise.text(raw) == raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (" A \n title\t x ", "A title x"),
        ("x" * 400, "x" * 300),
        ("\0 \x07", None),
        ("", None),
        (None, None),
    ],
)
def test_titles_are_one_bounded_line(raw: str | None, expected: str | None) -> None:
    """A title has no line ends, no runs of blanks and at most 300 characters."""
    assert normalise.title(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026-11-21", dt.date(2026, 11, 21)),
        ("20261121", dt.date(2026, 11, 21)),
        ("2026-11-21T23:59:59+02:00", dt.date(2026, 11, 21)),
        ("2026-11-21 08:00", dt.date(2026, 11, 21)),
        ("2026-02-30", None),
        ("2026-11-211", None),
        ("21.11.2026", None),
        ("٢٠٢٦-١١-٢١", None),
        ("", None),
        (20261121, None),
        (None, None),
    ],
)
def test_dates_are_iso_or_nothing(raw: object, expected: dt.date | None) -> None:
    """The date that an ISO date or datetime begins with is kept; anything else is no date."""
    assert normalise.published(raw) == expected
