"""Fixtures shared by all tests: stores of every kind, a corpus, and one S3 server a session."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.object_store import ObjectStore
from pipeline import telemetry
from pipeline.ingest.splitters import resolve
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

BUCKET = "winnow-tests"

# The first example may compile a kernel, and a loaded machine is no failure.
hypothesis.settings.register_profile("winnow", deadline=None)
hypothesis.settings.load_profile("winnow")

_numbers = itertools.count()

StoreFactory = Callable[[str], Store]

LONGEST = ("operating", "airflow", "distributed", "analysts", "report")
"""The groups of tests that stay in one worker, those that take longest first."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker waits for another at the end.

    Within that, tests stay in the order of chance.
    """

    def place(item: pytest.Item) -> tuple[int, bool]:
        group = next((str(mark.args[0]) for mark in item.iter_markers("xdist_group")), "")
        known = LONGEST.index(group) if group in LONGEST else len(LONGEST)
        return known, item.get_closest_marker("slow") is None

    items.sort(key=place)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Run one S3 server a session (each worker has its own); its user is in the environment."""
    server = ObjectStore(tmp_path_factory.mktemp("object-store"), buckets=[BUCKET])
    with server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            if name != "AWS_ENDPOINT_URL":  # stores are told the endpoint, as settings do
                patch.setenv(name, value)
        yield server


@pytest.fixture
def s3_store(object_store: ObjectStore) -> S3Store:
    """Return an empty store under a prefix of its own on the real server."""
    return S3Store(BUCKET, f"test-{next(_numbers)}", endpoint_url=object_store.url)


@pytest.fixture
def store_factory(request: pytest.FixtureRequest, tmp_path: Path) -> StoreFactory:
    """Return a function that makes an empty store: `memory`, `local` or `s3`."""

    def make(kind: str) -> Store:
        if kind == "memory":
            return MemoryStore(f"memory://test-{next(_numbers)}")
        if kind == "local":
            folder = tmp_path / f"store-{next(_numbers)}"
            folder.mkdir()
            return LocalStore(folder)
        server = request.getfixturevalue("object_store")
        return S3Store(BUCKET, f"test-{next(_numbers)}", endpoint_url=server.url)

    return make


@pytest.fixture
def memory_corpus(tmp_path: Path) -> Corpus:
    """Return an empty corpus in memory."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Corpus(MemoryStore(f"memory://test-{next(_numbers)}"), scratch)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[structlog.typing.EventDict]]:
    """Return the events of a test as they come, whatever set up logging before it.

    Airflow's set-up drops events below its log level and keeps the processors of loggers in use.
    """
    before = structlog.get_config()
    structlog.reset_defaults()
    monkeypatch.setattr(telemetry, "log", structlog.get_logger("winnow"))
    with structlog.testing.capture_logs() as captured:
        yield captured
    structlog.configure(**before)


LOSSY = """
from pipeline.ingest.segments import documents_at
from pipeline.ingest.splitters import Splitter

def lossy():
    def split(text, *, settings):
        last = text.rstrip().rfind("\\n") + 1
        return documents_at(text[:last], [(0, None)])
    return Splitter(name="lossy", version="2", split=split)

def stranger():
    return lossy
"""


@pytest.fixture
def splitters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the example of docs/formats.md, and a bad splitter, as pip would leave them."""
    page = (Path(__file__).parents[1] / "docs/formats.md").read_text("utf-8")
    section = page.partition("## Your own splitter")[2]
    (example,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    (point,) = re.findall(r'splitters"\]\n(.*?)```', section, re.DOTALL)
    (tmp_path / "winnow_gazette.py").write_text(example)
    (tmp_path / "winnow_lossy.py").write_text(LOSSY)
    points = (
        point.replace('"', "") + "lossy = winnow_lossy:lossy\nstranger = winnow_lossy:stranger\n"
    )
    folder = tmp_path / "winnow_gazette-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: winnow-gazette\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[winnow.splitters]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    resolve.cache_clear()
    yield tmp_path
    resolve.cache_clear()
