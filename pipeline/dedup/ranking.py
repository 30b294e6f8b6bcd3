"""What comes before the date in the order of documents: the rank that their dump's rule gives.

Holds: `Ranks`, `ranks`. Reads provenance of staged documents.
Not here: the rule (`model/rule.py`), what is done with the order (`graph.py`).

A rank is a number, less is better, and a function of the document and its dump's rule alone: the
place of its source in `source_priority` (behind all named ones if it has none), then, for
`longest`, the number of its tokens, most first. Documents of dumps without either have rank 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import IngestManifest
from pipeline.model.rule import Rule, places
from pipeline.model.schemas import STAGED_DOCUMENTS
from pipeline.storage import layout
from pipeline.storage.units import Corpus, concat

Array = npt.NDArray[Any]

_COLUMNS: Final = ["document_id", "source", "word_count", "content_hash"]
_PLACE: Final = 1 << 32
"""Above any number of tokens."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The documents of one dump by id."""

    ids: Array
    rank: npt.NDArray[np.int64]
    first: Array
    """The id of the first document in order of those of the dump with the same content."""

    def of(self, ids: Array) -> npt.NDArray[np.int64]:
        """Return the ranks of some documents, which must be there."""
        return self.rank[np.searchsorted(self.ids, ids)]

    def firsts(self, ids: Array) -> Array:
        """Return the first copies of some documents, which must be there."""
        return self.first[np.searchsorted(self.ids, ids)]


def ranks(corpus: Corpus, shards: Iterable[str], rule: Rule) -> Ranks:
    """Rank all documents of a dump, given its ingest units."""
    parts = []
    for shard in shards:
        manifest = corpus.load(layout.unit("ingest", shard), IngestManifest)
        parts.append(corpus.read(manifest.documents, columns=_COLUMNS))
    table = concat(parts, pa.schema([STAGED_DOCUMENTS.field(name) for name in _COLUMNS]))
    ids, hashes = id_bytes(table["document_id"]), id_bytes(table["content_hash"])
    rank = rank_of(table["source"], table["word_count"].to_numpy(), rule)
    first = ids[_first_copies(ids, hashes, rank)]
    order = np.argsort(ids, kind="stable")
    return Ranks(ids[order], rank[order], first[order])


def rank_of(source: pa.ChunkedArray | pa.Array, tokens: Array, rule: Rule) -> npt.NDArray[np.int64]:
    """Rank documents, given their columns."""
    rank = np.zeros(len(tokens), np.int64)
    if rule.source_priority:
        rank += np.int64(_PLACE) * np.asarray(places(source, rule))
    if rule.survivor == "longest":
        rank += _PLACE - 1 - tokens.astype(np.int64)
    return rank


def _first_copies(ids: Array, hashes: Array, rank: Array) -> Array:
    """Return the row of the first copy of each row's content."""
    order = np.lexsort((ids, rank, hashes))
    fresh = np.append(True, hashes[order][1:] != hashes[order][:-1])[: len(order)]
    first = np.empty(len(order), np.int64)
    first[order] = order[fresh][np.cumsum(fresh) - 1]
    return first
