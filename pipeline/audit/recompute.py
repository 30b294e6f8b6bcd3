"""What the promises say, computed again from what is stored.

Holds: `texts`, `nothing_twice`, `witnesses`, `verdicts`, `quiet_nights`. Reads staged and published
texts, and signatures through `signed.py`. Not here: in which order, and what happens when something
cannot be read (`verify.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.audit import signed as reading
from pipeline.audit.anew import decide
from pipeline.audit.lookup import ingest_manifests
from pipeline.audit.signed import Array, Signed
from pipeline.dedup.apart import Standing
from pipeline.dedup.settle import REASONS, UNIQUE
from pipeline.dedup.taken import Tombs
from pipeline.model.finding import Finding, broken
from pipeline.model.id_columns import id_texts
from pipeline.model.manifest import IngestManifest
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.model.snapshot import DumpState
from pipeline.publish.erase import taken_rows
from pipeline.signature import Signatures, pair_similarity, sign
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

SWEEP = "`winnow takedown --sweep` erases them"
_SHOWN = 5
_BATCH_ROWS = 2048
_SIGNED = ("content_hash", "band_keys", "minima", "shingles")


def texts(corpus: Corpus, state: DumpState) -> Iterator[Finding]:
    """Sign the staged and published texts of a dump again (promises 1 and 4).

    What is taken down has no text left (promise 7).
    """
    date = state.dump_date
    down = pa.array([], pa.string())
    if state.counts.taken_down:
        down = taken_rows(corpus, state.verdicts)["document_id"].combine_chunks()
    for manifest in ingest_manifests(corpus, state):
        for promise, trouble in _staged(corpus, manifest, down):
            yield broken(promise, f"{date}, shard {manifest.fingerprint}: {trouble}")
    for part in state.documents:
        wrong = 0
        for ref in part.files:
            columns = ["text", "content_hash"]
            for batch in corpus.batches(ref, columns=columns, rows=_BATCH_ROWS):
                wrong += _other_hashes(batch, sign(batch["text"]))
        if wrong:
            yield broken(1, f"{date}/{part.language}: {wrong} texts have another content hash")


def _staged(corpus: Corpus, manifest: IngestManifest, down: pa.Array) -> Iterator[tuple[int, str]]:
    """Compare a shard's texts with their content hashes and, row by row, with the signatures.

    Those of `down` must be blank.
    """
    stored = corpus.read(manifest.signatures).combine_chunks()
    signatures, ids = reading.signatures(stored), reading.hexes(stored["document_id"])
    rows, hashes, wrong, shown = 0, 0, 0, 0
    columns = ["document_id", "text", "content_hash"]
    for batch in corpus.batches(manifest.documents, columns=columns, rows=_BATCH_ROWS):
        here = slice(rows, rows + batch.num_rows)
        rows += batch.num_rows
        again = sign(batch["text"])
        gone = pc.is_in(batch["document_id"], down)
        shown += pc.sum(pc.and_(gone, pc.not_equal(batch["text"], ""))).as_py() or 0
        left = gone.to_numpy(zero_copy_only=False)
        hashes += _other_hashes(batch, again, left)
        if rows <= len(ids):
            same = np.array(ids[here]) == np.array(batch["document_id"].to_pylist())
            fits = same & (_same(signatures, again, here) | left)
            wrong += int(np.count_nonzero(~fits))
    if rows != len(ids):
        yield 4, f"expected {rows} signatures, one a document, found {len(ids)}"
    if hashes:
        yield 4, f"{hashes} staged texts have another content hash"
    if wrong:
        yield 4, f"{wrong} stored signatures are not those of their texts"
    if shown:
        yield 7, f"{shown} texts that are taken down are still staged; {SWEEP}"


def _same(stored: Signatures, again: Signatures, rows: slice) -> Array:
    """Say of each row whether all that was stored is what the text gives now."""
    equal = np.ones(len(again), np.bool_)
    for name in _SIGNED:
        one = getattr(stored, name)[rows] == getattr(again, name)
        equal &= one.reshape(len(again), -1).all(axis=1)
    return equal


def _other_hashes(batch: pa.RecordBatch, again: Signatures, left: Array | None = None) -> int:
    told = np.array(batch["content_hash"].to_pylist())
    differs = told != np.array([row.tobytes().hex() for row in again.content_hash])
    return int(np.count_nonzero(differs if left is None else differs & ~left))


def tombstones_cover(documents: Signed, tombs: Tombs) -> Iterator[Finding]:
    """Compare each document with each tombstone again (promise 7)."""
    signed = documents.signatures
    which, score = tombs.cover(signed.content_hash, signed.shingles, signed.minima)
    down, covered = documents.reason == TAKEN_DOWN, which >= 0
    yield from _some(7, documents.names[covered & ~down], "is like what is taken down, and is not")
    yield from _some(7, documents.names[down & ~covered], "is taken down by no tombstone in force")
    names = np.array(id_texts(tombs.ids).to_pylist() or [reading.NO_WITNESS])
    both = np.flatnonzero(covered & down)
    other = names[which[both]] != documents.witness[both]
    other |= score[both] != documents.similarity[both]
    yield from _some(7, documents.names[both[other]], "names another tombstone than the nearest")


def nothing_twice(documents: Signed, standing: Standing) -> Iterator[Finding]:
    """Match the kept documents among themselves, as far as they are in scope (promise 2)."""
    rows = np.flatnonzero(documents.kept)
    state = decide(reading.take(documents.signatures, rows), standing.among(rows))
    again = np.flatnonzero(state.reason != UNIQUE)
    for row in again[:_SHOWN]:
        twin = documents.names[rows[state.witness[row]]]
        score = float(state.similarity[row])
        yield broken(
            2, f"{documents.names[rows[row]]} is published and {score:.3f} similar to {twin}"
        )
    if len(again) > _SHOWN:
        yield broken(2, f"{len(again)} published documents are similar to another in all")


def witnesses(documents: Signed, standing: Standing) -> Iterator[Finding]:
    """Look up each witness and compare signatures again (promise 3)."""
    if not len(documents.names):
        return
    dropped = np.flatnonzero(~documents.kept & (documents.reason != TAKEN_DOWN))
    place = np.searchsorted(documents.names, documents.witness[dropped])
    place = np.minimum(place, len(documents.names) - 1)
    there = documents.names[place] == documents.witness[dropped]
    sound = there & documents.kept[place] & standing.before(place, dropped)
    yield from _some(3, documents.names[dropped[~sound]], "has no earlier published witness")
    far = sound & ~standing.in_scope(place, dropped)
    yield from _some(3, documents.names[dropped[far]], "has a witness out of scope")
    rows, witnesses = dropped[sound], place[sound]
    signatures = documents.signatures
    pairs = np.stack([rows, witnesses], axis=1)
    score = pair_similarity(signatures.minima, signatures.minima, pairs)
    same = (signatures.content_hash[rows] == signatures.content_hash[witnesses]).all(axis=1)
    score[same] = 1.0
    differs = score != documents.similarity[rows]
    yield from _some(3, documents.names[rows[differs]], "has another similarity than stated")


def verdicts(documents: Signed, standing: Standing) -> Iterator[Finding]:
    """Decide all documents at once, from their signatures alone (promise 4).

    Those that are taken down are left out, as if they had never come.
    """
    rows = np.flatnonzero(documents.reason != TAKEN_DOWN)
    state = decide(reading.take(documents.signatures, rows), standing.among(rows))
    reasons = np.array(REASONS)[state.reason]
    names, kept = documents.names[rows], documents.kept[rows]
    witness = np.where(state.witness >= 0, names[state.witness], reading.NO_WITNESS)
    differs = (
        ((state.reason == UNIQUE) != kept)
        | (reasons != documents.reason[rows])
        | (witness != documents.witness[rows])
        | (np.where(kept, 0, state.similarity) != documents.similarity[rows])
    )
    yield from _some(4, names[differs], "has another verdict when decided anew")


def quiet_nights(corpus: Corpus) -> Iterator[Finding]:
    """Compare neighbouring snapshots: a new latest night changes only itself (promise 6).

    Where a rank comes before the date it may change others, so that says nothing.
    """
    chain = snapshots.history(corpus)
    for child, parent in pairwise(chain):
        newest = max(child.dumps, default="")
        if newest in parent.dumps or any(ref.rule.ranked for ref in child.dumps.values()):
            continue
        changed = {date for date, ref in child.dumps.items() if parent.dumps.get(date) != ref}
        if changed - {newest}:
            yield broken(
                6, f"snapshot {child.sequence}: night {newest} also changed {sorted(changed)[:-1]}"
            )


def _some(promise: int, names: Array, trouble: str) -> Iterator[Finding]:
    for name in names[:_SHOWN]:
        yield broken(promise, f"{name} {trouble}")
    if len(names) > _SHOWN:
        yield broken(promise, f"{len(names)} documents in all: each {trouble}")
