"""The plain trees: equal to the snapshot after every promote, never doubled or partial before."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import fs

from demo.object_store import ObjectStore
from pipeline.model.finding import Finding
from pipeline.model.snapshot import EMPTY, Snapshot
from pipeline.publish.leaves import files
from pipeline.publish.promote import promote
from pipeline.publish.verify import verify_rows, verify_store, verify_trees
from pipeline.publish.view import View
from pipeline.storage import layout, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus
from tests.deadly import survives
from tests.publishing import Doc, make_night, publish_night, publish_runs

DATE = "2026-11-20"
LATER = "2026-11-21"
ROWS = 12
NOTHING = {"dumps": 0, "copied": 0, "deleted": 0}


def publish(
    corpus: Corpus, version: int, *, date: str = DATE, docs: list[Doc] | None = None, parts: int = 1
) -> Snapshot:
    """Commit one more version of a dump, with `parts` files a partition."""
    parent = snapshots.current(corpus)
    made = make_night(
        corpus,
        date,
        [[Doc()] * ROWS if docs is None else docs],
        run_id=f"run-{version}",
        parent=parent,
        planned_at=float(version),
        marks=f"v{version}",
    )
    rows = [
        row | {"language": run.language}
        for manifest in made.annotated.values()
        for run in manifest.runs
        for row in corpus.read(run.file).to_pylist()
    ]
    return publish_night(corpus, made, published=publish_runs(corpus, date, rows, files=parts))


def view(corpus: Corpus) -> View:
    """Look at the current snapshot."""
    return View(corpus, snapshots.current(corpus), threshold=0.75)


def drift(corpus: Corpus) -> list[Finding]:
    """Say how the plain trees differ from the current snapshot."""
    return list(verify_trees(view(corpus)))


def tree(corpus: Corpus, table: str = "documents") -> list[str]:
    """List a table's part of the plain tree."""
    return sorted(info.key for info in corpus.store.list(layout.tree(table)))


def roll_back(corpus: Corpus, dumps: Snapshot) -> Snapshot:
    """Make an earlier state current again, as a new snapshot."""
    live = snapshots.current(corpus)
    snapshot = msgspec.structs.replace(
        dumps, sequence=live.sequence + 1, parent=snapshots.pointed(corpus), run_id="rollback"
    )
    snapshots.advance(corpus, snapshot)
    return snapshot


def test_tree_equals_the_snapshot(corpus: Corpus) -> None:
    """After a promote all four trees hold exactly the files of the snapshot; again is nothing."""
    publish(corpus, 1, docs=[Doc(), Doc("deu")])
    assert promote(corpus) == {"dumps": 1, "copied": 5, "deleted": 0}
    assert drift(corpus) == []
    assert tree(corpus) == [
        f"documents/dump_date={DATE}/language=deu/part-00000.parquet",
        f"documents/dump_date={DATE}/language=eng/part-00000.parquet",
    ]
    assert tree(corpus, "runs") == [f"runs/dump_date={DATE}/run-run-1.parquet"]
    assert promote(corpus) == NOTHING
    assert promote(corpus, full=True) == NOTHING | {"dumps": 1}


def test_empty_corpus_has_nothing_to_promote(memory_corpus: Corpus) -> None:
    """Before the first commit a promote does nothing."""
    assert promote(memory_corpus, full=True) == NOTHING


def test_empty_night_has_verdicts_and_quarantine_without_rows(memory_corpus: Corpus) -> None:
    """Readers can see that a night took place although it brought no document."""
    publish(memory_corpus, 1, docs=[])
    promote(memory_corpus)
    assert tree(memory_corpus) == []
    for table in ("verdicts", "quarantine", "runs"):
        assert len(tree(memory_corpus, table)) == 1


def test_only_what_changed_is_copied(corpus: Corpus) -> None:
    """A new version of one dump leaves other dumps and equal files alone."""
    publish(corpus, 1, docs=[Doc(), Doc("deu")])
    publish(corpus, 1, date=LATER)
    promote(corpus)
    publish(corpus, 2, docs=[Doc(), Doc("fra")])
    # New: eng and fra documents, verdicts (equal bytes, no copy), quarantine (equal), run row.
    assert promote(corpus) == {"dumps": 1, "copied": 3, "deleted": 1}
    assert drift(corpus) == []


def test_retracted_partition_disappears(corpus: Corpus) -> None:
    """A partition without rows left has no folder."""
    publish(corpus, 1, docs=[Doc(), Doc("deu")])
    promote(corpus)
    publish(corpus, 2, docs=[Doc()])
    promote(corpus)
    assert tree(corpus) == [f"documents/dump_date={DATE}/language=eng/part-00000.parquet"]
    assert drift(corpus) == []


def test_dump_that_is_no_longer_published_disappears(corpus: Corpus) -> None:
    """After a rollback to before a dump, its leaves go in all tables."""
    first = publish(corpus, 1)
    publish(corpus, 1, date=LATER, docs=[Doc()] * 3)
    promote(corpus)
    roll_back(corpus, first)
    assert promote(corpus)["deleted"] == 4
    assert drift(corpus) == []
    assert promote(corpus) == NOTHING


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (3, 2), (2, 3)])
def test_leaf_with_another_number_of_files(memory_corpus: Corpus, before: int, after: int) -> None:
    """Files come and go with the size of a partition; no cover stays."""
    publish(memory_corpus, 1, parts=before)
    promote(memory_corpus)
    assert len(tree(memory_corpus)) == before
    publish(memory_corpus, 2, parts=after)
    promote(memory_corpus)
    assert len(tree(memory_corpus)) == after
    assert drift(memory_corpus) == []


def damage(corpus: Corpus) -> None:
    """Do to the trees what nobody should: delete, overwrite, add, and leave a cover behind."""
    folder = layout.tree("documents", DATE, "eng")
    corpus.store.delete([layout.tree("verdicts", DATE) + layout.part(0)])
    corpus.store.put(layout.tree("quarantine", DATE) + layout.part(0), b"overwritten")
    corpus.store.put(folder + "copy of part-00000.parquet", b"added")
    corpus.store.put(layout.tree("documents", DATE, "xxx") + layout.COVER, b"cover")
    corpus.store.put(layout.tree("runs", "2020-01-01") + layout.run_file("x"), b"foreign")


def test_full_promote_heals_what_others_did(corpus: Corpus) -> None:
    """A full promote finds missing, changed and surplus objects by listing alone."""
    publish(corpus, 1)
    promote(corpus)
    damage(corpus)
    found = Counter(finding.promise for finding in drift(corpus))
    assert found == {5: 5}
    assert promote(corpus) == NOTHING
    assert promote(corpus, full=True) == {"dumps": 2, "copied": 2, "deleted": 3}
    assert drift(corpus) == []


class Interrupted(LocalStore):
    """A store that does something else, once, just before it writes a certain object."""

    def __init__(self, root: Path, prefix: str, meanwhile: Callable[[], object]) -> None:
        """Bind to the folder; `prefix` tells before which write."""
        super().__init__(root)
        self._prefix = prefix
        self._todo = [meanwhile]

    def _interrupt(self, key: str) -> None:
        if key.startswith(self._prefix) and self._todo:
            self._todo.pop()()

    def copy(self, source: str, target: str) -> None:
        """Copy after whatever happens meanwhile."""
        self._interrupt(target)
        super().copy(source, target)

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Put after whatever happens meanwhile."""
        self._interrupt(key)
        return super().put(key, data, if_absent=if_absent, if_match=if_match)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder for a local corpus."""
    path = tmp_path / "corpus"
    path.mkdir()
    (tmp_path / "scratch").mkdir()
    return path


@pytest.fixture
def local(folder: Path) -> Corpus:
    """Return a corpus in that folder."""
    return Corpus(LocalStore(folder), folder.parent / "scratch")


def test_pointer_that_moves_during_a_promote(folder: Path, local: Corpus) -> None:
    """A snapshot committed while a promote copies is in the tree when it returns."""
    publish(local, 1)
    store = Interrupted(folder, layout.tree("documents"), lambda: publish(local, 2))
    promote(Corpus(store, local.scratch))
    assert snapshots.current(local).sequence == 2
    assert drift(local) == []


def test_slow_promote_mends_what_it_overwrote(folder: Path, local: Corpus) -> None:
    """A stale copy that lands after a newer promote had finished is done over by its maker."""
    publish(local, 1)

    def newer() -> None:
        publish(local, 2)
        promote(local)
        assert drift(local) == []

    store = Interrupted(folder, layout.tree("documents"), newer)
    promote(Corpus(store, local.scratch))
    assert drift(local) == []
    assert promote(local) == NOTHING


def race(*works: Callable[[], object]) -> list[BaseException]:
    """Do several things at once and return what went wrong."""
    start = threading.Barrier(len(works))
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - looked at by the caller
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def beside(corpus: Corpus, name: str) -> Corpus:
    """Return the same corpus as another process sees it: with a scratch folder of its own."""
    scratch = corpus.scratch / name
    scratch.mkdir()
    return Corpus(corpus.store, scratch)


def test_racing_promotes_end_in_the_newest_state(corpus: Corpus) -> None:
    """Of promotes and a commit at the same time both promotes end, and the trees are in step."""
    publish(corpus, 1, docs=[Doc(), Doc("deu")])
    first, second, third = (beside(corpus, name) for name in ("one", "two", "three"))
    failed = race(
        lambda: promote(first),
        lambda: promote(second),
        lambda: publish(third, 2, docs=[Doc(), Doc("fra")]),
    )
    assert failed == []
    promote(corpus)
    assert drift(corpus) == []


def test_promote_that_lost_its_claim_leaves_word(folder: Path, local: Corpus) -> None:
    """What a slow promote overwrote behind a newer one still at work, the newer one does over.

    The slow one waits for that, and ends well: the trees are in step.
    """
    publish(local, 1)
    stands, goes_on, told = threading.Event(), threading.Event(), threading.Event()

    def stand() -> None:
        stands.set()
        assert goes_on.wait(60)

    def until_the_slow_one_left_word() -> None:
        goes_on.set()
        assert told.wait(60)

    class Telling(Interrupted):
        def put(self, key: str, data: bytes, **how: Any) -> str:
            etag = super().put(key, data, **how)
            if key == layout.PROMOTED and json.loads(data)["redo"]:
                told.set()
            return etag

    slow = Telling(folder, layout.tree("documents"), stand)
    newer = Interrupted(folder, layout.promoted(DATE), until_the_slow_one_left_word)
    caught: list[BaseException] = []
    thread = threading.Thread(
        target=lambda: caught.extend(race(lambda: promote(Corpus(slow, local.scratch))))
    )
    thread.start()
    assert stands.wait(60)
    publish(local, 2)
    promote(Corpus(newer, local.scratch))
    thread.join()
    assert caught == []
    assert told.is_set()
    assert drift(local) == []
    assert promote(local) == NOTHING


def read_leaf(root: str, filesystem: fs.FileSystem | None) -> str:
    """Read the documents as an analyst does: "right", "loud", "partial", or else what was wrong."""
    try:
        dataset = ds.dataset(root, format="parquet", partitioning="hive", filesystem=filesystem)
        table = dataset.to_table(columns=["document_id", "text"])
    except (OSError, pa.ArrowException):
        return "loud"
    versions = {text.rsplit(" ", 1)[1] for text in table["text"].to_pylist()}
    ids = table["document_id"].to_pylist()
    if len(versions) > 1 or len(ids) != len(set(ids)):
        return f"{len(ids)} rows, {len(set(ids))} documents, versions {sorted(versions)}"
    return "right" if len(ids) == ROWS else "partial"


def read_while(work: Callable[[], None], read: Callable[[], str]) -> Counter[str]:
    """Read in a loop in other threads until `work` is done, and count what was seen."""
    done = threading.Event()
    seen: Counter[str] = Counter()

    def loop() -> None:
        while not done.is_set():
            seen[read()] += 1

    readers = [threading.Thread(target=loop) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        work()
    finally:
        done.set()
        for reader in readers:
            reader.join()
    return seen


def back_and_forth(corpus: Corpus, times: int, parts: tuple[int, int, int]) -> Callable[[], None]:
    """Return work that promotes three versions in turn, of so many files."""
    states = [publish(corpus, number, parts=many) for number, many in enumerate(parts, 1)]
    roll_back(corpus, states[0])
    promote(corpus)

    def work() -> None:
        for turn in range(times):
            roll_back(corpus, states[(turn + 1) % 3])
            promote(corpus)

    return work


def test_local_readers_of_one_file_are_right_or_fail_loudly(folder: Path, local: Corpus) -> None:
    """A leaf of one file changes in one step: plain readers never see half of it."""
    work = back_and_forth(local, 40, (1, 1, 1))
    seen = read_while(work, lambda: read_leaf(str(folder / "documents"), None))
    assert seen.keys() <= {"right", "loud"}
    assert seen["right"] > 0


def test_local_readers_of_several_files_see_nothing_twice(folder: Path, local: Corpus) -> None:
    """No row twice and no two versions, although a folder cannot be listed in one step.

    pyarrow lists the names, then looks at each file and passes over those that are gone: when the
    cover goes in between, it may take the first of the new files for all of them.
    """
    work = back_and_forth(local, 40, (1, 3, 2))
    seen = read_while(work, lambda: read_leaf(str(folder / "documents"), None))
    assert seen.keys() <= {"right", "loud", "partial"}
    assert seen["right"] > seen["partial"]


@pytest.mark.server
def test_s3_readers_never_see_doubled_or_partial_leaves(
    s3_store: S3Store, object_store: ObjectStore, tmp_path: Path
) -> None:
    """The same on the real server, through another client."""
    corpus = Corpus(s3_store, tmp_path)
    work = back_and_forth(corpus, 9, (1, 3, 2))
    filesystem = fs.S3FileSystem(
        access_key=object_store.environment["AWS_ACCESS_KEY_ID"],
        secret_key=object_store.environment["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=object_store.url,
    )
    root = s3_store.url.removeprefix("s3://").rstrip("/") + "/documents"
    seen = read_while(work, lambda: read_leaf(root, filesystem))
    assert seen.keys() <= {"right", "loud"}
    assert seen["right"] > 0


def test_promote_killed_at_every_write(folder: Path, local: Corpus) -> None:
    """Wherever a promote is killed, readers are right or loud, and the next promote heals."""
    one, three = publish(local, 1), publish(local, 2, parts=3)
    promote(local)
    seen: Counter[str] = Counter()
    for deadly in range(1, 60):
        for target in (one, three):
            roll_back(local, target)
            lived = survives(folder, deadly, promote)
            seen[read_leaf(str(folder / "documents"), None)] += 1
            promote(local)
            assert drift(local) == []
        if lived:
            break
    assert lived
    assert deadly > 8
    assert seen.keys() == {"right", "loud"}


def test_commit_killed_at_every_write(folder: Path, local: Corpus) -> None:
    """A killed commit shows all of the night or nothing, and the next try publishes it."""
    made = make_night(local, DATE, [[Doc(hole=3), Doc("deu")], [Doc()]])
    parent = snapshots.current(local)
    for deadly in range(1, 30):
        lived = survives(folder, deadly, lambda corpus: publish_night(corpus, made, parent=EMPTY))
        now = snapshots.current(local)
        assert now == parent or list(verify_rows(view(local))) == []
        if lived:
            break
    assert lived
    assert deadly > 4
    assert publish_night(local, made, parent=EMPTY).sequence == 1
    assert list(verify_store(view(local))) == []


def test_files_name_the_immutable_files_of_one_state(corpus: Corpus) -> None:
    """A strict reader gets files that stay as they are while newer ones are published."""
    publish(corpus, 1, docs=[Doc(), Doc("deu")])
    found = files(corpus, "documents", DATE)
    publish(corpus, 2)
    assert [(one.dump_date, one.language) for one in found] == [(DATE, "deu"), (DATE, "eng")]
    for one in found:
        assert one.uri == f"{corpus.store.url.rstrip('/')}/{one.file.key}"
        assert corpus.read(one.file).num_rows == one.file.rows
    assert [one.file.rows for one in files(corpus, "runs")] == [1, 1]
