"""Whether a page with likely boundaries is one article after all."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.ingest.split_forest import DEPTH, Forest, load_model
from pipeline.ingest.split_lines import scan
from pipeline.ingest.split_measure import Page, measure
from pipeline.ingest.split_pairs import NEVER
from pipeline.ingest.split_score import Judged
from pipeline.ingest.split_whole import (
    DOUBT,
    LEAST_LINES,
    MOST_CUTS,
    NAMES,
    boundaries,
    survey,
)

FRUIT = ["apple", "pear", "quince", "medlar", "cherry", "damson", "bullace", "sloe"]
METAL = ["copper", "nickel", "cobalt", "tungsten", "iridium", "osmium", "rhenium", "hafnium"]


def paragraphs(words: list[str], lines: int) -> list[str]:
    """Write lines of a few words each, all of them in every line."""
    turned = ([*words[at % 8 :], *words[: at % 8]] for at in range(lines))
    return [f"{' '.join(line).capitalize()}." for line in turned]


def page_of(lines: list[str]) -> Page:
    """Measure a page of these lines."""
    return measure(scan("\n\n".join(lines).encode(), load_model().lexicon))


def scores_of(lines: list[str], likely: dict[int, float]) -> Judged:
    """Return scores that are 0 at all lines but some; no line is the site's."""
    scores = np.zeros(len(lines), dtype=np.float32)
    for at, score in likely.items():
        scores[at] = score
    return Judged(scores, np.full(len(lines), NEVER, dtype=np.float32))


def told(lines: list[str], likely: dict[int, float]) -> dict[str, float]:
    """Survey a page and name the numbers."""
    scores = scores_of(lines, likely)
    starts = np.array([0, *likely], dtype=np.int64)
    return dict(zip(NAMES, survey(page_of(lines), scores, starts).tolist(), strict=True))


def forest(odds: float) -> Forest:
    """Return a forest that says the same of all pages."""
    inner = (1 << DEPTH) - 1
    return Forest(
        np.zeros((1, inner), np.uint8),
        np.full((1, inner), np.inf, np.float32),
        np.full((1, inner + 1), odds, np.float32),
        0.0,
    )


ONE = paragraphs(FRUIT, 20)
TWO = [*paragraphs(FRUIT, 10), *paragraphs(METAL, 10)]


def test_words_that_run_through_all_parts_are_seen() -> None:
    """A page on one subject has its words in both parts, a page on two has them in one each."""
    one, two = told(ONE, {10: 0.8}), told(TWO, {10: 0.8})

    assert one["top_parts"] == one["spread"] == 1.0
    assert two["top_parts"] == 0.5
    assert two["spread"] == 0.0
    assert one["likeness_mean"] > 0.9
    assert two["likeness_mean"] < 0.1


def test_cuts_and_what_was_left_uncut_are_told_apart() -> None:
    """Their number, their odds, and the odds of the third best line that is no neighbour."""
    scores = {3: 0.8, 12: 0.6}
    lines = paragraphs(FRUIT, 20)
    rest = scores_of(lines, scores | {4: 0.39, 6: 0.3, 8: 0.2, 16: 0.1})
    found = dict(
        zip(NAMES, survey(page_of(lines), rest, np.array([0, 3, 12])).tolist(), strict=True)
    )

    assert found["cuts"] == pytest.approx(np.log2(3))
    assert found["odds_most"] == pytest.approx(np.log(4), abs=1e-4)
    assert found["odds_sum"] == pytest.approx(np.log(4) + np.log(1.5), abs=1e-4)
    assert found["rest_third"] == pytest.approx(np.log(1 / 9), abs=1e-4)
    assert found["part_biggest"] == pytest.approx(9 / 20)
    assert found["stop_lines"] == found["stop_cuts"] == 1.0


def test_a_page_that_is_one_article_is_not_cut() -> None:
    """The forest's word is enough, either way."""
    page, scores = page_of(TWO), scores_of(TWO, {10: 0.9})

    assert boundaries(page, scores, floor=0.55, forest=forest(DOUBT - 0.1)).tolist() == [0]
    assert boundaries(page, scores, floor=0.55, forest=forest(DOUBT + 0.1)).tolist() == [0, 10]
    assert boundaries(page, scores, floor=0.95, forest=forest(DOUBT + 0.1)).tolist() == [0]


def test_what_is_too_short_or_too_long_is_not_judged() -> None:
    """A page of few lines, or of many cuts, is cut whatever the forest says."""
    short = paragraphs(FRUIT, LEAST_LINES - 1)
    long = paragraphs(FRUIT, 5 * MOST_CUTS + 10)
    many = dict.fromkeys(range(5, len(long), 5), 0.9)
    no = forest(DOUBT - 0.1)

    brief = boundaries(page_of(short), scores_of(short, {2: 0.9}), floor=0.55, forest=no)
    assert brief.tolist() == [0, 2]
    found = boundaries(page_of(long), scores_of(long, many), floor=0.55, forest=no)
    assert len(found) == len(many) + 1
