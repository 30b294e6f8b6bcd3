"""The page about a run as a pure function of its facts: escaping, numbers, nights of every kind."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.snapshot import DumpCounts
from pipeline.report import page, plots, writing
from pipeline.report.facts import NightFacts, Report
from pipeline.report.visible import visible
from tests.hostile import PAYLOADS
from tests.reporting import report_of

MARK = "Q7z"


class _Tags(HTMLParser):
    """Elements and attributes in their order; of figures, whose grids vary, once each."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[Any] = []
        self.drawn: set[Any] = set()
        self.inside = False
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside |= tag == "svg"
        one = tag, tuple(name for name, _ in attrs)
        if self.inside:
            self.drawn.add(one)
        else:
            self.shape.append(one)

    def handle_endtag(self, tag: str) -> None:
        self.inside &= tag != "svg"

    def handle_comment(self, data: str) -> None:
        self.shape.append(("comment", data))

    def handle_data(self, data: str) -> None:
        self.text += data


USUAL = (_Tags(page.render(report_of(MARK))).shape, _Tags(page.render(report_of(MARK))).drawn)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_text_changes_words_and_nothing_else(payload: str) -> None:
    """Whatever a text says, the page has the elements and attributes that it has for a word."""
    hostile = _Tags(page.render(report_of(payload)))
    assert (hostile.shape, hostile.drawn) == USUAL
    assert visible(payload) in hostile.text


@settings(max_examples=8)
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=60))
def test_any_text_at_all_changes_words_and_nothing_else(text: str) -> None:
    """The same holds of any characters, lone surrogates included; the page can be written."""
    html = page.render(report_of(text))
    assert (_Tags(html).shape, _Tags(html).drawn) == USUAL
    assert html.encode("utf-8")


@given(st.text(st.characters(exclude_categories=())))
def test_visible_keeps_text_and_names_what_hides(text: str) -> None:
    """What cannot be seen is replaced by its number; visible text stays, and a second pass too."""
    found = visible(text)
    assert visible(found) == found
    found.encode("utf-8")
    assert not set(found) & set("\x00\x1b\x7f\x9b\u202e\u2066\u200b\ufeff\ud800\uffff")
    if text.isascii() and text.isprintable():
        assert found == text


@pytest.mark.parametrize("word", ["می‌خواهم", "क्‍ष", "naïve e\u0301", "日本語", "אבג", "👩‍👧"])
def test_words_of_many_scripts_are_left_as_they_are(word: str) -> None:
    """Joiners, accents and scripts from right to left are letters, not tricks."""
    assert visible(word) == word


def test_every_figure_has_its_words_and_its_numbers() -> None:
    """A figure is an image with title and description, its colours are the page's own."""
    found = plots.figures(report_of(MARK))
    assert set(found) == {"funnel", "nights", "languages", "topics", "times"}
    ids: list[str] = []
    for plot in found.values():
        root = ET.fromstring(plot.image)  # noqa: S314 - made by the code under test
        assert root.get("role") == "img"
        named = [root.find(f"*[@id='{one}']") for one in root.get("aria-labelledby", "").split()]
        assert [one.text for one in named if one is not None] == [plot.title, plot.text]
        assert plot.rows
        assert all(len(line) == len(plot.heads) for line in plot.rows)
        assert "#0" not in plot.image
        assert "var(--kept)" in plot.image
        ids += [one.get("id", "") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))


def test_drawing_twice_gives_the_same_bytes() -> None:
    """No clock, no random id: a page can be compared with the one made before."""
    assert page.render(report_of(MARK)) == page.render(report_of(MARK))


def test_the_first_night_and_an_empty_one_have_pages() -> None:
    """Without nights before, and without anything that landed, the page says so."""
    assert "there is no earlier one" in _Tags(page.render(report_of(MARK, before=0))).text
    row = report_of(MARK, outcome="empty").row | {"guards": [], "self_test": []}
    nothing = NightFacts("2026-11-21", DumpCounts(), {}, {})
    empty = Report("2026-11-21", "s3://corpus", row, nothing, ())
    text = _Tags(page.render(empty)).text
    for said in (
        "a night without dump files",
        "No dump file landed for this night.",
        "Nothing was published of this night.",
        "No source landed.",
        "No document of this night was a duplicate.",
        "Every character of this night is in a document.",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("guards", "outcome", "state", "said"),
    [
        ([("removal", "ok")], "published", "good", "every promise kept, nothing unusual"),
        ([("removal", "warn"), ("source", "ok")], "published", "warn", "unusual: removal"),
        ([("source", "accepted")], "published", "warn", "accepted although unusual: source"),
        ([("removal", "ok")], "partial", "warn", "still waiting for agora"),
    ],
)
def test_the_first_line_says_how_it_went(
    guards: list[tuple[str, str]], outcome: str, state: str, said: str
) -> None:
    """Guards that spoke up come first, then sources that are still missing."""
    made = report_of("agora", outcome=outcome)
    told = [made.row["guards"][0] | {"name": name, "outcome": one} for name, one in guards]
    html = page.render(
        Report(made.dump_date, made.corpus, made.row | {"guards": told}, made.night, made.before)
    )
    assert f'<span class="pill {state}">{said}</span>' in html


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 B"), (999, "999 B"), (1234, "1.23 KB"), (5.5e9, "5.5 GB"), (3.2e18, "3,200 PB")],
)
def test_sizes(value: float, said: str) -> None:
    """Bytes are told with three digits and the unit that fits."""
    assert writing.size(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.04, "0.0 s"), (119.94, "119.9 s"), (120, "2 min 00 s"), (7260, "2 h 01 min")],
)
def test_lengths_of_time(value: float, said: str) -> None:
    """Times are told as people say them."""
    assert writing.seconds(value) == said
