"""Deduplicating any texts, without a corpus, a store or Airflow.

Holds: `deduplicate`, `SCHEMA`. Reads the Arrow batches it is given once; texts are not kept.
Not here: files and the command line (`cli/`), deciding (`at_once.py`).

All documents count as one dump; the order key is (`dump_date` or "", id), compared as UTF-8 bytes.
Memory grows by 308 bytes a document for its signature, by its id, and by some 100 while deciding;
if ids do not come in order, by 160 while signatures are put in order. Texts pass in batches.
`benchmarks/standalone.py` measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.at_once import Columns, decide_all
from pipeline.dedup.settle import REASONS, UNIQUE
from pipeline.errors import InputError
from pipeline.model.schemas import BANDS, PERMUTATIONS
from pipeline.model.settings import DedupSettings
from pipeline.signature import sign

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

Documents: TypeAlias = "pa.Table | pa.RecordBatchReader | Iterable[pa.RecordBatch]"

_BATCH: Final = 4096
_FIRST: Final = 1 << 16
"""Rows for which there is room from the beginning."""
_KEYS: Final = pa.schema([("id", pa.string()), ("dump_date", pa.string())])


def deduplicate(
    documents: Documents, *, settings: DedupSettings, done: Callable[[], None] = lambda: None
) -> pa.Table:
    """Decide which documents to keep.

    Args:
        documents: a table, a reader or batches with columns `id` and `text`, and `dump_date` if
            the order of dates counts.
        settings: what counts as a near-duplicate.
        done: called after each of the `STEPS` of deciding (see `at_once.py`).

    Raises:
        InputError: a column is missing, a value is null, or an id comes twice on one date.
    """
    keys, held = _read(_batches(documents))
    order = _order(keys)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    state = decide_all(held.ordered(rank), settings.threshold, done=done)
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


class _Held:
    """Signatures of documents in the order in which they came; its columns grow."""

    def __init__(self) -> None:
        kinds = (("S16", ()), ("<u8", (BANDS,)), ("u1", (PERMUTATIONS,)), ("<i4", ()))
        self._columns = [_Column(np.dtype(kind), shape) for kind, shape in kinds]

    def add(self, texts: pa.Array) -> None:
        """Sign some texts."""
        signed = sign(texts)
        values: tuple[Array, ...] = (
            signed.content_hash.view("S16")[:, 0],
            signed.band_keys.view("<u8"),
            signed.minima,
            signed.shingles,
        )
        for column, part in zip(self._columns, values, strict=True):
            column.add(part)

    def ordered(self, rank: Array) -> Columns:
        """Return what is held with row i at place `rank[i]`; nothing is held any more."""
        return Columns(*(column.ordered(rank) for column in self._columns))


class _Column:
    """One column of signatures in one growing array, of which `size` rows are filled.

    What is large grows where it is: the system moves its pages, so nothing is held twice.
    """

    def __init__(self, kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self._rows = np.empty((0, *shape), kind)
        self._size = 0

    def add(self, part: Array) -> None:
        end = self._size + len(part)
        if end > len(self._rows):
            longer = max(end, len(self._rows) + len(self._rows) // 8, _FIRST)
            self._rows.resize((longer, *self._rows.shape[1:]))
        self._rows[self._size : end] = part
        self._size = end

    def ordered(self, rank: Array) -> Array:
        rows, self._rows = self._rows[: self._size], self._rows[:0]
        if (rank[1:] > rank[:-1]).all():
            return rows
        out = np.empty_like(rows)
        out[rank] = rows
        return out


def _batches(documents: Documents) -> Iterator[pa.RecordBatch]:
    if isinstance(documents, pa.Table):
        return iter(documents.to_batches(max_chunksize=_BATCH))
    return iter(documents)


def _read(batches: Iterable[pa.RecordBatch]) -> tuple[pa.Table, _Held]:
    """Sign the texts batch by batch; keep ids and dates."""
    keys, held = [_KEYS.empty_table()], _Held()
    for batch in batches:
        missing = {"id", "text"} - set(batch.schema.names)
        if missing:
            raise InputError(
                f"input: expected columns id and text, found {batch.schema.names}. Rename yours."
            )
        dates = pa.repeat("", len(batch))
        if "dump_date" in batch.schema.names:
            dates = pc.fill_null(_strings(batch, "dump_date"), "")
        ids = _strings(batch, "id")
        if ids.null_count:
            raise InputError(
                f"input: expected an id in each row, found {ids.null_count} nulls. Fill them."
            )
        keys.append(pa.table([ids, dates], schema=_KEYS))
        large = pa.types.is_large_string(batch["text"].type)
        held.add(batch["text"] if large else _strings(batch, "text"))
    return pa.concat_tables(keys).combine_chunks(), held


def _strings(batch: pa.RecordBatch, name: str) -> pa.Array:
    try:
        return batch[name].cast(pa.string())
    except pa.ArrowException as error:
        raise InputError(
            f"input: expected strings in column {name}, found {batch[name].type} "
            f"({' '.join(str(error).split())}). Convert the column and try again."
        ) from error


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
