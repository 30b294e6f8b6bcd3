"""Runs at once, each in a process, on the real S3 server: the end is that of one by one."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.audit import verify
from pipeline.errors import ConflictError
from pipeline.model.settings import Settings
from pipeline.storage import snapshots
from pipeline.storage.open import open_store
from pipeline.storage.s3 import S3Store
from tests.nights import land, published_bytes, run, settings_for

pytestmark = [pytest.mark.server, pytest.mark.slow]

FIRST, SECOND, THIRD = "2026-11-20", "2026-11-21", "2026-11-22"


def files(date: str, *seeds: str) -> list[tuple[str, bytes]]:
    """Return a night of one dump file a text."""
    texts = (" ".join(f"{seed}{number}" for number in range(60)) for seed in seeds)
    rows = [json.dumps({"text": text}).encode() for text in texts]
    return [(f"wire/{date}/{at}.jsonl", row) for at, row in enumerate(rows)]


def at_once(*works: Callable[[], object]) -> list[int]:
    """Do each in a process of its own, all begun before any goes on; return their exit codes."""
    ready, go = os.pipe(), os.pipe()
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.write(ready[1], b".")
                os.read(go[0], 1)
                work()
                code = 0
            except BaseException:  # noqa: BLE001 - a child must not come back into the test runner
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    for _ in works:
        os.read(ready[0], 1)
    os.write(go[1], b"." * len(works))
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    for end in (*ready, *go):
        os.close(end)
    return codes


def persistent(settings: Settings, date: str, run_id: str) -> None:
    """Run a night; a promote that another one overtook is called again, as Airflow does."""
    try:
        run(settings, date, run_id)
    except ConflictError as error:
        if "claim on the trees" not in str(error):
            raise
        persistent(settings, date, run_id)


def end_of(settings: Settings) -> dict[str, str]:
    """Return what is published, in which every promise holds and nothing is due."""
    with runner.session(settings) as night:
        assert list(verify.findings(night.corpus)) == []
        assert night.due() == []
        return published_bytes(night.corpus.store)


def test_the_same_night_twice_beside_others(
    object_store: ObjectStore, s3_store: S3Store, tmp_path: Path
) -> None:
    """Two runs of a night beside two other nights that share its texts; then two after a change."""
    settings = settings_for(str(tmp_path / "landing"), s3_store.url, endpoint_url=object_store.url)
    alone = settings_for(str(tmp_path / "landing"), str(tmp_path / "alone"))
    landing = open_store(settings.store.landing, create=True)
    nights = {FIRST: "ab", SECOND: "ac", THIRD: "bcd"}
    for date, seeds in nights.items():
        land(landing, files(date, *seeds))
        run(alone, date, f"alone-{date}")  # loads for the children what they need, too

    def started(date: str, run_id: str) -> Callable[[], object]:
        return lambda: persistent(settings, date, run_id)

    runs = [(FIRST, "one"), (FIRST, "two"), (SECOND, "three"), (THIRD, "four")]
    assert at_once(*(started(*one) for one in runs)) == [0] * len(runs)
    assert end_of(settings) == published_bytes(open_store(alone.store.corpus))
    with runner.corpus_session(settings) as corpus:
        assert [*snapshots.current(corpus).dumps] == [*nights]
        assert snapshots.current(corpus).sequence == len(nights)  # one run of the night found it

    land(landing, files(FIRST, "e", "b"))
    run(alone, FIRST, "changed")
    assert at_once(started(FIRST, "five"), started(FIRST, "six")) == [0, 0]
    assert end_of(settings) == published_bytes(open_store(alone.store.corpus))
    with runner.corpus_session(settings) as corpus:
        assert snapshots.current(corpus).sequence == len(nights) + 1
