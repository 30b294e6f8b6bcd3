"""Paging through the spans of a night that are not documents.

Holds: `Spans`, `spans`. Reads the quarantine file of a dump, in batches.
Not here: counts and samples of every reason (`report/samples.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.snapshot import DumpState
from pipeline.storage.units import Corpus

_BATCH = 1 << 16


@dataclass(frozen=True, slots=True)
class Spans:
    """Some rows of `quarantine`, in the order of the file, out of `total` that fit."""

    rows: list[dict[str, Any]]
    total: int


def spans(
    corpus: Corpus, state: DumpState, wanted: dict[str, str], *, skip: int = 0, limit: int = 50
) -> Spans:
    """Return rows `skip` to `skip + limit` of those whose columns have the `wanted` values.

    Args:
        corpus: what is published.
        state: the dump.
        wanted: column (`kind`, `reason`, `source`, `dump_file`) → value; none: every row.
        skip: rows before the first, at least 0.
        limit: rows at most.
    """
    rows: list[dict[str, Any]] = []
    total = 0
    for batch in corpus.batches(state.quarantine, columns=None, rows=_BATCH):
        mine = batch
        for column, value in wanted.items():
            mine = mine.filter(pc.equal(mine[column], pa.scalar(value)))
        rows += mine.slice(max(0, skip - total), limit - len(rows)).to_pylist()
        total += mine.num_rows
    return Spans(rows, total)
