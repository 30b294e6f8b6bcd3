"""Learn the splitter's scorer from generated pages and write it beside the splitter.

Reads the cache that `fetch.py` and `articles.py` fill; writes `pipeline/ingest/split_model.npz`.
Takes twenty minutes of two cores. The same cache gives the same file.

    python benchmarks/split/train.py CACHE [MODEL]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from boosting import Trees, bin_edges, binned, boost
from examples import (
    WRITTEN,
    Rows,
    Source,
    furniture_rows,
    gather,
    joined,
    line_rows,
    pair_rows,
    stop_places,
)
from heads import head_table
from library import Library
from shelves import half, read_shelves
from site_dumps import half_of, read_dumps, stocked

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_forest import LOOKS, MODEL, Forest, forest, log_odds

PAGES = {
    "furniture": range(WRITTEN + 70_000, WRITTEN + 85_000),
    "lines": [*range(6_000), *range(WRITTEN, WRITTEN + 10_000)],
    "pairs": [*range(10_000, 17_000), *range(WRITTEN + 10_000, WRITTEN + 34_000)],
    "thirds": [*range(20_000, 28_000), *range(WRITTEN + 34_000, WRITTEN + 62_000)],
}
"""Seeds of the pages that each look learns from: three of four of them are of written articles."""
ROWS = {"furniture": furniture_rows, "lines": line_rows}
"""What each look learns from; the later ones, of what those before say."""
TUNE_PAGES = [*range(35_000, 36_500), *range(WRITTEN + 62_500, WRITTEN + 65_000)]
FOLDS = 2
TREES = {"furniture": 160, "lines": 160, "pairs": 480, "thirds": 640}
RATE = 0.1
STEPS = 24

Arrays = dict[str, npt.NDArray[np.generic]]


def fit(rows: Rows, name: str, *, trees: int, rate: float = RATE) -> Arrays:
    """Grow a forest and return it as it is stored."""
    features, labels, weights = rows
    print(f"{name}: {len(labels)} rows, {int(labels.sum())} boundaries", flush=True)
    edges = bin_edges(features)
    grown: Trees = boost(binned(features, edges), labels, weights=weights, trees=trees, rate=rate)
    return {
        f"{name}_features": grown.features,
        f"{name}_bins": grown.bins,
        f"{name}_leaves": grown.leaves.astype(np.float16),
        f"{name}_edges": edges,
        f"{name}_base": np.float32(grown.base),
    }


def calibrate(
    odds: npt.NDArray[np.float32], labels: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return log odds as scored, and as they turned out on unseen articles: never falling."""
    order = np.argsort(odds, kind="stable")
    edges = np.quantile(odds[labels > 0], np.linspace(0, 1, STEPS + 1)[1:-1])
    groups = np.searchsorted(edges, odds[order])
    scored, found = [], []
    for group in range(len(edges) + 1):
        mine = groups == group
        hits, total = labels[order][mine].sum(), mine.sum()
        if total:
            scored.append(float(np.mean(odds[order][mine])))
            found.append(float(np.log((hits + 0.5) / (total - hits + 0.5))))
    return np.array([scored, np.maximum.accumulate(found)], dtype=np.float32)


def learn(sources: list[Source], stored: Arrays) -> Source:
    """Train every look on what those before it say; return a source that has them all.

    A look is surer of the articles that it has learned from than of others. So that the next one
    learns what to make of doubts, it is shown each half of the written articles as the looks judge
    that have learned from the other half; those that are kept have learned from both. So it is with
    what lines begin with.
    """
    looks: tuple[Forest, ...] = ()
    for name in LOOKS:
        halves = [
            gather(ROWS.get(name, pair_rows), source, PAGES[name][side::FOLDS])
            for side, source in enumerate(sources)
        ]
        stored |= fit(joined(halves), name, trees=TREES[name])
        looks = (*looks, forest(stored, name))
        if name != LOOKS[-1]:
            others = [forest(fit(rows, name, trees=TREES[name]), name) for rows in halves]
            sources = [
                source._replace(looks=(*source.looks, other))
                for source, other in zip(sources, reversed(others), strict=True)
            ]
    return sources[0]._replace(looks=looks)


def main(cache: Path, model: Path) -> None:
    """Train, calibrate, write."""
    library = Library(cache, part="train")
    dumps = read_dumps("train")
    places, shelves = stop_places(library), stocked(read_shelves("train"), dumps)
    lexicon = sl.Lexicon.empty()
    lexicon.stops[places] = 1
    halves = [(half(shelves, side), half_of(dumps, side)) for side in range(FOLDS)]
    sources = [
        Source(library, mine, pages, lexicon._replace(heads=head_table(*other)))
        for (mine, pages), other in zip(halves, reversed(halves), strict=True)
    ]
    stored: Arrays = {"stops": places, "heads": head_table(shelves, dumps)}
    source = learn(sources, stored)
    tuned = read_dumps("tune")
    source = source._replace(
        library=Library(cache, part="tune"),
        shelves=stocked(read_shelves("tune"), tuned),
        dumps=tuned,
        lexicon=lexicon._replace(heads=stored["heads"]),
        looks=source.looks[:-1],
    )
    features, labels, _ = gather(pair_rows, source, TUNE_PAGES)
    stored["steps"] = calibrate(log_odds(forest(stored, LOOKS[-1]), features, -np.inf), labels)
    print(stored["steps"])
    np.savez_compressed(model, allow_pickle=False, **stored)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else MODEL)
