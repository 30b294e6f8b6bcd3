"""Signing texts and comparing signatures.

Holds: `sign`, `Signatures`, `similarity`, `pair_similarity`. Reads Arrow string arrays, slices and
all. Not here: the passes over the text (`kernel.py`), Parquet (`ingest`, `dedup`).

The kernel is compiled at first use in a process, about three seconds, and kept on disk: beside this
file, or in the folder that the environment variable `NUMBA_CACHE_DIR` names. Set it to a folder
that all tasks of a machine share; numba's cache is safe among processes and specific to the CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import InputError
from pipeline.model.schemas import BANDS, PERMUTATIONS
from pipeline.signature.fold import FOLD
from pipeline.signature.kernel import agreements, sign_texts

Bytes = npt.NDArray[np.uint8]

_SEED: Final = 0x57494E4E4F57
"""Seed of the permutations ("WINNOW"). Changing it orphans every stored signature."""

SIMILARITY: Final = np.maximum(
    (2 * np.arange(PERMUTATIONS + 1, dtype=np.float64) - 1) / 255, 0
).astype(np.float32)
"""Similarity by number of equal minima: (agreeing share - 1/256) / (1 - 1/256), not below 0.

Two unlike minima of 8 bits agree by chance once in 256."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """What is known of n texts without looking at them again; row i belongs to text i.

    A text with fewer than 5 tokens has `shingles` 0 and zeros for band keys and minima: it is
    compared by content hash alone.
    """

    content_hash: Bytes
    """(n, 16): 128-bit hash of the normalised token stream, or of the bytes if it has no token."""
    band_keys: Bytes
    """(n, 160): 20 keys of 64 bits, little-endian."""
    minima: Bytes
    """(n, 128): 8 bits of each permutation's minimum."""
    shingles: npt.NDArray[np.int32]
    """(n,): word 5-grams, repeated ones counted again."""
    tokens: npt.NDArray[np.int32]
    """(n,): words; characters in scripts without spaces."""

    def __len__(self) -> int:
        return len(self.shingles)

    @staticmethod
    def concat(parts: Iterable[Signatures]) -> Signatures:
        """Join the signatures of consecutive texts."""
        every = list(parts) or [_empty(0)]
        if len(every) == 1:
            return every[0]
        return Signatures(
            *(
                np.concatenate([getattr(part, field.name) for part in every])
                for field in fields(Signatures)
            )
        )


def sign(texts: pa.Array | pa.ChunkedArray) -> Signatures:
    """Sign texts in one pass, without holding Python's global lock.

    Raises:
        InputError: the array does not hold strings, or one of them is null.
    """
    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        raise InputError(
            f"texts: expected an Arrow array of strings, found {texts.type}. Cast it to string."
        )
    if texts.null_count:
        raise InputError(
            f"texts: expected {len(texts)} texts, found {texts.null_count} nulls among them. "
            "Drop these rows or fill them with an empty string."
        )
    return Signatures.concat(_sign(chunk) for chunk in chunks if len(chunk))


def similarity(minima_a: Bytes, minima_b: Bytes) -> npt.NDArray[np.float32]:
    """Estimate the Jaccard similarity of signatures row by row: chance-corrected agreement.

    Takes (128,) or (n, 128); the result has one value a row. Means nothing where a text has no
    shingles. The standard error is at most .045.
    """
    equal = np.count_nonzero(minima_a == minima_b, axis=-1)
    return np.asarray(SIMILARITY[equal], np.float32)


def pair_similarity(
    left: Bytes, right: Bytes, pairs: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Estimate the similarity of `left[pairs[i, 0]]` and `right[pairs[i, 1]]` for every i."""
    counts = np.empty(len(pairs), np.uint8)
    agreements(left, right, pairs, counts)
    return np.asarray(SIMILARITY[counts], np.float32)


def _permutations() -> Iterator[npt.NDArray[np.uint32]]:
    """Yield odd factors and any terms, from SplitMix64 so that no library's generator matters."""
    state, values = _SEED, []
    for _ in range(2 * PERMUTATIONS):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        value = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
        values.append((value ^ value >> 31) >> 32)
    yield np.array([value | 1 for value in values[:PERMUTATIONS]], np.uint32)
    yield np.array(values[PERMUTATIONS:], np.uint32)


FACTORS, TERMS = _permutations()


def _sign(texts: pa.Array) -> Signatures:
    large = pa.types.is_large_string(texts.type)
    _, offsets, data = texts.buffers()
    every = np.frombuffer(offsets, np.int64 if large else np.int32)
    starts = every[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    characters = np.frombuffer(data if data is not None else b"", np.uint8)
    out = _empty(len(texts))
    counts = np.zeros((len(texts), 2), np.int32)
    sign_texts(
        characters,
        starts,
        (FOLD, FACTORS, TERMS),
        (out.content_hash.view("<u8"), out.band_keys.view("<u8"), out.minima, counts),
    )
    return Signatures(
        out.content_hash, out.band_keys, out.minima, counts[:, 0].copy(), counts[:, 1].copy()
    )


def _empty(rows: int) -> Signatures:
    def zeros(*shape: int, kind: Any = np.uint8) -> npt.NDArray[Any]:
        return np.zeros(shape, kind)

    return Signatures(
        zeros(rows, 16),
        zeros(rows, BANDS * 8),
        zeros(rows, PERMUTATIONS),
        zeros(rows, kind=np.int32),
        zeros(rows, kind=np.int32),
    )
