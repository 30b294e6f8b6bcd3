"""Committing: one atomic step, checked before and fenced, that may be repeated."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from pipeline.errors import ConflictError, ContractError
from pipeline.model.manifest import SelfTest
from pipeline.model.snapshot import EMPTY, DumpCounts, Snapshot
from pipeline.publish.commit import commit
from pipeline.storage import layout, snapshots
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus
from tests.publishing import Doc, Made, make_night, publish_night

DATE = "2026-11-20"
LATER = "2026-11-21"


def two_shards(corpus: Corpus, **options: object) -> Made:
    """Make an ordinary night: two shards, two languages, one duplicate inside the night."""
    ids = make_night(corpus, DATE, [[Doc(), Doc("deu")], [Doc()]]).ids
    first = min(ids[0][0], ids[1][0])
    copy = Doc(witness=(DATE, first))
    shards = [[Doc(), Doc("deu")], [copy]] if first == ids[0][0] else [[copy, Doc("deu")], [Doc()]]
    return make_night(corpus, DATE, shards, **options)


class LosingStore(MemoryStore):
    """A store whose answer to one put of the pointer is lost after the put was done."""

    lost = 0

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Write; then, for the pointer, repeat the request as a client does that got no answer."""
        etag = super().put(key, data, if_absent=if_absent, if_match=if_match)
        if key == layout.CURRENT:
            self.lost += 1
            return super().put(key, data, if_absent=if_absent, if_match=if_match)
        return etag


def test_first_night_becomes_snapshot_one(memory_corpus: Corpus) -> None:
    """The first commit makes snapshot 1 without a parent, with all counts of the night."""
    snapshot = publish_night(memory_corpus, two_shards(memory_corpus))
    state = snapshots.load_state(memory_corpus, snapshot, DATE)
    assert (snapshot.sequence, snapshot.parent) == (1, None)
    assert snapshots.current(memory_corpus) == snapshot
    assert state.counts == DumpCounts(
        files=2, bytes=330, chars=330, documents=3, kept=2, dropped_exact=1, furniture=3
    )
    assert [part.language for part in state.documents] == ["deu", "eng"]


def test_run_row_says_what_the_run_did(memory_corpus: Corpus) -> None:
    """The run's row carries its snapshot, its parent, its counts and its seconds."""
    made = two_shards(memory_corpus, run_id="scheduled-1")
    snapshot = publish_night(memory_corpus, made)
    state = snapshots.load_state(memory_corpus, snapshot, DATE)
    (row,) = memory_corpus.read(state.runs[0]).to_pylist()
    wanted = {
        "run_id": "scheduled-1",
        "snapshot": 1,
        "parent": 0,
        "outcome": "published",
        "documents": 3,
        "kept": 2,
        "seconds": 1.5,
    }
    assert {name: row[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("waiting", "shards", "outcome"),
    [((), [], "empty"), (("wire",), [[Doc()]], "partial"), (("wire",), [], "partial")],
)
def test_outcome_of_a_run(
    memory_corpus: Corpus, waiting: tuple[str, ...], shards: list[list[Doc]], outcome: str
) -> None:
    """A night without files is empty; one with a source still uploading is partial."""
    made = make_night(memory_corpus, DATE, shards)
    made.plan = msgspec.structs.replace(made.plan, waiting=waiting)
    state = snapshots.load_state(memory_corpus, publish_night(memory_corpus, made), DATE)
    assert memory_corpus.read(state.runs[0])["outcome"].to_pylist() == [outcome]


def test_quarantine_is_merged_and_sorted(memory_corpus: Corpus) -> None:
    """The dump's one quarantine file is sorted by dump file and first character."""
    made = make_night(memory_corpus, DATE, [[Doc(hole=7), Doc()], [], [Doc()]])
    state = snapshots.load_state(memory_corpus, publish_night(memory_corpus, made), DATE)
    table = memory_corpus.read(state.quarantine)
    found = list(zip(table["dump_file"].to_pylist(), table["char_start"].to_pylist(), strict=True))
    first, third = f"wire/{DATE}/0.txt", f"wire/{DATE}/2.txt"
    assert found == [(first, 0), (first, 50), (first, 110), (third, 0)]


def test_commit_twice_changes_nothing(memory_corpus: Corpus) -> None:
    """A cleared and retried commit returns the current snapshot and adds no run row."""
    made = two_shards(memory_corpus)
    first = publish_night(memory_corpus, made)
    assert publish_night(memory_corpus, made, parent=EMPTY) == first
    assert snapshots.current(memory_corpus) == first


def test_second_version_keeps_the_first_run_row(memory_corpus: Corpus) -> None:
    """A new version of a dump replaces its rows and adds its run after the older one."""
    publish_night(memory_corpus, two_shards(memory_corpus, run_id="first"))
    parent = snapshots.current(memory_corpus)
    again = two_shards(memory_corpus, run_id="second", marks="v2", parent=parent, planned_at=2000.0)
    snapshot = publish_night(memory_corpus, again)
    state = snapshots.load_state(memory_corpus, snapshot, DATE)
    rows = [memory_corpus.read(ref).to_pylist()[0]["run_id"] for ref in state.runs]
    assert (snapshot.sequence, rows) == (2, ["first", "second"])


def test_moved_parent_is_a_conflict(memory_corpus: Corpus) -> None:
    """A run that was decided on an older snapshot must decide again."""
    late = make_night(memory_corpus, LATER, [[Doc()]])
    publish_night(memory_corpus, two_shards(memory_corpus))
    with pytest.raises(ConflictError, match="expected snapshot 0 to be current, found 1"):
        publish_night(memory_corpus, late, parent=EMPTY)
    assert snapshots.current(memory_corpus).sequence == 1


def test_two_racing_commits_have_one_winner(memory_corpus: Corpus) -> None:
    """Of many commits on one parent exactly one wins; the others get a conflict."""
    dates = [f"2026-11-{day:02d}" for day in range(1, 9)]
    nights = [make_night(memory_corpus, date, [[Doc()]], run_id=date) for date in dates]
    start = threading.Barrier(len(nights))
    won: list[Snapshot] = []
    lost: list[ConflictError] = []

    def race(made: Made) -> None:
        scratch = memory_corpus.scratch / made.plan.run_id
        scratch.mkdir()
        start.wait()
        try:
            won.append(publish_night(Corpus(memory_corpus.store, scratch), made, parent=EMPTY))
        except ConflictError as error:
            lost.append(error)

    threads = [threading.Thread(target=race, args=(made,)) for made in nights]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, len(nights) - 1)
    assert snapshots.current(memory_corpus) == won[0]


def test_lost_answer_is_no_conflict(tmp_path: Path) -> None:
    """A pointer that we moved ourselves, but whose answer was lost, counts as moved."""
    store = LosingStore()
    corpus = Corpus(store, tmp_path)
    first = publish_night(corpus, two_shards(corpus))
    second = publish_night(corpus, make_night(corpus, LATER, [[Doc()]], parent=first))
    assert (store.lost, snapshots.current(corpus)) == (2, second)


def test_older_plan_cannot_overwrite_a_newer_version(memory_corpus: Corpus) -> None:
    """A zombie run of a dump that was since planned and published again is refused."""
    zombie = two_shards(memory_corpus, run_id="zombie", planned_at=1000.0)
    newer = two_shards(memory_corpus, run_id="newer", marks="v2", planned_at=2000.0)
    published = publish_night(memory_corpus, newer)
    with pytest.raises(ContractError, match=r"zombie.*superseded.*Start a new run"):
        publish_night(memory_corpus, zombie)
    assert snapshots.current(memory_corpus) == published


def test_newer_plan_replaces_an_older_version(memory_corpus: Corpus) -> None:
    """The fence stops only runs that were planned before the published one."""
    older = publish_night(memory_corpus, two_shards(memory_corpus, marks="v1"))
    newer = two_shards(memory_corpus, marks="v2", planned_at=2000.0, parent=older)
    assert publish_night(memory_corpus, newer).sequence == 2


def test_retraction_changes_the_other_dump_only_where_it_must(memory_corpus: Corpus) -> None:
    """A backfill that retracts a later document keeps that dump's files, books, index and runs."""
    base = publish_night(memory_corpus, make_night(memory_corpus, LATER, [[Doc(), Doc("deu")]]))
    before = snapshots.load_state(memory_corpus, base, LATER)
    older = make_night(memory_corpus, DATE, [[Doc()]], run_id="backfill", parent=base)
    witness = (DATE, older.ids[0][0])
    changed = make_night(memory_corpus, LATER, [[Doc(witness=witness, reason="near"), Doc("deu")]])
    generation = base.dumps[LATER].generation
    touched = msgspec.structs.replace(
        changed.decision.touched[0], generation=generation, shards=before.shards, retracted=1
    )
    decision = msgspec.structs.replace(older.decision, touched=(*older.decision.touched, touched))
    snapshot = publish_night(
        memory_corpus,
        older,
        decision=decision,
        annotated=older.annotated | changed.annotated,
        published=[*older.published, *changed.published],
    )
    after = snapshots.load_state(memory_corpus, snapshot, LATER)
    kept = ("generation", "planned_at", "files", "file_counts", "shards", "index", "quarantine")
    for name in (*kept, "runs"):
        assert getattr(after, name) == getattr(before, name)
    assert [part.language for part in after.documents] == ["deu"]
    assert (after.counts.kept, after.counts.dropped_near, after.counts.dropped_history) == (1, 1, 1)
    own = snapshots.load_state(memory_corpus, snapshot, DATE)
    assert memory_corpus.read(own.runs[0])["retracted"].to_pylist() == [1]


def test_decision_about_another_dump_is_refused(memory_corpus: Corpus) -> None:
    """A decision that does not speak of the plan's dump publishes nothing."""
    made, other = two_shards(memory_corpus), make_night(memory_corpus, LATER, [[Doc()]])
    with pytest.raises(ContractError, match="expected a decision about dump 2026-11-20"):
        publish_night(memory_corpus, made, decision=other.decision)
    assert snapshots.current(memory_corpus) == EMPTY


def test_the_guard_is_asked_last(memory_corpus: Corpus) -> None:
    """A guard that refuses leaves the pointer where it is, although all checks passed."""
    made = two_shards(memory_corpus)

    def refuse() -> None:
        raise ContractError("superseded")

    with pytest.raises(ContractError, match="superseded"):
        commit(
            memory_corpus,
            made.plan,
            made.decision,
            parent=EMPTY,
            annotated=made.annotated,
            published=made.published,
            self_test=SelfTest(fingerprint="test", results=()),
            seconds=1.5,
            guard=refuse,
        )
    assert snapshots.current(memory_corpus) == EMPTY


def test_a_dump_touched_under_other_settings_names_none(memory_corpus: Corpus) -> None:
    """Published in part by a run with other settings, it is due; with the same, it is not."""
    for made_with, expected in (("ours", "ours"), ("others", "")):
        later = make_night(memory_corpus, LATER, [[Doc()]], marks=made_with)
        later.plan = msgspec.structs.replace(later.plan, made_with="ours", run_id=made_with)
        base = publish_night(memory_corpus, later)
        older = make_night(memory_corpus, DATE, [[]], marks=made_with, parent=base)
        older.plan = msgspec.structs.replace(older.plan, made_with=made_with)
        decision = msgspec.structs.replace(
            older.decision, touched=(*older.decision.touched, *later.decision.touched)
        )
        snapshot = publish_night(
            memory_corpus,
            older,
            decision=decision,
            annotated=older.annotated | later.annotated,
            published=[*older.published, *later.published],
        )
        assert snapshot.dumps[LATER].settings == expected
        assert snapshot.dumps[DATE].settings == made_with
