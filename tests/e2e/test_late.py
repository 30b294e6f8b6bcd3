"""Nights that arrive late or change: texts are annotated once, and bytes are as in date order."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline import runner
from pipeline.audit import tasks, verify
from pipeline.model.settings import (
    DedupSettings,
    EnrichSettings,
    PassageSettings,
    PlanSettings,
    Settings,
)
from pipeline.runner.night import Night
from pipeline.runner.takedown import TakeDown
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.asked import ANNOTATORS, install
from tests.nights import land, published_bytes, run

DATES = ("2026-11-20", "2026-11-21", "2026-11-22")
LATE = "2026-11-19"
FILE_BYTES = 7_000
"""Ten stories fill a file that shares no shard."""
NOTICE = "Read the original text on our pages, and more."


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that annotators are asked about, as they come."""
    return install(tmp_path / "packages", monkeypatch)


@pytest.fixture
def remembering(local: Settings, asked: list[str]) -> Settings:
    """Return settings with the annotator that remembers, and a shard for each file."""
    assert asked == []
    return msgspec.structs.replace(
        local,
        enrich=EnrichSettings(annotators=ANNOTATORS),
        plan=PlanSettings(quiet_seconds=0, shard_bytes=FILE_BYTES, range_bytes=100_000),
    )


def story(name: str, changed: int = 0) -> str:
    """Return a text of 90 words that only this name has, a few of them changed."""
    dice = random.Random(name)  # noqa: S311 - no secret is made here
    words = [f"w{dice.randrange(50_000)}" for _ in range(90)]
    words[40 : 40 + changed] = [f"changed{at}" for at in range(changed)]
    return " ".join(words)


def lines(texts: Iterable[str]) -> bytes:
    """Return a dump file of one record a text."""
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


def night(date: str, texts: Sequence[str], files: int = 2) -> list[tuple[str, bytes]]:
    """Return the dump files of a night."""
    return [(f"wire/{date}/{at}.jsonl", lines(texts[at::files])) for at in range(files)]


def stories(date: str, *shared: str) -> list[str]:
    """Return the texts of a night: 20 of its own, and those it shares."""
    return [*(story(f"{date}-{number}") for number in range(20)), *shared]


def nights() -> dict[str, list[str]]:
    """Return three nights and an earlier one, which has near copies of two texts of each."""
    made = {date: stories(date) for date in DATES}
    copies = [story(f"{date}-{number}", changed=2) for date in DATES for number in (3, 7)]
    return made | {LATE: stories(LATE, *copies)}


def bytes_of(settings: Settings) -> dict[str, str]:
    """Return what is published, in which every promise holds."""
    with runner.corpus_session(settings) as corpus:
        assert list(verify.findings(corpus)) == []
    return published_bytes(open_store(settings.store.corpus))


def published(settings: Settings, date: str) -> Counter[str]:
    """Return the published texts of a night."""
    leaves = Path(settings.store.corpus, "documents", f"dump_date={date}").glob("*/*.parquet")
    return Counter(text for file in leaves for text in pq.read_table(file)["text"].to_pylist())


def elsewhere(settings: Settings, folder: Path) -> Settings:
    """Return settings on another, empty corpus."""
    store = msgspec.structs.replace(settings.store, corpus=str(folder))
    return msgspec.structs.replace(settings, store=store)


def in_order(settings: Settings, folder: Path, dates: Iterable[str]) -> dict[str, str]:
    """Return what a corpus publishes that never had another order."""
    fresh = elsewhere(settings, folder)
    for date in sorted(dates):
        run(fresh, date, f"fresh-{date}")
    return bytes_of(fresh)


def test_a_late_night_asks_about_its_own_texts(
    tmp_path: Path, asked: list[str], remembering: Settings, landing: Store
) -> None:
    """Three touched nights lose two texts each and nothing of them is asked.

    Changed, it gives three of them back, which are asked; deleted, it leaves units of before.
    """
    made = nights()
    copies = made[LATE][20:]
    for date, texts in made.items():
        land(landing, night(date, texts[:20]))
    land(landing, [(f"wire/{LATE}/copies.jsonl", lines(copies))])
    for date in DATES:
        run(remembering, date, f"run-{date}")
    assert Counter(asked) == Counter(text for date in DATES for text in made[date])
    asked.clear()
    assert run(remembering, LATE, "late")["retracted"] == 6
    assert Counter(asked) == Counter(made[LATE])
    assert bytes_of(remembering) == in_order(remembering, tmp_path / "fresh", made)
    land(landing, [(f"wire/{LATE}/copies.jsonl", lines(copies[::2]))])
    asked.clear()
    assert run(remembering, LATE, "changed")["restored"] == 3
    assert Counter(asked) == Counter([*copies[::2], *(story(f"{date}-7") for date in DATES)])
    assert bytes_of(remembering) == in_order(remembering, tmp_path / "changed", made)
    landing.delete([f"wire/{LATE}/{name}.jsonl" for name in ("0", "1", "copies")])
    asked.clear()
    assert run(remembering, LATE, "gone", allow_deleted=True)["restored"] == 3
    assert asked == []
    last = {key: one for key, one in bytes_of(remembering).items() if LATE not in key}
    assert last == in_order(remembering, tmp_path / "without", DATES)


def test_the_record_says_what_was_taken_over(remembering: Settings, landing: Store) -> None:
    """Records count reused rows, 8 of each touched shard: no rate can be learned from them."""
    made = nights()
    for date, texts in made.items():
        land(landing, night(date, texts))
    for date in (*DATES, LATE):
        run(remembering, date, f"run-{date}")
    with runner.corpus_session(remembering) as corpus:
        records = tasks.records(corpus, LATE, f"run-{LATE}")
    (annotate,) = [one for one in tasks.stages(records) if one.stage == "annotate"]
    assert annotate.counts["reused"] == 3 * 8
    assert annotate.counts["documents"] == 3 * 18 + len(made[LATE])


def test_an_expired_unit_is_annotated_anew(
    tmp_path: Path, asked: list[str], remembering: Settings, landing: Store
) -> None:
    """Of a night whose units are gone every kept text is asked about; bytes are the same."""
    made = nights()
    for date, texts in made.items():
        land(landing, night(date, texts))
    for date in DATES:
        run(remembering, date, f"run-{date}")
    with runner.corpus_session(remembering) as corpus:
        state = snapshots.load_state(corpus, snapshots.current(corpus), DATES[1])
        assert len(state.annotated) == len(state.shards) == 2
        corpus.store.delete([layout.unit("annotate", name) for name in state.annotated])
    asked.clear()
    assert run(remembering, LATE, "late")["retracted"] == 6
    gone = {story(f"{DATES[1]}-{number}") for number in (3, 7)}
    assert Counter(asked) == Counter([*made[LATE], *(set(made[DATES[1]]) - gone)])
    assert bytes_of(remembering) == in_order(remembering, tmp_path / "fresh", made)


def begin(late: Night, date: str, run_id: str) -> None:
    """Do the tasks of a night up to `annotate`."""
    plan = late.plan(date, run_id)
    for shard in plan["shards"]:
        late.ingest(date, run_id, shard["index"])
    for key_range in plan["key_ranges"]:
        late.match(date, run_id, key_range["index"])
    for unit in late.decide(date, run_id)["units"]:
        late.annotate(date, run_id, unit["index"])


def test_a_rebase_asks_for_nothing_twice(
    tmp_path: Path, asked: list[str], remembering: Settings, landing: Store
) -> None:
    """Nights touch a third one and each other: the last commit knows what all have annotated."""
    made = nights()
    made[DATES[0]] += [story(f"{LATE}-{number}", changed=1) for number in (1, 2)]
    for date, texts in made.items():
        land(landing, night(date, texts))
    run(remembering, DATES[2], "first")
    with runner.session(remembering) as late:
        begin(late, DATES[0], "slow")
        run(remembering, LATE, "fast")
        run(remembering, DATES[1], "beside")
        asked.clear()
        moved = late.commit(DATES[0], "slow")
        late.promote(DATES[0], "slow")
    assert moved["dropped_history"] == 4
    assert asked == []
    assert bytes_of(remembering) == in_order(remembering, tmp_path / "fresh", made)


def test_a_changed_night_asks_about_what_is_new(
    tmp_path: Path, asked: list[str], remembering: Settings, landing: Store
) -> None:
    """A file that is added, and another threshold, leave the texts of other shards alone."""
    land(landing, night(DATES[0], stories(DATES[0])))
    run(remembering, DATES[0], "first")
    asked.clear()
    new = [story("new"), story("newer")]
    land(landing, [(f"wire/{DATES[0]}/9.jsonl", lines(new))])
    run(remembering, DATES[0], "more")
    assert sorted(asked) == sorted(new)
    asked.clear()
    other = msgspec.structs.replace(remembering, dedup=DedupSettings(threshold=0.9))
    run(other, DATES[0], "threshold")
    assert asked == []
    assert bytes_of(other) == in_order(other, tmp_path / "fresh", DATES[:1])


def test_a_take_down_asks_about_what_it_restores(
    asked: list[str], remembering: Settings, landing: Store
) -> None:
    """Of 26 and 20 texts one goes and its near copy does not come back; undone, one is asked."""
    made = nights()
    for date in (LATE, DATES[0]):
        land(landing, night(date, made[date]))
        run(remembering, date, f"run-{date}")
    before = bytes_of(remembering)
    text = made[LATE][0]
    rows = ds.dataset(f"{remembering.store.corpus}/documents", partitioning="hive").to_table()
    (name,) = [row["document_id"] for row in rows.to_pylist() if row["text"] == text]
    asked.clear()
    with runner.corpus_session(remembering) as corpus:
        removal = TakeDown(corpus, landing, remembering.run_settings())
        removal.take([name], reason="court", by="me", run_id="take")
        assert asked == []
        removal.undo([name], reason="appeal", by="me", run_id="undo")
        assert asked == [text]
    assert bytes_of(remembering) == before


def events(dice: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Yield what lands, one night after another: new texts, near copies, notices; or nothing."""
    for _ in range(9):
        names = [f"s{dice.randrange(14)}" for _ in range(dice.randrange(3, 12))]
        texts = [story(name, changed=dice.choice((0, 0, 2, 20))) for name in names]
        with_notice = [f"{NOTICE}\n{text}" if dice.random() < 0.6 else text for text in texts]
        yield dice.choice(DATES), [] if dice.random() < 0.15 else with_notice


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_end_as_in_date_order(
    tmp_path: Path, asked: list[str], remembering: Settings, landing: Store, seed: int
) -> None:
    """Nights come, change and go, and paragraphs are removed while they repeat.

    Of another night than its own a run asks only about texts that were not published of it before.
    The end is that of a corpus which only knew the last state.
    """
    rule = PassageSettings(repeated="remove", repeated_documents=3)
    plan = PlanSettings(quiet_seconds=0)
    settings = msgspec.structs.replace(remembering, passages=rule, plan=plan)
    dice = random.Random(seed)  # noqa: S311 - made-up histories
    there: dict[str, list[str]] = {}
    known: dict[str, Counter[str]] = {date: Counter() for date in DATES}
    for number, (own, texts) in enumerate(events(dice)):
        (file,) = night(own, texts, files=1)
        landing.delete([file[0]])
        land(landing, [file] if texts else [])
        there[own] = texts
        asked.clear()
        run(settings, own, f"run-{number}", allow_deleted=True, accept_guards=True)
        now = {date: published(settings, date) for date in DATES}
        may = sum((now[date] - known[date] for date in DATES if date != own), now[own])
        assert Counter(asked) <= may
        known = now
    assert bytes_of(settings) == in_order(settings, tmp_path / "fresh", there)
