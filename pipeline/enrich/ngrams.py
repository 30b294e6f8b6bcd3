"""py3langid's model, scored for a whole batch by compiled code.

Holds: `Ngrams`, `ngrams`, `Scored`. Reads the model inside the package `py3langid`, once a process.
Not here: preparing text (`codepoints.py`), what its labels mean (`labels.py`).

The model is a naive Bayes over byte n-grams that one automaton finds. The package walks it in
Python; here numba does, without the global lock: the same labels, probabilities equal to the last
digits of 32-bit sums, twenty times the speed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from py3langid.langid import MODEL_DIR, MODEL_FILE
from py3langid.modelio import load_model

from pipeline.enrich.labels import canonical
from pipeline.signature.compiled import i64, jit

Bytes = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Ints32 = npt.NDArray[np.int32]
Ints64 = npt.NDArray[np.int64]
Uints32 = npt.NDArray[np.uint32]
Found = tuple[Ints32, Ints64]

LANES = 8
STATE, PLACE, END, LAST, TEXT = range(5)
"""Of a text that is walked: where the automaton is; the next byte and the end of its bytes; the end
of what was found of it; its number."""


class Scored:
    """Answers for a batch: `label` and `confidence` a text, and how well the text fits its label.

    `fit` is the mean score of the text's n-grams in the language that won. Confidence says which of
    the known languages is nearest; only fit says that none of them is near. `tokens` is the weight
    behind that mean.
    """

    def __init__(self, labels: list[str], sure: Floats32, fit: Floats32, tokens: Floats32) -> None:
        """Keep the answers."""
        self.labels = labels
        self.confidences: list[float] = sure.tolist()
        self.fits: list[float] = fit.tolist()
        self.tokens: list[float] = tokens.tolist()


class Ngrams:
    """The automaton and the scores of its n-grams. Immutable once loaded (96 MB)."""

    def __init__(self) -> None:
        """Load the model."""
        scores, prior, classes, moves, output, rows = _load()
        self._automaton = moves, np.stack([rows.astype(np.int32) << 8, output], axis=1)
        self._scores, self._prior = scores, prior
        self.classes = tuple(classes)
        self._labels = [canonical(label) for label in classes]
        self._folded = _duplicates(classes)

    def score(self, texts: Sequence[str]) -> Scored:
        """Score texts from which unbearable characters were taken."""
        parts = [_encoded(text) for text in texts]
        ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        lengths = np.diff(ends, prepend=0)
        data = np.frombuffer(b"".join(parts), np.uint8)
        found = np.zeros((len(parts), len(self._prior)), np.float32)
        weights = np.zeros(len(parts), np.float32)
        _score(_features(data, ends, self._automaton), ends, self._scores, (found, weights))
        posterior = found + self._prior * (weights > 0)[:, None]
        winners = self._fold(_odds(posterior, lengths))
        best = winners.argmax(axis=1)
        rows = np.arange(len(parts))
        fit = found[rows, best] / np.maximum(weights, 1)
        labels = [self._labels[place] for place in best]
        return Scored(labels, winners[rows, best], fit, weights)

    def _fold(self, odds: Floats32) -> Floats32:
        """Add the columns of a language's second script to its first."""
        for first, second in self._folded:
            odds[:, first] += odds[:, second]
            odds[:, second] = 0
        return odds


@cache
def ngrams() -> Ngrams:
    """Load the model, once a process."""
    return Ngrams()


def _load() -> tuple[Floats32, Floats32, list[str], Uints32, Ints32, Uints32]:
    scores, prior, classes, moves, rows, output = load_model(MODEL_DIR / MODEL_FILE)
    return (
        np.ascontiguousarray(scores, np.float32),
        np.asarray(prior, np.float32),
        list(classes),
        np.asarray(moves, np.uint32),
        np.asarray(output, np.int32),
        np.asarray(rows, np.uint32),
    )


def _duplicates(classes: list[str]) -> list[tuple[int, int]]:
    """Return the columns whose label an earlier column has: (earlier, later)."""
    return [(classes.index(name), i) for i, name in enumerate(classes) if classes.index(name) < i]


def _encoded(text: str) -> bytes:
    """Prepare a text as py3langid does: no capitals throughout, composed, UTF-8."""
    if text.isupper():
        text = text.lower()
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def _odds(posterior: Floats32, lengths: Ints64) -> Floats32:
    """Turn sums of logarithms into probabilities, at a temperature that grows with the length."""
    scaled = posterior / np.sqrt(np.maximum(lengths, 1), dtype=np.float32)[:, None]
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: Floats32 = odds / odds.sum(axis=1, keepdims=True)
    return shares


@jit
def _features(data: Bytes, ends: Ints64, automaton: tuple[Uints32, Ints32]) -> Found:
    """Find the n-grams of each text: they stand from where its bytes begin, up to its `last`.

    The automaton is too large for a cache, and each step waits for the one before it. So texts are
    walked side by side, and the next one begins where one has ended.
    """
    moves, states = automaton
    found = np.empty(data.shape[0], np.int32)
    last = np.empty(ends.shape[0], np.int64)
    lane = np.zeros((LANES, 5), np.int64)
    lanes, text = 0, 0
    while True:
        while lanes < LANES and text < ends.shape[0]:
            begin = ends[text - 1] if text else i64(0)
            last[text] = begin
            lane[lanes, STATE], lane[lanes, PLACE], lane[lanes, END] = 0, begin, ends[text]
            lane[lanes, LAST], lane[lanes, TEXT] = begin, text
            lanes += begin < ends[text]
            text += 1
        if not lanes:
            return found, last
        for _ in range((lane[:lanes, END] - lane[:lanes, PLACE]).min()):
            for one in range(lanes):
                byte = data[lane[one, PLACE]]
                state = i64(moves[i64(states[lane[one, STATE], 0]) + byte])
                feature = states[state, 1]
                found[lane[one, LAST]] = feature
                lane[one, LAST] += feature >= 0
                lane[one, STATE] = state
                lane[one, PLACE] += 1
        one = 0
        while one < lanes:
            if lane[one, PLACE] < lane[one, END]:
                one += 1
                continue
            last[lane[one, TEXT]] = lane[one, LAST]
            lanes -= 1
            lane[one] = lane[lanes]


@jit
def _score(found: Found, ends: Ints64, scores: Floats32, out: tuple[Floats32, Floats32]) -> None:
    """Sum the scores of each text's n-grams, each with the logarithm of its count."""
    (features, last), (sums, weights) = found, out
    counts = np.zeros(scores.shape[0], np.int32)
    begin = i64(0)
    for text in range(ends.shape[0]):
        kinds = begin
        for place in range(begin, last[text]):
            feature = features[place]
            counts[feature] += 1
            features[kinds] = feature
            kinds += counts[feature] == 1
        for place in range(begin, kinds):
            feature = features[place]
            weight = np.log1p(np.float32(counts[feature]))
            counts[feature] = 0
            weights[text] += weight
            for label in range(scores.shape[1]):
                sums[text, label] += weight * scores[feature, label]
        begin = ends[text]
