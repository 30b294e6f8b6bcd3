# ruff: noqa: INP001 - a script, not a package
"""Class offsets, temperature and calibration of the topic table, from labelled texts.

Holds: `Labelled`, `read`, `tune`. Reads labelled texts (JSON lines, gzip: `set`, `lang`, `text`,
`accept`, the topics that its label may stand for) and uses every second one; the others are for
`benchmarks/annotation`. No token gets a score from them: 17 offsets, a temperature and two curves.
Not here: the scores (`learn.py`).
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.enrich.calibration import Curve, rising
from pipeline.enrich.codepoints import look, windows

Doubles = NDArray[np.float64]

STEPS, RATE, WARM_RATE, DAMPING = 400, 4.0, 0.02, 0.001
LONG = 200


class Labelled(NamedTuple):
    """Texts with their scores' truth: `accepted` and `possible` topics as 0 and 1, and weights.

    `possible` are the topics that any label of the set may stand for: a set without news of
    disasters says nothing about how common they are. Sets weigh by the root of their size.
    """

    texts: list[str]
    accepted: Doubles
    possible: Doubles
    weights: Doubles
    long: NDArray[np.bool_]


def read(path: Path, topics: list[str], languages: dict[str, str]) -> Labelled:
    """Read every second text in a supported language; `languages` maps the file's codes."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["lang"].split("_")[0] in languages][::2]
    accepted = np.array([[code in row["accept"] for code in topics] for row in rows], float)
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        groups[row["set"], row["lang"]].append(number)
    possible, weights = np.zeros_like(accepted), np.zeros(len(rows))
    for members in groups.values():
        possible[members] = accepted[members].max(axis=0)
        weights[members] = len(members) ** -0.5
    texts = [row["text"] for row in rows]
    letters = np.array([look(text).letters for text in texts])
    return Labelled(texts, accepted, possible, weights / weights.sum(), letters >= LONG)


def parts(texts: list[str], shape: tuple[int, int]) -> list[str]:
    """Return what the annotator reads of each text."""
    return ["\n".join(windows(text, count=shape[0], size=shape[1])) for text in texts]


def tune(scores: Doubles, truth: Labelled) -> tuple[Doubles, float, Curve, Curve]:
    """Return offsets, temperature, and curves of the first and the second topic.

    Offsets and temperature climb the likelihood of the accepted among the possible topics. The
    curves are those of texts with 200 letters or more.
    """
    offsets, inverse = np.zeros(scores.shape[1]), 0.5
    for _ in range(STEPS):
        odds = _softmax((scores + offsets) * inverse) * truth.possible
        odds /= odds.sum(axis=1, keepdims=True)
        wanted = odds * truth.accepted
        wanted /= wanted.sum(axis=1, keepdims=True)
        slope = (wanted - odds) * truth.weights[:, None]
        offsets += RATE * (slope.sum(axis=0) - DAMPING * offsets)
        inverse = max(inverse + WARM_RATE * float((slope * (scores + offsets)).sum()), 0.05)
    found = _softmax((scores + offsets) * inverse)[truth.long]
    hit = truth.accepted[truth.long]
    order = np.argsort(-found, axis=1, kind="stable")
    rows = np.arange(len(found))
    curves = [
        rising(zip(found[rows, place].tolist(), (hit[rows, place] > 0).tolist(), strict=True))
        for place in (order[:, 0], order[:, 1])
    ]
    return offsets, 1 / inverse, curves[0], curves[1]


def _softmax(scores: Doubles) -> Doubles:
    odds: Doubles = np.exp(scores - scores.max(axis=1, keepdims=True)) + 1e-12
    shares: Doubles = odds / odds.sum(axis=1, keepdims=True)
    return shares
