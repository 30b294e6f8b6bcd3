"""A night on PostgreSQL, Redis and two Celery workers, through every kind of restart."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.nights import nights
from pipeline import runner
from pipeline.audit import verify
from pipeline.model.settings import PlanSettings, Settings, StoreSettings
from pipeline.storage.open import open_store
from tests.distributed.stack import ROOT, Stack, parser, services
from tests.nights import DATA_TABLES, land

NIGHT = nights()[0]
MAPPED = {"ingest", "match", "annotate", "publish"}


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
        plan=PlanSettings(quiet_seconds=0, shard_bytes=20_000, range_bytes=60_000),
    )


def _published(stack: Stack, corpus: str) -> dict[str, str]:
    store = open_store(corpus, endpoint_url=stack.store.url)
    return {
        info.key: hashlib.sha256(store.get(info.key)[0]).hexdigest()
        for table in DATA_TABLES
        for info in store.list(table)
    }


def test_the_compose_file_is_valid() -> None:
    """Compose's own parser takes the file and finds every service in it."""
    done = subprocess.run(
        [parser(), "config", "--quiet"], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert {"postgres", "redis", "object-store", "init", "worker-1", "worker-2"} <= set(services())


@pytest.mark.restarts
@pytest.mark.airflow
@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.xdist_group("airflow")
def test_a_night_survives_restarts_of_everything(stack: Stack) -> None:
    """A worker killed with -9; broker, database and object store restarted: the same bytes."""
    reference = _settings(stack, "s3://corpus/reference")
    land(open_store("s3://landing", endpoint_url=stack.store.url), NIGHT.files)
    with runner.session(reference) as night:
        assert [label for label, _ in runner.run_night(night, NIGHT.dump_date, "by-hand")]

    body = {"logical_date": None, "partition_key": NIGHT.dump_date, "conf": {}}
    run_id = stack.call("POST", "/dags/winnow_nightly/dagRuns", json=body)["dag_run_id"]

    def tasks(task_id: str, *states: str) -> list[dict[str, Any]]:
        found = stack.tasks(run_id)
        failed = [task["task_id"] for task in found if task["state"] == "failed"]
        assert not failed, stack.log("scheduler")
        return [task for task in found if task["task_id"] == task_id and task["state"] in states]

    victim = stack.wait_for(lambda: tasks("ingest", "running"), "an ingest task at work")[0]
    stack.kill(victim["hostname"])
    stack.wait_for(lambda: tasks("ingest", "success"), "an ingest task done")
    stack.redis.restart()
    # A short task may begin and end between two looks, above all while nobody answers.
    stack.wait_for(lambda: tasks("match", "running", "success"), "a match task at work")
    stack.postgres.restart()
    stack.wait_for(lambda: tasks("annotate", "running", "success"), "an annotate task at work")
    stack.store.stop()
    stack.store.start()

    def ended() -> str:
        state = stack.call("GET", f"/dags/winnow_nightly/dagRuns/{run_id}")["state"]
        return str(state) if state in {"success", "failed"} else ""

    assert stack.wait_for(ended, "the end of the run", seconds=900) == "success"
    done = stack.tasks(run_id)
    assert {task["hostname"] for task in done if task["task_id"] in MAPPED} == {
        "worker-1",
        "worker-2",
    }
    again = [t for t in done if t["task_id"] == "ingest" and t["map_index"] == victim["map_index"]]
    assert again[0]["try_number"] > 1
    assert _published(stack, "s3://corpus") == _published(stack, "s3://corpus/reference")
    with runner.corpus_session(_settings(stack, "s3://corpus")) as corpus:
        assert list(verify.findings(corpus)) == []
