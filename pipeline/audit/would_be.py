"""What would become of a text that has not landed.

Holds: `explain_text`, `Landing`. Reads signatures and verdicts of every live dump.
Not here: documents that did land (`explain.py`), printing (`cli/look.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.audit import lookup
from pipeline.audit.explain import Answer, shown, tombstone_shown
from pipeline.dedup.ranking import rank_of, ranks
from pipeline.dedup.taken import Tombs
from pipeline.dedup.words import compare
from pipeline.model.id_columns import id_texts
from pipeline.model.rule import Rule, in_scope, stricter
from pipeline.model.schemas import BANDS, PERMUTATIONS, TAKEN_DOWN
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.signature import Signatures, sign, similarity
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

_COLUMNS = ["document_id", "content_hash", "shingles", "band_keys", "minima"]
_BEHIND_IDS = "g"
"""After any hexadecimal id: the text comes last of its night and rank."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Where and under which rule a text would land; no date is the day after the newest night."""

    rule: Rule
    dump_date: str = ""
    source: str = ""


def explain_text(corpus: Corpus, text: str, landing: Landing, *, limit: int = 5) -> list[Answer]:
    """Say what would become of a text, and what is like it.

    Compares with every signature of every live dump: a question for people, not for pipelines.

    Args:
        corpus: what is published.
        text: any text.
        landing: where it would land. Of two dumps with different rules the stricter threshold and
            the narrower scope count.
        limit: how many answers of each part.

    Returns:
        At most `limit` documents that the text would be a duplicate of, its witness first, then
        at most `limit` others that are as similar; the most similar first in each part. An answer
        has `duplicate`, `relation`, `similarity`, `document` and `diff`. The relations `exact` and
        `near` make the text a duplicate. The others do not: `unpublished` (the document is itself
        a duplicate), `out_of_scope` (their nights are not compared), `unmet` (they share no band
        key, so nobody would compare them) and `later` (the text comes before the document in the
        order of who stays). Without any duplicate the text would be published, and the `later`
        ones retracted. A text that is like what is taken down has one answer: `taken_down`, with
        no document and no diff.
    """
    snapshot = snapshots.published(corpus)
    asked = _Asked.of(snapshot, text, landing)
    if down := _taken_down(corpus, snapshot, asked):
        return [down]
    hits: list[_Hit] = []
    for dump_date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, dump_date)
        rule = snapshot.dumps[dump_date].rule
        found = _alike(corpus, state, asked.signed, stricter(asked.rule, rule))
        hits += _placed(corpus, asked, rule, _judged(corpus, state, list(found)))
    hits.sort(key=lambda hit: (-hit.similarity, *hit.order))
    witness = _witness_of_copy(corpus, snapshot, asked, hits)
    if witness is not None:
        hits = [witness, *(hit for hit in hits if hit.document_id != witness.document_id)]
    chosen = [hit for hit in hits if hit.duplicate][:limit]
    chosen += [hit for hit in hits if not hit.duplicate][:limit]
    return [_shown_hit(corpus, snapshot, hit, text) for hit in chosen]


def _taken_down(corpus: Corpus, snapshot: Snapshot, asked: _Asked) -> Answer:
    """Return the answer for a text that a tombstone covers; empty for others."""
    tombs, signed = Tombs.load(corpus, snapshot), asked.signed
    which, score = tombs.cover(signed.content_hash, signed.shingles, signed.minima)
    if which[0] < 0:
        return {}
    stone = id_texts(tombs.ids[which])[0].as_py()
    return {
        "duplicate": False,
        "relation": TAKEN_DOWN,
        "similarity": float(score[0]),
        "tombstone": tombstone_shown(corpus, snapshot, stone),
        "document": None,
        "diff": None,
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    """The text, as if it had landed."""

    signed: Signatures
    rule: Rule
    dump_date: str
    rank: int

    @staticmethod
    def of(snapshot: Snapshot, text: str, landing: Landing) -> _Asked:
        signed = sign(pa.array([text]))
        source = pa.chunked_array([[landing.source]])
        rank = int(rank_of(source, signed.tokens, landing.rule)[0])
        after = date.fromisoformat(max(snapshot.dumps)) + timedelta(days=1)
        return _Asked(signed, landing.rule, landing.dump_date or after.isoformat(), rank)

    def meets(self, dump_date: str, rule: Rule) -> bool:
        """Say whether documents of a dump are compared with the text at all."""
        return in_scope((dump_date, rule), (self.dump_date, self.rule))


@dataclass(frozen=True, slots=True)
class _Hit:
    """A document as similar to the text as duplicates are; `met`: they share a band key."""

    state: DumpState
    document_id: str
    similarity: float
    exact: bool
    met: bool
    kept: bool = False
    rank: int = 0
    scoped: bool = True
    earlier: bool = True

    @property
    def order(self) -> tuple[int, str, str]:
        return self.rank, self.state.dump_date, self.document_id

    @property
    def relation(self) -> str:
        against = (
            ("unpublished", not self.kept),
            ("out_of_scope", not self.scoped),
            ("unmet", not (self.met or self.exact)),
            ("later", not self.earlier),
        )
        return next((name for name, so in against if so), "exact" if self.exact else "near")

    @property
    def duplicate(self) -> bool:
        return self.relation in {"exact", "near"}


def _judged(corpus: Corpus, state: DumpState, hits: list[_Hit]) -> list[_Hit]:
    """Look up which documents are published; leave out those that are taken down."""
    if not hits:
        return []
    wanted = pa.array([hit.document_id for hit in hits])
    kept: set[str] = set()
    down: set[str] = set()
    columns = ["document_id", "kept", "reason"]
    for batch in corpus.batches(state.verdicts, columns=columns, rows=65_536):
        mine = batch.filter(pc.is_in(batch["document_id"], wanted))
        kept.update(mine["document_id"].filter(mine["kept"]).to_pylist())
        gone = pc.equal(mine["reason"], TAKEN_DOWN)
        down.update(mine["document_id"].filter(gone).to_pylist())
    left = [hit for hit in hits if hit.document_id not in down]
    return [replace(hit, kept=hit.document_id in kept) for hit in left]


def _placed(corpus: Corpus, asked: _Asked, rule: Rule, hits: list[_Hit]) -> Iterator[_Hit]:
    """Look up how documents of one dump stand to the text: in scope, and before it in order."""
    rank = [0] * len(hits)
    if rule.ranked and hits:
        wanted = b"".join(bytes.fromhex(hit.document_id) for hit in hits)
        found = ranks(corpus, hits[0].state.shards, rule)
        rank = found.of(np.frombuffer(wanted, "S16")).tolist()
    text = (asked.rank, asked.dump_date, _BEHIND_IDS)
    for hit, value in zip(hits, rank, strict=True):
        ranked = replace(hit, rank=value, scoped=asked.meets(hit.state.dump_date, rule))
        yield replace(ranked, earlier=ranked.order < text)


def _witness_of_copy(
    corpus: Corpus, snapshot: Snapshot, asked: _Asked, hits: list[_Hit]
) -> _Hit | None:
    """Return the witness that the text has for its copies' sake, as deduplication decides.

    That is its earliest published copy, else the witness of its earliest dropped one, if in scope.
    """
    copies = [hit for hit in hits if hit.exact and hit.scoped and hit.earlier]
    if not copies:
        return None
    first = min(copies, key=lambda hit: (not hit.kept, *hit.order))
    if first.kept:
        return first
    verdict = lookup.find_verdict(corpus, snapshot, first.document_id).verdict
    found = lookup.find_verdict(corpus, snapshot, verdict["witness_id"])
    if not asked.meets(found.dump_date, snapshot.dumps[found.dump_date].rule):
        return None
    state = snapshots.load_state(corpus, snapshot, found.dump_date)
    score = verdict["similarity"]
    return _Hit(state, verdict["witness_id"], score, exact=False, met=True, kept=True)


def _alike(
    corpus: Corpus, state: DumpState, wanted: Signatures, threshold: float
) -> Iterator[_Hit]:
    for manifest in lookup.ingest_manifests(corpus, state):
        for batch in corpus.batches(manifest.signatures, columns=_COLUMNS, rows=65_536):
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
                yield _Hit(state, ids[at].tobytes().hex(), score, exact, bool(met[at]))


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
        "document": shown(found, row),
        "diff": asdict(compare(text, row["text"])),
    }
