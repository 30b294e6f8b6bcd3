"""Annotating published nights again: one step, the bytes of publishing anew, and nothing due."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from pipeline import runner
from pipeline.audit import verify
from pipeline.cli import cli
from pipeline.enrich.annotator import resolve
from pipeline.errors import ConfigError, MissingError
from pipeline.model.plan import Plan
from pipeline.model.settings import DedupSettings, EnrichSettings, Settings
from pipeline.runner import rebuild
from pipeline.runner.reannotate import Reannotation
from pipeline.storage import snapshots
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.nights import land, published_bytes, run, settings_for

SCRIPT = Path(__file__).with_name("die_at_write.py")
DATES = ("2026-11-20", "2026-11-21")
LATE = "2026-11-22"
NEWS = (
    "The court sentenced the former director to four years in prison for fraud. Prosecutors said "
    "that he had stolen money from his clients, and police had arrested him after an inquiry. "
    "His lawyer announced an appeal against the verdict of the judge, which the clients welcomed."
)
GERMAN = (
    "Der Wärter des Leuchtturms zählte jeden Abend vor dem Essen alle Schiffe, die im Hafen lagen, "
    "und schrieb ihre Namen in ein Buch, das seit hundert Jahren auf dem Tisch seiner Stube lag."
)
MODEL = """
import pyarrow as pa
from pipeline.enrich.annotator import LANGUAGE, Annotator

def second():
    def run(texts, earlier):
        found = ["deu" if "Hafen" in text else "eng" for text in texts.to_pylist()]
        return pa.RecordBatch.from_arrays([pa.array(found)], schema=pa.schema([LANGUAGE]))
    return Annotator(name="second", columns=(LANGUAGE,), annotate=run, model="second/1")

def first():
    def run(texts, earlier):
        found = pa.array(["eng"] * len(texts))
        return pa.RecordBatch.from_arrays([found], schema=pa.schema([LANGUAGE]))
    return Annotator(name="first", columns=(LANGUAGE,), annotate=run, model="first/1")
"""


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with two language models, as pip would leave it."""
    folder = tmp_path / "packages"
    info = folder / "winnow_two-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "winnow_two.py").write_text(MODEL)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: winnow-two\nVersion: 1.0\n")
    points = "[winnow.annotators]\nfirst = winnow_two:first\nsecond = winnow_two:second\n"
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(folder))
    resolve.cache_clear()


def model(settings: Settings, name: str) -> Settings:
    """Return settings with one annotator."""
    return msgspec.structs.replace(settings, enrich=EnrichSettings(annotators=(name,)))


def publish(settings: Settings, landing: Store) -> None:
    """Land and publish two nights, the second with a copy of the first."""
    for date, texts in zip(DATES, ((NEWS, GERMAN), (NEWS, GERMAN + " Es war Winter.", "Salt.")),
                           strict=True):  # fmt: skip
        data = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
        land(landing, [(f"wire/{date}/a.jsonl", data)])
        run(settings, date, f"run-{date}")


def again(settings: Settings, *dates: str, run_id: str = "again") -> dict[str, object]:
    """Annotate nights again and bring the trees in step."""
    with runner.session(settings) as night:
        tasks = Reannotation(night.corpus, settings.run_settings())
        done = tasks.commit(tasks.plan(dates, run_id), run_id)
        night.bring_in_step()
    return done


def due(settings: Settings) -> list[str]:
    """Return the nights that are due."""
    with runner.session(settings) as night:
        return night.due()


def test_the_end_is_as_if_published_anew(tmp_path: Path, local: Settings, landing: Store) -> None:
    """One commit changes all nights; bytes are those of the new model, and nothing is due."""
    publish(model(local, "first"), landing)
    new = model(local, "second")
    assert due(new) == list(DATES)
    with runner.session(new) as night:
        before = snapshots.current(night.corpus).sequence
        landing.delete([info.key for info in landing.list()])
        done = again(new)
        assert snapshots.current(night.corpus).sequence == before + 1
    assert done["dumps"] == list(DATES)
    assert done["changes"] == [
        {"dump_date": DATES[0], "column": "language", "from": "eng", "to": "deu", "documents": 1}
    ]
    fresh = msgspec.structs.replace(
        new, store=msgspec.structs.replace(new.store, corpus=str(tmp_path / "fresh"))
    )
    publish(fresh, landing)
    there = published_bytes(open_store(new.store.corpus))
    assert there == published_bytes(open_store(fresh.store.corpus))
    assert due(new) == []
    assert again(new, run_id="later")["dumps"] == []


def test_other_nights_stay_and_a_late_night_still_fits(local: Settings, landing: Store) -> None:
    """Only the night asked for changes; the next run takes the corpus as it stands."""
    publish(model(local, "first"), landing)
    new = model(local, "second")
    assert again(new, DATES[1])["dumps"] == [DATES[1]]
    assert due(new) == [DATES[0]]
    run(new, DATES[0], "rest")
    assert due(new) == []
    with runner.session(new) as night:
        state = snapshots.load_state(night.corpus, snapshots.current(night.corpus), DATES[1])
        rows = [night.corpus.read(ref).to_pylist()[0]["outcome"] for ref in state.runs]
    assert rows == ["published", "reannotated"]


def test_what_would_be_split_or_compared_otherwise_is_refused(
    local: Settings, landing: Store
) -> None:
    """Another threshold needs a run; a night that is not published is named."""
    publish(model(local, "first"), landing)
    other = msgspec.structs.replace(model(local, "second"), dedup=DedupSettings(threshold=0.8))
    with pytest.raises(ConfigError, match="Publish the night anew: `winnow run --dump-date"):
        again(other)
    with pytest.raises(MissingError, match="expected dump 2020-01-01"):
        again(model(local, "second"), "2020-01-01")


def test_a_dry_run_shows_the_changes_and_makes_none(local: Settings, landing: Store) -> None:
    """The command says what would change, leaves snapshot and trees, and later does the same."""
    publish(model(local, "first"), landing)
    store = open_store(local.store.corpus)
    before = published_bytes(store), store.get("store/current.json")[0]
    call = ["reannotate", "--all", "--json", "--corpus", local.store.corpus]
    environment = {"WINNOW_ENRICH__ANNOTATORS": "second"}
    said = CliRunner().invoke(cli, [*call, "--dry-run"], env=environment, catch_exceptions=False)
    would = json.loads(said.stdout.splitlines()[-1])
    assert (published_bytes(store), store.get("store/current.json")[0]) == before
    said = CliRunner().invoke(cli, call, env=environment, catch_exceptions=False)
    done = json.loads(said.stdout.splitlines()[-1])
    assert would["snapshot"] is None
    assert done["snapshot"] is not None
    assert would["changes"] == done["changes"] != []
    assert published_bytes(store) != before[0]


def test_a_run_that_died_after_its_commit_says_what_it_did(local: Settings, landing: Store) -> None:
    """Tried again it names its snapshot and the labels that it changed; another run has neither."""
    publish(model(local, "first"), landing)
    other = model(local, "second")
    with runner.session(other) as night:
        tasks = Reannotation(night.corpus, other.run_settings())
        plans = tasks.plan((), "killed")
        done = tasks.commit(plans, "killed")
        assert done["changes"]
        assert tasks.commit(plans, "killed") == done
        assert tasks.commit(plans, "other")["dumps"] == []


def test_heal_takes_the_models_that_published(local: Settings, landing: Store) -> None:
    """A run that was only planned, with other models, changes nothing in what heal makes."""
    publish(model(local, "first"), landing)
    store = open_store(local.store.corpus)
    before = published_bytes(store)
    with runner.session(model(local, "second")) as night:
        night.plan(DATES[0], "never-committed")
        state = snapshots.load_state(night.corpus, snapshots.current(night.corpus), DATES[0])
    (ref,) = state.documents[0].files
    tree = next(key for key, digest in before.items() if digest == ref.sha256)
    for key in (ref.key, tree):
        store.put(key, b"garbage")
    with runner.session(model(local, "first")) as night:
        healed = rebuild.heal(night, DATES[0], "heal")
        night.bring_in_step(full=True)
    assert (healed["damaged"], healed["mended"], healed["left"]) == (1, 1, [])
    assert published_bytes(store) == before


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_every_write(tmp_path: Path) -> None:
    """Two nights annotated again, killed at each write, heal to the bytes of an unbroken run."""
    settings = settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus"))
    settings = model(settings, "language")
    publish(settings, open_store(settings.store.landing, create=True))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    stores = settings.store.landing, settings.store.corpus
    done = subprocess.run(
        [sys.executable, SCRIPT, *stores, scratch, "reannotate"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(SCRIPT.parents[2])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert list(answer) == ["writes"], answer
    assert answer["writes"] > 8


def test_beside_a_nightly_run_both_are_published(local: Settings, landing: Store) -> None:
    """A night that commits meanwhile, and annotating again, end as if one came after the other."""
    publish(model(local, "first"), landing)
    new = model(local, "second")
    land(landing, [(f"wire/{LATE}/a.jsonl", json.dumps({"text": GERMAN + " Ende."}).encode())])
    with ThreadPoolExecutor(2) as pool:
        both = pool.submit(run, new, LATE, "night"), pool.submit(again, new)
        for one in both:
            one.result()
    with runner.session(new) as night:
        snapshot = snapshots.current(night.corpus)
        assert sorted(snapshot.dumps) == [*DATES, LATE]
        assert [*verify.findings(night.corpus)] == []
    assert due(new) == []


def test_a_night_published_meanwhile_stays(
    local: Settings, landing: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night that commits while others are annotated again is not lost with the older snapshot."""
    publish(model(local, "first"), landing)
    new = model(local, "second")
    land(landing, [(f"wire/{LATE}/a.jsonl", json.dumps({"text": GERMAN + " Ende."}).encode())])
    changes, nights = Reannotation.changes, [LATE]

    def meanwhile(self: Reannotation, plans: Sequence[Plan]) -> list[dict[str, Any]]:
        found = changes(self, plans)
        if nights:
            run(new, nights.pop(), "meanwhile")
        return found

    monkeypatch.setattr(Reannotation, "changes", meanwhile)
    again(new)
    with runner.session(new) as night:
        assert sorted(snapshots.current(night.corpus).dumps) == [*DATES, LATE]
        assert [*verify.findings(night.corpus)] == []
    assert due(new) == []
