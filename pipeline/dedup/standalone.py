"""Deduplicating any texts, without a corpus, a store or Airflow.

Holds: `deduplicate`, `SCHEMA`. Reads the Arrow batches it is given once; texts are not kept.
Not here: files and the command line (`cli/`), deciding (`at_once.py`).

The order key is (rank, `dump_date` or "", id), compared as UTF-8 bytes; ranks are those of nights.
Without limits of scope all documents count as one dump. Memory grows by 308 bytes a document for
its signature, by its id, and by some 100 while deciding (400 with limits of scope); if ids do not
come in order, by 160 while signatures are put in order. Texts pass in batches.
`benchmarks/standalone.py` measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.apart import Standing, decide_apart
from pipeline.dedup.at_once import Columns, decide_all
from pipeline.dedup.ranking import rank_of
from pipeline.dedup.settle import REASONS, UNIQUE, State
from pipeline.errors import InputError
from pipeline.model.rule import Rule, day, span
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
_KEYS: Final = pa.schema([("id", pa.string()), ("dump_date", pa.string()), ("rank", pa.int64())])


def id_column(names: Iterable[str]) -> str:
    """Return the column that names documents: `id`, or `document_id` where there is no `id`."""
    given = set(names)
    return "document_id" if "document_id" in given and "id" not in given else "id"


def deduplicate(
    documents: Documents, *, settings: DedupSettings, done: Callable[[], None] = lambda: None
) -> pa.Table:
    """Decide which documents to keep.

    Args:
        documents: a table, a reader or batches with columns `id` (or `document_id`) and `text`,
            `dump_date` if dates count, and `source` if sources do.
        settings: what counts as a near-duplicate, and which of several stays.
        done: called after each of the `STEPS` of deciding (see `at_once.py`).

    Raises:
        InputError: a column is missing, a value is null, an id comes twice on one date, or the
            scope needs a date where there is none.
    """
    rule = Rule.of(settings)
    keys, held = _read(_batches(documents), rule)
    order = _order(keys)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    state = _decided(held.ordered(rank), keys["dump_date"].take(order), rule, done)
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


def _decided(
    columns: Columns, dates: pa.ChunkedArray, rule: Rule, done: Callable[[], None]
) -> State:
    """Settle documents that are in order."""
    if rule.scope == "all":
        return decide_all(columns, rule.threshold, done=done)
    names = np.array(dates.to_pylist(), "U10")
    known, which = np.unique(names, return_inverse=True)
    days = np.array([_day(name) for name in known.tolist()], np.int64)[which]
    spans, ranks = np.full(len(names), span(rule)), np.zeros(len(names), np.int64)
    rules = dict.fromkeys(known.tolist(), rule)
    return decide_apart(columns, Standing(rules, names, ranks, days, spans))


def _day(name: str) -> int:
    try:
        return day(name)
    except ValueError as error:
        raise InputError(
            f"input: expected a dump_date like 2026-11-21 in each row, for a scope compares dates; "
            f"found {name!r}. Mend the dates, or choose the scope all."
        ) from error


class _Held:
    """Signatures of documents in the order in which they came; its columns grow."""

    def __init__(self) -> None:
        kinds = (("S16", ()), ("<u8", (BANDS,)), ("u1", (PERMUTATIONS,)), ("<i4", ()))
        self._columns = [_Column(np.dtype(kind), shape) for kind, shape in kinds]

    def add(self, texts: pa.Array) -> Array:
        """Sign some texts and return how many tokens each has."""
        signed = sign(texts)
        values: tuple[Array, ...] = (
            signed.content_hash.view("S16")[:, 0],
            signed.band_keys.view("<u8"),
            signed.minima,
            signed.shingles,
        )
        for column, part in zip(self._columns, values, strict=True):
            column.add(part)
        return signed.tokens

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
            # Nothing else refers to it, whatever a profiler or debugger holds: so no check.
            self._rows.resize((longer, *self._rows.shape[1:]), refcheck=False)
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


def _read(batches: Iterable[pa.RecordBatch], rule: Rule) -> tuple[pa.Table, _Held]:
    """Sign the texts batch by batch; keep ids, dates and ranks."""
    keys, held = [_KEYS.empty_table()], _Held()
    named = False
    for batch in batches:
        name = id_column(batch.schema.names)
        needed = [name, "text", *_also_needed(rule)]
        if set(needed) - set(batch.schema.names):
            raise InputError(
                f"input: expected columns {' and '.join(needed)}, found {batch.schema.names}. "
                "Rename yours."
            )
        dates = _optional(batch, "dump_date")
        ids = _strings(batch, name)
        if ids.null_count:
            raise InputError(
                f"input: expected an id in each row, found {ids.null_count} nulls. Fill them."
            )
        large = pa.types.is_large_string(batch["text"].type)
        tokens = held.add(batch["text"] if large else _strings(batch, "text"))
        source = _optional(batch, "source" if rule.source_priority else "")
        named |= bool(pc.any(pc.not_equal(source, "")).as_py())
        keys.append(pa.table([ids, dates, rank_of(source, tokens, rule)], schema=_KEYS))
    if rule.source_priority and not named and any(part.num_rows for part in keys):
        raise InputError(
            "input: expected a source in some row, for source_priority names sources; found none. "
            "Add them, or leave out source_priority."
        )
    return pa.concat_tables(keys).combine_chunks(), held


def _also_needed(rule: Rule) -> list[str]:
    dates = ["dump_date"] if rule.scope != "all" else []
    return [*dates, *(["source"] if rule.source_priority else [])]


def _optional(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column with nothing where there is none."""
    if name not in batch.schema.names:
        return pa.repeat("", len(batch))
    return pc.fill_null(_strings(batch, name), "")


def _strings(batch: pa.RecordBatch, name: str) -> pa.Array:
    try:
        return batch[name].cast(pa.string())
    except pa.ArrowException as error:
        raise InputError(
            f"input: expected strings in column {name}, found {batch[name].type} "
            f"({' '.join(str(error).split())}). Convert the column and try again."
        ) from error


def _order(keys: pa.Table) -> Array:
    """Return row numbers in order-key order; an id must not come twice a date."""
    by = ["dump_date", "id"]
    order = pc.sort_indices(keys, [(name, "ascending") for name in by])
    ordered = keys.take(order)
    same = pa.array(np.ones(max(keys.num_rows - 1, 0), np.bool_))
    for name in by:
        column = ordered[name].combine_chunks()
        same = pc.and_(same, pc.equal(column[1:], column[:-1]))
    again = pc.index(same, pa.scalar(value=True)).as_py()
    if again >= 0:
        raise InputError(
            f"input: expected each id once a date, found {ordered['id'][again].as_py()!r} twice. "
            "Make ids unique, or give the documents different values of dump_date."
        )
    rows = np.asarray(order.to_numpy(), np.int64)
    return rows[np.argsort(ordered["rank"].to_numpy(), kind="stable")]
