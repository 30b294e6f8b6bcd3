"""Lines of generated pages as rows to learn from.

Holds: `stop_places`, `furniture_rows`, `line_rows`, `pair_rows`, `gather`, `joined`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from library import Library, sampled
from pages import GeneratedPage, make_page
from relics import relaid
from shelves import Shelves
from site_dumps import SiteDump
from site_rows import furnished
from written import make_written_page

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_features import features
from pipeline.ingest.split_forest import Forest
from pipeline.ingest.split_measure import Page, measure
from pipeline.ingest.split_pairs import outlook
from pipeline.ingest.split_score import (
    Judged,
    Lines,
    judge,
    likely,
    look,
    look_again,
    may_be_furniture,
)
from pipeline.ingest.split_site import marked

FREQUENT = 0.12
MOST = 250
WORKERS = int(os.environ.get("WORKERS", "2"))
"""Processes that pages are made in: the environment says how many."""
KEEP = 0.15
"""Share of the lines without a boundary that the first look learns from."""
UNKNOWN = 6
"""One page in so many is read as if nothing were known of its language."""
UNMARKED = 4
"""One page in so many is read as if none of its site's rows were known."""

WRITTEN = 50_000_000
"""Seeds from here on make pages of written articles."""

Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


class Source(NamedTuple):
    """What every worker needs; handed over by fork."""

    library: Library
    shelves: Shelves
    dumps: list[SiteDump]
    lexicon: sl.Lexicon
    looks: tuple[Forest, ...] = ()  # those learned so far


def stop_places(library: Library) -> npt.NDArray[np.uint32]:
    """Return the places of the words that stand in an eighth of a language's articles."""
    none = sl.Lexicon.empty()
    found: set[int] = set()
    for every in library.articles.values():
        counts: Counter[int] = Counter()
        articles = list(sampled(every))
        for article in articles:
            text = "\n".join(text for _, text in article.blocks)[:8000]
            counts.update(set(sl.scan(text.encode("utf-8", "replace"), none).tokens.tolist()))
        least = FREQUENT * len(articles)
        frequent = [word for word, n in counts.most_common(MOST) if n > least]
        found.update(word >> (32 - sl.STOP_BITS) for word in frequent)
    return np.array(sorted(found), dtype=np.uint32)


def read(source: Source, seed: int) -> tuple[GeneratedPage, sl.Lines, Page]:
    """Make a page and measure it."""
    page = (
        make_page(source.library, seed)
        if seed < WRITTEN
        else make_written_page(source.shelves, seed, relics=True, dumps=source.dumps)
    )
    page = relaid(furnished(page, seed), seed)
    lexicon = source.lexicon if seed % UNKNOWN else sl.Lexicon.empty()
    lines = sl.scan(page.text.encode("utf-8", "surrogatepass"), lexicon)
    if seed % UNMARKED:
        marked(page.text, lines)
    return page, lines, measure(lines)


def truth(page: GeneratedPage, lines: sl.Lines) -> npt.NDArray[np.float32]:
    """Mark the non-blank lines at which a document begins, the first of the page excepted."""
    labels = np.isin(lines.columns[sl.NUMBER, :-1], page.starts).astype(np.float32)
    labels[0] = 0
    return labels


def furniture_rows(source: Source, seed: int) -> Rows:
    """Return features, labels and weights of what is the site's: all its lines, some others."""
    page, lines, measured = read(source, seed)
    labels = np.isin(lines.columns[sl.NUMBER, :-1], page.furniture).astype(np.float32)
    return _some_rows(measured, labels, may_be_furniture(measured, np.arange(lines.size)), seed)


def line_rows(source: Source, seed: int) -> Rows:
    """Return features, labels and weights for the first look: all boundaries, some other lines."""
    page, lines, measured = read(source, seed)
    return _some_rows(measured, truth(page, lines), np.arange(1, lines.size), seed)


def _some_rows(page: Page, labels: npt.NDArray[np.float32], lines: Lines, seed: int) -> Rows:
    """Return the rows of those lines that have a label, and of a share of the others."""
    kept = (labels[lines] > 0) | (np.random.default_rng(seed).random(len(lines)) < KEEP)
    some = lines[kept]
    weights = np.where(labels[some] > 0, 1.0, 1 / KEEP).astype(np.float32)
    return features(page, some), labels[some], weights


def pair_rows(source: Source, seed: int) -> Rows:
    """Return features, labels and weights for a later look: the lines that the first likes."""
    page, lines, measured = read(source, seed)
    furniture, first, *later = source.looks
    odds, own = look(measured, (first, furniture))
    some = likely(odds)
    for forest in later:
        odds = judge(measured, Judged(odds, own), some, forest)
    labels = truth(page, lines)[some]
    rows = look_again(measured, outlook(measured, odds, own), some)
    return rows, labels, np.ones(len(some), dtype=np.float32)


_SOURCE: list[Source] = []


def gather(rows: Callable[[Source, int], Rows], source: Source, seeds: Sequence[int]) -> Rows:
    """Collect the rows of many pages, in the order of the seeds."""
    _SOURCE[:] = [source]
    jobs = [(rows, seeds[at : at + 100]) for at in range(0, len(seeds), 100)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        parts = list(pool.map(_some, jobs))
    return joined(parts)


def _some(job: tuple[Callable[[Source, int], Rows], Sequence[int]]) -> Rows:
    rows, seeds = job
    return joined([rows(_SOURCE[0], seed) for seed in seeds])


def joined(parts: Sequence[Rows]) -> Rows:
    """Put rows under each other."""
    first, second, third = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return first, second, third
