"""Recomputing every promise from what is stored.

Holds: `verify`, `findings`, `Check`. Reads all that the current snapshot names; writes nothing.
Not here: checks that need no recomputation (`publish/verify.py`), which run before every commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np

from pipeline.audit import signed as reading
from pipeline.audit.lookup import ingest_manifests
from pipeline.audit.signed import Array, Signed
from pipeline.dedup.settle import REASONS, UNIQUE
from pipeline.dedup.standalone import decide_all
from pipeline.errors import ConfigError
from pipeline.model.files import FileRef
from pipeline.model.finding import PROMISES, Finding, broken
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import Snapshot
from pipeline.publish import verify as stored
from pipeline.publish.view import View
from pipeline.signature import pair_similarity, sign
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

_SHOWN = 5
_CHECKED = {
    1: "spans tile every file; books balance; texts have the hash on record",
    2: "no two published documents are similar",
    3: "each witness is published, earlier, and as similar as stated",
    4: "deciding all documents at once gives the same verdicts",
    5: "files and trees are those of the snapshot, byte by byte",
    6: "a new latest night left all other nights alone",
}


class Check(msgspec.Struct, frozen=True):
    """One promise, how it was checked, and in which ways it is broken (none: it holds)."""

    promise: int
    name: str
    checked: str
    findings: tuple[str, ...]


def verify(corpus: Corpus) -> list[Check]:
    """Check every promise and return one `Check` each, in their order."""
    found: dict[int, list[str]] = {number: [] for number in PROMISES}
    for finding in findings(corpus):
        found[finding.promise].append(finding.detail)
    return [
        Check(number, name, _CHECKED[number], tuple(found[number]))
        for number, name in PROMISES.items()
    ]


def findings(corpus: Corpus) -> Iterator[Finding]:
    """Yield every way in which what is stored breaks a promise."""
    snapshot = snapshots.current(corpus)
    thresholds = _thresholds(corpus, snapshot)
    if len(set(thresholds.values())) > 1:
        yield broken(
            4,
            f"expected one similarity threshold, found {sorted(set(thresholds.values()))}: dumps "
            "were published under different settings. `winnow run --due` makes them alike",
        )
    threshold = max(thresholds.values(), default=RunSettings().dedup.threshold)
    view = View(corpus, snapshot, threshold=threshold)
    yield from stored.verify_store(view)
    yield from stored.verify_trees(view)
    yield from stored.verify_checks(view)
    yield from stored.verify_rows(view)
    yield from _texts(corpus, snapshot)
    documents = reading.load(corpus, snapshot)
    if documents.missing:
        yield broken(1, f"{documents.missing} documents have a verdict or a signature, not both")
    yield from _nothing_twice(documents, threshold)
    yield from _witnesses(documents)
    yield from _verdicts(documents, threshold)
    yield from _quiet_nights(corpus)


def _thresholds(corpus: Corpus, snapshot: Snapshot) -> dict[str, float]:
    """Return the similarity threshold under which each dump was last published."""
    found = {}
    for date in snapshot.dumps:
        state = snapshots.load_state(corpus, snapshot, date)
        row = corpus.read(state.runs[-1], columns=["settings"]).to_pylist()[0]
        try:
            settings = msgspec.json.decode(row["settings"], type=RunSettings)
        except msgspec.MsgspecError as error:
            raise ConfigError(
                f"expected settings of this version in the last run of {date}, found: {error}. "
                "Verify with the version that published it."
            ) from error
        found[date] = settings.dedup.threshold
    return found


def _texts(corpus: Corpus, snapshot: Snapshot) -> Iterator[Finding]:
    """Sign staged and published texts again (promises 1 and 4)."""
    for date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, date)
        for manifest in ingest_manifests(corpus, state):
            wrong = _wrong_hashes(corpus, manifest.documents)
            if wrong:
                yield broken(4, f"{date}: {wrong} staged texts have another content hash")
        for part in state.documents:
            wrong = sum(_wrong_hashes(corpus, ref) for ref in part.files)
            if wrong:
                yield broken(1, f"{date}/{part.language}: {wrong} texts have another content hash")


def _wrong_hashes(corpus: Corpus, ref: FileRef) -> int:
    wrong = 0
    for batch in corpus.batches(ref, columns=["text", "content_hash"], rows=2048):
        again = [row.tobytes().hex() for row in sign(batch["text"]).content_hash]
        told = batch["content_hash"].to_pylist()
        wrong += sum(one != other for one, other in zip(again, told, strict=True))
    return wrong


def _nothing_twice(documents: Signed, threshold: float) -> Iterator[Finding]:
    """Match the kept documents among themselves (promise 2)."""
    rows = np.flatnonzero(documents.kept)
    kept = reading.take(documents.signatures, rows)
    state = decide_all(kept, np.arange(len(rows)), threshold)
    again = np.flatnonzero(state.reason != UNIQUE)
    for row in again[:_SHOWN]:
        twin = documents.names[rows[state.witness[row]]]
        score = float(state.similarity[row])
        yield broken(
            2, f"{documents.names[rows[row]]} is published and {score:.3f} similar to {twin}"
        )
    if len(again) > _SHOWN:
        yield broken(2, f"{len(again)} published documents are similar to another in all")


def _witnesses(documents: Signed) -> Iterator[Finding]:
    """Look up each witness and compare signatures again (promise 3)."""
    dropped = np.flatnonzero(~documents.kept)
    place = np.searchsorted(documents.names, documents.witness[dropped])
    place = np.minimum(place, max(len(documents.names) - 1, 0))
    there = documents.names[place] == documents.witness[dropped]
    sound = there & documents.kept[place] & (place < dropped)
    yield from _some(3, documents.names[dropped[~sound]], "has no earlier published witness")
    rows, witnesses = dropped[sound], place[sound]
    signatures = documents.signatures
    pairs = np.stack([rows, witnesses], axis=1)
    score = pair_similarity(signatures.minima, signatures.minima, pairs)
    same = (signatures.content_hash[rows] == signatures.content_hash[witnesses]).all(axis=1)
    score[same] = 1.0
    differs = score != documents.similarity[rows]
    yield from _some(3, documents.names[rows[differs]], "has another similarity than stated")


def _verdicts(documents: Signed, threshold: float) -> Iterator[Finding]:
    """Decide all documents at once, from their signatures alone (promise 4)."""
    state = decide_all(documents.signatures, np.arange(len(documents.names)), threshold)
    reasons = np.array(REASONS)[state.reason]
    witness = np.where(state.witness >= 0, documents.names[state.witness], reading.NO_WITNESS)
    differs = (
        ((state.reason == UNIQUE) != documents.kept)
        | (reasons != documents.reason)
        | (witness != documents.witness)
        | (np.where(documents.kept, 0, state.similarity) != documents.similarity)
    )
    yield from _some(4, documents.names[differs], "has another verdict when decided anew")


def _quiet_nights(corpus: Corpus) -> Iterator[Finding]:
    """Compare neighbouring snapshots: a new latest night changes only itself (promise 6)."""
    chain = snapshots.history(corpus)
    for child, parent in pairwise(chain):
        newest = max(child.dumps, default="")
        if newest in parent.dumps:
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
