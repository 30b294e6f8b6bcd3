"""What a run would change, told by a dry run and then done: both must say the same."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pipeline import runner
from pipeline.cli import cli
from pipeline.errors import ContractError
from pipeline.model.settings import Settings
from pipeline.plan import ledger
from pipeline.storage import snapshots
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.e2e.conftest import Once
from tests.nights import land, published_bytes, run

FIRST, SECOND, LATE = "2026-11-20", "2026-11-21", "2026-11-19"


def texts(numbers: range) -> bytes:
    """Return documents unlike each other as JSON lines."""
    rows = (
        {"id": str(at), "text": " ".join(f"w{at}x{word}" for word in range(60))} for at in numbers
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def winnow(settings: Settings, *arguments: str, **environment: str) -> Result:
    """Run a command on the corpus of the settings."""
    store = {
        "WINNOW_STORE__LANDING": settings.store.landing,
        "WINNOW_STORE__CORPUS": settings.store.corpus,
        "WINNOW_PLAN__QUIET_SECONDS": "0",
    }
    return CliRunner().invoke(cli, arguments, env=store | environment, obj=None)


def dry(settings: Settings, date: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Return what a dry run of a night says."""
    said = winnow(
        settings, "run", "--dump-date", date, "--dry-run", "--json", *arguments, **environment
    )
    assert said.exit_code == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def published(settings: Settings) -> Counter[tuple[str, str]]:
    """Return (dump date, language) → published documents."""
    table = pq.read_table(f"{settings.store.corpus}/documents")
    columns = (table[name].to_pylist() for name in ("dump_date", "language"))
    return Counter((str(date), str(language)) for date, language in zip(*columns, strict=True))


@pytest.fixture
def two(local: Settings, landing: Store, once: Once) -> Settings:
    """Publish two nights without a copy in common."""

    def publish() -> None:
        land(landing, [(f"web/{FIRST}/a.jsonl", texts(range(30)))])
        land(landing, [(f"web/{SECOND}/a.jsonl", texts(range(30, 60)))])
        for date in (FIRST, SECOND):
            run(local, date, f"run-{date}")

    once(publish)
    return local


def test_a_dry_run_says_what_the_run_then_does(two: Settings, landing: Store) -> None:
    """A late night takes documents back from later ones: the numbers agree, by partition."""
    land(landing, [(f"web/{LATE}/a.jsonl", texts(range(20, 40)) + texts(range(90, 95)))])
    before = published(two)
    said = dry(two, LATE)
    nights = {row["dump_date"]: row for row in said["nights"]}
    assert {date: (row["new"], row["retracted"]) for date, row in nights.items()} == {
        LATE: (25, 0), FIRST: (0, 10), SECOND: (0, 10),
    }  # fmt: skip
    assert nights[LATE]["dropped"] == 0
    assert nights[FIRST]["dropped"] == 10
    assert published(two) == before
    done = run(two, LATE, "late")
    assert done["retracted"] == 20
    after = published(two)
    for row in said["partitions"]:
        where = row["dump_date"], row["language"]
        assert (row["before"], row["after"]) == (before[where], after[where])
    assert {one["name"] for one in said["guards"]} >= {"removal", "documents"}


def test_a_document_that_would_come_back_is_restored(two: Settings, landing: Store) -> None:
    """The copy of an earlier night is uploaded without it: the later copy counts as restored."""
    land(landing, [(f"web/{SECOND}/a.jsonl", texts(range(20, 60)))])
    run(two, SECOND, "again")
    land(landing, [(f"web/{FIRST}/a.jsonl", texts(range(25)))])
    said = dry(two, FIRST)
    nights = {row["dump_date"]: row for row in said["nights"]}
    assert (nights[FIRST]["retracted"], nights[SECOND]["restored"]) == (5, 5)
    done = run(two, FIRST, "shorter")
    assert done["restored"] == 5


def test_a_dry_run_leaves_no_trace_that_anybody_reads(two: Settings, landing: Store) -> None:
    """Bytes, snapshot and ledger are those of before, and no run in flight is superseded by it."""
    store = open_store(two.store.corpus)
    land(landing, [(f"web/{LATE}/a.jsonl", texts(range(20, 40)))])
    bytes_before = published_bytes(store)
    with runner.session(two) as night:
        night.plan(SECOND, "in-flight")
        sequence = snapshots.current(night.corpus).sequence
        books = [ledger.load(night.corpus, date) for date in (LATE, SECOND)]
    dry(two, LATE)
    dry(two, SECOND, WINNOW_DEDUP__SCOPE="night")
    with runner.session(two) as night:
        assert snapshots.current(night.corpus).sequence == sequence
        assert [ledger.load(night.corpus, date) for date in (LATE, SECOND)] == books
        assert night.due() == [LATE]
        assert night.commit(SECOND, "in-flight")["snapshot"] == sequence
    assert published_bytes(store) == bytes_before


def test_an_unchanged_night_would_change_nothing(two: Settings) -> None:
    """The dry run says so in one line."""
    assert dry(two, FIRST)["unchanged"]
    said = winnow(two, "run", "--dump-date", FIRST, "--dry-run")
    assert said.stdout == f"{FIRST} is published as it landed: a run would change nothing.\n"


def test_people_read_tables(two: Settings, landing: Store) -> None:
    """By night, by partition, what is left out, and which guard would speak."""
    land(landing, [(f"web/{LATE}/a.jsonl", texts(range(20, 40)))])
    land(landing, [(f"other/{LATE}/b.jsonl", b'{"text": "whole"}\n{"text": \n')])
    said = winnow(two, "run", "--dump-date", LATE, "--dry-run", "--source", "web").stdout
    for part in ("would change these nights", "by partition", "left out: source other"):
        assert part in said
    assert said.endswith("Nothing was published.\n")
    both = winnow(two, "run", "--dump-date", LATE, "--dry-run", WINNOW_GUARD__QUARANTINE_SHARE="0")
    assert "guard quarantine would warn: found" in both.stdout


def test_the_plan_of_a_dry_run_cannot_be_committed(two: Settings, landing: Store) -> None:
    """Also by hand; and the same run id without --dry-run is planned anew and published."""
    land(landing, [(f"web/{LATE}/a.jsonl", texts(range(90, 95)))])
    with runner.session(two) as night:
        assert [label for label, _ in runner.run_dry(night, LATE, "same")][-1] == "preview"
        with pytest.raises(ContractError, match="which is a dry run"):
            night.commit(LATE, "same")
    assert run(two, LATE, "same")["kept"] == 5


def test_a_run_of_one_source_leaves_the_others_as_they_are(two: Settings, landing: Store) -> None:
    """A published source stays, an unpublished one stays away, and the night stays due."""
    web, news, blog = (f"{name}/{FIRST}/a.jsonl" for name in ("web", "news", "blog"))
    land(landing, [(news, texts(range(100, 104))), (blog, texts(range(110, 113)))])
    assert run(two, FIRST, "news", choose=("news",))["kept"] == 34
    with runner.session(two) as night:
        assert night.due() == [FIRST]
    assert run(two, FIRST, "blog", choose=("blog",))["kept"] == 37
    with runner.session(two) as night:
        assert night.due() == []
    land(landing, [(web, texts(range(20))), (news, texts(range(100, 106)))])
    refused = winnow(two, "run", "--dump-date", FIRST, "--source", "news")
    assert refused.exit_code == 1
    assert "expected source web, which was not chosen, as it is published" in refused.stderr
    unknown = winnow(two, "run", "--dump-date", FIRST, "--source", "wbe")
    assert "expected sources among blog, news, web, found wbe" in unknown.stderr
