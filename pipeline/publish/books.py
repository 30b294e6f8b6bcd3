"""The books of a dump: every byte and every character in exactly one place.

Holds: `files_balance`, `spans_tile`. Reads verdicts and quarantine of one dump, streaming.
Not here: counting documents (`checks.py`).

Spans tile `[0, chars)` exactly once if and only if, over all spans of the file, the multiset of
starts plus `chars` equals the multiset of ends plus 0: coverage then changes nowhere but at the two
ends. Both multisets are summed as 64-bit hashes, so the check needs no sorting and a few numbers a
file, however many documents there are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.finding import Finding, broken
from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import FileCounts
from pipeline.publish.view import BATCH_ROWS, View

_SPAN = ["dump_file", "char_start", "char_end"]


def files_balance(view: View, dump_date: str) -> Iterator[Finding]:
    """Every planned file has books, and they add up in bytes and in characters."""
    state = view.state(dump_date)
    planned = {(file.key, file.etag, file.size) for file in state.files}
    counted = {(file.key, file.etag, file.stored_bytes) for file in state.file_counts}
    for key, etag, size in sorted(planned ^ counted):
        where = "planned but not in the books" if (key, etag, size) in planned else "not planned"
        yield broken(1, f"{dump_date}: {key} (ETag {etag}, {size} bytes) is {where}")
    for file in state.file_counts:
        if not file.balanced:
            yield broken(1, f"{dump_date}: {_unbalanced(file)}")


def spans_tile(view: View, dump_date: str) -> Iterator[Finding]:
    """Document hulls and the spans between them tile each file; spans inside lie in their hull."""
    books = _Books(view.state(dump_date).file_counts)
    books.add_quarantine(view, dump_date)
    books.add_documents(view, dump_date)
    for detail in books.differences():
        yield broken(1, f"{dump_date}: {detail}")


class _Books:
    """Running sums for every file of a dump, which are its mutable state."""

    def __init__(self, files: tuple[FileCounts, ...]) -> None:
        self._files = files
        self._keys = pa.array([file.key for file in files], pa.string())
        size = len(files) + 1  # the last place gathers spans of files that are not in the books
        self._flow = np.zeros(size, np.uint64)
        self._hulls = np.zeros(size, np.int64)
        self._inside = np.zeros(size, np.int64)
        self._unread = np.zeros(size, np.int64)
        self._kinds = {kind: np.zeros(size, np.int64) for kind in ("furniture", "quarantine")}
        self._inner: list[pa.RecordBatch] = []
        self._nested = 0

    def add_quarantine(self, view: View, dump_date: str) -> None:
        columns = [*_SPAN, "kind", "stored_bytes", "document_id"]
        ref = view.state(dump_date).quarantine
        for batch in view.corpus.batches(ref, columns=columns, rows=BATCH_ROWS):
            places, starts, ends = self._spans(batch)
            inside = _numpy(batch["document_id"].is_valid())
            self._add_flow(places[~inside], starts[~inside], ends[~inside])
            np.add.at(self._inside, places[inside], (ends - starts)[inside])
            np.add.at(self._unread, places, _numpy(batch["stored_bytes"]))
            for kind, sums in self._kinds.items():
                mine = _numpy(pc.equal(batch["kind"], kind))
                np.add.at(sums, places[mine], (ends - starts)[mine])
            if inside.any():
                self._inner.append(batch.filter(batch["document_id"].is_valid()))

    def add_documents(self, view: View, dump_date: str) -> None:
        inner = pa.Table.from_batches(self._inner).combine_chunks() if self._inner else None
        wanted = id_bytes(inner["document_id"].chunk(0)) if inner else np.empty(0, "S16")
        for batch in view.verdicts(dump_date, ["document_id", *_SPAN]):
            places, starts, ends = self._spans(batch)
            self._add_flow(places, starts, ends)
            np.add.at(self._hulls, places, ends - starts)
            if inner:
                self._add_nested(inner, wanted, batch)

    def differences(self) -> Iterator[str]:
        hollow = sum(batch.num_rows for batch in self._inner) - self._nested
        if hollow:
            yield f"{hollow} quarantined spans name a document but do not lie inside its span"
        if self._flow[-1] or self._hulls[-1] or self._unread[-1]:
            yield "expected spans of the dump's files only, found spans of a file without books"
        chars = np.array([file.chars for file in self._files], np.int64)
        torn = self._flow[:-1] != _mix(np.zeros_like(chars)) - _mix(chars)
        for file, is_torn, documents, furniture, quarantine, unread in zip(
            self._files,
            torn,
            self._hulls - self._inside,
            self._kinds["furniture"],
            self._kinds["quarantine"],
            self._unread,
            strict=False,
        ):
            if is_torn:
                yield f"spans of {file.key} have gaps or overlap in its {file.chars} characters"
            expected = (file.document_chars, file.furniture_chars, file.quarantine_chars)
            found = (int(documents), int(furniture), int(quarantine))
            if expected != found or file.unread_bytes != unread:
                yield (
                    f"{file.key}: expected characters (document, furniture, quarantine) {expected} "
                    f"and {file.unread_bytes} unread bytes, found {found} and {unread}"
                )

    def _spans(self, batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        places = pc.fill_null(pc.index_in(batch["dump_file"], self._keys), len(self._files))
        return _numpy(places), _numpy(batch["char_start"]), _numpy(batch["char_end"])

    def _add_flow(self, places: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
        np.add.at(self._flow, places, _mix(starts) - _mix(ends))

    def _add_nested(self, inner: pa.Table, wanted: np.ndarray, batch: pa.RecordBatch) -> None:
        ids = id_bytes(batch["document_id"])
        order = np.argsort(ids)
        rows = np.searchsorted(ids, wanted, sorter=order)
        hits = np.flatnonzero(rows < len(ids))
        rows = order[rows[hits]]
        same = ids[rows] == wanted[hits]
        hits, rows = hits[same], rows[same]
        spans, hulls = inner.take(hits), batch.take(pa.array(rows))
        fits = pc.and_(
            pc.equal(spans["dump_file"], hulls["dump_file"]),
            pc.and_(
                pc.less_equal(hulls["char_start"], spans["char_start"]),
                pc.less_equal(spans["char_end"], hulls["char_end"]),
            ),
        )
        self._nested += pc.sum(fits).as_py() or 0


def _unbalanced(file: FileCounts) -> str:
    return (
        f"{file.key}: expected {file.stored_bytes} bytes = {file.read_bytes} read + "
        f"{file.unread_bytes} unread, and {file.chars} characters = {file.document_chars} in "
        f"documents + {file.furniture_chars} furniture + {file.quarantine_chars} quarantine"
    )


def _mix(values: np.ndarray) -> np.ndarray:
    """Hash positions to 64 bits (SplitMix64's finaliser), so that sums tell multisets apart."""
    mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _numpy(array: pa.Array) -> np.ndarray:
    values: np.ndarray = array.to_numpy(zero_copy_only=False)
    return values
