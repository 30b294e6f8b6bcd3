"""Whole dumps to learn from: their parts, their pages, and what they may not be."""

from __future__ import annotations

import random
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

SPLIT = Path(__file__).parents[2] / "benchmarks" / "split"


@pytest.fixture(scope="module")
def dumps() -> Any:
    """Import what reads dumps as the scripts beside it do: by name."""
    sys.path.insert(0, str(SPLIT))
    try:
        return import_module("site_dumps")
    finally:
        sys.path.remove(str(SPLIT))


def test_every_dump_is_in_one_part_and_one_half(dumps: Any) -> None:
    """None is lost, and what a look is judged by it has not learned from."""
    train, tune = (dumps.read_dumps(part) for part in ("train", "tune"))
    halves = [dumps.half_of(train, side) for side in range(2)]
    names = {path.name.removesuffix(".txt") for path in dumps.LEARNED.glob("*.txt")}

    assert {dump.name for dump in train + tune} == names
    assert len(train) + len(tune) == len(names) >= 40
    assert len(tune) > 0.04 * len(names)
    assert min(map(len, halves)) > 0.3 * len(train)
    assert {dump.name for dump in halves[0]}.isdisjoint(dump.name for dump in halves[1])


def test_dumps_that_measure_are_not_learned_from(dumps: Any) -> None:
    """Neither under their names nor under others."""
    measured = {path.read_text("utf-8") for path in (SPLIT / "dumps").glob("*.txt")}
    learned = {path.read_text("utf-8") for path in dumps.LEARNED.glob("*.txt")}

    assert len(measured) >= 40
    assert measured.isdisjoint(learned)


def test_segments_tile_a_dump(dumps: Any) -> None:
    """Documents and furniture, with the blank lines behind them, are all that a file has."""
    for dump in dumps.read_dumps("tune"):
        lines = [line for segment in dump.segments for line in segment.lines]
        path = dumps.LEARNED / f"{dump.name}.txt"

        assert "\n".join(lines).strip() == path.read_text("utf-8").strip()
        assert all(segment.lines[0].strip() for segment in dump.segments)


def test_a_page_has_documents_of_its_dump_where_it_says(dumps: Any) -> None:
    """Whole, alone or in another order, with its furniture or without."""
    counts, furnished = set(), set()
    for seed in range(60):
        for dump in dumps.read_dumps("tune")[:4]:
            page = dumps.dump_page(random.Random(seed), dump)  # noqa: S311
            lines = page.text.split("\n")
            openings = {each.lines[0] for each in dump.segments if each.kind == dumps.DOCUMENT}
            counts.add(len(page.starts))
            furnished.add(bool(page.furniture))

            assert {lines[at] for at in page.starts} <= openings
            assert set(page.starts).isdisjoint(page.furniture)
    assert 1 in counts
    assert len(counts) > 3
    assert furnished == {True, False}


def test_a_page_dressed_as_another_site_keeps_its_articles(dumps: Any) -> None:
    """Each stands there line by line, and what is printed around them is no part of any."""
    tune = dumps.read_dumps("tune")
    dressed = 0
    for seed in range(80):
        rng = random.Random(seed)  # noqa: S311
        page = dumps.dump_page(rng, tune[seed % len(tune)])
        made = dumps.dressed(rng, page, tune)
        old, new = page.text.split("\n"), made.text.split("\n")
        dressed += made != page

        assert [new[at] for at in made.starts] == [old[at] for at in page.starts]
        assert [line for at, line in enumerate(new) if at not in set(made.furniture)] == [
            line for at, line in enumerate(old) if at not in set(page.furniture)
        ]
    assert 5 < dressed < 40


def test_a_dump_in_a_language_that_only_measures_is_refused(dumps: Any, tmp_path: Path) -> None:
    """It says which, and what to do."""
    (tmp_path / "el-1.txt").write_text("Νέα\n", "utf-8")
    (tmp_path / "el-1.docs.jsonl").write_text('{"kind": "furniture", "start_line": 1}\n', "utf-8")

    with pytest.raises(ValueError, match=r"el-1 .* only measures; move it out"):
        dumps.read_dumps("train", tmp_path)
