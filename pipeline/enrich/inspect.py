"""Annotation without a corpus, for people who have texts.

Holds: `annotate_texts`. Pure but for the models. Not here: reading files and printing (`cli/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from pipeline.enrich.annotator import PLACES, annotate, resolve
from pipeline.model.settings import EnrichSettings

BATCH, CHARACTERS = 500, 1 << 24


def annotate_texts(
    texts: Iterable[str], names: tuple[str, ...] = EnrichSettings().annotators
) -> Iterator[dict[str, Any]]:
    """Yield the annotation columns of each text, in order, some hundred texts at a time.

    `names` are annotators as in `[enrich] annotators`. Lone surrogates, which stand for
    undecodable bytes, are read as U+FFFD.
    """
    annotators = resolve(names)
    for batch in _batches(map(_storable, texts)):
        for row in annotate(pa.array(batch, pa.string()), annotators).to_pylist():
            yield {name: _exact(value) for name, value in row.items()}


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Gather `BATCH` texts, or fewer when they are long."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if len(batch) == BATCH or size > CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _exact(value: object) -> object:
    """Undo the widening of 32-bit confidences: 0.7017, not 0.70169997."""
    return round(value, PLACES) if isinstance(value, float) else value


def _storable(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
