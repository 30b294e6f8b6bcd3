"""Why a document is in the corpus, or why it is not.

Holds: `explain_document`, `explain_text`. Reads verdicts, staged documents, signatures.
Not here: printing (`cli/look.py`), how two texts are compared (`dedup/words.py`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.audit import lookup
from pipeline.dedup.words import compare
from pipeline.model.schemas import BANDS, PERMUTATIONS
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.signature import Signatures, sign, similarity
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Answer = dict[str, Any]

_PROVENANCE = ("title", "url", "member", "external_id", "line_start", "line_end", "char_count")
"""What is told of a document besides its verdict; nights of an older schema may not have all."""


def explain_document(corpus: Corpus, document_id: str) -> Answer:
    """Say where a document came from, whether it is published, and what made it redundant.

    Returns:
        `document` (verdict and provenance), `witness` (the same of the witness, or None) and
        `diff` (how both texts differ, word by word; None when there is no witness). Of a published
        document also `repeated` (its repeated paragraphs, removed ones included), `container`
        (the document that contains it, or None) and `containment`.
    """
    snapshot = snapshots.published(corpus)
    found = lookup.find_verdict(corpus, snapshot, document_id)
    state = snapshots.load_state(corpus, snapshot, found.dump_date)
    document = lookup.staged_document(corpus, state, found.verdict["document_id"])
    answer: Answer = {"document": _shown(found, document), "witness": None, "diff": None}
    witness_id = found.verdict["witness_id"]
    if witness_id is not None:
        witness = lookup.find_verdict(corpus, snapshot, witness_id)
        other = snapshots.load_state(corpus, snapshot, witness.dump_date)
        row = lookup.staged_document(corpus, other, witness_id)
        answer["witness"] = _shown(witness, row)
        answer["diff"] = asdict(compare(document["text"], row["text"]))
        return answer
    return answer | _passages(corpus, snapshot, state, document)


def explain_text(corpus: Corpus, text: str, *, threshold: float, limit: int = 5) -> list[Answer]:
    """Say what would become of a text that lands after everything else, and what is like it.

    Compares with every signature of every live dump: a question for people, not for pipelines.

    Args:
        corpus: what is published.
        text: any text.
        threshold: the least similarity of a duplicate in the night to come; dumps of a stricter
            one keep to theirs.
        limit: how many answers of each part.

    Returns:
        At most `limit` documents that the text would be a duplicate of, its witness first, then
        at most `limit` others that are as similar; the most similar first in each part. An answer
        has `duplicate`, `relation`, `similarity`, `document` and `diff`. The relations `exact` and
        `near` make the text a duplicate; `unpublished` (the document is itself a duplicate) and
        `unmet` (they share no band key, so nobody would compare them) do not. Without any
        duplicate the text would be published.
    """
    wanted = sign(pa.array([text]))
    snapshot = snapshots.published(corpus)
    hits: list[_Hit] = []
    for dump_date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, dump_date)
        stricter = max(threshold, snapshot.dumps[dump_date].threshold)
        hits += _judged(corpus, state, _alike(corpus, state, wanted, stricter))
    hits.sort(key=lambda hit: (-hit.similarity, *hit.order))
    witness = _witness_of_copy(corpus, snapshot, hits)
    if witness is not None:
        hits = [witness, *(hit for hit in hits if hit.document_id != witness.document_id)]
    chosen = [hit for hit in hits if hit.duplicate][:limit]
    chosen += [hit for hit in hits if not hit.duplicate][:limit]
    return [_shown_hit(corpus, snapshot, hit, text) for hit in chosen]


def _passages(
    corpus: Corpus, snapshot: Snapshot, state: DumpState, document: dict[str, Any]
) -> Answer:
    """Say what a published document shares with others of its night."""
    row = lookup.published_document(corpus, state, document["document_id"])
    removed = lookup.removed_paragraphs(corpus, state, document["document_id"])
    spans = removed or [
        (one["start"], one["end"], f"in {one['documents']} documents of the night")
        for one in row.get("repeated_spans") or ()
    ]
    repeated = [
        {"start": start, "end": end, "text": document["text"][start:end], "detail": detail}
        for start, end, detail in spans
    ]
    container = row.get("contained_in")
    shown = None
    if container is not None:
        found = lookup.find_verdict(corpus, snapshot, container)
        shown = _shown(found, lookup.staged_document(corpus, state, container))
    return {
        "repeated": repeated,
        "removed": bool(removed),
        "container": shown,
        "containment": row.get("containment"),
    }


@dataclass(frozen=True, slots=True)
class _Hit:
    """A document as similar to the text as duplicates are; `met`: they share a band key."""

    state: DumpState
    document_id: str
    similarity: float
    exact: bool
    met: bool
    kept: bool = False

    @property
    def order(self) -> tuple[str, str]:
        return self.state.dump_date, self.document_id

    @property
    def relation(self) -> str:
        if not self.kept:
            return "unpublished"
        if self.exact:
            return "exact"
        return "near" if self.met else "unmet"

    @property
    def duplicate(self) -> bool:
        return self.relation in {"exact", "near"}


def _judged(corpus: Corpus, state: DumpState, hits: list[_Hit]) -> list[_Hit]:
    """Look up which documents are published."""
    if not hits:
        return []
    wanted = pa.array([hit.document_id for hit in hits])
    kept: set[str] = set()
    for batch in corpus.batches(state.verdicts, columns=["document_id", "kept"], rows=65_536):
        ids = batch.column("document_id")
        kept.update(ids.filter(pc.and_(batch.column("kept"), pc.is_in(ids, wanted))).to_pylist())
    return [replace(hit, kept=hit.document_id in kept) for hit in hits]


def _witness_of_copy(corpus: Corpus, snapshot: Snapshot, hits: list[_Hit]) -> _Hit | None:
    """Return the witness that the text shares with its earliest copy, as deduplication decides."""
    copies = [hit for hit in hits if hit.exact]
    if not copies:
        return None
    first = min(copies, key=lambda hit: hit.order)
    if first.kept:
        return first
    verdict = lookup.find_verdict(corpus, snapshot, first.document_id).verdict
    found = lookup.find_verdict(corpus, snapshot, verdict["witness_id"])
    state = snapshots.load_state(corpus, snapshot, found.dump_date)
    return _Hit(
        state,
        verdict["witness_id"],
        similarity=verdict["similarity"],
        exact=False,
        met=True,
        kept=True,
    )


def _alike(corpus: Corpus, state: DumpState, wanted: Signatures, threshold: float) -> list[_Hit]:
    hits: list[_Hit] = []
    columns = ["document_id", "content_hash", "shingles", "band_keys", "minima"]
    for manifest in lookup.ingest_manifests(corpus, state):
        for batch in corpus.batches(manifest.signatures, columns=columns, rows=65_536):
            ids, hashes = (
                _matrix(batch.column(name), 16) for name in ("document_id", "content_hash")
            )
            scores = similarity(_matrix(batch.column("minima"), PERMUTATIONS), wanted.minima[0])
            signed = (batch.column("shingles").to_numpy() > 0) & (wanted.shingles[0] > 0)
            same = (hashes == wanted.content_hash[0]).all(axis=1)
            scores = np.where(same, np.float32(1), np.where(signed, scores, np.float32(0)))
            keys = _matrix(batch.column("band_keys"), BANDS * 8)
            met = (keys.view("<u8") == wanted.band_keys[0].view("<u8")).any(axis=1)
            for at in np.flatnonzero(scores >= np.float32(threshold)):
                score, exact = float(scores[at]), bool(same[at])
                hits.append(_Hit(state, ids[at].tobytes().hex(), score, exact, bool(met[at])))
    return hits


def _matrix(column: pa.Array, width: int) -> Any:
    data = np.frombuffer(column.buffers()[1], np.uint8)
    start = column.offset * width
    return data[start : start + len(column) * width].reshape(len(column), width)


def _shown_hit(corpus: Corpus, snapshot: Snapshot, hit: _Hit, text: str) -> Answer:
    found = lookup.find_verdict(corpus, snapshot, hit.document_id)
    row = lookup.staged_document(corpus, hit.state, hit.document_id)
    return {
        "duplicate": hit.duplicate,
        "relation": hit.relation,
        "similarity": hit.similarity,
        "document": _shown(found, row),
        "diff": asdict(compare(text, row["text"])),
    }


def _shown(found: lookup.Found, row: dict[str, Any]) -> Answer:
    kept = {name: row.get(name) for name in _PROVENANCE}
    return {"dump_date": found.dump_date, **found.verdict, **kept, "excerpt": row["text"][:300]}
