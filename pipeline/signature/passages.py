"""What of a text may stand in other texts too: its paragraphs, and a sample of its shingles.

Holds: `cut`, `Passages`, `RATE`, `KEY_BITS`. Reads Arrow string arrays.
Not here: the pass over the text (`cutting.py`), tables of them (`ingest/`), what they tell
(`dedup/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.signature.cutting import KEY_BITS, RATE_BITS, cut_texts
from pipeline.signature.fold import FOLD

SAMPLE_BITS: Final = KEY_BITS - RATE_BITS
"""Keys of samples are below `2 ** SAMPLE_BITS`."""


@dataclass(frozen=True, slots=True)
class Passages:
    """Paragraphs and samples of n texts, each part in the order of the texts."""

    hashes: npt.NDArray[np.uint64]
    """64-bit hash of each paragraph's normalised words."""
    places: npt.NDArray[np.uint32]
    """(paragraphs, 4): number of the text, first character, one past the last, words."""
    keys: npt.NDArray[np.uint64]
    """Sampled shingles: ascending and distinct within a text."""
    owners: npt.NDArray[np.uint32]
    """Number of each sample's text."""


def cut(texts: pa.Array) -> Passages:
    """Cut texts into paragraphs and sample their shingles, in one pass without the global lock.

    A paragraph is a line of a text that has a word. `texts` are strings without nulls.
    """
    large = pa.types.is_large_string(texts.type)
    _, offsets, data = texts.buffers()
    every = np.frombuffer(offsets, np.int64 if large else np.int32)
    starts = every[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    characters = np.frombuffer(data if data is not None else b"", np.uint8)
    return Passages(*cut_texts(characters, starts, FOLD))
