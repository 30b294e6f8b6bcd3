"""The demo corpus, published once on the real S3 server and copied to disk as `make demo` does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from demo.nights import nights
from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.model.settings import Settings
from pipeline.publish import monthly
from pipeline.publish.beside import bring_in_step
from pipeline.storage import layout
from pipeline.storage.open import open_store
from tests.analysts import tools
from tests.conftest import BUCKET
from tests.nights import SHARD_BYTES, land, one_trial, run, settings_for

PREFIX = "analysts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one worker: the corpus takes longer to make than to ask."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("analysts"))
            item.add_marker(pytest.mark.slow)


class Demo(msgspec.Struct, frozen=True):
    """The demo corpus: on S3 (`settings`), and its trees in `home/.demo/corpus`."""

    settings: Settings
    endpoint: str
    home: Path

    @property
    def url(self) -> str:
        """Where it is on S3."""
        return self.settings.store.corpus

    @property
    def trees(self) -> Path:
        """The copy of the plain trees."""
        return self.home / ".demo/corpus"


@pytest.fixture(scope="session")
def demo(object_store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Publish the five nights of the demo, the late one last, so that it retracts and restores.

    They are there by month too, as `winnow compact` leaves them.
    """
    home = tmp_path_factory.mktemp("analysts")
    (home / "landing").mkdir()
    settings = settings_for(
        str(home / "landing"),
        f"s3://{BUCKET}/{PREFIX}",
        endpoint_url=object_store.url,
        shard_bytes=SHARD_BYTES,
    )
    landing = open_store(settings.store.landing)
    with one_trial():
        for night in nights():
            land(landing, night.files)
            run(settings, night.dump_date, f"demo-{night.dump_date}")
    with runner.corpus_session(settings) as corpus:
        monthly.start(corpus)
        bring_in_step(corpus)
    made = Demo(settings, object_store.url, home)
    copy_trees(made)
    write_settings(made, object_store)
    yield made
    shutil.rmtree(home)


def copy_trees(demo: Demo) -> None:
    """Copy the published tables to plain files."""
    with runner.corpus_session(demo.settings) as corpus:
        for table in layout.TABLES:
            for found in corpus.store.list(layout.tree(table)):
                path = demo.trees / found.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(corpus.store.get(found.key)[0])


def write_settings(demo: Demo, server: ObjectStore) -> None:
    """Write what `make demo` leaves for commands and readers without flags."""
    keys = server.environment
    credentials = demo.home / ".demo/credentials"
    credentials.write_text(
        f"[default]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
    )
    (demo.home / ".demo/winnow.toml").write_text(
        f'[store]\ncorpus = "{demo.url}"\nendpoint_url = "{demo.endpoint}"\n'
    )


@pytest.fixture
def at_home(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Work in the folder where `.demo` is."""
    monkeypatch.chdir(demo.home)
    return demo


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the command of a Python whose Spark runs in its own process, on this machine alone."""
    tools.java()
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "1",
        "spark.local.dir": str(tmp_path),
    }
    settings = " ".join(f"--conf {name}={value}" for name, value in options.items())
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", f"--master local[1] {settings} pyspark-shell")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    return [tools.python()]
