"""Why a document is in the corpus, or why it is not.

Holds: `explain_document`, `explain_text`. Reads verdicts, staged documents, signatures.
Not here: printing (`cli/look.py`), how two texts are compared (`dedup/explain.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.audit import lookup
from pipeline.dedup import explain as comparing
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.signature import Signatures, sign, similarity
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Answer = dict[str, Any]


def explain_document(corpus: Corpus, document_id: str) -> Answer:
    """Say where a document came from, whether it is published, and what made it redundant.

    Returns:
        `document` (verdict and provenance), `witness` (the same of the witness, or None) and
        `diff` (lines of a readable comparison; empty when there is no witness).
    """
    snapshot = snapshots.current(corpus)
    found = lookup.find_verdict(corpus, snapshot, document_id)
    state = snapshots.load_state(corpus, snapshot, found.dump_date)
    document = lookup.staged_document(corpus, state, found.verdict["document_id"])
    answer: Answer = {"document": _shown(found, document), "witness": None, "diff": []}
    witness_id = found.verdict["witness_id"]
    if witness_id is not None:
        witness = lookup.find_verdict(corpus, snapshot, witness_id)
        other = snapshots.load_state(corpus, snapshot, witness.dump_date)
        row = lookup.staged_document(corpus, other, witness_id)
        answer["witness"] = _shown(witness, row)
        answer["diff"] = comparing.explain(document["text"], row["text"]).diff
    return answer


def explain_text(corpus: Corpus, text: str, *, threshold: float, limit: int = 5) -> list[Answer]:
    """Say which documents of the corpus a text would be a duplicate of, most similar first.

    Compares with every signature of every live dump: a question for people, not for pipelines.
    """
    wanted = sign(pa.array([text]))
    snapshot = snapshots.current(corpus)
    hits: list[tuple[float, str, DumpState]] = []
    for dump_date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, dump_date)
        hits += [(score, one, state) for score, one in _alike(corpus, state, wanted, threshold)]
    hits.sort(key=lambda hit: (-hit[0], hit[2].dump_date, hit[1]))
    return [_hit(corpus, snapshot, hit, text) for hit in hits[:limit]]


def _alike(
    corpus: Corpus, state: DumpState, wanted: Signatures, threshold: float
) -> list[tuple[float, str]]:
    hits: list[tuple[float, str]] = []
    columns = ["document_id", "content_hash", "shingles", "minima"]
    for manifest in lookup.ingest_manifests(corpus, state):
        for batch in corpus.batches(manifest.signatures, columns=columns, rows=65_536):
            ids, hashes = (
                _matrix(batch.column(name), 16) for name in ("document_id", "content_hash")
            )
            scores = similarity(_matrix(batch.column("minima"), 128), wanted.minima[0])
            signed = batch.column("shingles").to_numpy() > 0
            scores = np.where(signed & (wanted.shingles[0] > 0), scores, np.float32(0))
            scores[(hashes == wanted.content_hash[0]).all(axis=1)] = 1.0
            hits += [
                (float(scores[at]), ids[at].tobytes().hex()) for at in _at_least(scores, threshold)
            ]
    return hits


def _at_least(scores: Any, threshold: float) -> list[int]:
    return [int(at) for at in np.flatnonzero(scores >= np.float32(threshold))]


def _matrix(column: pa.Array, width: int) -> Any:
    data = np.frombuffer(column.buffers()[1], np.uint8)
    start = column.offset * width
    return data[start : start + len(column) * width].reshape(len(column), width)


def _hit(
    corpus: Corpus, snapshot: Snapshot, hit: tuple[float, str, DumpState], text: str
) -> Answer:
    score, document_id, state = hit
    found = lookup.find_verdict(corpus, snapshot, document_id)
    row = lookup.staged_document(corpus, state, document_id)
    shown = _shown(found, row)
    return {
        "similarity": score,
        "document": shown,
        "diff": comparing.explain(text, row["text"]).diff,
    }


def _shown(found: lookup.Found, row: dict[str, Any]) -> Answer:
    kept = {name: row[name] for name in ("title", "url", "line_start", "line_end", "char_count")}
    return {"dump_date": found.dump_date, **found.verdict, **kept, "excerpt": row["text"][:300]}
