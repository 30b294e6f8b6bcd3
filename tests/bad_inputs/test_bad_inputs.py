"""Every bad input costs what it must and nothing else."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.ingest.stage import ingest_shard
from pipeline.model.files import DumpFile
from pipeline.model.manifest import FileCounts, IngestManifest
from pipeline.model.plan import Plan, Shard
from pipeline.model.settings import IngestSettings, RunSettings
from pipeline.storage.memory import MemoryStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus
from tests.bad_inputs import make
from tests.bad_inputs.cases import CASES, Case

DATE = "2026-11-21"
GOOD = "0-good.jsonl"


def _ingest(
    corpus: Corpus, landing: Store, objects: dict[str, bytes]
) -> tuple[IngestManifest, pa.Table, pa.Table]:
    files = []
    for name, data in objects.items():
        key = f"news/{DATE}/{name}"
        files.append(DumpFile("news", DATE, key, landing.put(key, data), len(data)))
    shard = Shard(0, "0123456789abcdef01234567", tuple(files))
    settings = RunSettings(ingest=IngestSettings(splitter="none"))
    plan = Plan("run", DATE, 0.0, "g", 0, (shard,), (), (), False, settings, "code")  # noqa: FBT003 - positional by contract
    manifest = ingest_shard(corpus, landing, plan, 0)
    return manifest, corpus.read(manifest.documents), corpus.read(manifest.quarantine)


def _of(table: pa.Table, file: str) -> pa.Table:
    return table.filter(pc.equal(table["dump_file"], f"news/{DATE}/{file}"))


def _spans(table: pa.Table) -> list[tuple[int, int]]:
    return list(zip(table["char_start"].to_pylist(), table["char_end"].to_pylist(), strict=True))


def _check(case: Case, counts: FileCounts, documents: pa.Table, quarantine: pa.Table) -> None:
    documents, quarantine = _of(documents, case.file), _of(quarantine, case.file)
    bad = quarantine.filter(pc.equal(quarantine["kind"], "quarantine"))
    assert (documents.num_rows, set(bad["reason"].to_pylist())) == (case.documents, case.reasons)
    assert all(detail for detail in bad["detail"].to_pylist())
    assert counts.balanced
    assert counts.documents == case.documents
    outer = quarantine.filter(pc.is_null(quarantine["document_id"]))
    spans = sorted(_spans(documents) + _spans(outer))
    edges = [0, *(end for _, end in spans)]
    assert [start for start, _ in spans] == edges[:-1]
    assert edges[-1] == counts.chars
    assert sum(quarantine["stored_bytes"].to_pylist()) == counts.unread_bytes


def test_there_are_enough_of_them() -> None:
    """The corpus has at least 60 cases, each under a name of its own."""
    assert len({case.file for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file[:30])
def test_a_bad_input_costs_what_it_must(case: Case, memory_corpus: Corpus) -> None:
    """Good documents are kept, the rest has its reason, the books balance, others are whole."""
    objects = {GOOD: make.lines(5), case.file: case.make(), "z-good.jsonl": make.lines(5)}
    manifest, documents, quarantine = _ingest(memory_corpus, MemoryStore(), objects)
    _check(case, manifest.files[1], documents, quarantine)
    for other in (GOOD, "z-good.jsonl"):
        assert (_of(documents, other).num_rows, _of(quarantine, other).num_rows) == (5, 0)


@pytest.mark.server
def test_a_night_of_bad_inputs_on_a_real_server(s3_store: S3Store, tmp_path: Path) -> None:
    """All cases in one shard, read from and written to S3, come out as each of them alone."""
    objects = {GOOD: make.lines(5), **{case.file: case.make() for case in CASES}}
    manifest, documents, quarantine = _ingest(Corpus(s3_store, tmp_path), s3_store, objects)
    counts = {file.key.rpartition("/")[2]: file for file in manifest.files}
    for case in CASES:
        _check(case, counts[case.file], documents, quarantine)
    assert _of(documents, GOOD).num_rows == 5


_BIG = """
import io, resource, sys
from pipeline.ingest.reader import Reading
from pipeline.model.settings import IngestSettings

class Endless(io.RawIOBase):
    left = 1 << 30
    head = b'{"text": "a good record before it"}\\n' + sys.argv[1].encode()
    def read(self, size=-1):
        if self.head:
            data, self.head = self.head, b""
        elif self.left > 0:
            data = b"x" * (1 << 20)
            self.left -= len(data)
        elif self.left == 0:
            data, self.left = b'"}\\n{"text": "a good record after it"}\\n', -1
        else:
            data = b""
        return data

list(Reading(io.BytesIO(b'{"text": "a"}'), IngestSettings(), size=1))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kinds = [(piece.kind, piece.reason) for piece in Reading(Endless(), IngestSettings(), size=0)]
print(kinds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_line_of_a_gigabyte_takes_little_memory() -> None:
    """The records around it are kept, and memory grows by some blocks only."""
    run = subprocess.run(
        [sys.executable, "-c", _BIG, '{"text": "'], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    kinds, _, grown = run.stdout.strip().rpartition(" ")
    assert kinds == "[('document', ''), ('quarantine', 'record_too_long'), ('document', '')]"
    assert int(grown) < 200


def test_bombs_take_little_memory(tmp_path: Path) -> None:
    """What decodes to far more than it is ends early."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in CASES:
        if "bomb" in case.reasons:
            _ingest(Corpus(MemoryStore(), tmp_path), MemoryStore(), {case.file: case.make()})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600 * 1024


def test_every_reason_is_explained() -> None:
    """Each reason that a case has stands in docs/formats.md."""
    page = (Path(__file__).parents[2] / "docs/formats.md").read_text("utf-8")
    reasons = {reason for case in CASES for reason in case.reasons}
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()
