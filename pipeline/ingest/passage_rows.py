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
from pipeline.signature import cut

PIECE_ROWS: Final = 1 << 15
"""Rows of a row group: a sixteenth of what a full batch of text brings."""


def passage_runs(texts: pa.Array, first_row: int) -> tuple[pa.Table, pa.Table]:
    """Return the paragraphs and the samples of texts that are rows `first_row`… of a shard."""
    found = cut(texts)
    start = np.uint32(first_row)
    # Both sorts are stable: equal hashes keep the order of the texts, and of the places in them.
    order = np.argsort(found.hashes, kind="stable")
    row, begin, end, words = found.places[order].T
    paragraphs = pa.table(
        [
            pa.array(found.hashes[order]),
            pa.array(row + start),
            *(pa.array(column.astype(np.int32)) for column in (begin, end, words)),
        ],
        schema=PARAGRAPHS,
    )
    order = np.argsort(found.keys, kind="stable")
    samples = pa.table(
        [pa.array(found.keys[order]), pa.array(found.owners[order] + start)], schema=SAMPLES
    )
    return paragraphs, samples


def pieces_of(run: pa.Table) -> Iterator[pa.Table]:
    """Cut a run into the row groups that it is written as."""
    for at in range(0, run.num_rows, PIECE_ROWS):
        yield run.slice(at, PIECE_ROWS)
