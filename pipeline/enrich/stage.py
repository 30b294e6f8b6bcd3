"""The annotate stage: kept documents of a shard in, sorted runs by language out.

Holds: `annotate_units`, `annotate_unit`. Reads staged documents and verdicts; writes one unit of
the corpus. Not here: the annotators (`annotator.py`), what an earlier unit has
annotated (`earlier.py`), sorting (`runs.py`), partitions (`publish/`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import telemetry
from pipeline.enrich.annotator import model_ids
from pipeline.enrich.earlier import Earlier, annotations_shape, load_earlier
from pipeline.enrich.passages import SharedPassages
from pipeline.enrich.runs import RunWriter
from pipeline.errors import ConflictError, ContractError
from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import (
    AnnotatedRun,
    AnnotateManifest,
    AnnotateUnit,
    Decision,
    IngestManifest,
    PassagesManifest,
    ShardPassages,
)
from pipeline.model.schemas import SCHEMA_VERSION
from pipeline.model.settings import RunSettings
from pipeline.storage import layout
from pipeline.storage.units import Corpus

STAGE = "annotate"
BATCH_ROWS = 500
VERDICT_ROWS = 1 << 18
NO_TOPIC = "none"
REMOVE = "remove"

Before = Callable[[AnnotateUnit], str]
"""Names a finished unit that may have annotated texts of a unit already; "" if there is none."""


def annotate_units(
    decision: Decision, settings: RunSettings, passages: Sequence[PassagesManifest]
) -> tuple[AnnotateUnit, ...]:
    """Return one unit for each shard of each touched dump; loads no model.

    A unit's fingerprint depends on the shard, on which of its documents are kept, on the passages
    that these share, on the models and on the settings of the files: whatever else changed, the
    finished unit is found again.

    Args:
        decision: which dumps.
        settings: of the run.
        passages: what was found of each touched dump, in their order.
    """
    models = model_ids(settings.enrich.annotators)
    removes = settings.passages.repeated == REMOVE
    shape = (versions.ENRICH, SCHEMA_VERSION, models, settings.enrich, settings.publish, removes)
    return tuple(
        AnnotateUnit(
            dump_date=dump.dump_date,
            shard=shard,
            verdicts=dump.verdicts,
            fingerprint=fingerprint(STAGE, shape, shard, kept_hash, shared_hashes(shared)),
            passages=shared,
        )
        for dump, found in zip(decision.touched, passages, strict=True)
        for shard, kept_hash, shared in zip(
            dump.shards, dump.kept_hashes, found.shards, strict=True
        )
    )


def shared_hashes(shared: ShardPassages) -> tuple[str, ...]:
    """Name what was found of a shard by the bytes of its files, whatever else was found."""
    return tuple(ref.sha256 if ref else "" for ref in (shared.repeats, shared.contained))


def annotate_unit(
    corpus: Corpus, unit: AnnotateUnit, settings: RunSettings, *, before: Before | None = None
) -> AnnotateManifest:
    """Annotate the kept documents of one shard, unless that is already done.

    Texts that another unit has annotated take its annotations over: the files have the same bytes
    whichever `before` names.

    Raises:
        ContractError: a document of the shard has no verdict; nothing was committed.
        ConfigError: an annotator or its model is missing.
    """
    key = layout.unit(STAGE, unit.fingerprint)
    if (done := corpus.find(key, AnnotateManifest)) is not None:
        return done
    documents = corpus.load(layout.unit("ingest", unit.shard), IngestManifest).documents
    shared = SharedPassages(corpus, unit.passages, remove=settings.passages.repeated == REMOVE)
    with telemetry.stage(STAGE, dump_date=unit.dump_date, shard=unit.shard) as span:
        started = time.perf_counter()
        earlier = load_earlier(corpus, before(unit) if before else "", settings.enrich)
        writer = RunWriter(settings.publish, scratch=corpus.scratch_file)
        try:
            kept = _kept_rows(corpus, unit, documents)
            topics = _annotate(kept, writer, shared=shared, earlier=earlier)
            runs = tuple(_adopted(corpus, unit, writer))
        finally:
            writer.discard()
        rows = sum(topics.values())
        seconds = time.perf_counter() - started
        span.update(
            read=documents.rows,
            written=rows,
            reused=earlier.reused,
            dropped=documents.rows - rows,
            languages=len({run.language for run in runs}),
            documents_per_second=round(rows / seconds) if seconds else 0,
        )
    manifest = AnnotateManifest(
        fingerprint=unit.fingerprint,
        runs=runs,
        topics=dict(sorted(topics.items())),
        models=model_ids(settings.enrich.annotators),
        removed=_recorded(corpus, unit, shared.removed()),
        shard=unit.shard,
        shape=annotations_shape(settings.enrich),
        reused=earlier.reused,
    )
    return corpus.finish(key, manifest)


def _annotate(
    kept: Iterator[tuple[pa.RecordBatch, NDArray[np.int64]]],
    writer: RunWriter,
    *,
    shared: SharedPassages,
    earlier: Earlier,
) -> Counter[str]:
    """Send every kept document to the writer; return how many there are of each topic."""
    topics: Counter[str] = Counter()
    for documents, places in kept:
        rows = shared.describe(documents, places)
        annotations = earlier.annotate(rows.column("text"))
        writer.write(rows, annotations)
        topics.update(pc.fill_null(annotations.column("topic_label"), NO_TOPIC).to_pylist())
    return topics


def _kept_rows(
    corpus: Corpus, unit: AnnotateUnit, documents: FileRef
) -> Iterator[tuple[pa.RecordBatch, NDArray[np.int64]]]:
    """Yield the kept documents of a shard, with their rows in it."""
    kept = _kept(corpus, unit, documents)
    start = 0
    for batch in corpus.batches(documents, rows=BATCH_ROWS):
        places = start + np.flatnonzero(kept[start : start + batch.num_rows])
        rows = batch.take(pa.array(places - start))
        start += batch.num_rows
        telemetry.note(read=start, of=documents.rows)
        if rows.num_rows:
            _refuse_erased(unit, rows)
            yield rows, places


def _refuse_erased(unit: AnnotateUnit, rows: pa.RecordBatch) -> None:
    """Refuse to publish a text that a take-down has erased since the run was decided."""
    blank = pc.and_(pc.equal(rows["text"], ""), pc.greater(rows["char_count"], 0))
    erased = pc.sum(blank).as_py()
    if erased:
        raise ConflictError(
            f"shard {unit.shard} of dump {unit.dump_date}: expected texts, found {erased} that "
            "were taken down since this run was planned. Start a new run of the night."
        )


def _recorded(corpus: Corpus, unit: AnnotateUnit, removed: pa.Table | None) -> FileRef | None:
    if removed is None:
        return None
    return corpus.write(STAGE, unit.fingerprint, "removed", removed)


def _kept(corpus: Corpus, unit: AnnotateUnit, documents: FileRef) -> NDArray[np.bool_]:
    """Say of each row of the shard whether its verdict is to keep it.

    The shard's ids are at hand and the dump's verdicts stream past: a dump may have many shards.
    """
    ids = corpus.read(documents, columns=["document_id"]).column("document_id").combine_chunks()
    kept, judged = np.zeros(len(ids), np.bool_), np.zeros(len(ids), np.bool_)
    names = ["document_id", "kept"]
    for batch in corpus.batches(unit.verdicts, columns=names, rows=VERDICT_ROWS):
        rows = pc.index_in(batch.column("document_id"), value_set=ids)
        here = pc.is_valid(rows)
        places = rows.filter(here).to_numpy()
        judged[places] = True
        kept[places] = batch.column("kept").filter(here).to_numpy(zero_copy_only=False)
    if not judged.all():
        raise ContractError(
            f"shard {unit.shard} of dump {unit.dump_date}: expected a verdict for each of its "
            f"{len(ids)} documents, found {int(judged.sum())}. Run decide for this dump again; "
            "if it repeats, ingest and decide disagree about the dump's shards."
        )
    return kept


def _adopted(corpus: Corpus, unit: AnnotateUnit, writer: RunWriter) -> Iterator[AnnotatedRun]:
    for language, files in writer.finish():
        for number, (path, rows) in enumerate(files):
            name = f"{language}-{number:02d}"
            yield AnnotatedRun(language, corpus.adopt(STAGE, unit.fingerprint, name, path, rows))
