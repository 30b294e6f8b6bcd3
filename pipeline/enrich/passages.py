"""What published rows say of passages that they share, and texts without repeated paragraphs.

Holds: `SharedPassages`. Reads what `dedup/passages.py` found of one shard.
Not here: finding it, cutting texts (`spans.py`), writing rows (`runs.py`).

Signatures, verdicts and ids are of the text as it was split; nothing here changes them. Where
paragraphs were taken out, the text, its hash and its counts are of what is left. A text of which
no word would be left keeps its paragraphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.enrich.spans import Spans, without
from pipeline.model.manifest import ShardPassages
from pipeline.model.schemas import PASSAGE_COLUMNS, QUARANTINE
from pipeline.signature import Signatures, sign
from pipeline.storage.units import Corpus, concat

Array = npt.NDArray[Any]

REASON: Final = "repeated_paragraph"
EXCERPT: Final = 200

_SPANS, _SHARE, *_CONTAINED = PASSAGE_COLUMNS


class SharedPassages:
    """The passages of one shard's published documents; what it took out is its mutable state."""

    def __init__(self, corpus: Corpus, passages: ShardPassages | None, *, remove: bool) -> None:
        """Read what was found of the shard; None: nothing was looked for."""
        repeats = passages.repeats if passages else None
        contained = passages.contained if passages else None
        self._repeats = corpus.read(repeats).combine_chunks() if repeats else None
        self._contained = corpus.read(contained).combine_chunks() if contained else None
        self._remove = remove
        self._removed: list[pa.Table] = []

    def describe(self, documents: pa.RecordBatch, rows: Array) -> pa.RecordBatch:
        """Return the documents, which are `rows` of the shard, with the columns of passages."""
        documents, columns = self._repeated(documents, rows)
        nothing = pa.nulls(len(rows))
        for field in _CONTAINED:
            if self._contained is None:
                columns[field.name] = nothing.cast(field.type)
            else:
                place = pc.index_in(pa.array(rows, pa.uint32()), self._contained["row"])
                columns[field.name] = self._contained[field.name].take(place).combine_chunks()
        for field in PASSAGE_COLUMNS:
            documents = documents.append_column(field, columns[field.name])
        return documents

    def removed(self) -> pa.Table | None:
        """Return the records of what was taken out, None when nothing was."""
        return concat(self._removed, QUARANTINE) if self._removed else None

    def _repeated(
        self, documents: pa.RecordBatch, rows: Array
    ) -> tuple[pa.RecordBatch, dict[str, pa.Array]]:
        if self._repeats is None:
            nothing = pa.nulls(len(rows))
            return documents, {field.name: nothing.cast(field.type) for field in (_SPANS, _SHARE)}
        spans = Spans.of(self._repeats, rows)
        size = np.maximum(documents["char_count"].to_numpy(), 1)
        share = (spans.lengths() / size).astype(np.float32)
        if self._remove:
            documents, spans = self._shortened(documents, spans)
        return documents, {_SPANS.name: spans.lists(), _SHARE.name: pa.array(share)}

    def _shortened(self, documents: pa.RecordBatch, spans: Spans) -> tuple[pa.RecordBatch, Spans]:
        """Take repeated paragraphs out; a Python loop, at a thousandth of the annotators' cost."""
        having = np.flatnonzero(np.diff(spans.offsets))
        texts = documents["text"].take(pa.array(having)).to_pylist()
        shorter = [
            without(text, spans.pairs(row))
            for text, row in zip(texts, having.tolist(), strict=True)
        ]
        signed = sign(pa.array(shorter, pa.string()))
        left = np.flatnonzero(signed.tokens)
        gone = np.zeros(documents.num_rows, np.bool_)
        gone[having[left]] = True
        if gone.any():
            self._removed.append(_records(documents, spans, gone))
            documents = _replaced(documents, gone, [shorter[at] for at in left], signed=signed)
        return documents, spans.drop(gone)


def _replaced(
    documents: pa.RecordBatch, gone: Array, texts: list[str], *, signed: Signatures
) -> pa.RecordBatch:
    """Put in the shorter texts, with the counts and hashes that are theirs."""
    left = np.flatnonzero(signed.tokens)
    values: Mapping[str, pa.Array] = {
        "text": pa.array(texts, pa.string()),
        "content_hash": pa.array([signed.content_hash[at].tobytes().hex() for at in left]),
        "char_count": pa.array([len(text) for text in texts], pa.int32()),
        "word_count": pa.array(signed.tokens[left], pa.int32()),
    }
    columns = {name: documents[name] for name in documents.schema.names}
    for name, column in values.items():
        columns[name] = pc.replace_with_mask(columns[name], pa.array(gone), column)
    return pa.RecordBatch.from_pydict(columns, documents.schema)


def _records(documents: pa.RecordBatch, spans: Spans, gone: Array) -> pa.Table:
    """Return a row of furniture for each paragraph taken out.

    In the dump file they have no span of their own, for a text is normalised: their place there is
    the first character of the document, which stays in the books as a whole.
    """
    chosen = np.flatnonzero(gone[spans.owner])
    start, end, counts = (part[chosen] for part in (spans.start, spans.end, spans.documents))
    owners = documents.take(pa.array(spans.owner[chosen]))
    columns = {name: owners[name] for name in owners.schema.names if name in QUARANTINE.names}
    texts = zip(owners["text"], start, end, strict=True)
    columns |= {
        "char_end": owners["char_start"],
        "line_end": owners["line_start"],
        "kind": pa.repeat("furniture", len(chosen)),
        "reason": pa.repeat(REASON, len(chosen)),
        "detail": pa.array([f"in {count} documents of the night" for count in counts]),
        "stored_bytes": pa.array(np.zeros(len(chosen), np.int64)),
        "excerpt": pa.array([text.as_py()[low:high][:EXCERPT] for text, low, high in texts]),
        "text_start": pa.array(start),
        "text_end": pa.array(end),
    }
    for field in QUARANTINE:
        columns.setdefault(field.name, pa.nulls(len(chosen), field.type))
    return pa.table([columns[name] for name in QUARANTINE.names], schema=QUARANTINE)
