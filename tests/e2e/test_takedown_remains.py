"""Promise 7: a text that comes back after its take-down is found, and erased."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.audit import verify
from pipeline.audit.lookup import ingest_manifests
from pipeline.model.settings import Settings
from pipeline.runner.takedown import TakeDown
from pipeline.storage import snapshots
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from pipeline.storage.units import open_corpus
from tests.nights import land, run

DATES = ("2026-11-20", "2026-11-21")


def _text(seed: str, changed: int = 0) -> str:
    words = [f"{seed}{number}" for number in range(80)]
    return " ".join([*words[: 80 - changed], *(f"other{at}" for at in range(changed))])


def _lines(*texts: str) -> bytes:
    return b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)


def _take(settings: Settings, folder: Path, document: str) -> None:
    """Take a document down."""
    landing = open_store(settings.store.landing)
    with open_corpus(open_store(str(folder))) as corpus:
        tasks = TakeDown(corpus, landing, settings.run_settings())
        tasks.take([document], reason="order", by="legal", run_id="down")


def _broken(folder: Path) -> list[str]:
    with open_corpus(open_store(str(folder))) as corpus:
        return [str(one) for one in verify.findings(corpus)]


@pytest.fixture
def document(local: Settings, landing: Store) -> str:
    """Publish two nights that share a text; return the id of its second copy."""
    for date, texts in zip(
        DATES, [(_text("down"), _text("own")), (_text("down", 6), _text("new"))], strict=True
    ):
        land(landing, [(f"wire/{date}/a.jsonl", _lines(*texts))])
        run(local, date, f"run-{date}")
    tree = Path(local.store.corpus) / f"verdicts/dump_date={DATES[1]}/part-00000.parquet"
    (row,) = [one for one in pq.read_table(tree, partitioning=None).to_pylist() if not one["kept"]]
    return str(row["document_id"])


def test_verify_finds_a_text_that_came_back(local: Settings, document: str) -> None:
    """A staged text, a stray file or a page that shows it breaks promise 7; a sweep erases it."""
    corpus_folder = Path(local.store.corpus)
    with open_corpus(open_store(str(corpus_folder))) as corpus:
        state = snapshots.load_state(corpus, snapshots.current(corpus), DATES[0])
        (manifest,) = ingest_manifests(corpus, state)
    staged = corpus_folder / manifest.documents.key
    before = staged.read_bytes()
    _take(local, corpus_folder, document)
    assert not staged.exists()
    staged.write_bytes(before)
    page = corpus_folder / f"reports/dump_date={DATES[1]}/run-old.html"
    page.parent.mkdir(parents=True)
    page.write_text("down1 down2")
    found = _broken(corpus_folder)
    assert [one.split(":")[1].strip() for one in found] == ["files", "pages"]
    assert all("promise 7 (what is taken down stays down)" in one for one in found)
    _take(local, corpus_folder, document)
    assert not staged.exists()
    assert not page.exists()
    assert _broken(corpus_folder) == []
