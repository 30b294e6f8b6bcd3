"""Small nights made by hand, so that publishing is tested without the stages before it.

Holds: `Doc`, `Made`, `make_night`, `publish_night`, `publish_version`. A night's dump files have
one document after another with a line of furniture before each, so that their books balance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.model.files import DumpFile, FileRef
from pipeline.model.ids import document_id, fingerprint
from pipeline.model.manifest import (
    AnnotatedRun,
    AnnotateManifest,
    AnnotateUnit,
    Decision,
    EdgeFile,
    FileCounts,
    IngestManifest,
    PublishManifest,
    SelfTest,
    TouchedDump,
)
from pipeline.model.plan import Plan, Shard
from pipeline.model.schemas import DOCUMENTS, EDGES, INDEX, QUARANTINE, SIGNATURES, VERDICTS
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import EMPTY, Snapshot
from pipeline.publish.commit import commit
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

FURNITURE = 10
LENGTH = 100


@dataclass(frozen=True)
class Doc:
    """One document of a made-up dump file; dropped when it has a witness (date, id)."""

    language: str = "eng"
    topic: str | None = None
    witness: tuple[str, str] | None = None
    similarity: float | None = 1.0
    reason: str = "exact"
    hole: int = 0


@dataclass
class Made:
    """A night as the stages before publishing would leave it."""

    plan: Plan
    decision: Decision
    annotated: dict[AnnotateUnit, AnnotateManifest]
    published: list[PublishManifest]
    ids: list[list[str]]
    manifests: list[IngestManifest] = field(default_factory=list)

    @property
    def units(self) -> list[AnnotateUnit]:
        """The annotate units, in shard order."""
        return list(self.annotated)


def ids_of(dump_date: str, shard: int, docs: Sequence[Doc]) -> list[str]:
    """Return the ids that `make_night` gives to the documents of a shard."""
    key = key_of(dump_date, shard)
    step = FURNITURE + LENGTH
    spans = [(FURNITURE + step * place, step * (place + 1)) for place in range(len(docs))]
    return [document_id("wire", key, *span) for span in spans]


def key_of(dump_date: str, shard: int) -> str:
    """Return the key of the one dump file of a shard."""
    return f"wire/{dump_date}/{shard}.txt"


def make_night(
    corpus: Corpus,
    dump_date: str,
    shards: Sequence[Sequence[Doc]],
    *,
    run_id: str = "run",
    parent: Snapshot = EMPTY,
    planned_at: float = 1000.0,
    marks: str = "",
    edges: Sequence[tuple[str, str, str, str]] = (),
) -> Made:
    """Write what ingest, decide and annotate leave behind, and one published file a partition.

    `edges` are (earlier date, earlier id, later date, later id). `marks` goes into texts and
    generation: another value is another version of the dump.
    """
    made: list[tuple[Shard, IngestManifest, list[dict[str, Any]], list[dict[str, Any]]]] = [
        _shard(corpus, dump_date, number, docs=docs, marks=marks)
        for number, docs in enumerate(shards)
    ]
    generation = fingerprint("generation", [shard.fingerprint for shard, *_ in made])
    verdicts = sorted(
        (row for _, _, rows, _ in made for row in rows), key=lambda row: row["document_id"]
    )
    own = _touched(corpus, dump_date, generation, verdicts=verdicts, made=made)
    plan = Plan(
        run_id=run_id,
        dump_date=dump_date,
        planned_at=planned_at,
        generation=generation,
        parent=parent.sequence,
        shards=tuple(shard for shard, *_ in made),
        key_ranges=(),
        waiting=(),
        unchanged=False,
        settings=RunSettings(),
        code_version="test",
    )
    index = corpus.write("match", generation, "index", INDEX.empty_table())
    decision = Decision(
        fingerprint=fingerprint("decision", generation, parent.sequence),
        run_id=run_id,
        dump_date=dump_date,
        generation=generation,
        parent=parent.sequence,
        touched=(own,),
        edges=tuple(_edge(corpus, parent, edge, own=(dump_date, generation)) for edge in edges),
        index=(index,),
    )
    annotated = {}
    for (shard, _, _, documents), kept_hash in zip(made, own.kept_hashes, strict=True):
        unit = AnnotateUnit(
            dump_date=dump_date,
            shard=shard.fingerprint,
            verdicts=own.verdicts,
            fingerprint=fingerprint("annotate", shard.fingerprint, kept_hash),
        )
        annotated[unit] = annotate(corpus, unit, documents)
    ids = [ids_of(dump_date, number, docs) for number, docs in enumerate(shards)]
    published = publish_runs(corpus, dump_date, [doc for *_, docs in made for doc in docs])
    return Made(plan, decision, annotated, published, ids, [manifest for _, manifest, *_ in made])


def annotate(
    corpus: Corpus, unit: AnnotateUnit, documents: Sequence[dict[str, Any]]
) -> AnnotateManifest:
    """Write a shard's kept documents as one sorted run a language, and the unit's manifest."""
    manifest = AnnotateManifest(
        fingerprint=unit.fingerprint,
        runs=tuple(
            AnnotatedRun(language, _rows(corpus, "annotate", unit.fingerprint, rows))
            for language, rows in _by_language(documents)
        ),
        topics=dict(Counter(row["topic"] for row in documents if row["topic"])),
        models=("test",),
    )
    return corpus.finish(layout.unit("annotate", unit.fingerprint), manifest)


def publish_runs(
    corpus: Corpus, dump_date: str, documents: Sequence[dict[str, Any]], files: int = 1
) -> list[PublishManifest]:
    """Write each partition's rows as `files` files (as one merged run would be)."""
    published = []
    for language, rows in _by_language(documents):
        unit = fingerprint(dump_date, language, [row["document_id"] for row in rows], files)
        size = -(-len(rows) // files)
        refs = tuple(
            _rows(corpus, "publish", unit, rows[start : start + size])
            for start in range(0, len(rows), size)
        )
        published.append(
            PublishManifest(fingerprint=unit, dump_date=dump_date, language=language, files=refs)
        )
    return published


def publish_night(
    corpus: Corpus, made: Made, parent: Snapshot | None = None, **changes: Any
) -> Snapshot:
    """Commit a made night on `parent` (the current snapshot when None)."""
    parts = {"decision": made.decision, "annotated": made.annotated, "published": made.published}
    parts |= changes
    return commit(
        corpus,
        made.plan,
        parts["decision"],
        parent=snapshots.current(corpus) if parent is None else parent,
        annotated=parts["annotated"],
        published=parts["published"],
        self_test=SelfTest(fingerprint="test", results=()),
        seconds=1.5,
    )


def publish_version(
    corpus: Corpus, dump_date: str, docs: Sequence[Doc], version: int = 1
) -> Snapshot:
    """Make and commit a version of a night; another number is another dump with other texts."""
    parent = snapshots.current(corpus)
    made = make_night(
        corpus,
        dump_date,
        [docs],
        run_id=f"run-{dump_date}-{version}",
        parent=parent,
        planned_at=float(version),
        marks=f"v{version}",
    )
    return publish_night(corpus, made)


def _shard(
    corpus: Corpus, dump_date: str, number: int, *, docs: Sequence[Doc], marks: str
) -> tuple[Shard, IngestManifest, list[dict[str, Any]], list[dict[str, Any]]]:
    key = key_of(dump_date, number)
    chars = len(docs) * (FURNITURE + LENGTH)
    file = DumpFile("wire", dump_date, key, fingerprint(marks, docs), chars)
    unit = fingerprint("ingest", key, file.etag)
    verdicts, documents, quarantine = [], [], []
    for place, (identity, doc) in enumerate(
        zip(ids_of(dump_date, number, docs), docs, strict=True)
    ):
        start = place * (FURNITURE + LENGTH)
        span = {"char_start": start + FURNITURE, "char_end": start + FURNITURE + LENGTH}
        row = {"document_id": identity, "source": "wire", "dump_file": key, **span}
        verdicts.append(row | _verdict(doc))
        quarantine.append(_span(key, start, start + FURNITURE, kind="furniture"))
        if doc.hole:
            inside = _span(key, start + 50, start + 50 + doc.hole, kind="quarantine")
            quarantine.append(inside | {"document_id": identity})
        if doc.witness is None:
            documents.append(row | _text(place, doc, marks))
    staged = corpus.write("ingest", unit, "documents", pa.table({"row": list(range(len(docs)))}))
    manifest = IngestManifest(
        fingerprint=unit,
        documents=staged,
        signatures=corpus.write("ingest", unit, "signatures", SIGNATURES.empty_table()),
        quarantine=corpus.write(
            "ingest", unit, "quarantine", pa.Table.from_pylist(quarantine, schema=QUARANTINE)
        ),
        files=(_books(file, docs),),
    )
    corpus.finish(layout.unit("ingest", unit), manifest)
    return Shard(number, unit, (file,)), manifest, verdicts, documents


def _books(file: DumpFile, docs: Sequence[Doc]) -> FileCounts:
    holes = sum(doc.hole for doc in docs)
    return FileCounts(
        key=file.key,
        source=file.source,
        etag=file.etag,
        format="text",
        codec="none",
        stored_bytes=file.size,
        read_bytes=file.size,
        unread_bytes=0,
        decoded_bytes=file.size,
        chars=file.size,
        document_chars=len(docs) * LENGTH - holes,
        furniture_chars=len(docs) * FURNITURE,
        quarantine_chars=holes,
        documents=len(docs),
        furniture=len(docs),
        quarantine=sum(doc.hole > 0 for doc in docs),
    )


def _verdict(doc: Doc) -> dict[str, Any]:
    dropped = doc.witness is not None
    date, witness = doc.witness or (None, None)
    return {
        "content_hash": "0" * 32,
        "kept": not dropped,
        "reason": doc.reason if dropped else "unique",
        "witness_id": witness,
        "witness_dump_date": date,
        "similarity": doc.similarity if dropped else None,
    }


def _text(place: int, doc: Doc, marks: str) -> dict[str, Any]:
    return {
        "line_start": 2 * place + 2,
        "line_end": 2 * place + 2,
        "text": f"Story number {place} {marks}",
        "content_hash": "0" * 32,
        "char_count": LENGTH,
        "word_count": 3,
        "language": doc.language,
        "language_bcp47": doc.language[:2],
        "language_script": "Latn",
        "language_confidence": 1.0,
        "language_status": "sure",
        "language_model": "test",
        "topic": doc.topic,
        "topic_status": "sure" if doc.topic else "unsure",
        "topic_model": "test",
        "schema_version": 1,
    }


def _span(key: str, start: int, end: int, *, kind: str) -> dict[str, Any]:
    return {
        "source": "wire",
        "dump_file": key,
        "char_start": start,
        "char_end": end,
        "line_start": 1,
        "line_end": 1,
        "kind": kind,
        "reason": "test",
        "detail": "",
        "stored_bytes": 0,
        "excerpt": "…",
    }


def _touched(
    corpus: Corpus,
    dump_date: str,
    generation: str,
    *,
    verdicts: Sequence[dict[str, Any]],
    made: Sequence[tuple[Shard, IngestManifest, list[dict[str, Any]], list[dict[str, Any]]]],
) -> TouchedDump:
    table = pa.Table.from_pylist(list(verdicts), schema=VERDICTS)
    dropped = [row for row in verdicts if not row["kept"]]
    return TouchedDump(
        dump_date=dump_date,
        generation=generation,
        shards=tuple(shard.fingerprint for shard, *_ in made),
        kept_hashes=tuple(
            fingerprint(sorted(row["document_id"] for row in rows if row["kept"]))
            for _, _, rows, _ in made
        ),
        verdicts=corpus.write("decide", generation, "verdicts", table),
        documents=len(verdicts),
        kept=len(verdicts) - len(dropped),
        dropped_exact=sum(row["reason"] == "exact" for row in dropped),
        dropped_near=sum(row["reason"] == "near" for row in dropped),
        dropped_history=sum(row["witness_dump_date"] != dump_date for row in dropped),
        retracted=0,
        restored=0,
    )


def _edge(
    corpus: Corpus, parent: Snapshot, edge: tuple[str, str, str, str], *, own: tuple[str, str]
) -> EdgeFile:
    generations = {date: ref.generation for date, ref in parent.dumps.items()} | dict([own])
    earlier, earlier_id, later, later_id = edge
    row = {
        "earlier_id": bytes.fromhex(earlier_id),
        "later_id": bytes.fromhex(later_id),
        "similarity": 0.9,
        "exact": False,
    }
    file = corpus.write("match", "edges", "edges", pa.Table.from_pylist([row], schema=EDGES))
    return EdgeFile(earlier, generations[earlier], later, generations[later], file)


def _by_language(
    documents: Sequence[dict[str, Any]],
) -> list[tuple[str, list[dict[str, Any]]]]:
    order = sorted(
        documents, key=lambda row: (row["topic"] is None, row["topic"] or "", row["document_id"])
    )
    languages = sorted({row["language"] for row in documents})
    return [(name, [row for row in order if row["language"] == name]) for name in languages]


def _rows(corpus: Corpus, stage: str, unit: str, rows: Sequence[dict[str, Any]]) -> FileRef:
    return corpus.write(stage, unit, "part", pa.Table.from_pylist(list(rows), schema=DOCUMENTS))
