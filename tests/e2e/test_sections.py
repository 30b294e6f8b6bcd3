"""Nights with large files on a real S3 server: how they are cut never shows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from demo.object_store import ObjectStore
from pipeline.audit import verify
from pipeline.errors import ChangedError
from pipeline.ingest.stage import ingest_shard
from pipeline.model.files import DumpFile
from pipeline.model.plan import Plan, Shard
from pipeline.model.settings import PlanSettings, RunSettings
from pipeline.runner import corpus_session
from pipeline.storage import layout
from pipeline.storage.open import open_store
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus
from tests.bad_inputs import make
from tests.nights import published_bytes, run, settings_for

DATE = "2026-11-21"
LINES = make.lines(900)
RECORDS = [record for n in range(120) for record in (make.wet(n), make.response(make.page(n)))]
FILES = {
    "a-lines.jsonl": LINES + b"\n\n \n{broken\n" + make.lines(300, start=900),
    "b-lines.jsonl.gz": b"".join(make.members([make.lines(40, start=40 * n) for n in range(40)])),
    "c-lines.zst": b"".join(make.frames([LINES[n : n + 3000] for n in range(0, 90000, 3000)])),
    "d-pages.warc.gz": b"".join(make.members(RECORDS)),
    "e-damaged.warc.gz": make.holed(b"".join(make.members(RECORDS)), 20_000, 300),
    "f-page.txt": "\n\n".join(make.story(n) for n in range(200)).encode(),
}  # fmt: skip


@pytest.mark.server
def test_published_bytes_do_not_depend_on_the_sections(
    s3_store: S3Store, object_store: ObjectStore, tmp_path: Path
) -> None:
    """Files cut into many sections, into few and into none are published as the same bytes."""
    for name, data in FILES.items():
        s3_store.put(f"news/{DATE}/{name}", data)
    results, units = [], []
    for size in (8_000, 50_000, 1 << 30):
        corpus = str(tmp_path / str(size))
        settings = settings_for(s3_store.url, corpus, endpoint_url=object_store.url)
        settings = msgspec.structs.replace(
            settings, plan=PlanSettings(quiet_seconds=0, shard_bytes=size)
        )
        run(settings, DATE, "run")
        store = open_store(corpus)
        with corpus_session(settings) as opened:
            assert list(verify.findings(opened)) == []
        results.append(published_bytes(store))
        units.append(len(list(store.list(layout.UNITS + "measure/"))))
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 3
    assert units[0] > units[1] > units[2] == 0


@pytest.mark.server
def test_a_section_of_a_replaced_object_is_not_read(s3_store: S3Store, tmp_path: Path) -> None:
    """What was measured of one object is never used to read another under its key."""
    key = f"news/{DATE}/large.jsonl"
    file = DumpFile("news", DATE, key, s3_store.put(key, LINES), len(LINES))
    shards = tuple(Shard(n, f"{n:024x}", (file,), n, 3) for n in range(3))
    plan = Plan("run", DATE, 0.0, "g", 0, shards, (), (), False, RunSettings(), "code")  # noqa: FBT003 - positional by contract
    corpus = Corpus(s3_store, tmp_path)
    assert ingest_shard(corpus, s3_store, plan, 0).documents.rows > 0
    s3_store.put(key, b"x" + LINES)
    with pytest.raises(ChangedError, match="Plan the night again"):
        ingest_shard(corpus, s3_store, plan, 1)
    s3_store.delete([key])
    with pytest.raises(ChangedError, match="changed or gone"):
        ingest_shard(corpus, s3_store, plan, 2)
