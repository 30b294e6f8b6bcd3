"""What the touched dumps will be once a run is committed.

Holds: `own_state`, `changed_state`, `with_documents`, `partitions`, `taken_ids`. Reads ingest
manifests; writes the dump's quarantine file. Not here: making the states visible (`commit.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.files import FileRef
from pipeline.model.manifest import (
    AnnotateManifest,
    AnnotateUnit,
    Decision,
    FileCounts,
    IngestManifest,
    PublishManifest,
    TouchedDump,
    joined,
)
from pipeline.model.plan import Plan
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.model.snapshot import DumpCounts, DumpState, Partition
from pipeline.publish.quarantine import merge_quarantine
from pipeline.storage import layout
from pipeline.storage.units import Corpus

Annotated = Mapping[AnnotateUnit, AnnotateManifest]


def own_state(
    corpus: Corpus, plan: Plan, *, decision: Decision, dump: TouchedDump, annotated: Annotated
) -> DumpState:
    """Return the state of the run's own dump, without partitions, topics and runs."""
    manifests = _manifests(corpus, [shard.fingerprint for shard in plan.shards])
    books = joined(file for one in manifests for file in one.files)
    return DumpState(
        dump_date=plan.dump_date,
        generation=plan.generation,
        planned_at=plan.planned_at,
        files=tuple(sorted(plan.files, key=lambda file: file.key)),
        file_counts=books,
        shards=tuple(shard.fingerprint for shard in plan.shards),
        shard_manifests=tuple(
            corpus.reference(layout.unit("ingest", shard.fingerprint)) for shard in plan.shards
        ),
        kept_hashes=dump.kept_hashes,
        index=decision.index,
        edges=decision.edges,
        verdicts=dump.verdicts,
        quarantine=merge_quarantine(
            corpus, manifests, _removed(annotated, plan.dump_date), taken_ids(corpus, dump)
        ),
        documents=(),
        counts=_verdict_counts(_book_counts(books), dump),
        topics={},
        runs=(),
    )


def changed_state(
    corpus: Corpus, base: DumpState, *, dump: TouchedDump, annotated: Annotated
) -> DumpState:
    """Return another dump's state with its new verdicts; files, books and index stay."""
    manifests = _manifests(corpus, base.shards)
    return msgspec.structs.replace(
        base,
        quarantine=merge_quarantine(
            corpus, manifests, _removed(annotated, base.dump_date), taken_ids(corpus, dump)
        ),
        kept_hashes=dump.kept_hashes,
        verdicts=dump.verdicts,
        counts=_verdict_counts(base.counts, dump),
    )


def with_documents(
    state: DumpState, annotated: Annotated, published: Sequence[PublishManifest]
) -> DumpState:
    """Fill in what is published of a dump: its partitions by language, its topics by label.

    And the annotate units of its shards, in their order.
    """
    topics: Counter[str] = Counter()
    units = [unit for unit in annotated if unit.dump_date == state.dump_date]
    for unit in units:
        topics.update(annotated[unit].topics)
    return msgspec.structs.replace(
        state,
        documents=partitions(state.dump_date, published),
        topics=dict(topics),
        annotated=tuple(unit.fingerprint for unit in units),
    )


def partitions(dump_date: str, published: Sequence[PublishManifest]) -> tuple[Partition, ...]:
    """Return a dump's partitions by language; one without rows is none."""
    parts = (
        Partition(manifest.language, manifest.files)
        for manifest in published
        if manifest.dump_date == dump_date and manifest.files
    )
    return tuple(sorted(parts, key=lambda part: part.language))


def taken_ids(corpus: Corpus, dump: TouchedDump) -> pa.Array | None:
    """Return the ids of the documents of a dump that are taken down; None if none is."""
    if not dump.taken_down:
        return None
    table = corpus.read(dump.verdicts, columns=["document_id", "reason"])
    down = table.filter(pc.equal(table["reason"], TAKEN_DOWN))
    return down["document_id"].combine_chunks()


def _manifests(corpus: Corpus, shards: Sequence[str]) -> list[IngestManifest]:
    return [corpus.load(layout.unit("ingest", shard), IngestManifest) for shard in shards]


def _removed(annotated: Annotated, dump_date: str) -> dict[str, FileRef]:
    """Return what was taken out of published texts of a dump, by shard."""
    return {
        unit.shard: manifest.removed
        for unit, manifest in annotated.items()
        if unit.dump_date == dump_date and manifest.removed is not None
    }


def _book_counts(books: Sequence[FileCounts]) -> DumpCounts:
    return DumpCounts(
        files=len(books),
        bytes=sum(file.stored_bytes for file in books),
        chars=sum(file.chars for file in books),
        furniture=sum(file.furniture for file in books),
        quarantine=sum(file.quarantine for file in books),
    )


def _verdict_counts(counts: DumpCounts, dump: TouchedDump) -> DumpCounts:
    return msgspec.structs.replace(
        counts,
        documents=dump.documents,
        kept=dump.kept,
        dropped_exact=dump.dropped_exact,
        dropped_near=dump.dropped_near,
        dropped_history=dump.dropped_history,
        taken_down=dump.taken_down,
    )
