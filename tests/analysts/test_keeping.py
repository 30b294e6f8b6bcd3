"""Going back, expiring and taking down on the demo corpus, on S3, beside readers in flight."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from click.testing import CliRunner
from pyarrow import fs

from pipeline import runner
from pipeline.audit import verify
from pipeline.cli import cli
from pipeline.reading import dataset
from pipeline.storage.open import open_store
from tests.analysts.conftest import PREFIX, Demo
from tests.conftest import BUCKET
from tests.nights import published_bytes

COPY = "analysts-kept"
URL = f"s3://{BUCKET}/{COPY}"


def copied(demo: Demo) -> None:
    """Copy the demo corpus: others read it as it is."""
    store = open_store(f"s3://{BUCKET}", endpoint_url=demo.endpoint)
    for info in list(store.list(f"{PREFIX}/")):
        store.copy(info.key, info.key.replace(PREFIX, COPY, 1))


def winnow(demo: Demo, *words: str) -> Any:
    """Run a command on the copy and return what it says to programs."""
    flags = ["--corpus", URL, "--endpoint-url", demo.endpoint, "--json"]
    said = CliRunner().invoke(cli, [*words, *flags], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def in_trees(demo: Demo) -> list[str]:
    """Return the ids of documents in the plain tree and, by month, the same."""
    server = fs.S3FileSystem(endpoint_override=demo.endpoint, region="us-east-1")
    found = []
    for tree in ("documents", "monthly/documents"):
        shown = ds.dataset(f"{BUCKET}/{COPY}/{tree}", filesystem=server, partitioning="hive")
        found.append(ids(shown.to_table(columns=["document_id"])))
    assert found[0] == found[1]
    return found[0]


def ids(table: pa.Table) -> list[str]:
    """Return the sorted ids of a table."""
    return sorted(table["document_id"].to_pylist())


def test_what_is_kept_of_the_demo(demo: Demo) -> None:
    """Back and forth, old snapshots gone, a document down: trees follow, open readers go on."""
    copied(demo)
    options = {"endpoint_url": demo.endpoint}
    held = dataset("documents", URL, **options)
    before, first = (
        held.to_table(),
        ids(dataset("documents", URL, snapshot=1, **options).to_table()),
    )
    assert in_trees(demo) == ids(before)
    assert winnow(demo, "rollback", "1", "--yes")["snapshot"] == 6
    assert in_trees(demo) == first != ids(before)
    assert held.to_table().equals(before)
    assert winnow(demo, "rollback", "5", "--yes")["snapshot"] == 7
    with runner.corpus_session(demo.settings) as corpus:
        expected = published_bytes(corpus.store)
    store = open_store(URL, endpoint_url=demo.endpoint)
    assert published_bytes(store) == expected

    rule = ("expire", "--keep", "1", "--days", "0")
    would = winnow(demo, *rule, "--dry-run")
    assert winnow(demo, *rule) == would | {"dry_run": False}
    assert len(would["objects"]["snapshots"]) == 6
    assert held.to_table().equals(before)  # its files are those of the snapshot that is kept
    assert published_bytes(store) == expected

    wanted = ids(before)[0]
    down = winnow(demo, "takedown", wanted, "--reason", "asked by its author", "--by", "legal")
    assert wanted in {row["document_id"] for row in down["documents"]}
    gone = {row["document_id"] for row in down["documents"] if row["was_published"]}
    assert set(ids(before)) - set(in_trees(demo)) >= gone >= {wanted}
    with runner.corpus_session(demo.settings) as corpus:
        corpus.store = store
        assert list(verify.findings(corpus)) == []
