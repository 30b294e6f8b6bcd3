"""Promise 7 under a kill: a take-down that dies at any write and is asked again ends the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

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
from tests.e2e.die_at_write import DyingStore
from tests.nights import land, published_bytes, run

DATES = ("2026-11-20", "2026-11-21")


class _KilledError(BaseException):
    """Stands for a signal that nobody catches."""


def _die() -> None:
    raise _KilledError


def _text(seed: str, changed: int = 0) -> str:
    words = [f"{seed}{number}" for number in range(80)]
    return " ".join([*words[: 80 - changed], *(f"other{at}" for at in range(changed))])


def _lines(*texts: str) -> bytes:
    return b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)


def _take(
    settings: Settings, folder: Path, document: str, *, deadly: int = 1 << 30
) -> tuple[int, dict[str, Any]]:
    """Take a document down in a copy of the corpus; return the number of writes, and what it said.

    What was erased is left out: part of that the try before may have done.
    """
    store = DyingStore(open_store(str(folder)), deadly, _die)
    landing = open_store(settings.store.landing)
    with open_corpus(store) as corpus:
        tasks = TakeDown(corpus, landing, settings.run_settings())
        said = tasks.take([document], reason="order", by="legal", run_id="down")
    return store.writes, {name: told for name, told in said.items() if name != "erased"}


def _texts(folder: Path) -> str:
    """All texts that any file of a corpus shows."""
    found = []
    for path in folder.rglob("*.parquet"):
        names = pq.read_schema(path).names
        shown = [name for name in ("text", "title", "excerpt") if name in names]
        found += [str(pq.read_table(path, columns=shown, partitioning=None).to_pylist())]
    return " ".join(found)


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


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_every_write(local: Settings, document: str, tmp_path: Path) -> None:
    """Whatever was done when it died, the snapshot is the old one or the new one, and then new.

    Tried again under the same run id it says the same, so that those are told who must be.
    """
    prepared, done = Path(local.store.corpus), tmp_path / "done"
    shutil.copytree(prepared, done)
    writes, said = _take(local, done, document)
    assert said["snapshot"] == 3
    expected = published_bytes(open_store(str(done)))
    assert "down1 " not in _texts(done)
    assert _broken(done) == []
    sequences = []
    for deadly in range(1, writes + 1):
        folder = tmp_path / f"killed-{deadly}"  # a store is probed once, by its URL
        shutil.copytree(prepared, folder)
        with pytest.raises(_KilledError):
            _take(local, folder, document, deadly=deadly)
        with open_corpus(open_store(str(folder))) as corpus:
            sequences.append(snapshots.current(corpus).sequence)
        assert _take(local, folder, document)[1] == said, deadly
        assert published_bytes(open_store(str(folder))) == expected, deadly
        assert "down1 " not in _texts(folder), deadly
        assert deadly % 8 or _broken(folder) == []
        shutil.rmtree(folder)
    assert sequences == sorted(sequences)
    assert {*sequences} == {2, 3}


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
