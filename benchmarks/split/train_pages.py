"""Learn whether a page is one article from pages and from what the lines of them were judged to be.

Reads the cache and the scorer that `train.py` wrote; writes what it learned into the same file.
The same cache and scorer give the same file. Takes a minute of two cores.

    python benchmarks/split/train_pages.py CACHE [MODEL]

The scorer has seen the articles of the part to train on, and is surer of them than of others:
generated pages are of the part to calibrate on. Of the manuals it saw few as they are, so pages of
one of their articles, which are cut seldom, are of both.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from articles import Article
from examples import WORKERS, Rows, joined, truth
from library import Library
from pages import GeneratedPage, make_page, manual_page, manual_pages
from relics import relaid
from sets import SHORTEST
from shelves import Shelves, WrittenArticle, read_shelves
from site_dumps import SiteDump, read_dumps, stocked
from site_rows import furnished
from train import Arrays, fit
from written import make_written_page, written_page

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_forest import LOOKS, MODEL, PAGES, Model, forest, judge_of
from pipeline.ingest.split_measure import measure
from pipeline.ingest.split_path import choose
from pipeline.ingest.split_score import judged
from pipeline.ingest.split_site import marked
from pipeline.ingest.split_whole import PROPOSED, can_tell, survey

GENERATED = range(3_000_000, 3_002_000)
SINGLE = range(3_200_000, 3_200_500)
MANUALS = range(3_100_000, 3_100_400)
"""Pages of several articles of manuals as they are, so that it is not how a page is made that
tells whether it is one article."""
ALONE = 4_000
"""Articles of the part to train on, each a page of its own."""
WRITTEN = range(3_300_000, 3_301_500)
"""Pages of written articles, of the part to calibrate on."""
WRITTEN_ALONE = 3
"""Pages of its own that each of them is, and each of the part to train on."""
TREES = 80
RATE = 0.08
CHUNK = 20


class Job(NamedTuple):
    """Some pages to make: of seeds, or of the articles at these places."""

    kind: str
    places: range


class Source(NamedTuple):
    """What every worker needs; handed over by fork."""

    library: Library
    alone: list[Article]
    shelves: Shelves
    dumps: list[SiteDump]
    written: list[tuple[str, WrittenArticle]]
    model: Model


_SOURCE: list[Source] = []


def pages_of(source: Source, job: Job) -> Iterator[GeneratedPage]:
    """Make the pages of a job."""
    for place in job.places:
        match job.kind:
            case "alone":
                page = manual_page(source.alone[place])
                if len(page.text) >= SHORTEST:
                    yield page
            case "manuals":
                yield manual_pages(source.library, place)
            case "written":
                page = make_written_page(source.shelves, place, relics=True, dumps=source.dumps)
                yield relaid(furnished(page, place), place)
            case "written alone":
                language, article = source.written[place // WRITTEN_ALONE]
                page = written_page(article, language, place, relics=True)
                yield relaid(furnished(page, place), place)
            case kind:
                page = make_page(source.library, place, single=kind == "single" or None)
                yield relaid(furnished(page, place), place)


def row_of(page: GeneratedPage, model: Model) -> Rows | None:
    """Return what a page and its proposed cuts look like, and whether most of them are right."""
    lines = marked(page.text, sl.scan(page.text.encode("utf-8", "surrogatepass"), model.lexicon))
    if lines.size < 2:
        return None
    measured = measure(lines)
    found = judged(measured, model)
    starts = choose(found.starts, measured.columns[sl.LENGTH, :-1], floor=PROPOSED)
    if not can_tell(found.starts, starts):
        return None
    right = 2 * truth(page, lines)[starts[1:]].sum() > len(starts) - 1
    row = survey(measured, found, starts).reshape(1, -1)
    return row, np.array([right], dtype=np.float32), np.ones(1, dtype=np.float32)


def rows_of(job: Job) -> list[Rows]:
    """Return the rows of the pages of a job that have any cut to doubt."""
    source = _SOURCE[0]
    rows = (row_of(page, source.model) for page in pages_of(source, job))
    return [row for row in rows if row is not None]


def gather(source: Source) -> Rows:
    """Collect the rows of all pages, in the order of the jobs."""
    _SOURCE[:] = [source]
    wanted = {
        "generated": GENERATED,
        "single": SINGLE,
        "manuals": MANUALS,
        "alone": range(len(source.alone)),
        "written": WRITTEN,
        "written alone": range(WRITTEN_ALONE * len(source.written)),
    }
    jobs = [
        Job(kind, places[at : at + CHUNK])
        for kind, places in wanted.items()
        for at in range(0, len(places), CHUNK)
    ]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        return joined([row for some in pool.map(rows_of, jobs) for row in some])


def alone(cache: Path, library: Library) -> list[Article]:
    """Return the articles that are pages of their own: all of `library`, and some learned from."""
    learned = [a for found in Library(cache, part="train").articles.values() for a in found]
    random.Random(5).shuffle(learned)
    return [a for found in library.articles.values() for a in found] + learned[:ALONE]


def written_alone() -> list[tuple[str, WrittenArticle]]:
    """Return the written articles that are pages of their own, each with its language."""
    parts = [stocked(read_shelves(part), read_dumps(part)) for part in ("tune", "train")]
    return [(name, one) for shelves in parts for name, shelf in shelves.items() for one in shelf]


def scorer(arrays: Arrays) -> Model:
    """Return what judges the lines; of pages it knows nothing yet."""
    return judge_of(arrays, forest(arrays, LOOKS[0]))


def main(cache: Path, model: Path) -> None:
    """Gather pages, grow the forest, put it beside the others."""
    with np.load(model) as stored:
        arrays: Arrays = {name: stored[name] for name in stored.files}
    library = Library(cache, part="tune")
    texts = alone(cache, library)
    dumps = read_dumps("tune")
    shelves = stocked(read_shelves("tune"), dumps)
    source = Source(library, texts, shelves, dumps, written_alone(), scorer(arrays))
    rows = gather(source)
    arrays |= fit(rows, PAGES, trees=TREES, rate=RATE)
    np.savez_compressed(model, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else MODEL)
