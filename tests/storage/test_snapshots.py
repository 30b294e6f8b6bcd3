"""The pointer moves once per sequence, and the chain behind it can be walked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.object_store import ObjectStore
from pipeline.errors import ConflictError, CorruptError, MissingError
from pipeline.model.snapshot import EMPTY, Snapshot
from pipeline.storage import layout, snapshots
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus
from tests.storage.fault_proxy import FaultProxy


def following(corpus: Corpus, run_id: str) -> Snapshot:
    """Return an uncommitted snapshot on top of what is current now."""
    sequence = snapshots.current(corpus).sequence + 1
    parent = snapshots.pointed(corpus)
    return Snapshot(sequence=sequence, parent=parent, run_id=run_id, dumps={})


def commit(corpus: Corpus, run_id: str) -> Snapshot:
    """Commit a snapshot on top of what is current now."""
    snapshot = following(corpus, run_id)
    snapshots.advance(corpus, snapshot)
    return snapshot


def test_a_new_corpus_is_empty(corpus: Corpus) -> None:
    """Nothing published is a snapshot too: number 0, without dumps and without history."""
    assert snapshots.current(corpus) == EMPTY
    assert snapshots.load_snapshot(corpus, 0) == EMPTY
    assert snapshots.history(corpus) == []


def test_history_is_the_chain_from_the_current_one(corpus: Corpus) -> None:
    """Each snapshot names its parent, newest first, and each can be opened by number."""
    made = [commit(corpus, f"run-{number}") for number in range(3)]
    assert snapshots.current(corpus) == made[2]
    assert snapshots.history(corpus) == made[::-1]
    assert [snapshots.load_snapshot(corpus, number) for number in (1, 2, 3)] == made
    with pytest.raises(MissingError, match="expected snapshot 4"):
        snapshots.load_snapshot(corpus, 4)


def test_what_a_run_made_is_found(corpus: Corpus) -> None:
    """It is the newest of its snapshots, however many followed; of a run without one, none."""
    for run_id in ("first", "second", "first", "third"):
        commit(corpus, run_id)
    found = snapshots.committed_by(corpus, "first")
    assert found is not None
    assert found.sequence == 3
    assert snapshots.committed_by(corpus, "fourth") is None


def test_a_lost_pointer_is_no_empty_corpus(corpus: Corpus) -> None:
    """A corpus of several snapshots without its pointer is refused, with the newest one's name."""
    for number in range(2):
        commit(corpus, f"run-{number}")
    newest = snapshots.pointed(corpus)
    corpus.store.delete([layout.CURRENT])
    assert newest is not None
    with pytest.raises(CorruptError, match=newest.key):
        snapshots.current(corpus)
    with pytest.raises(CorruptError, match="winnow heal"):
        snapshots.advance(corpus, Snapshot(sequence=1, parent=None, run_id="r", dumps={}))


def test_a_first_commit_that_died_may_be_done_again(corpus: Corpus) -> None:
    """One snapshot that no pointer ever named does not stop the next run."""
    commit(corpus, "died-before-the-pointer")
    corpus.store.delete([layout.CURRENT])
    assert snapshots.current(corpus) == EMPTY
    assert commit(corpus, "next").sequence == 1


def test_a_pointer_that_says_another_run(corpus: Corpus) -> None:
    """A pointer must say of its snapshot what that says of itself."""
    commit(corpus, "run-1")
    data, _ = corpus.store.get(layout.CURRENT)
    corpus.store.put(layout.CURRENT, data.replace(b"run-1", b"run-2"))
    with pytest.raises(CorruptError, match="expected to name snapshot 1 of run run-1"):
        snapshots.current(corpus)


def test_a_stale_parent_is_refused(corpus: Corpus) -> None:
    """A run that planned on an older snapshot must rebase."""
    stale = following(corpus, "slow")
    first = commit(corpus, "fast")
    with pytest.raises(ConflictError, match="rebase"):
        snapshots.advance(corpus, stale)
    assert snapshots.current(corpus) == first


def test_exactly_one_of_eight_runs_wins_each_sequence(corpus: Corpus) -> None:
    """Eight runs that start from one parent: one commits, seven are told to rebase."""
    for sequence in (1, 2):
        rivals = [following(corpus, f"run-{sequence}-{number}") for number in range(8)]
        start = threading.Barrier(8)

        def rival(snapshot: Snapshot, start: threading.Barrier = start) -> Snapshot | None:
            start.wait()
            try:
                snapshots.advance(corpus, snapshot)
            except ConflictError:
                return None
            return snapshot

        with ThreadPoolExecutor(8) as pool:
            won = [snapshot for snapshot in pool.map(rival, rivals) if snapshot]
        assert won == [snapshots.current(corpus)]
        assert won[0].sequence == sequence


def test_advancing_twice_is_refused(corpus: Corpus) -> None:
    """The same snapshot cannot be committed a second time."""
    snapshot = commit(corpus, "run")
    with pytest.raises(ConflictError):
        snapshots.advance(corpus, snapshot)
    assert snapshots.history(corpus) == [snapshot]


@pytest.mark.server
def test_a_lost_answer_counts_as_done(
    object_store: ObjectStore, s3_store: S3Store, tmp_path: Path
) -> None:
    """The commit object and the pointer are stored, their answers lost: the commit holds."""
    bucket, _, prefix = s3_store.url.removeprefix("s3://").partition("/")
    with FaultProxy(object_store.url, "PUT", ["lost_ack"] * 3) as proxy:
        corpus = Corpus(S3Store(bucket, prefix, endpoint_url=proxy.url), tmp_path)
        snapshot = commit(corpus, "run")
        assert len(proxy.met) == 3
    assert snapshots.current(Corpus(s3_store, tmp_path)) == snapshot
