"""The paragraphs and sampled shingles of a batch of texts, as sorted runs.

Holds: `passage_runs`, `pieces_of`. Pure. Not here: the kernel (`signature/passages.py`), writing
(`rows.py`), who reads them (`dedup/passages.py`).

A run is sorted by hash, so that a reader who wants one slice of all hashes opens only the row
groups that hold some of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.model.schemas import PARAGRAPHS, SAMPLES
from pipeline.signature import SAMPLE_BITS, Passages, cut

PIECE_ROWS: Final = 1 << 15
"""Rows of a row group: a sixteenth of what a full batch of text brings."""


_OWNER_BITS: Final = np.uint64(64 - SAMPLE_BITS)

MOST_TEXTS: Final = 1 << (64 - SAMPLE_BITS)
"""Texts of a run: more than a batch of usual size has."""


def passage_runs(
    texts: pa.Array, first_row: int, *, most: int = MOST_TEXTS
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the paragraphs and the samples of texts that are rows `first_row`… of a shard.

    There is one pair of runs for each `most` texts.
    """
    for at in range(0, len(texts), most):
        found = cut(texts.slice(at, most))
        start = np.uint32(first_row + at)
        yield _paragraphs(found, start), _samples(found, start)


def _paragraphs(found: Passages, start: np.uint32) -> pa.Table:
    # A stable sort: equal hashes keep the order of the texts, and of the places in them.
    order = np.argsort(found.hashes, kind="stable")
    row, begin, end, words = found.places[order].T
    numbers = [pa.array(column.astype(np.int32)) for column in (begin, end, words)]
    return pa.table(
        [pa.array(found.hashes[order]), pa.array(row + start), *numbers], schema=PARAGRAPHS
    )


def _samples(found: Passages, start: np.uint32) -> pa.Table:
    # Sorting key and owner as one number takes a sixth of the time of sorting places.
    packed = found.keys << _OWNER_BITS | found.owners
    packed.sort()
    owners = (packed & np.uint64(MOST_TEXTS - 1)).astype(np.uint32)
    return pa.table([pa.array(packed >> _OWNER_BITS), pa.array(owners + start)], schema=SAMPLES)


def pieces_of(run: pa.Table) -> Iterator[pa.Table]:
    """Cut a run into the row groups that it is written as."""
    for at in range(0, run.num_rows, PIECE_ROWS):
        yield run.slice(at, PIECE_ROWS)
