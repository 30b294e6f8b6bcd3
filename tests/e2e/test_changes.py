"""Nights whose settings, models, packing or dump files change between runs."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest
import structlog
from click.testing import CliRunner

from pipeline import runner
from pipeline.audit import verify
from pipeline.cli import cli
from pipeline.enrich.annotator import resolve
from pipeline.errors import ContractError
from pipeline.model.settings import (
    DedupSettings,
    EnrichSettings,
    PlanSettings,
    PublishSettings,
    Settings,
)
from pipeline.plan import ledger
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.nights import land, published_bytes, run, settings_for

DATES = ("2026-11-21", "2026-11-22", "2026-11-23")
WORDS = ("river", "stone", "market", "harvest", "engine", "window", "council", "doctor", "bridge")


def story(seed: int) -> str:
    """Return a text of 120 words that only this number has."""
    dice = random.Random(seed)  # noqa: S311 - no secret is made here
    return " ".join(f"{dice.choice(WORDS)}{dice.randrange(40)}" for _ in range(120))


def edited(text: str, words: int) -> str:
    """Return a text with some words in a row changed: the more, the less similar."""
    found = text.split()
    return " ".join([*found[:50], *(f"changed{at}" for at in range(words)), *found[50 + words :]])


def lines(*texts: str) -> bytes:
    """Return a dump file of one record a text."""
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


def drifting_nights() -> list[tuple[str, bytes]]:
    """Return three nights that share stories, more or less edited, within and across them."""
    edits = [[0, 2, 12], [1, 5, 20], [3, 9, 30]]
    files: list[tuple[str, bytes]] = []
    for date, mine in zip(DATES, edits, strict=True):
        texts = [edited(story(seed), (words + seed) % 34) for seed in range(8) for words in mine]
        files += [(f"wire/{date}/{at}.jsonl", lines(*texts[at::3])) for at in range(3)]
    return files


def with_threshold(settings: Settings, threshold: float) -> Settings:
    """Return the settings under another rule."""
    return msgspec.structs.replace(settings, dedup=DedupSettings(threshold=threshold))


def run_due(settings: Settings, name: str) -> list[str]:
    """Do what `winnow run --due` does; return the dates."""
    with runner.session(settings) as night:
        due = night.due()
        for date in due:
            for _ in runner.run_night(night, date, f"{name}-{date}"):
                pass
    return due


def due(settings: Settings) -> list[str]:
    """Return the dates that are due."""
    with runner.session(settings) as night:
        return night.due()


def broken_promises(settings: Settings) -> list[object]:
    """Recompute every promise."""
    with runner.corpus_session(settings) as corpus:
        return list(verify.findings(corpus))


def bytes_of(settings: Settings) -> dict[str, str]:
    """Return what is published."""
    return published_bytes(open_store(settings.store.corpus))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_another_threshold_ends_as_a_fresh_corpus(
    tmp_path: Path, local: Settings, landing: Store, order: tuple[int, ...]
) -> None:
    """Raised and lowered, night after night in any order, it ends in the bytes of a new corpus."""
    land(landing, drifting_nights())
    run_due(with_threshold(local, 0.75), "first")
    seen = [bytes_of(local)]
    for threshold in (0.93, 0.6):
        settings = with_threshold(local, threshold)
        assert due(settings) == list(DATES)
        for place in order:
            run(settings, DATES[place], f"again-{threshold}-{place}")
        assert due(settings) == []
        fresh = settings_for(settings.store.landing, str(tmp_path / f"fresh-{threshold}"))
        fresh = with_threshold(fresh, threshold)
        run_due(fresh, "fresh")
        seen.append(bytes_of(fresh))
        assert bytes_of(settings) == seen[-1]
        assert broken_promises(settings) == []
    assert len({json.dumps(one, sort_keys=True) for one in seen}) == 3


def test_due_runs_republish_everything_after_a_change(local: Settings, landing: Store) -> None:
    """The loop of `winnow run --due` passes every check on the way, and then nothing is due."""
    land(landing, drifting_nights())
    for number, threshold in enumerate((0.75, 0.93, 0.6, 0.75)):
        settings = with_threshold(local, threshold)
        assert run_due(settings, f"change-{number}") == list(DATES)
        assert due(settings) == []
    assert broken_promises(local) == []


def test_repacked_nights_are_unchanged_and_can_be_published_again(
    local: Settings, landing: Store
) -> None:
    """Other shards are no reason to publish; published with another reason, all still fits."""
    land(landing, drifting_nights())
    run_due(local, "small")
    before = bytes_of(local)
    packed = msgspec.structs.replace(local, plan=PlanSettings(quiet_seconds=0))
    assert due(packed) == []
    assert run(packed, DATES[2], "large")["unchanged"] is True
    rows = PublishSettings(row_group_rows=7)
    forced = msgspec.structs.replace(packed, publish=rows)
    assert run(forced, DATES[2], "forced").get("unchanged") is None
    assert broken_promises(local) == []
    late = [("late/2026-11-20/0.jsonl", lines(*(edited(story(seed), 4) for seed in range(8))))]
    land(landing, late)
    assert run(packed, "2026-11-20", "late")["retracted"] > 0
    assert broken_promises(local) == []
    landing.delete([key for key, _ in late])
    run(packed, "2026-11-20", "gone", allow_deleted=True)
    for date in due(packed):
        run(packed, date, f"back-{date}")
    assert {key: digest for key, digest in bytes_of(local).items() if "2026-11-20" not in key} == (
        before
    )
    assert broken_promises(local) == []


OTHER_PACKAGE = """
import pyarrow as pa
from pipeline.enrich.annotator import LANGUAGE, Annotator

def shout():
    def run(texts, earlier):
        found = pa.array(["{code}"] * len(texts))
        return pa.RecordBatch.from_arrays([found], schema=pa.schema([LANGUAGE]))
    return Annotator(name="shout", columns=(LANGUAGE,), annotate=run, model="shout/{code}")
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Install a version of a package with an annotator, as pip would leave it."""
    name = f"winnow_shout_{code}"
    (folder / f"{name}.py").write_text(OTHER_PACKAGE.format(code=code))
    info = folder / "winnow_shout-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: winnow-shout\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[winnow.annotators]\nshout = {name}:shout\n")
    monkeypatch.syspath_prepend(str(folder))
    resolve.cache_clear()


def test_a_new_annotator_model_makes_every_night_due(
    tmp_path: Path, local: Settings, landing: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of another package: the nights are annotated again, and only once."""
    packages = tmp_path / "packages"
    packages.mkdir()
    settings = msgspec.structs.replace(local, enrich=EnrichSettings(annotators=("shout",)))
    land(landing, [(f"wire/{DATES[0]}/a.jsonl", lines(story(1)))])
    install(packages, monkeypatch, "eng")
    run(settings, DATES[0], "first")
    assert due(settings) == []
    install(packages, monkeypatch, "deu")
    assert due(settings) == [DATES[0]]
    assert run(settings, DATES[0], "second")["languages"] == {"deu": 1}
    assert due(settings) == []


def test_a_stale_run_cannot_replace_what_a_later_one_found_unchanged(
    local: Settings, landing: Store
) -> None:
    """A run that planned a passing version is refused, although the later one published nothing."""
    key, date = f"wire/{DATES[0]}/a.jsonl", DATES[0]
    land(landing, [(key, lines(story(1), story(2)))])
    run(local, date, "first")
    before = bytes_of(local)
    land(landing, [(key, lines(story(1)))])
    with runner.session(local) as night:
        plan = night.plan(date, "stale")
        for shard in plan["shards"]:
            night.ingest(date, "stale", shard["index"])
        for key_range in plan["key_ranges"]:
            night.match(date, "stale", key_range["index"])
        land(landing, [(key, lines(story(1), story(2)))])
        assert run(local, date, "later")["unchanged"] is True
        with pytest.raises(ContractError, match="superseded: expected no later plan, found run"):
            night.commit(date, "stale")
    assert bytes_of(local) == before


def test_a_cleared_run_takes_what_landed_since(local: Settings, landing: Store) -> None:
    """Planned again before it committed, a run publishes the files of its second plan."""
    key, date = f"wire/{DATES[0]}/a.jsonl", DATES[0]
    land(landing, [(key, lines(story(1)))])
    with runner.session(local) as night:
        night.plan(date, "cleared")
    land(landing, [(key, lines(story(1), story(2), story(3)))])
    assert run(local, date, "cleared")["documents"] == 3
    assert broken_promises(local) == []


def test_an_unchanged_run_marks_the_ledger(local: Settings, landing: Store) -> None:
    """A commit that died before it marked the files is made good by the next run."""
    key, date = f"wire/{DATES[0]}/a.jsonl", DATES[0]
    land(landing, [(key, lines(story(1)))])
    run(local, date, "first")
    with runner.corpus_session(local) as corpus:
        (row,) = ledger.load(corpus, date).rows
        ledger.mark(corpus, date, {(row.key, row.etag): "stable"})
        assert run(local, date, "second")["unchanged"] is True
        assert [row.state for row in ledger.load(corpus, date).rows] == ["published"]


def invoke(settings: Settings, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Run the command line; return exit code and the lines of stdout and of stderr."""
    store = ["--landing", settings.store.landing, "--corpus", settings.store.corpus]
    done = CliRunner().invoke(
        cli, ["run", *arguments, *store], env={"WINNOW_PLAN__QUIET_SECONDS": "0"}
    )
    structlog.reset_defaults()  # the command set up logging for its own stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("winnow: ")]
    return done.exit_code, done.stdout.splitlines(), said


def test_run_due_goes_on_behind_a_bad_night(local: Settings, landing: Store) -> None:
    """A night that fails is one line on stderr; those after it are published; the code is 1."""
    land(landing, [(f"wire/{date}/a.jsonl", lines(story(at))) for at, date in enumerate(DATES)])
    assert invoke(local, "--dump-date", DATES[0])[0] == 0
    landing.delete([f"wire/{DATES[0]}/a.jsonl"])
    land(landing, [(f"wire/{DATES[0]}/b.jsonl", lines(story(9)))])
    code, out, said = invoke(local, "--due", "--json")
    assert (code, [json.loads(line)["dump_date"] for line in out]) == (1, list(DATES[1:]))
    (line,) = said
    assert line.startswith(f"winnow: {DATES[0]}: expected the 1 published dump files, found 1 of")
    code, out, said = invoke(local, "--dump-date", DATES[0], "--allow-deleted", "--json")
    assert (code, len(out), said) == (0, 1, [])
    assert invoke(local, "--due") == (
        0,
        ["Nothing is due: every complete night is published as it landed."],
        [],
    )
