"""Learn the splitter's scorer from generated pages and write it beside the splitter.

Reads the cache that `fetch.py` and `articles.py` fill; writes `pipeline/ingest/split_model.npz`.
Takes about twenty minutes on two cores. The same cache gives the same file.

    python benchmarks/split/train.py CACHE [MODEL]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from boosting import Trees, bin_edges, binned, boost
from examples import Rows, Source, gather, line_rows, pair_rows, stop_places
from library import Library

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_forest import MODEL, forest, log_odds

LINE_PAGES = range(8_000)
PAIR_PAGES = range(10_000, 24_000)
TUNE_PAGES = range(30_000, 32_500)
LINE_TREES, PAIR_TREES, RATE = 120, 200, 0.13
STEPS = 24

Arrays = dict[str, npt.NDArray[np.generic]]


def fit(rows: Rows, name: str, *, trees: int) -> Arrays:
    """Grow a forest and return it as it is stored."""
    features, labels, weights = rows
    print(f"{name}: {len(labels)} rows, {int(labels.sum())} boundaries", flush=True)
    edges = bin_edges(features)
    grown: Trees = boost(binned(features, edges), labels, weights=weights, trees=trees, rate=RATE)
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
    """Train both looks, calibrate, write."""
    library = Library(cache, part="train")
    places = stop_places(library)
    stops = np.zeros(1 << sl.STOP_BITS, dtype=np.uint8)
    stops[places] = 1
    stored: Arrays = {"stops": places}
    source = Source(library, stops, None)
    stored |= fit(gather(line_rows, source, LINE_PAGES), "lines", trees=LINE_TREES)
    source = source._replace(first=forest(stored, "lines"))
    stored |= fit(gather(pair_rows, source, PAIR_PAGES), "pairs", trees=PAIR_TREES)
    source = source._replace(library=Library(cache, part="tune"))
    rows, labels, _ = gather(pair_rows, source, TUNE_PAGES)
    stored["steps"] = calibrate(log_odds(forest(stored, "pairs"), rows, -np.inf), labels)
    print(stored["steps"])
    np.savez_compressed(model, allow_pickle=False, **stored)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else MODEL)
