"""Reading signatures, index slices and edge files as arrays.

Holds: `DumpSignatures` (one dump's, by shard and row), `index_entries`, `fixed`, `check_range`.
Reads the corpus store. Not here: what is done with them (`matching.py`, `deciding.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dedup.entries import PREFIXES, Entries, entries, key_range
from pipeline.dedup.match import Signed
from pipeline.errors import ContractError
from pipeline.model.files import FileRef
from pipeline.model.manifest import IngestManifest
from pipeline.model.plan import KeyRange
from pipeline.model.schemas import BANDS, PERMUTATIONS, SIGNATURES
from pipeline.storage import layout
from pipeline.storage.units import Corpus, concat

Array = npt.NDArray[Any]

_ENTRY = ["document_id", "content_hash", "shingles", "band_keys"]
_SIGNED = ["document_id", "content_hash", "shingles", "minima"]


def fixed(column: pa.ChunkedArray | pa.Array, kind: str) -> Array:
    """View a column of fixed-size binaries as a numpy array of `kind`, one row a value."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    width = array.type.byte_width
    data = np.frombuffer(array.buffers()[1] or b"", np.uint8)
    data = data[array.offset * width : (array.offset + len(array)) * width]
    return np.ascontiguousarray(data).view(kind)


class DumpSignatures:
    """The signatures of one dump, found by (shard, row); nothing is kept between calls."""

    def __init__(self, corpus: Corpus, shards: Sequence[str]) -> None:
        """Bind to the ingest units `shards`, in plan order."""
        self.corpus = corpus
        self.manifests = [
            corpus.load(layout.unit("ingest", shard), IngestManifest) for shard in shards
        ]

    def entries(self, owned: KeyRange) -> Entries:
        """Compute the dump's keys in one key range, a shard at a time."""
        parts = []
        for shard, manifest in enumerate(self.manifests):
            table = self.corpus.read(manifest.signatures, columns=_ENTRY)
            parts.append(
                entries(
                    fixed(table["document_id"], "S16"),
                    fixed(table["content_hash"], "S16"),
                    bands=(
                        table["shingles"].to_numpy(),
                        fixed(table["band_keys"], "<u8").reshape(-1, BANDS),
                    ),
                    shard=shard,
                    owned=owned,
                )
            )
        return Entries.join(parts)

    def fetch(self, shards: Array, rows: Array) -> Signed:
        """Read the signatures at sorted (shard, row), opening only the row groups that hold one."""
        parts: list[pa.Table] = []
        for shard in np.unique(shards).tolist():
            parts.extend(self._rows(shard, rows[shards == shard], _SIGNED))
        table = concat(parts, pa.schema([SIGNATURES.field(name) for name in _SIGNED]))
        return Signed(
            fixed(table["document_id"], "S16"),
            fixed(table["content_hash"], "S16"),
            table["shingles"].to_numpy(),
            fixed(table["minima"], "u1").reshape(-1, PERMUTATIONS),
        )

    def compared(self, ids: Array) -> tuple[Array, Array]:
        """Read minima and band keys of documents of the dump, given by sorted id."""
        parts: list[pa.Table] = []
        for shard, manifest in enumerate(self.manifests):
            column = self.corpus.read(manifest.signatures, columns=["document_id"])["document_id"]
            rows = np.flatnonzero(np.isin(fixed(column, "S16"), ids))
            parts.extend(self._rows(shard, rows, ["document_id", "minima", "band_keys"]))
        table = pa.concat_tables(parts)
        order = np.argsort(fixed(table["document_id"], "S16"), kind="stable")
        minima = fixed(table["minima"], "u1").reshape(-1, PERMUTATIONS)
        return minima[order], fixed(table["band_keys"], "<u8").reshape(-1, BANDS)[order]

    def _rows(self, shard: int, rows: Array, columns: list[str]) -> Iterator[pa.Table]:
        path = self.corpus.store.fetch(self.manifests[shard].signatures, self.corpus.scratch)
        with pq.ParquetFile(path, memory_map=True) as file:
            begin = 0
            for group in range(file.num_row_groups):
                end = begin + file.metadata.row_group(group).num_rows
                wanted = rows[(rows >= begin) & (rows < end)] - begin
                if len(wanted):
                    yield file.read_row_group(group, columns=columns).take(wanted)
                begin = end


def index_entries(corpus: Corpus, slices: Sequence[FileRef], owned: KeyRange) -> Entries:
    """Read a dump's keys in one key range from its index, which may be cut differently.

    Raises:
        ContractError: a slice does not hold the range that its place in the index says.
    """
    parts = []
    for index, ref in enumerate(slices):
        part = key_range(index, len(slices))
        if part.low >= owned.high or part.high <= owned.low:
            continue
        table = _keys(corpus, ref, owned)
        bounds = {"low": str(part.low), "high": str(part.high)}
        found = {
            name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()
        }
        if {name: found.get(name) for name in bounds} != bounds:
            raise ContractError(
                f"{ref.key}: expected key range {bounds} as slice {index} of {len(slices)}, found "
                f"{found}. Run the dump again to rebuild its index."
            )
        read = Entries(*(table[name].to_numpy() for name in ("key", "shard", "row")))
        prefix = (read.key >> np.uint64(48)).astype(np.int64)
        parts.append(read.take((prefix >= owned.low) & (prefix < owned.high)))
    return Entries.concatenate(parts)  # slices are sorted, and in the order of their keys


def _keys(corpus: Corpus, ref: FileRef, owned: KeyRange) -> pa.Table:
    """Read the row groups of an index slice that may hold keys of a range."""
    with pq.ParquetFile(corpus.fetch(ref), memory_map=True) as file:
        groups = []
        for number in range(file.num_row_groups):
            told = file.metadata.row_group(number).column(0).statistics
            known = told is not None and told.has_min_max
            if not known or (told.min >> 48 < owned.high and told.max >> 48 >= owned.low):
                groups.append(number)
        return file.read_row_groups(groups, use_threads=False)


def check_range(owned: KeyRange, count: int) -> None:
    """Refuse a plan whose key ranges are not the equal slices that readers of its index expect."""
    expected = key_range(owned.index, count)
    if owned != expected:
        raise ContractError(
            f"plan: expected key range {expected} of {count} over {PREFIXES} prefixes, found "
            f"{owned}. Plan the run again with this version of Winnow."
        )
