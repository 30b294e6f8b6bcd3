"""What published rows say of shared passages, held against the rows themselves.

Holds: `passages_hold`. Reads published documents of one dump without their texts.
Not here: finding passages (`dedup/passages.py`), other rows (`verify.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.finding import Finding, broken
from pipeline.model.id_columns import among, id_bytes
from pipeline.publish.view import View

_COLUMNS = ["document_id", "char_count", "repeated_spans", "contained_in"]


def passages_hold(view: View, dump_date: str) -> Iterator[Finding]:
    """Containers are other published documents of the dump; repeated spans lie in their text.

    Rows that were published before there were such columns say nothing.
    """
    kept = view.kept_ids(dump_date)
    astray, outside = 0, 0
    for part in view.state(dump_date).documents:
        for ref in part.files:
            for batch in view.corpus.batches(ref, columns=_COLUMNS):
                if batch.num_columns == len(_COLUMNS):
                    astray += _astray(batch, kept)
                    outside += _outside(batch)
    if astray:
        yield broken(
            4, f"{dump_date}: {astray} documents are contained in one that is not published there"
        )
    if outside:
        yield broken(4, f"{dump_date}: {outside} repeated spans do not lie in their text")


def _astray(batch: pa.RecordBatch, kept: np.ndarray) -> int:
    inner = batch.filter(batch["contained_in"].is_valid())
    containers = id_bytes(inner["contained_in"])
    sound = among(containers, kept) & (containers != id_bytes(inner["document_id"]))
    return int(np.count_nonzero(~sound))


def _outside(batch: pa.RecordBatch) -> int:
    spans = batch["repeated_spans"]
    flat, owner = pc.list_flatten(spans), pc.list_parent_indices(spans)
    start, end = (pc.struct_field(flat, name).to_numpy() for name in ("start", "end"))
    size = batch["char_count"].take(owner).to_numpy()
    return int(np.count_nonzero((start < 0) | (start >= end) | (end > size)))
