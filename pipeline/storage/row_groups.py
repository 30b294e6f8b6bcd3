"""Row groups of an exact number of rows, however the rows come.

Holds: `row_groups`. Pure. Not here: row groups cut by the bytes of texts (`sorted_files.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

ROWS = 1 << 16


def row_groups(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, rows: int = ROWS
) -> Iterator[pa.Table]:
    """Yield tables of `rows` rows in one chunk each, the last of fewer; an empty one if none are.

    Holds the rows of one group and one batch.
    """
    held: list[pa.RecordBatch] = []
    room, yielded = rows, False
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, room)
            held.append(part)
            start += part.num_rows
            room -= part.num_rows
            if not room:
                yield pa.Table.from_batches(held, schema).combine_chunks()
                held, room, yielded = [], rows, True
    if held or not yielded:
        yield pa.Table.from_batches(held, schema).combine_chunks()
