"""Learn the splitter's scorer from generated pages and write it beside the splitter.

Reads the cache that `fetch.py` and `articles.py` fill; writes `pipeline/ingest/split_model.npz`.
Takes four minutes of one core. The same cache gives the same file.

    python benchmarks/split/train.py CACHE [MODEL]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from boosting import Trees, bin_edges, binned, boost
from examples import WRITTEN, Rows, Source, gather, line_rows, pair_rows, stop_places
from library import Library
from written import read_shelves

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_forest import LOOKS, MODEL, forest, log_odds

PAGES = {
    "lines": [*range(4_000), *range(WRITTEN, WRITTEN + 2_500)],
    "pairs": [*range(10_000, 17_000), *range(WRITTEN + 10_000, WRITTEN + 14_500)],
    "thirds": [*range(20_000, 28_000), *range(WRITTEN + 20_000, WRITTEN + 25_000)],
}
"""Seeds of the pages that each look learns from: two of five are of written articles."""
TUNE_PAGES = [*range(30_000, 32_000), *range(WRITTEN + 30_000, WRITTEN + 30_800)]
TREES = {"lines": 120, "pairs": 200, "thirds": 200}
RATE = 0.13
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


def main(cache: Path, model: Path) -> None:
    """Train every look on what those before it say, calibrate, write."""
    library = Library(cache, part="train")
    places = stop_places(library)
    stops = np.zeros(1 << sl.STOP_BITS, dtype=np.uint8)
    stops[places] = 1
    stored: Arrays = {"stops": places}
    source = Source(library, read_shelves("train"), stops)
    for name in LOOKS:
        rows = gather(pair_rows if source.looks else line_rows, source, PAGES[name])
        stored |= fit(rows, name, trees=TREES[name])
        source = source._replace(looks=(*source.looks, forest(stored, name)))
    source = Source(Library(cache, part="tune"), read_shelves("tune"), stops, source.looks[:-1])
    features, labels, _ = gather(pair_rows, source, TUNE_PAGES)
    stored["steps"] = calibrate(log_odds(forest(stored, LOOKS[-1]), features, -np.inf), labels)
    print(stored["steps"])
    np.savez_compressed(model, allow_pickle=False, **stored)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else MODEL)
