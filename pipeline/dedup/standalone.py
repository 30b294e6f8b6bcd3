"""Deduplicating any texts, without a corpus, a store or Airflow.

Holds: `deduplicate`, `decide_all`, `SCHEMA`. Reads the Arrow batches it is given
once; texts are not kept.
Not here: files and the command line (`cli/`).

The same cores as a night: signatures, buckets, the verdict rule. All documents count as one dump;
the order key is (`dump_date` or "", id), compared as UTF-8 bytes. Memory grows by about 330 bytes a
document, plus ids, plus the edges found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.buckets import needed
from pipeline.dedup.entries import Entries, entries, key_range
from pipeline.dedup.groups import Ties, bind
from pipeline.dedup.match import Found, Signed, within
from pipeline.dedup.settle import REASONS, UNIQUE, Nodes, State, settle, sorted_links
from pipeline.errors import InputError
from pipeline.model.schemas import BANDS
from pipeline.model.settings import DedupSettings
from pipeline.signature import Signatures, sign

Array = npt.NDArray[Any]

SCHEMA: Final = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("witness_id", pa.string()),
        pa.field("similarity", pa.float32()),
    ]
)
"""One row a document, in the order in which they came."""

_SLICES: Final = 16
"""The key space is worked through in so many parts, to hold fewer keys at a time."""


def deduplicate(tables: Iterable[pa.RecordBatch], *, settings: DedupSettings) -> pa.Table:
    """Decide which documents to keep.

    Args:
        tables: batches with columns `id` and `text`, and `dump_date` if the order of dates counts.
        settings: what counts as a near-duplicate.

    Raises:
        InputError: a column is missing, a value is null, or an id comes twice on one date.
    """
    keys, signatures = _read(tables)
    order = _order(keys)
    state = decide_all(signatures, order, settings.threshold)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    kept = pa.array(state.reason[rank] == UNIQUE)
    witness = np.where(state.witness >= 0, order[state.witness], 0)[rank] if len(order) else rank
    reason = pa.DictionaryArray.from_arrays(pa.array(state.reason[rank]), pa.array(REASONS))
    return pa.table(
        [
            keys["id"],
            kept,
            reason.cast(pa.string()),
            pc.if_else(kept, None, keys["id"].take(pa.array(witness))),
            pc.if_else(kept, None, pa.array(state.similarity[rank])),
        ],
        schema=SCHEMA,
    )


def _read(tables: Iterable[pa.RecordBatch]) -> tuple[pa.Table, Signatures]:
    """Sign the texts batch by batch; keep ids and dates."""
    kinds = pa.schema([("id", pa.string()), ("dump_date", pa.string())])
    keys, parts = [kinds.empty_table()], []
    for batch in tables:
        missing = {"id", "text"} - set(batch.schema.names)
        if missing:
            raise InputError(
                f"input: expected columns id and text, found {batch.schema.names}. Rename yours."
            )
        dates = pa.repeat("", len(batch))
        if "dump_date" in batch.schema.names:
            dates = pc.fill_null(batch["dump_date"].cast(pa.string()), "")
        ids = batch["id"].cast(pa.string())
        if ids.null_count:
            raise InputError(
                f"input: expected an id in each row, found {ids.null_count} nulls. Fill them."
            )
        keys.append(pa.table([ids, dates], schema=kinds))
        parts.append(sign(batch["text"]))
    return pa.concat_tables(keys).combine_chunks(), Signatures.concat(parts)


def _order(keys: pa.Table) -> Array:
    """Return row numbers in order-key order."""
    order = pc.sort_indices(keys, [("dump_date", "ascending"), ("id", "ascending")])
    ordered = keys.take(order)
    same = pa.array(np.ones(max(keys.num_rows - 1, 0), np.bool_))
    for name in keys.column_names:
        column = ordered[name].combine_chunks()
        same = pc.and_(same, pc.equal(column[1:], column[:-1]))
    again = pc.index(same, pa.scalar(value=True)).as_py()
    if again >= 0:
        raise InputError(
            f"input: expected each id once a date, found {ordered['id'][again].as_py()!r} twice. "
            "Make ids unique, or give the documents different values of dump_date."
        )
    return np.asarray(order.to_numpy(), np.int64)


def decide_all(signatures: Signatures, order: Array, threshold: float) -> State:
    """Settle all documents at once, as if they were one dump.

    `order` holds row numbers in order-key order; the state is numbered by place in it.
    """
    hashes = np.ascontiguousarray(signatures.content_hash[order]).view("S16")[:, 0]
    bands = np.ascontiguousarray(signatures.band_keys[order]).view("<u8").reshape(-1, BANDS)
    shingles, minima = signatures.shingles[order], signatures.minima[order]
    ranks = np.arange(len(order))

    def fetch(_: Array, rows: Array) -> Signed:
        return Signed(ranks[rows], hashes[rows], shingles[rows], minima[rows])

    found: list[Found] = []
    for part in range(_SLICES):
        owned = key_range(part, _SLICES)
        keys = entries(ranks, hashes, bands=(shingles, bands), shard=0, owned=owned)
        found.extend(within(Entries.join([keys]), fetch, threshold=threshold))
    earlier = np.concatenate([ranks[:0], *(part.earlier for part in found)])
    later = np.concatenate([ranks[:0], *(part.later for part in found)])
    score = np.concatenate([np.empty(0, np.float32), *(part.similarity for part in found)])
    exact = np.concatenate([np.empty(0, np.bool_), *(part.exact for part in found)])
    edge = score > 0
    links = sorted_links(
        len(order), earlier[edge], later[edge], similarity=score[edge], exact=exact[edge]
    )
    ties = [Ties(earlier[~edge], later[~edge], need=needed(threshold))]
    groups, _ = bind(ties, np.zeros(len(order), np.bool_))
    state = State.blank(len(order))
    signed = groups.signed(ranks, minima, bands)
    settle(links, signed, state=state, nodes=Nodes.fresh(len(order)))
    return state
