"""A shard from landing objects to tables, in memory and on a real S3 server."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from structlog.typing import EventDict

from pipeline.errors import ChangedError, ContractError, TransientError
from pipeline.ingest import stage
from pipeline.ingest.reader import UnreadableError
from pipeline.ingest.stage import ingest_shard
from pipeline.model.files import DumpFile
from pipeline.model.ids import document_id
from pipeline.model.manifest import FileCounts, IngestManifest
from pipeline.model.plan import Plan, Shard
from pipeline.model.schemas import (
    PARAGRAPHS,
    SAMPLES,
    SIGNATURES,
    STAGED_DOCUMENTS,
    STAGED_QUARANTINE,
)
from pipeline.model.settings import IngestSettings, RunSettings
from pipeline.signature import sign
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

DATE = "2026-11-21"
FOLDER = f"news/{DATE}"
GOOD = b"".join(b'{"text": "record %d of the file has a few words", "id": %d}\n' % (i, i)
                for i in range(20))  # fmt: skip


def _land(landing: Store, objects: dict[str, bytes]) -> tuple[DumpFile, ...]:
    """Upload objects and freeze them as a plan does."""
    files = []
    for name, data in objects.items():
        key = f"{FOLDER}/{name}"
        etag = landing.put(key, data)
        files.append(DumpFile("news", DATE, key, etag, len(data)))
    return tuple(files)


def _plan(files: Iterable[DumpFile], **ingest: object) -> Plan:
    settings = IngestSettings(**{"splitter": "none", **ingest})  # type: ignore[arg-type]  # a table
    shard = Shard(0, "0123456789abcdef01234567", tuple(files))
    return Plan("run-1", DATE, 0.0, "generation", 0, (shard,), (), (), False,  # noqa: FBT003 - positional by contract
                RunSettings(ingest=settings), "code")  # fmt: skip


def _tables(corpus: Corpus, manifest: IngestManifest) -> tuple[pa.Table, pa.Table, pa.Table]:
    return (
        corpus.read(manifest.documents),
        corpus.read(manifest.signatures),
        corpus.read(manifest.quarantine),
    )


def _rows(table: pa.Table) -> list[tuple[str, str, int]]:
    names = ("dump_file", "reason", "stored_bytes")
    return [
        (Path(row["dump_file"]).name, row["reason"], row["stored_bytes"])
        for row in table.select(names).to_pylist()
    ]


@pytest.mark.parametrize("kind", ["memory", "local", pytest.param("s3", marks=pytest.mark.server)])
def test_a_shard_becomes_its_tables(
    kind: str, store_factory: Callable[[str], Store], tmp_path: Path
) -> None:
    """Every table has its schema, rows are in step, and the books are closed."""
    landing = store_factory(kind)
    files = _land(
        landing,
        {
            "records.txt": GOOD + b"broken\n",
            "page.jsonl.gz": gzip.compress("A title\n\nA text with 世界.\n".encode()),
            "empty": b"",
            "image.txt": b"\x89PNG\r\n\x1a\n\0\0\0",
            "latin": "A long enough text with one café.\n".encode("latin-1"),
        },
    )
    corpus = Corpus(store_factory(kind), tmp_path)
    manifest = ingest_shard(corpus, landing, _plan(files), 0)
    documents, signatures, quarantine = _tables(corpus, manifest)
    assert (documents.schema, signatures.schema, quarantine.schema) == (
        STAGED_DOCUMENTS,
        SIGNATURES,
        STAGED_QUARANTINE,
    )
    assert manifest.paragraphs is not None
    assert corpus.read(manifest.paragraphs).schema == PARAGRAPHS
    assert manifest.samples is not None
    assert corpus.read(manifest.samples).schema == SAMPLES
    assert documents.num_rows == signatures.num_rows == 22
    assert all(counts.balanced for counts in manifest.files)
    assert [(c.format, c.codec, c.documents, c.quarantine) for c in manifest.files] == [
        ("jsonl", "plain", 20, 1),
        ("text", "gzip", 1, 0),
        ("unknown", "unknown", 0, 1),
        ("unknown", "unknown", 0, 1),
        ("text", "plain", 1, 1),
    ]
    assert _rows(quarantine) == [
        ("records.txt", "invalid_json", 0),
        ("empty", "empty", 0),
        ("image.txt", "unsupported_format", 11),
        ("latin", "invalid_encoding", 0),
    ]


@pytest.mark.parametrize("kind", ["memory", pytest.param("s3", marks=pytest.mark.server)])
def test_what_articles_state_is_staged(
    kind: str, store_factory: Callable[[str], Store], tmp_path: Path
) -> None:
    """Author and date have their columns, and what left the text is a row that names it."""
    landing = store_factory(kind)
    prose = "The harbour had been closed since the storm, and nobody had worked there. " * 3
    page = f"Fog in the harbour\n\nBy Jane Doe\n\n2024-03-12\n\nfog_01.jpg\n\n{prose}\n"
    record = {"text": "one record", "author": "Ann Lee", "date": "2024-03-12"}
    files = _land(landing, {"page": page.encode(), "record": json.dumps(record).encode()})
    corpus = Corpus(store_factory(kind), tmp_path)
    manifest = ingest_shard(corpus, landing, _plan(files, splitter="page"), 0)
    documents, _, quarantine = _tables(corpus, manifest)
    facts = documents.select(["byline", "published", "published_rule"]).to_pylist()
    day = dt.date(2024, 3, 12)
    assert facts == [
        {"byline": "By Jane Doe", "published": day, "published_rule": "iso_line"},
        {"byline": "Ann Lee", "published": day, "published_rule": "record"},
    ]
    (row,) = quarantine.to_pylist()
    assert (row["kind"], row["reason"]) == ("furniture", "image_name")
    assert row["document_id"] == documents["document_id"][0].as_py()
    assert page[row["char_start"] : row["char_end"]] == "fog_01.jpg\n\n"
    assert "fog_01" not in documents["text"][0].as_py()
    assert [(counts.furniture, counts.furniture_chars) for counts in manifest.files] == [
        (1, 12), (0, 0),
    ]  # fmt: skip


def test_rows_belong_together(memory_corpus: Corpus) -> None:
    """Ids come from provenance, and hash, counts and signature from the published text."""
    landing = MemoryStore()
    files = _land(landing, {"a": GOOD, "b": "\ufeff世界\r\n\xff".encode()})
    plan = _plan(files, batch_bytes=2000)
    documents, signatures, _ = _tables(memory_corpus, ingest_shard(memory_corpus, landing, plan, 0))
    signed = sign(documents["text"].combine_chunks())
    assert documents["content_hash"].to_pylist() == [
        row.tobytes().hex() for row in signed.content_hash
    ]
    assert signatures["content_hash"].to_pylist() == [row.tobytes() for row in signed.content_hash]
    assert signatures["band_keys"].to_pylist() == [row.tobytes() for row in signed.band_keys]
    assert signatures["minima"].to_pylist() == [row.tobytes() for row in signed.minima]
    assert signatures["shingles"].to_pylist() == signed.shingles.tolist()
    assert documents["word_count"].to_pylist() == signed.tokens.tolist()
    for row, binary in zip(
        documents.to_pylist(), signatures["document_id"].to_pylist(), strict=True
    ):
        span = row["char_start"], row["char_end"]
        assert row["document_id"] == document_id(row["source"], row["dump_file"], *span)
        assert row["document_id"] == binary.hex()
        assert row["char_count"] == len(row["text"])


def test_batches_bound_the_row_groups_and_nothing_else(tmp_path: Path) -> None:
    """A small batch gives more row groups with the same rows."""
    landing = MemoryStore()
    files = _land(landing, {"a": GOOD * 20})
    groups, rows = [], []
    for batch_bytes in (2000, 1 << 20):
        corpus = Corpus(MemoryStore(), tmp_path)
        manifest = ingest_shard(corpus, landing, _plan(files, batch_bytes=batch_bytes), 0)
        path = corpus.store.fetch(manifest.documents, tmp_path)
        groups.append(pq.ParquetFile(path).num_row_groups)
        rows.append(_tables(corpus, manifest))
    assert groups[0] > 50
    assert groups[1] == 1
    assert rows[0] == rows[1]


def test_a_second_try_returns_the_first_manifest(memory_corpus: Corpus) -> None:
    """A unit that is done is not done again, even when its input is gone."""
    landing = MemoryStore()
    plan = _plan(_land(landing, {"a": GOOD}))
    first = ingest_shard(memory_corpus, landing, plan, 0)
    landing.delete([f"{FOLDER}/a"])
    assert ingest_shard(memory_corpus, landing, plan, 0) == first


def test_two_attempts_write_the_same_bytes(tmp_path: Path) -> None:
    """Output is a function of the input: keys and hashes are equal."""
    landing = MemoryStore()
    plan = _plan(_land(landing, {"a": GOOD, "b": b"text \xff and more text, long enough\n"}))
    first, second = (
        ingest_shard(Corpus(MemoryStore(), tmp_path), landing, plan, 0) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("name", ["gone", "other"])
def test_files_gone_or_changed_since_the_plan_fail_the_task(
    memory_corpus: Corpus, name: str
) -> None:
    """Nothing is noted under the fingerprint of bytes that nobody read: they may come back."""
    landing = MemoryStore()
    files = _land(landing, {"a": GOOD, "gone": GOOD, "other": GOOD})
    plan = _plan(files)
    if name == "gone":
        landing.delete([f"{FOLDER}/gone"])
    else:
        landing.put(f"{FOLDER}/other", b"new content")
    with pytest.raises(ChangedError, match=f"{FOLDER}/{name}: expected .* Plan the night again"):
        ingest_shard(memory_corpus, landing, plan, 0)
    landing.put(f"{FOLDER}/{name}", GOOD)
    manifest = ingest_shard(memory_corpus, landing, plan, 0)
    assert manifest.documents.rows == 60


class _FailingStore(MemoryStore):
    """A store whose object `b` fails with an error after some bytes."""

    error: Exception

    def open(self, key: str, *, etag: str | None = None, start: int = 0) -> BinaryIO:
        """Open a reader, of `b` one that fails at its end."""
        stream = super().open(key, etag=etag, start=start)
        if not key.endswith("/b"):
            return stream
        error = self.error

        class Failing(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                data = super().read(size)
                if not data:
                    raise error
                return data

        return Failing(stream.read())


@pytest.mark.parametrize("batch_bytes", [100_000, 1 << 23])
def test_a_file_that_cannot_be_read_to_its_end_leaves_no_rows(
    memory_corpus: Corpus, batch_bytes: int
) -> None:
    """Rows already given are taken back, written or not; the other files are complete."""
    landing = _FailingStore()
    landing.error = UnreadableError("undecodable", "expected text, found none.")
    big = b"".join(b'{"text": "number %06d %s"}\n' % (i, b"w" * 60) for i in range(20_000))
    files = _land(landing, {"a": GOOD, "b": big, "c": GOOD})
    manifest = ingest_shard(memory_corpus, landing, _plan(files, batch_bytes=batch_bytes), 0)
    documents, signatures, quarantine = _tables(memory_corpus, manifest)
    assert documents.num_rows == signatures.num_rows == 40
    assert {Path(key).name for key in documents["dump_file"].to_pylist()} == {"a", "c"}
    assert _rows(quarantine) == [("b", "undecodable", len(big))]
    assert all(counts.balanced for counts in manifest.files)


def test_a_store_that_cannot_be_reached_is_for_the_next_try(memory_corpus: Corpus) -> None:
    """A transient error goes through, and no manifest is written."""
    landing = _FailingStore()
    landing.error = TransientError("throttled")
    plan = _plan(_land(landing, {"b": GOOD}))
    with pytest.raises(TransientError):
        ingest_shard(memory_corpus, landing, plan, 0)
    assert memory_corpus.find(layout.unit("ingest", plan.shards[0].fingerprint), FileCounts) is None
    assert list(memory_corpus.scratch.glob("*.parquet")) == []


def test_an_undecodable_file_is_taken_back_after_it_was_written(memory_corpus: Corpus) -> None:
    """That too many bytes are wrong is known at the end only; nothing of the file stays."""
    landing = MemoryStore()
    bad = b"A page of a few words.\n\n" * 500 + b"\xff" * 25 * 500
    files = _land(landing, {"a": GOOD, "b": bad})
    plan = _plan(files, batch_bytes=500, max_page_chars=1000)
    manifest = ingest_shard(memory_corpus, landing, plan, 0)
    documents, _, quarantine = _tables(memory_corpus, manifest)
    assert documents.num_rows == 20
    assert _rows(quarantine) == [("b", "undecodable", len(bad))]


def test_books_that_do_not_balance_commit_nothing(memory_corpus: Corpus) -> None:
    """An object that is shorter than the plan says has lost bytes: the shard is refused."""
    landing = MemoryStore()
    (file,) = _land(landing, {"a": GOOD})
    wrong = DumpFile(file.source, file.dump_date, file.key, file.etag, file.size + 1)
    with pytest.raises(ContractError, match=r"expected 1[0-9]+ bytes = "):
        ingest_shard(memory_corpus, landing, _plan([wrong]), 0)


def test_hostile_names_and_texts_are_only_values(memory_corpus: Corpus) -> None:
    """Keys never become paths, and excerpts show control characters as escapes."""
    landing = MemoryStore()
    name = "../..//é\n<script>"
    files = _land(landing, {name: b'{"text": 1, "x": "\x1b[31m"}\n'})
    _, _, quarantine = _tables(memory_corpus, ingest_shard(memory_corpus, landing, _plan(files), 0))
    assert quarantine["dump_file"].to_pylist() == [f"{FOLDER}/{name}"]
    assert quarantine["excerpt"].to_pylist() == ['{"text": 1, "x": "\\x1b[31m"}\\x0a']


def test_one_line_says_what_the_task_did(
    memory_corpus: Corpus, monkeypatch: pytest.MonkeyPatch, events: list[EventDict]
) -> None:
    """The canonical line carries the counts, and progress is told while it works."""
    landing = MemoryStore()
    plan = _plan(_land(landing, {"a": GOOD, "b": b"text"}))
    monkeypatch.setattr(stage, "PROGRESS_BYTES", len(GOOD) // 2)
    ingest_shard(memory_corpus, landing, plan, 0)
    assert [event["event"] for event in events] == ["ingest.progress", "ingest.done"]
    assert {name: events[1][name] for name in ("files", "documents", "stored_bytes")} == {
        "files": 2,
        "documents": 21,
        "stored_bytes": len(GOOD) + 4,
    }
    json.dumps(events[1])
