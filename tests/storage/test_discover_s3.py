"""Discovery over a real S3 server, beyond one page of a listing."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.model.settings import PlanSettings, RunSettings
from pipeline.plan.discover import dump_dates
from pipeline.plan.stage import plan_run
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus

pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_thousands_of_objects_are_all_planned(s3_store: S3Store, memory_corpus: Corpus) -> None:
    """2,500 objects of three sources are found, each once, and packed within the limit."""
    keys = [f"s{number % 3}/2026-11-21/f-{number:04d}.txt" for number in range(2500)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: s3_store.put(key, key.encode()), keys))
    s3_store.put("s0/2026-11-20/other.txt", b"another night")
    settings = RunSettings(plan=PlanSettings(quiet_seconds=0, shard_bytes=100, max_shards=64))
    plan = plan_run(
        memory_corpus, s3_store, settings, dump_date="2026-11-21", run_id="r", now=time.time()
    )
    assert [file.key for file in plan.files] == sorted(keys)
    assert len(plan.shards) <= 64
    assert dump_dates(s3_store) == {"2026-11-20": ("s0",), "2026-11-21": ("s0", "s1", "s2")}
