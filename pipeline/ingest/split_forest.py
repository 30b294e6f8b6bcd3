"""Reading boosted trees: many yes-no questions about a line, added up to log odds.

Holds: `Forest`, `Model`, `load_model`. Reads `split_model.npz` beside this module.
Not here: what the questions are about (`split_features.py`), growing trees (`benchmarks/split`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest.split_lines import Lexicon
from pipeline.signature.compiled import jit

DEPTH: Final = 6
LOOKS: Final = ("furniture", "lines", "pairs", "thirds")
PAGES: Final = "pages"
MODEL: Final = Path(__file__).with_name("split_model.npz")


class Forest(NamedTuple):
    """Complete trees of `DEPTH` levels. A test goes right where the feature is above its edge."""

    features: npt.NDArray[np.uint8]
    edges: npt.NDArray[np.float32]
    leaves: npt.NDArray[np.float32]
    base: float


class Model(NamedTuple):
    """All that was learned."""

    looks: tuple[Forest, ...]  # in the order of `LOOKS`
    lexicon: Lexicon
    steps: npt.NDArray[np.float32]  # log odds as scored, and as they turned out: two rows
    pages: Forest  # whether a page holds several articles


@cache
def load_model(path: Path = MODEL) -> Model:
    """Read what was learned (once a process)."""
    with np.load(path) as stored:
        return judge_of(stored, forest(stored, PAGES))


def judge_of(stored: Mapping[str, npt.NDArray[Any]], pages: Forest) -> Model:
    """Return what was learned of words and lines, with what was learned of pages."""
    lexicon = Lexicon.empty()
    lexicon.stops[stored["stops"]] = 1
    lexicon.heads[:] = stored["heads"]
    looks = tuple(forest(stored, name) for name in LOOKS)
    return Model(looks, lexicon, stored["steps"].astype(np.float32), pages)


def forest(stored: Mapping[str, npt.NDArray[Any]], name: str) -> Forest:
    """Return the forest `name` from its stored form: bins instead of edges, short floats."""
    features, bins = stored[f"{name}_features"], stored[f"{name}_bins"]
    edges = stored[f"{name}_edges"]
    padded = np.hstack([edges, np.full((len(edges), 1), np.inf, dtype=np.float32)])
    tests = padded[features, np.minimum(bins, edges.shape[1])]
    leaves = stored[f"{name}_leaves"].astype(np.float32)
    return Forest(features, np.ascontiguousarray(tests), leaves, float(stored[f"{name}_base"]))


@jit
def log_odds(
    forest: Forest, rows: npt.NDArray[np.float32], hopeless: float
) -> npt.NDArray[np.float32]:
    """Return the sum of the trees for every row of features.

    A row that stands below `hopeless` after any eight trees is not looked at further: most
    lines of a page are nothing like a boundary, and the first trees say so.
    """
    result = np.empty(len(rows), dtype=np.float32)
    inner = (1 << DEPTH) - 1
    for index in range(len(rows)):
        row = rows[index]
        total = np.float32(forest.base)
        for tree in range(len(forest.features)):
            node = 0
            for _ in range(DEPTH):
                right = row[forest.features[tree, node]] > forest.edges[tree, node]
                node = 2 * node + 1 + right
            total += forest.leaves[tree, node - inner]
            if tree % 8 == 7 and total < hopeless:
                break
        result[index] = total
    return result
