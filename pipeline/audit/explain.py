"""Why a document is in the corpus, or why it is not.

Holds: `explain_document`, `shown`, `tombstone_shown`. Reads verdicts, staged and published
documents, and tombstones.
Not here: texts that did not land (`would_be.py`), printing (`cli/look.py`), how two texts are
compared (`dedup/words.py`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pyarrow.compute as pc

from pipeline.audit import lookup
from pipeline.dedup.words import compare
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.publish.erase import WRITTEN
from pipeline.storage import snapshots, tombstones
from pipeline.storage.units import Corpus

Answer = dict[str, Any]

_PROVENANCE = ("title", "url", "member", "external_id", "line_start", "line_end", "char_count")
"""What is told of a document besides its verdict; nights of an older schema may not have all."""


def explain_document(corpus: Corpus, document_id: str) -> Answer:
    """Say where a document came from, whether it is published, and what made it redundant.

    Returns:
        `document` (verdict and provenance), `witness` (the same of the witness, or None) and
        `diff` (how both texts differ, word by word; None when there is no witness). Of one that is
        taken down `tombstone` (who, when, why), and nothing of the text. Of a published
        document also `repeated` (its repeated paragraphs, removed ones included), `container`
        (the document that contains it, or None) and `containment`.
    """
    snapshot = snapshots.published(corpus)
    found = lookup.find_verdict(corpus, snapshot, document_id)
    state = snapshots.load_state(corpus, snapshot, found.dump_date)
    document = lookup.staged_document(corpus, state, found.verdict["document_id"])
    answer: Answer = {"document": shown(found, document), "witness": None, "diff": None}
    if found.verdict["reason"] == TAKEN_DOWN:
        stone = tombstone_shown(corpus, snapshot, found.verdict["tombstone_id"])
        return answer | {"tombstone": stone}
    witness_id = found.verdict["witness_id"]
    if witness_id is not None:
        witness = lookup.find_verdict(corpus, snapshot, witness_id)
        other = snapshots.load_state(corpus, snapshot, witness.dump_date)
        row = lookup.staged_document(corpus, other, witness_id)
        answer["witness"] = shown(witness, row)
        answer["diff"] = asdict(compare(document["text"], row["text"]))
        return answer
    return answer | _passages(corpus, snapshot, state, document)


def tombstone_shown(corpus: Corpus, snapshot: Snapshot, tombstone_id: str) -> dict[str, Any]:
    """Return the take-down in force with this id."""
    table = tombstones.active(tombstones.load(corpus, snapshot))
    row = table.filter(pc.equal(table["tombstone_id"], tombstone_id))
    told = ("tombstone_id", "document_id", "taken_down_at", "taken_down_by", "reason")
    return {name: row[name][0].as_py() for name in told}


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
    holder = None
    if container is not None:
        found = lookup.find_verdict(corpus, snapshot, container)
        holder = shown(found, lookup.staged_document(corpus, state, container))
    return {
        "repeated": repeated,
        "removed": bool(removed),
        "container": holder,
        "containment": row.get("containment"),
    }


def shown(found: lookup.Found, row: dict[str, Any]) -> Answer:
    """Return what is told of a document."""
    down = found.verdict["reason"] == TAKEN_DOWN
    kept = {name: None if down and name in WRITTEN else row.get(name) for name in _PROVENANCE}
    excerpt = "" if down else row["text"][:300]
    return {"dump_date": found.dump_date, **found.verdict, **kept, "excerpt": excerpt}
