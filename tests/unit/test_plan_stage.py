"""Planning: frozen once, refuses what would lose documents, waits for uploads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.errors import ContractError, InputError, MissingError, NotReadyError
from pipeline.model.files import DumpFile, FileRef
from pipeline.model.plan import Plan
from pipeline.model.settings import DedupSettings, PlanSettings, RunSettings
from pipeline.model.snapshot import DumpCounts, DumpRef, DumpState, Snapshot
from pipeline.model.versions import Models, models_fingerprint
from pipeline.plan import fence, ledger
from pipeline.plan.stage import load_plan, plan_run, safe_run_id
from pipeline.storage import layout, snapshots
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus

DATE = "2026-11-21"
NOW = 1_000_000.0
SETTINGS = RunSettings(plan=PlanSettings(shard_bytes=10, quiet_seconds=900))
NO_FILE = FileRef("none", "", 0, 0)


@pytest.fixture
def landing() -> MemoryStore:
    """Return a landing area with three quiet files of two sources."""
    store = MemoryStore(clock=lambda: NOW - 5000)
    for key in ("a/2026-11-21/1.txt", "a/2026-11-21/2.txt", "b/2026-11-21/1.txt"):
        store.put(key, key.encode()[:8])
    return store


def upload(landing: MemoryStore, key: str, data: bytes = b"fresh", age: float = 10) -> None:
    """Put an object as if `age` seconds ago."""
    landing._clock = lambda: NOW - age
    landing.put(key, data)


def plan(corpus: Corpus, landing: MemoryStore, run_id: str = "run", **options: object) -> Plan:
    """Plan the date."""
    arguments: dict[str, object] = {"dump_date": DATE, "now": NOW} | options
    settings = arguments.pop("settings", SETTINGS)
    return plan_run(corpus, landing, settings, run_id=run_id, **arguments)  # type: ignore[arg-type]


def publish(corpus: Corpus, plan: Plan, files: Iterable[DumpFile] | None = None) -> Snapshot:
    """Commit a snapshot that holds the plan's files, as `publish/commit.py` would name them."""
    state = DumpState(
        dump_date=DATE,
        generation=plan.generation,
        planned_at=plan.planned_at,
        files=tuple(plan.files if files is None else files),
        file_counts=(),
        shards=(),
        kept_hashes=(),
        index=(),
        edges=(),
        verdicts=NO_FILE,
        quarantine=NO_FILE,
        documents=(),
        counts=DumpCounts(),
        topics={},
        runs=(FileRef(layout.data("runs", plan.run_id, "run", "0"), "", 0, 1),),
    )
    ref = DumpRef(
        generation=plan.generation,
        state=corpus.save(state, lambda digest: layout.state(DATE, digest)),
        settings=plan.made_with,
        models=models_fingerprint(plan.models),
    )
    snapshot = Snapshot(
        sequence=snapshots.current(corpus).sequence + 1,
        parent=snapshots.pointed(corpus),
        run_id=plan.run_id,
        dumps={DATE: ref},
    )
    snapshots.advance(corpus, snapshot)
    return snapshot


def due(
    corpus: Corpus,
    landing: MemoryStore,
    settings: RunSettings = SETTINGS,
    models: Models | None = None,
) -> list[str]:
    """Return the dates that a run would change."""
    current = snapshots.current(corpus)
    return ledger.due(corpus, landing, current, now=NOW, settings=settings, models=models)


def standings(corpus: Corpus, landing: MemoryStore, **options: object) -> dict[str, str]:
    """Return how every date stands."""
    arguments: dict[str, object] = {"now": NOW, "settings": SETTINGS} | options
    current = snapshots.current(corpus)
    return dict(ledger.standings(corpus, landing, current, **arguments))  # type: ignore[arg-type]


def test_a_plan_freezes_every_file(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """Files with ETag, size and version, shards, ranges, parent and settings."""
    made = plan(memory_corpus, landing)
    listed = {info.key: (info.etag, info.size) for info in landing.list()}
    assert {file.key: (file.etag, file.size) for file in made.files} == listed
    assert {(file.source, file.version) for file in made.files} == {("a", 1), ("b", 1)}
    assert (len(made.shards), len(made.key_ranges)) == (3, 1)
    assert (made.parent, made.waiting, made.unchanged) == (0, (), False)
    assert (made.settings, made.planned_at) == (SETTINGS, NOW)


def test_a_retried_plan_is_the_same_plan(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """While the same files are there, a run keeps the plan that it has."""
    first = plan(memory_corpus, landing)
    other = RunSettings(dedup=DedupSettings(threshold=0.9))
    assert plan(memory_corpus, landing, now=NOW + 60, settings=other) == first
    assert load_plan(memory_corpus, DATE, "run") == first


def test_a_run_planned_again_takes_what_is_there_by_then(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """A cleared run that has not committed gets a plan of the new files, which takes its place."""
    first = plan(memory_corpus, landing)
    upload(landing, "a/2026-11-21/1.txt", age=5000)
    again = plan(memory_corpus, landing, now=NOW + 60)
    assert (again.run_id, again.planned_at) == (first.run_id, NOW + 60)
    assert again.generation != first.generation
    assert load_plan(memory_corpus, DATE, "run") == again
    with pytest.raises(ContractError, match="run run of dump 2026-11-21 is superseded"):
        fence.refuse_superseded(memory_corpus, first)


def test_a_committed_run_keeps_its_plan(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """What a run has published stays what its plan says; other files need another run."""
    first = plan(memory_corpus, landing)
    publish(memory_corpus, first)
    upload(landing, "c/2026-11-21/late.txt", age=5000)
    assert plan(memory_corpus, landing, now=NOW + 60) == first
    assert len(plan(memory_corpus, landing, "next").files) == 4


class LosingStore(MemoryStore):
    """A store whose answer to the put of a plan is lost, so that the client puts it again."""

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Write, and for a plan write once more."""
        etag = super().put(key, data, if_absent=if_absent, if_match=if_match)
        if key.startswith("store/plans/"):
            return super().put(key, data, if_absent=if_absent, if_match=if_match)
        return etag


def test_a_plan_whose_answer_was_lost_is_a_plan(tmp_path: Path, landing: MemoryStore) -> None:
    """Our own put is no conflict, the first time and when the run is planned again."""
    corpus = Corpus(LosingStore(), tmp_path)
    assert plan(corpus, landing) == load_plan(corpus, DATE, "run")
    upload(landing, "c/2026-11-21/late.txt", age=5000)
    assert len(plan(corpus, landing, now=NOW + 1).files) == 4


def test_the_newest_plan_fences_older_ones(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """An older plan is refused once the date was planned with other files; an equal one is not."""
    older = plan(memory_corpus, landing, "older")
    equal = plan(memory_corpus, landing, "equal", now=NOW + 1)
    fence.refuse_superseded(memory_corpus, older)
    upload(landing, "c/2026-11-21/late.txt", age=5000)
    newer = plan(memory_corpus, landing, "newer", now=NOW + 2)
    fence.refuse_superseded(memory_corpus, newer)
    for stale in (older, equal):
        with pytest.raises(ContractError, match=r"found run newer, planned \d s after"):
            fence.refuse_superseded(memory_corpus, stale)
    fence.record(memory_corpus, older)
    fence.refuse_superseded(memory_corpus, newer)


def test_another_model_is_another_plan(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """A new annotator model makes a night due; a new splitter model makes other shards as well."""
    models = Models(splitter="page/1", annotators=("lid/1", "topic/1"))
    first = plan(memory_corpus, landing, models=models)
    publish(memory_corpus, first)
    assert due(memory_corpus, landing, models=models) == []
    assert plan(memory_corpus, landing, "same", models=models).unchanged
    topic = Models(splitter="page/1", annotators=("lid/1", "topic/2"))
    assert due(memory_corpus, landing, models=topic) == [DATE]
    annotated = plan(memory_corpus, landing, "topic", models=topic)
    assert (annotated.unchanged, annotated.shards) == (False, first.shards)
    page = Models(splitter="page/2", annotators=models.annotators)
    assert due(memory_corpus, landing, models=page) == [DATE]
    split = plan(memory_corpus, landing, "page", models=page)
    assert not split.unchanged
    assert split.generation != first.generation
    assert {one.fingerprint for one in split.shards}.isdisjoint(
        one.fingerprint for one in first.shards
    )


def test_another_packing_is_unchanged(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """The same files in other shards are the same generation."""
    first = plan(memory_corpus, landing)
    publish(memory_corpus, first)
    larger = RunSettings(plan=PlanSettings(shard_bytes=1000))
    packed = plan(memory_corpus, landing, "larger", settings=larger)
    assert (len(first.shards), len(packed.shards)) == (3, 1)
    assert (packed.generation, packed.unchanged) == (first.generation, True)


def test_the_plan_does_not_depend_on_who_asks(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """Two runs over the same files have the same shards and generation."""
    first, second = plan(memory_corpus, landing, "one"), plan(memory_corpus, landing, "two")
    assert (first.shards, first.generation) == (second.shards, second.generation)


def test_a_run_never_planned_is_missing(memory_corpus: Corpus) -> None:
    """Loading says what to do first."""
    with pytest.raises(MissingError, match="Run the plan task first"):
        load_plan(memory_corpus, DATE, "run")


def test_a_waiting_source_is_left_out_and_named(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """The complete sources go on without it."""
    upload(landing, "c/2026-11-21/1.txt")
    made = plan(memory_corpus, landing)
    assert made.waiting == ("c",)
    assert {file.source for file in made.files} == {"a", "b"}
    states = {row.key: row.state for row in ledger.load(memory_corpus, DATE).rows}
    assert states["c/2026-11-21/1.txt"] == "seen"
    assert states["a/2026-11-21/1.txt"] == "stable"


def test_nothing_complete_is_not_ready(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """The message names source, age, quiet period and the way to end the wait; no plan is left."""
    upload(landing, "a/2026-11-21/3.txt", age=10)
    upload(landing, "b/2026-11-21/3.txt", age=20)
    with pytest.raises(NotReadyError, match=r"found a still.*10 s old, quiet period 900.*_SUCCESS"):
        plan(memory_corpus, landing)
    assert len(plan(memory_corpus, landing, now=NOW + 1000).files) == 5


def test_a_published_source_that_is_uploaded_again_is_waited_for(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """Leaving it out would retract what it had."""
    publish(memory_corpus, plan(memory_corpus, landing))
    upload(landing, "a/2026-11-21/3.txt")
    with pytest.raises(NotReadyError, match="found a still being uploaded"):
        plan(memory_corpus, landing, "again")


def test_an_empty_night_is_a_plan(memory_corpus: Corpus) -> None:
    """No files give zero shards, and a generation that is theirs alone."""
    made = plan(memory_corpus, MemoryStore())
    assert (made.shards, made.waiting, made.unchanged) == ((), (), False)
    publish(memory_corpus, made)
    assert plan(memory_corpus, MemoryStore(), "again").unchanged


def test_the_same_files_and_settings_are_unchanged(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """What is live already need not be done again; another threshold or file must."""
    publish(memory_corpus, plan(memory_corpus, landing))
    assert plan(memory_corpus, landing, "same").unchanged
    assert plan(memory_corpus, landing, "same").parent == 1
    stricter = RunSettings(plan=SETTINGS.plan, dedup=DedupSettings(threshold=0.9))
    assert not plan(memory_corpus, landing, "stricter", settings=stricter).unchanged
    upload(landing, "a/2026-11-21/1.txt", age=5000)
    changed = plan(memory_corpus, landing, "changed")
    assert not changed.unchanged
    assert {file.key: file.version for file in changed.files}["a/2026-11-21/1.txt"] == 2


def test_vanished_files_are_refused_unless_allowed(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """A published file that is gone stops the run, by name; the flag retracts it."""
    publish(memory_corpus, plan(memory_corpus, landing))
    landing.delete(["a/2026-11-21/1.txt", "b/2026-11-21/1.txt"])
    message = (
        "2026-11-21: expected the 3 published dump files, found 2 of them gone from the landing "
        "area: a/2026-11-21/1.txt, b/2026-11-21/1.txt. Bring them back, or run with "
        "--allow-deleted to retract their documents."
    )
    with pytest.raises(InputError, match=re.escape(message)):
        plan(memory_corpus, landing, "again")
    allowed = plan(memory_corpus, landing, "allowed", allow_deleted=True)
    assert [file.key for file in allowed.files] == ["a/2026-11-21/2.txt"]


@pytest.mark.parametrize("dump_date", ["", "yesterday", "20261121", "2026-11-31", "../2026-11-21"])
def test_a_dump_date_is_an_iso_date(memory_corpus: Corpus, dump_date: str) -> None:
    """Anything else never becomes part of a key."""
    with pytest.raises(InputError, match="expected a dump date such as"):
        plan(memory_corpus, MemoryStore(), dump_date=dump_date)


def test_run_ids_become_safe_and_stay_different() -> None:
    """Safe ids are kept; others are replaced without clashing, and only once."""
    assert safe_run_id("manual__2026-11-22T06-30-00.5-00-00") == (
        "manual__2026-11-22T06-30-00.5-00-00"
    )
    odd = ["a:b", "a+b", "a/b", "../x", ".", "ü" * 300, "a" * 300]
    safe = [safe_run_id(run_id) for run_id in odd]
    assert len(set(safe)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,119}", name) for name in safe)
    assert [safe_run_id(name) for name in safe] == safe
    with pytest.raises(InputError):
        safe_run_id("")


def test_due_names_the_dates_that_a_run_would_change(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """New, then published and not due, then another date, changed, or under other settings."""
    assert due(memory_corpus, landing) == [DATE]
    publish(memory_corpus, plan(memory_corpus, landing))
    assert due(memory_corpus, landing) == []
    assert due(memory_corpus, landing, RunSettings(dedup=DedupSettings(threshold=0.9))) == [DATE]
    upload(landing, "z/2026-11-22/1.txt", age=5000)
    upload(landing, "z/2026-11-23/1.txt", age=10)
    assert due(memory_corpus, landing) == ["2026-11-22"]
    upload(landing, "a/2026-11-21/1.txt", age=5000)
    assert due(memory_corpus, landing) == [DATE, "2026-11-22"]


def test_a_date_of_which_files_only_vanished_is_gone(
    memory_corpus: Corpus, landing: MemoryStore
) -> None:
    """It is not due, whatever the settings; with a new file beside it a person must look."""
    publish(memory_corpus, plan(memory_corpus, landing))
    landing.delete(["a/2026-11-21/1.txt"])
    assert standings(memory_corpus, landing) == {DATE: "gone"}
    stricter = RunSettings(dedup=DedupSettings(threshold=0.9))
    assert standings(memory_corpus, landing, settings=stricter) == {DATE: "gone"}
    upload(landing, "a/2026-11-21/3.txt", age=5000)
    assert standings(memory_corpus, landing) == {DATE: "due"}
    landing.delete([info.key for info in list(landing.list())])
    assert standings(memory_corpus, landing) == {DATE: "gone"}


def test_standings_name_every_date(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """Published, due, still being uploaded for the first time, and uploaded again."""
    publish(memory_corpus, plan(memory_corpus, landing))
    upload(landing, "z/2026-11-22/1.txt", age=5000)
    upload(landing, "z/2026-11-23/1.txt", age=10)
    expected = {DATE: "published", "2026-11-22": "due", "2026-11-23": "waiting"}
    assert standings(memory_corpus, landing) == expected
    upload(landing, "a/2026-11-21/1.txt", age=10)
    assert standings(memory_corpus, landing) == expected | {DATE: "waiting"}


def test_a_source_under_upload_is_not_due(memory_corpus: Corpus, landing: MemoryStore) -> None:
    """A published date waits until its sources are quiet again."""
    publish(memory_corpus, plan(memory_corpus, landing))
    upload(landing, "a/2026-11-21/1.txt", age=10)
    assert due(memory_corpus, landing) == []
    upload(landing, "a/2026-11-21/1.txt", age=5000)
    assert due(memory_corpus, landing) == [DATE]
