"""Verdicts of the documents of one dump as arrays, and the order keys that name documents.

Holds: `Verdicts`, `names`, `split_names`. Pure. Not here: what is live (`ledger.py`), the rule
(`settle.py`), tables (`tables.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.settle import ABSENT, EXACT, NEAR, REASONS, TAKEN, UNIQUE
from pipeline.model.id_columns import id_bytes

Array = npt.NDArray[Any]

NAME: Final = "S26"
"""A document's order key: 10 characters of dump date, 16 bytes of id; sorts as the key does."""


NO_DATE: Final = "\0" * 10
"""Stands for the date in the key of what is no document."""


def names(date: str, ids: Array) -> Array:
    """Return the order keys of documents of one dump, given their 16-byte ids."""
    out = np.empty((len(ids), 26), np.uint8)
    out[:, :10] = np.frombuffer(date.encode("ascii"), np.uint8)
    out[:, 10:] = np.ascontiguousarray(ids).view(np.uint8).reshape(-1, 16)
    return out.view(NAME)[:, 0]


def split_names(keys: Array) -> tuple[Array, Array]:
    """Return dates (10 characters each) and 16-byte ids of order keys."""
    raw = np.ascontiguousarray(keys).view(np.uint8).reshape(-1, 26)
    dates = np.ascontiguousarray(raw[:, :10]).view("S10")[:, 0]
    return dates, np.ascontiguousarray(raw[:, 10:]).view("S16")[:, 0]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts of one dump, sorted by id.

    `witness` is an order key: empty for kept documents, one without a date that ends in the id of a
    tombstone for those taken down.
    """

    ids: Array
    reason: npt.NDArray[np.int8]
    witness: Array
    similarity: npt.NDArray[np.float32]

    @staticmethod
    def of_table(table: pa.Table) -> Verdicts:
        """Read a table of schema `VERDICTS`."""
        reason = _codes(table["reason"])
        dropped = np.flatnonzero((reason == EXACT) | (reason == NEAR))
        witness = np.zeros(table.num_rows, NAME)
        if len(dropped):
            raw = np.empty((len(dropped), 26), np.uint8)
            raw[:, :10] = _dates(table["witness_dump_date"].take(dropped))
            ids = id_bytes(table["witness_id"].take(dropped))
            raw[:, 10:] = ids.view(np.uint8).reshape(-1, 16)
            witness[dropped] = raw.view(NAME)[:, 0]
        taken = np.flatnonzero(reason == TAKEN)
        if len(taken):
            witness[taken] = names(NO_DATE, id_bytes(table["tombstone_id"].take(taken)))
        similarity = table["similarity"].fill_null(0).to_numpy().astype(np.float32)
        return Verdicts(id_bytes(table["document_id"]), reason, witness, similarity)

    def among(self, ids: Array) -> Verdicts:
        """Return the rows of some documents, which must be there, in the order asked."""
        return self.part(np.searchsorted(self.ids, ids))

    def part(self, rows: Array | slice) -> Verdicts:
        """Return some rows."""
        return Verdicts(
            self.ids[rows], self.reason[rows], self.witness[rows], self.similarity[rows]
        )

    def with_(self, others: Verdicts) -> Verdicts:
        """Return the verdicts with those of some documents, which must be there, replaced."""
        at = np.searchsorted(self.ids, others.ids)
        after = Verdicts(self.ids, self.reason.copy(), self.witness.copy(), self.similarity.copy())
        after.reason[at], after.witness[at] = others.reason, others.witness
        after.similarity[at] = others.similarity
        return after

    @staticmethod
    def blank(ids: Array) -> Verdicts:
        """Return verdicts of documents that are in no snapshot yet: neither kept nor dropped."""
        return Verdicts._all(ids, ABSENT)

    @staticmethod
    def alone(ids: Array) -> Verdicts:
        """Return verdicts of documents that nothing is like: all kept."""
        return Verdicts._all(ids, UNIQUE)

    @staticmethod
    def _all(ids: Array, reason: int) -> Verdicts:
        return Verdicts(
            ids,
            np.full(len(ids), reason, np.int8),
            np.zeros(len(ids), NAME),
            np.zeros(len(ids), np.float32),
        )

    @staticmethod
    def joined(parts: Iterable[Verdicts]) -> Verdicts:
        """Put verdicts one behind the other; there must be some."""
        columns = [(one.ids, one.reason, one.witness, one.similarity) for one in parts]
        return Verdicts(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _codes(reasons: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    """Return the number of each reason in `REASONS`."""
    found = pc.index_in(reasons, pa.array(REASONS, pa.string()))
    return np.asarray(pc.fill_null(found, 0).to_numpy(), np.int8)


def _dates(dates: pa.ChunkedArray) -> Array:
    """Return dates as rows of ten bytes; there are few different ones."""
    coded = dates.combine_chunks().dictionary_encode()
    known = "".join(coded.dictionary.to_pylist()).encode("ascii")
    return np.asarray(np.frombuffer(known, np.uint8).reshape(-1, 10)[coded.indices.to_numpy()])
