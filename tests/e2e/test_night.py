"""Whole nights through the runner on a local store: what issue readers call "done"."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from demo.nights import nights
from pipeline import runner
from pipeline.audit import lookup, verify
from pipeline.dedup import deduplicate
from pipeline.errors import InputError
from pipeline.model.settings import Settings
from pipeline.runner import corpus_session
from pipeline.storage import snapshots
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.nights import SHARD_BYTES, land, published_bytes, run, settings_for

DATE = "2026-11-16"
TEXT = " ".join(f"word{number}" for number in range(60))


@pytest.fixture
def local(local: Settings) -> Settings:
    """Return the settings with fewer and larger shards: this is about whole nights."""
    return settings_for(local.store.landing, local.store.corpus, shard_bytes=SHARD_BYTES)


def _verified(settings: Settings) -> list[object]:
    with corpus_session(settings) as corpus:
        return list(verify.findings(corpus))


def _rows(settings: Settings, table: str) -> list[dict[str, object]]:
    dataset = ds.dataset(f"{settings.store.corpus}/{table}", partitioning="hive")
    return dataset.to_table().to_pylist()


def test_two_demo_nights_publish_and_verify(local: Settings, landing: Store) -> None:
    """Two ordinary nights are published, their books balance and every promise verifies."""
    for night in nights()[:2]:
        land(landing, night.files)
        counts = run(local, night.dump_date, f"run-{night.dump_date}")
        assert (
            counts["documents"] == counts["kept"] + counts["dropped_exact"] + counts["dropped_near"]
        )
        assert counts["kept"] > 50
    assert _verified(local) == []


def test_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    """Promise 4: the demo nights in two orders end in the same published bytes."""
    results = []
    for order in (nights(), sorted(nights(), key=lambda night: night.dump_date)):
        name = "-".join(night.dump_date for night in order)
        urls = (str(tmp_path / name / kind) for kind in ("landing", "corpus"))
        settings = settings_for(*urls, shard_bytes=SHARD_BYTES)
        store = open_store(settings.store.landing, create=True)
        for night in order:
            land(store, night.files)
            run(settings, night.dump_date, f"run-{night.dump_date}")
        assert _verified(settings) == []
        results.append(published_bytes(open_store(settings.store.corpus)))
    assert results[0] == results[1]
    assert len(results[0]) > 20


def test_same_night_twice_changes_nothing(local: Settings, landing: Store) -> None:
    """A second run of an unchanged night commits no snapshot and leaves every byte alone."""
    night = nights()[0]
    land(landing, night.files)
    first = run(local, night.dump_date, "first")
    before = published_bytes(open_store(local.store.corpus))
    second = run(local, night.dump_date, "second")
    assert (second["unchanged"], second["snapshot"]) == (True, first["snapshot"])
    assert published_bytes(open_store(local.store.corpus)) == before


def test_night_without_dumps(local: Settings) -> None:
    """A night without dumps is a success that says so in `runs`."""
    counts = run(local, DATE, "empty-night")
    assert (counts["files"], counts["documents"]) == (0, 0)
    assert [row["outcome"] for row in _rows(local, "runs")] == ["empty"]
    assert _verified(local) == []


def test_night_with_one_empty_file(local: Settings, landing: Store) -> None:
    """An empty dump file is recorded in quarantine and the night ends well."""
    land(landing, [(f"wire/{DATE}/nothing.txt", b"")])
    counts = run(local, DATE, "empty-file")
    assert (counts["files"], counts["documents"]) == (1, 0)
    assert [row["reason"] for row in _rows(local, "quarantine")] == ["empty"]
    assert _verified(local) == []


def test_night_with_only_duplicates(local: Settings, landing: Store) -> None:
    """A night that brings nothing new publishes no document but names every witness."""
    line = f'{{"text": "{TEXT}"}}\n'.encode()
    land(landing, [(f"wire/{DATE}/a.jsonl", line)])
    run(local, DATE, "original")
    land(landing, [("wire/2026-11-17/b.jsonl", line * 3)])
    counts = run(local, "2026-11-17", "copies")
    assert (counts["documents"], counts["kept"], counts["dropped_history"]) == (3, 0, 3)
    verdicts = [row for row in _rows(local, "verdicts") if row["dump_file"].endswith("b.jsonl")]
    assert {row["witness_dump_date"] for row in verdicts} == {DATE}
    assert _verified(local) == []


def test_night_with_one_unreadable_file(local: Settings, landing: Store) -> None:
    """An unreadable file goes to quarantine with its bytes; its neighbours are published."""
    good = f'{{"text": "{TEXT}"}}\n'.encode()
    land(landing, [(f"wire/{DATE}/bad.txt", b"\x00\xff\xfe\x01" * 500)])
    land(landing, [(f"wire/{DATE}/good.jsonl", good)])
    counts = run(local, DATE, "unreadable")
    assert (counts["documents"], counts["kept"]) == (1, 1)
    reasons = {row["dump_file"]: row["reason"] for row in _rows(local, "quarantine")}
    assert f"wire/{DATE}/bad.txt" in reasons
    assert _verified(local) == []


def test_changed_object_replaces_its_documents(local: Settings, landing: Store) -> None:
    """A changed object under an old key makes the dump due again and replaces what it said."""
    key = f"wire/{DATE}/a.jsonl"
    land(landing, [(key, f'{{"text": "{TEXT} first"}}\n'.encode())])
    run(local, DATE, "first")
    land(landing, [(key, f'{{"text": "{TEXT} second version"}}\n'.encode())])
    run(local, DATE, "second")
    assert [row["text"].split()[-1] for row in _rows(local, "documents")] == ["version"]
    assert _verified(local) == []


def test_deleted_files_need_a_word(local: Settings, landing: Store) -> None:
    """Files that vanished are not retracted silently, and are when asked for."""
    keys = [f"wire/{DATE}/{name}.jsonl" for name in "ab"]
    for number, key in enumerate(keys):
        text = " ".join(f"w{number}x{index}" for index in range(50))
        land(landing, [(key, f'{{"text": "{text}"}}\n'.encode())])
    run(local, DATE, "both")
    landing.delete(keys[:1])
    with pytest.raises(InputError, match="allow-deleted"):
        run(local, DATE, "refused")
    counts = run(local, DATE, "allowed", allow_deleted=True)
    assert counts["documents"] == 1
    assert _verified(local) == []


def test_late_night_retracts_and_its_deletion_restores(local: Settings, landing: Store) -> None:
    """A late older original retracts the published copy; deleting it restores the copy."""
    later, earlier = "2026-11-20", "2026-11-18"
    line = f'{{"text": "{TEXT}"}}\n'.encode()
    land(landing, [(f"wire/{later}/b.jsonl", line)])
    run(local, later, "later")
    alone = published_bytes(open_store(local.store.corpus))
    land(landing, [(f"wire/{earlier}/a.jsonl", line)])
    assert run(local, earlier, "late")["retracted"] == 1
    landing.delete([f"wire/{earlier}/a.jsonl"])
    assert run(local, earlier, "gone", allow_deleted=True)["restored"] == 1
    bytes_now = published_bytes(open_store(local.store.corpus))
    assert {key: digest for key, digest in bytes_now.items() if later in key} == alone
    assert _verified(local) == []


def test_concurrent_nights_end_as_one_after_the_other(local: Settings, landing: Store) -> None:
    """Two nights planned on the same parent both commit; the second rebases on the first."""
    pair = nights()[:2]
    for night in pair:
        land(landing, night.files)
    with runner.session(local) as tasks:
        running = [runner.run_night(tasks, night.dump_date, night.dump_date) for night in pair]
        for _ in itertools.zip_longest(*running):
            pass
    assert _verified(local) == []
    table = ds.dataset(f"{local.store.corpus}/verdicts", partitioning="hive").to_table()
    assert pc.sum(pc.cast(table["kept"], "int64")).as_py() > 0


def test_standalone_decides_as_the_corpus_does(local: Settings, landing: Store) -> None:
    """The texts of all demo nights, given to `deduplicate` at once, get the published verdicts."""
    for night in nights():
        land(landing, night.files)
        run(local, night.dump_date, f"run-{night.dump_date}")
    texts, verdicts = [], []
    with corpus_session(local) as corpus:
        snapshot = snapshots.current(corpus)
        for date in sorted(snapshot.dumps):
            state = snapshots.load_state(corpus, snapshot, date)
            verdicts += corpus.read(state.verdicts).to_pylist()
            for manifest in lookup.ingest_manifests(corpus, state):
                table = corpus.read(manifest.documents, columns=["document_id", "text"])
                dates = pa.repeat(date, table.num_rows)
                texts.append(table.rename_columns(["id", "text"]).append_column("dump_date", dates))
    names = ("document_id", "kept", "reason", "witness_id", "similarity")
    found = deduplicate(pa.concat_tables(texts), threshold=local.dedup.threshold)
    expected = {row["document_id"]: tuple(row[name] for name in names) for row in verdicts}
    assert {row["document_id"]: tuple(row.values()) for row in found.to_pylist()} == expected
    assert {row["reason"] for row in verdicts} == {"unique", "exact", "near"}
