"""The published documents of one dump, shard by shard, and their passages by slices of hashes.

Holds: `Published`. Reads verdicts, staged documents without their texts, and passage runs.
Not here: what passages are counted for (`repeats.py`, `containment.py`), writing (`passages.py`).

Documents are numbered through the shards in order: by dump file and place in it, however the dump
is packed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dedup.reader import fixed
from pipeline.model.files import FileRef
from pipeline.model.id_columns import among, id_bytes
from pipeline.model.manifest import IngestManifest, TouchedDump
from pipeline.storage import layout
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

SLICE_ROWS: Final = 1 << 22
"""Passages at hand at once."""

_VERDICT_ROWS: Final = 1 << 18


class Published:
    """The documents of a dump by number: which are published, their sources, their words."""

    def __init__(self, corpus: Corpus, dump: TouchedDump) -> None:
        """Read all but texts."""
        self._corpus = corpus
        self.manifests = [
            corpus.load(layout.unit("ingest", shard), IngestManifest) for shard in dump.shards
        ]
        rows = [manifest.documents.rows for manifest in self.manifests]
        self.first = np.append(0, np.cumsum(rows)).astype(np.int64)
        self.source, self.words = self._facts()
        self.kept = self._kept(dump.verdicts)

    def ids(self, numbers: Array) -> pa.Array:
        """Return the ids of documents given by number, in any order."""
        found = np.empty(len(numbers), object)
        for shard, manifest in enumerate(self.manifests):
            mine = (numbers >= self.first[shard]) & (numbers < self.first[shard + 1])
            if mine.any():
                column = self._corpus.read(manifest.documents, columns=["document_id"]).column(0)
                found[mine] = column.take(pa.array(numbers[mine] - self.first[shard])).to_pylist()
        return pa.array(found, pa.string())

    def slices(
        self, table: str, columns: list[str], *, bits: int, rows: int = SLICE_ROWS
    ) -> Iterator[tuple[Array, ...]]:
        """Yield the passages of published documents in slices of their hashes.

        Args:
            table: `paragraphs` or `samples`.
            columns: the hash, `row` and others; `row` becomes the number of the document.
            bits: hashes are below `2 ** bits`.
            rows: about how many passages a slice has.

        Yields:
            The columns, each as one array; inside a document the order is that of the text.
        """
        refs: list[FileRef] = [getattr(manifest, table) for manifest in self.manifests]
        total = max(1, sum(ref.rows for ref in refs))
        cuts = max(0, (-(-total // rows) - 1).bit_length())
        for number in range(1 << cuts):
            low, high = number << (bits - cuts), (number + 1) << (bits - cuts)
            parts = [
                part
                for shard, ref in enumerate(refs)
                for part in self._slice(shard, ref, columns, span=(low, high - 1))
            ]
            if parts:
                yield tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def _slice(
        self, shard: int, ref: FileRef, columns: list[str], *, span: tuple[int, int]
    ) -> Iterator[list[Array]]:
        low, high = np.uint64(span[0]), np.uint64(span[1])
        kept = self.kept[self.first[shard] : self.first[shard + 1]]
        with pq.ParquetFile(self._corpus.fetch(ref), memory_map=True) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group)
                known = rows.column(0).statistics
                if not rows.num_rows or known.max < low or known.min > high:
                    continue
                read = file.read_row_group(group, columns=columns)
                values = [column.to_numpy() for column in read.columns]
                wanted = (values[0] >= low) & (values[0] <= high) & kept[values[1]]
                chosen = [column[wanted] for column in values]
                chosen[1] = chosen[1].astype(np.int64) + self.first[shard]
                yield chosen

    def _facts(self) -> tuple[Array, Array]:
        """Return the source of each document, as a number, and its words."""
        names: dict[str, int] = {}
        sources, words = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for manifest in self.manifests:
            table = self._corpus.read(manifest.documents, columns=["source", "word_count"])
            for chunk in table["source"].chunks:
                encoded = chunk.dictionary_encode()
                codes = [
                    names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()
                ]
                sources.append(np.array(codes, np.int32)[encoded.indices.to_numpy()])
            words.append(table["word_count"].to_numpy())
        return np.concatenate(sources), np.concatenate(words)

    def _kept(self, verdicts: FileRef) -> npt.NDArray[np.bool_]:
        """Say of each document whether its verdict is to keep it."""
        columns = ["document_id", "kept"]
        kept = (
            id_bytes(batch.column("document_id").filter(batch.column("kept")))
            for batch in self._corpus.batches(verdicts, columns=columns, rows=_VERDICT_ROWS)
        )
        wanted = np.sort(np.concatenate([np.empty(0, "S16"), *kept]))
        found = [np.empty(0, np.bool_)]
        for manifest in self.manifests:
            ids = fixed(
                self._corpus.read(manifest.signatures, columns=["document_id"]).column(0), "S16"
            )
            found.append(among(ids, wanted))
        return np.concatenate(found)
