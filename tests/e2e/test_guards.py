"""Nights that guards or the self-test keep from being published, through the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pipeline.cli import cli
from pipeline.dedup import selftest
from pipeline.errors import ContractError
from pipeline.model.settings import Settings
from pipeline.signature import Signatures, sign
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.e2e.conftest import Once
from tests.nights import land, published_bytes, run

STOP = {
    "WINNOW_GUARD__DOCUMENTS": "stop",
    "WINNOW_GUARD__SOURCE": "stop",
    "WINNOW_GUARD__SOURCE_DOCUMENTS": "10",
}
DAYS = range(17, 21)


def texts(first: int, count: int = 20) -> bytes:
    """Return documents unlike each other as JSON lines."""
    rows = (
        {"id": str(at), "text": " ".join(f"w{at}x{word}" for word in range(60))}
        for at in range(first, first + count)
    )
    return "\n".join(json.dumps(row) for row in rows).encode()


def winnow(settings: Settings, *arguments: str, **environment: str) -> Result:
    """Run a command on the corpus of the settings."""
    store = {
        "WINNOW_STORE__LANDING": settings.store.landing,
        "WINNOW_STORE__CORPUS": settings.store.corpus,
        "WINNOW_PLAN__QUIET_SECONDS": "0",
    }
    return CliRunner().invoke(cli, arguments, env=store | environment, obj=None)


@pytest.fixture
def usual(local: Settings, landing: Store, once: Once) -> Settings:
    """Publish four ordinary nights."""

    def publish() -> None:
        for day in DAYS:
            land(landing, [(f"web/2026-11-{day}/a.jsonl", texts(100 * day))])
            run(local, f"2026-11-{day}", f"run-{day}")

    once(publish)
    return local


def rows_of(settings: Settings, date: str) -> list[dict[str, Any]]:
    """Return the rows of `runs` of one night."""
    folder = Path(settings.store.corpus) / "runs" / f"dump_date={date}"
    return pq.read_table(folder, partitioning=None).to_pylist() if folder.exists() else []


def test_a_stopped_night_publishes_nothing_until_it_is_accepted(
    usual: Settings, landing: Store
) -> None:
    """Yesterday's files again: the run fails, readers see no change; accepted, it is published."""
    date = "2026-11-21"
    land(landing, [(f"web/{date}/a.jsonl", texts(100 * DAYS[-1]))])
    before = published_bytes(open_store(usual.store.corpus))
    stopped = winnow(usual, "run", "--dump-date", date, **STOP)
    assert stopped.exit_code == 1
    assert "source (web): expected at most 0.980, found 1.000" in stopped.stderr
    assert f"--dump-date {date} --accept-guards" in stopped.stderr
    assert published_bytes(open_store(usual.store.corpus)) == before
    assert rows_of(usual, date) == []
    accepted = winnow(usual, "run", "--dump-date", date, "--accept-guards", "--json", **STOP)
    assert accepted.exit_code == 0
    assert json.loads(accepted.stdout)["kept"] == 0
    (row,) = rows_of(usual, date)
    outcomes = {one["name"]: one["outcome"] for one in row["guards"]}
    assert outcomes == {
        "removal": "warn",
        "documents": "ok",
        "cluster": "ok",
        "source": "accepted",
        "quarantine": "ok",
    }


def test_published_bytes_do_not_know_of_guards(
    usual: Settings, landing: Store, tmp_path: Path
) -> None:
    """A night accepted under strict guards has the bytes that it has without any."""
    date = "2026-11-21"
    files = [(f"web/{date}/a.jsonl", texts(100 * DAYS[-1], 3))]
    land(landing, files)
    winnow(usual, "run", "--dump-date", date, "--accept-guards", **STOP)
    other = replace_corpus(usual, tmp_path / "other")
    for day in reversed([*DAYS, 21]):
        run(other, f"2026-11-{day}", f"again-{day}")
    first, second = (published_bytes(open_store(one.store.corpus)) for one in (usual, other))
    assert first == second


def replace_corpus(settings: Settings, folder: Path) -> Settings:
    """Return the same settings on another corpus."""
    store = msgspec.structs.replace(settings.store, corpus=str(folder))
    return msgspec.structs.replace(settings, store=store)


def test_first_nights_pass_strict_guards(local: Settings, landing: Store) -> None:
    """A new corpus has nothing to be compared with, and says so."""
    land(landing, [("web/2026-11-21/a.jsonl", texts(0))])
    assert winnow(local, "run", "--dump-date", "2026-11-21", **STOP).exit_code == 0
    (row,) = rows_of(local, "2026-11-21")
    said = {one["name"]: (one["outcome"], one["nights"]) for one in row["guards"]}
    assert said["removal"] == said["documents"] == ("unknown", 0)


def test_an_empty_night_is_stopped_if_documents_may_not_be_missing(usual: Settings) -> None:
    """Twenty documents a night, then none."""
    stopped = winnow(usual, "run", "--dump-date", "2026-11-21", **STOP)
    assert stopped.exit_code == 1
    assert "documents: expected at least 10, by 4 nights before, found 0" in stopped.stderr


def test_the_report_shows_guards_and_what_the_self_test_measured(usual: Settings) -> None:
    """One night: its run, recall by similarity beside what is expected, and each guard."""
    said = winnow(usual, "report", "2026-11-20").stdout
    for part in ("Self-test of run-20", "expected", "other order", "Guards of run-20", "removal"):
        assert part in said
    (row,) = json.loads(winnow(usual, "report", "run-20", "--json").stdout)
    found = {round(one["similarity"], 1): one for one in row["self_test"] if one["kind"] == "copy"}
    assert found[1.0]["recall"] == 1.0
    assert found[0.9]["expected"] > 0.99
    assert winnow(usual, "report").stdout.count("Guards of") == 0


def test_a_run_that_fails_its_self_test_publishes_nothing(
    usual: Settings, landing: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose signatures are wrong decides nothing and says what it missed."""

    def wrong(array: Any) -> Signatures:
        signed = sign(array)
        keys = np.arange(signed.band_keys.size // 8, dtype="<u8").view(np.uint8)
        return replace(signed, band_keys=keys.reshape(signed.band_keys.shape))

    monkeypatch.setattr(selftest, "sign", wrong)
    land(landing, [("web/2026-11-21/a.jsonl", texts(0))])
    before = published_bytes(open_store(usual.store.corpus))
    with pytest.raises(ContractError, match=r"of 64 copies of similarity 0\.90 recognised"):
        run(usual, "2026-11-21", "broken")
    assert published_bytes(open_store(usual.store.corpus)) == before
    assert rows_of(usual, "2026-11-21") == []
