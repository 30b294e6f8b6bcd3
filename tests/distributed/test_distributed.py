"""A night on PostgreSQL, Redis and two Celery workers, through every kind of restart."""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.nights import nights
from pipeline import runner
from pipeline.audit import verify
from pipeline.model.settings import PlanSettings, Settings, StoreSettings
from pipeline.storage.open import open_store
from tests.distributed.stack import NIGHTLY, ROOT, Stack, parser, services
from tests.nights import DATA_TABLES, land

NIGHT = nights()[0]
FILES = [(key, data) for key, data in NIGHT.files if not key.startswith("herald/")]
EVERY_SLOT = {"worker-1": 2, "worker-2": 2}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Start the services of the compose file; the test process uses the same object store."""
    made = Stack(tmp_path)
    try:
        made.start()
        for name, value in made.store.environment.items():
            if name != "AWS_ENDPOINT_URL":
                monkeypatch.setenv(name, value)
        yield made
    finally:
        made.stop()


def _settings(stack: Stack, corpus: str) -> Settings:
    return Settings(
        store=StoreSettings(landing="s3://landing", corpus=corpus, endpoint_url=stack.store.url),
        plan=PlanSettings(quiet_seconds=0, shard_bytes=20_000, range_bytes=40_000),
    )


def _published(stack: Stack, corpus: str) -> dict[str, str]:
    store = open_store(corpus, endpoint_url=stack.store.url)
    return {
        info.key: hashlib.sha256(store.get(info.key)[0]).hexdigest()
        for table in DATA_TABLES
        for info in store.list(table)
    }


@pytest.mark.xdist_group("distributed")
def test_the_compose_file_is_valid() -> None:
    """Compose's own parser takes the file and finds every service in it."""
    done = subprocess.run(
        [parser(), "config", "--quiet"], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert {"postgres", "redis", "object-store", "init", "worker-1", "worker-2"} <= set(services())


@pytest.mark.airflow
@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.xdist_group("distributed")
def test_a_night_survives_restarts_of_everything(stack: Stack) -> None:
    """A worker killed with -9; broker, database and object store restarted: the same bytes."""
    reference = _settings(stack, "s3://corpus/reference")
    land(open_store("s3://landing", endpoint_url=stack.store.url), FILES)
    with runner.session(reference) as night:
        assert [label for label, _ in runner.run_night(night, NIGHT.dump_date, "by-hand")]

    stack.slots("winnow_landing", 0)
    run = {"dag_run_id": "restarts", "logical_date": None, "partition_key": NIGHT.dump_date}
    stack.call("POST", NIGHTLY, json=run | {"conf": {}})

    def tasks(task_id: str, state: str) -> list[dict[str, Any]]:
        found = stack.tasks("restarts")
        return [task for task in found if task["task_id"] == task_id and task["state"] == state]

    def at_work() -> list[dict[str, Any]]:
        found = tasks("ingest", "running")
        return found if Counter(task["hostname"] for task in found) == EVERY_SLOT else []

    stack.wait_for(lambda: tasks("key_ranges", "success"), "the plan of the night")
    with stack.silent_store():  # what is at work now stays so until all has been restarted
        stack.slots("winnow_landing", 32)
        running = stack.wait_for(at_work, "ingest tasks in every slot")
        stack.kill("worker-1")
        stack.redis.restart()
        stack.postgres.restart()
    stack.store.stop()
    stack.store.start()

    stack.end("restarts")
    tries = {task["map_index"]: task["try_number"] for task in tasks("ingest", "success")}
    lost = [task["map_index"] for task in running if task["hostname"] == "worker-1"]
    assert all(tries[index] > 1 for index in lost)
    assert _published(stack, "s3://corpus") == _published(stack, "s3://corpus/reference")
    with runner.corpus_session(_settings(stack, "s3://corpus")) as corpus:
        assert list(verify.findings(corpus)) == []
