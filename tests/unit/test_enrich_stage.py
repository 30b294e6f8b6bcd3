"""The annotate stage on a real store in memory: verdicts in, sorted runs by language out."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.enrich.runs import RunWriter
from pipeline.enrich.stage import annotate_unit, annotate_units
from pipeline.errors import ContractError
from pipeline.model.manifest import (
    AnnotateManifest,
    Decision,
    PassagesManifest,
    ShardPassages,
    TouchedDump,
)
from pipeline.model.schemas import DOCUMENTS, REPEATS, STAGED_DOCUMENTS, VERDICTS
from pipeline.model.settings import (
    EnrichSettings,
    PassageSettings,
    PublishSettings,
    RunSettings,
)
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus
from tests.annotating import DATE, ingest, rows_of, staged, unit_of, verdicts

SETTINGS = RunSettings()
ENGLISH = (
    "The court sentenced the former director to four years in prison for fraud. Prosecutors said "
    "that he had stolen money from his clients, and police had arrested him after an inquiry. "
    "His lawyer announced an appeal against the verdict of the judge."
)
GERMAN = "Der Wärter des Leuchtturms zählte jeden Abend vor dem Essen alle Schiffe im Hafen."
TEXTS = [ENGLISH, GERMAN, "1 2 3", ENGLISH + " Copy.", GERMAN + " Ende."]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Return an empty corpus in memory."""
    return Corpus(MemoryStore("memory://annotate"), tmp_path)


def test_kept_documents_are_routed_by_language(corpus: Corpus) -> None:
    """Each kept document is in the run of its language, dropped ones nowhere, counts agree."""
    documents = ingest(corpus, TEXTS)
    unit = unit_of(corpus, verdicts(documents, [True, True, True, False, True]))
    manifest = annotate_unit(corpus, unit, SETTINGS)
    found = {key: {row["text"] for row in rows} for key, rows in rows_of(corpus, manifest).items()}
    assert found == {"deu": {GERMAN, GERMAN + " Ende."}, "eng": {ENGLISH}, "zxx": {"1 2 3"}}
    assert manifest.topics == {"crime, law and justice": 1, "none": 3}
    assert len(manifest.models) == len(SETTINGS.enrich.annotators)
    assert list(corpus.scratch.glob("*.parquet")) == []


def test_rows_follow_the_published_schema(corpus: Corpus) -> None:
    """Files have the published columns in order, without the partition columns."""
    documents = ingest(corpus, TEXTS)
    manifest = annotate_unit(corpus, unit_of(corpus, verdicts(documents, [True] * 5)), SETTINGS)
    for run in manifest.runs:
        path = corpus.store.fetch(run.file, corpus.scratch)
        assert pq.read_schema(path) == DOCUMENTS
        assert pq.read_metadata(path).num_rows == run.file.rows


def test_finished_unit_is_returned_as_it_is(corpus: Corpus) -> None:
    """A retry finds the manifest and writes nothing, even when the shard is gone by then."""
    documents = ingest(corpus, TEXTS)
    unit = unit_of(corpus, verdicts(documents, [True] * 5))
    first = annotate_unit(corpus, unit, SETTINGS)
    corpus.store.delete([layout.unit("ingest", "shard")])
    assert annotate_unit(corpus, unit, SETTINGS) == first


def test_equal_units_write_equal_bytes(corpus: Corpus) -> None:
    """Two attempts give files with the same hashes."""
    documents = ingest(corpus, TEXTS)
    table = verdicts(documents, [True] * 5)
    runs = [annotate_unit(corpus, unit_of(corpus, table, name), SETTINGS).runs for name in "ab"]
    hashes = [[(run.language, run.file.sha256) for run in one] for one in runs]
    assert hashes[0] == hashes[1]


def test_nothing_kept_gives_no_runs(corpus: Corpus) -> None:
    """A shard of copies is a finished unit without files."""
    documents = ingest(corpus, TEXTS)
    unit = unit_of(corpus, verdicts(documents, [False] * 5))
    manifest = annotate_unit(corpus, unit, SETTINGS)
    assert (manifest.runs, manifest.topics) == ((), {})


def test_document_without_verdict_is_refused(corpus: Corpus) -> None:
    """A verdict table of other shards breaks the promise that nothing is lost."""
    documents = ingest(corpus, TEXTS)
    unit = unit_of(corpus, verdicts(documents, [True] * 5).slice(1))
    with pytest.raises(ContractError, match="its 5 documents, found 4"):
        annotate_unit(corpus, unit, SETTINGS)
    assert corpus.find(layout.unit("annotate", "unit"), AnnotateManifest) is None


def touched(corpus: Corpus, shards: tuple[str, ...], hashes: tuple[str, ...]) -> Decision:
    """Return a decision that touches one dump."""
    ref = corpus.write("decide", "night", "verdicts", VERDICTS.empty_table())
    counts = dict.fromkeys(
        ("documents", "kept", "dropped_exact", "dropped_near", "dropped_history"), 0
    )
    dump = TouchedDump(
        dump_date=DATE, generation="g", shards=shards, kept_hashes=hashes, verdicts=ref,
        retracted=0, restored=0, **counts,
    )  # fmt: skip
    return Decision(
        fingerprint="f", run_id="r", dump_date=DATE, generation="g", parent=0, touched=(dump,),
        edges=(), index=(),
    )  # fmt: skip


def shared(corpus: Corpus, *shards: str, rows: int = 0) -> list[PassagesManifest]:
    """Return what was found of one dump: so many repeated paragraphs in each shard."""
    row = {"row": 0, "start": 0, "end": 5, "documents": 9}
    table = pa.Table.from_pylist([row] * rows, REPEATS)
    ref = corpus.write("passages", "night", "repeats", table) if rows else None
    parts = tuple(ShardPassages(shard=name, repeats=ref, contained=None) for name in shards)
    return [PassagesManifest(fingerprint="p", shards=parts)]


def test_unit_fingerprints_follow_what_shapes_their_bytes(corpus: Corpus) -> None:
    """Kept documents, passages, shard, models and layout change a unit's name; packing does not."""
    both = ("s1", "s2")
    before = annotate_units(touched(corpus, both, ("k1", "k2")), SETTINGS, shared(corpus, *both))
    after = annotate_units(touched(corpus, both, ("k1", "k3")), SETTINGS, shared(corpus, *both))
    assert [unit.shard for unit in before] == ["s1", "s2"]
    assert before[0] == after[0]
    names = {unit.fingerprint for unit in (*before, *after)}
    for changed in (
        RunSettings(enrich=EnrichSettings(annotators=("language",))),
        RunSettings(publish=PublishSettings(row_group_rows=10)),
        RunSettings(passages=PassageSettings(repeated="remove")),
    ):
        units = annotate_units(touched(corpus, ("s1",), ("k1",)), changed, shared(corpus, "s1"))
        names |= {unit.fingerprint for unit in units}
    for rows in (1, 2):
        found = shared(corpus, "s1", rows=rows)
        units = annotate_units(touched(corpus, ("s1",), ("k1",)), SETTINGS, found)
        names |= {unit.fingerprint for unit in units}
    assert len(names) == 8


def test_spilled_runs_give_the_same_files(corpus: Corpus) -> None:
    """A writer that may hold next to nothing writes the files of one that holds everything."""
    documents = staged([f"{text} {number}" for number in range(40) for text in TEXTS])
    languages = ["eng", "deu", "zxx", "eng", "deu"] * 40
    topics = [None, "medtop:02000000", "medtop:15000000", "medtop:02000000"] * 50
    results = []
    for limit in (1, 5_000, 1 << 30):
        writer = RunWriter(PublishSettings(), scratch=corpus.scratch_file, buffer_bytes=limit)
        for place, batch in enumerate(documents.to_batches(max_chunksize=20)):
            part = slice(place * 20, place * 20 + 20)
            writer.write(batch, annotations(languages[part], topics[part]))
        results.append(
            [(name, [path.read_bytes() for path, _ in files]) for name, files in writer.finish()]
        )
    assert results[0] == results[2]
    assert results[1] == results[2]
    assert [name for name, _ in results[2]] == ["deu", "eng", "zxx"]


def test_documents_staged_before_a_column_existed_have_null_there(corpus: Corpus) -> None:
    """A late night may touch a night of an older version; what may not be null is refused."""
    values = {"string": "x", "int64": 1, "int32": 1}
    row = {
        field.name: None if field.nullable else values[str(field.type)]
        for field in STAGED_DOCUMENTS
    }
    batch = pa.RecordBatch.from_pylist([row], schema=STAGED_DOCUMENTS)
    writer = RunWriter(PublishSettings(), scratch=corpus.scratch_file)
    older = ["member", "byline", "published_rule"]
    writer.write(batch.drop_columns(older), annotations(["eng"], [None]))
    ((_, files),) = writer.finish()
    rows = pq.read_table(files[0][0]).select(older).to_pylist()
    assert rows == [dict.fromkeys(older)]
    with pytest.raises(ContractError, match=r"winnow run --due"):
        writer.write(batch.drop_columns(["source"]), annotations(["eng"], [None]))


def annotations(languages: list[str], topics: list[str | None]) -> pa.RecordBatch:
    """Return annotation columns with the given languages and topics."""
    columns = {
        "language": pa.array(languages),
        **{
            field.name: pa.array([None] * len(languages), field.type)
            if field.nullable
            else pa.array([0.5] * len(languages), field.type)
            if field.type == pa.float32()
            else pa.array(["x"] * len(languages))
            for field in DOCUMENTS
            if field.name.startswith(("language_", "topic"))
        },
    }
    columns["topic"] = pa.array(topics, pa.string())
    return pa.RecordBatch.from_pydict(columns)
