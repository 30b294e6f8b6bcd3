"""Which nights want a run, and when a night can begin: on a corpus with published nights."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline import runner
from pipeline.errors import NotReadyError
from pipeline.model.settings import Settings
from pipeline.plan import wanted as asking
from pipeline.publish.rollback import rollback
from pipeline.runner import ahead
from pipeline.runner.models import models_of
from pipeline.storage.store import Store
from tests.nights import land, run

OLD, NEXT, LAST = "2026-11-10", "2026-11-11", "2026-11-20"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def text(number: int) -> bytes:
    """Return one document."""
    words = " ".join(f"w{number}x{word}" for word in range(60))
    return json.dumps({"id": str(number), "text": words}).encode() + b"\n"


def wanted(
    settings: Settings, which: asking.Which, first: str = OLD, last: str = "2026-12-31"
) -> list[str]:
    """Return the nights that want a run at noon of the day after LAST."""
    with runner.session(settings) as night:
        shaping = night.settings
        found = asking.wanted(
            night.corpus,
            night.landing,
            shaping,
            models=models_of(shaping),
            which=which,
            between=(first, last),
            now=NOON,
        )
        return [one.dump_date for one in found]


@pytest.fixture
def published(local: Settings, landing: Store) -> Settings:
    """Publish two nights."""
    land(landing, [(f"web/{date}/a.jsonl", text(at)) for at, date in enumerate((OLD, NEXT))])
    for date in (OLD, NEXT):
        run(local, date, f"run-{date}")
    return local


def test_what_landed_since_wants_a_run(published: Settings, landing: Store) -> None:
    """A late night, a changed file and a new one; not what is published."""
    assert wanted(published, "landed") == []
    land(landing, [("web/2026-11-09/a.jsonl", text(5)), (f"web/{OLD}/b.jsonl", text(6))])
    land(landing, [(f"web/{NEXT}/a.jsonl", text(7))])
    assert wanted(published, "landed", first="2026-11-01") == ["2026-11-09", OLD, NEXT]
    assert wanted(published, "landed", first=OLD, last=OLD) == [OLD]


def test_the_newest_night_belongs_to_the_schedule(published: Settings, landing: Store) -> None:
    """Until it is published; what comes for it after that is late like any other."""
    land(landing, [(f"web/{LAST}/a.jsonl", text(8)), ("web/2026-11-21/a.jsonl", text(9))])
    assert wanted(published, "landed") == []
    assert wanted(published, "due") == [LAST, "2026-11-21"]
    run(published, LAST, "scheduled")
    assert wanted(published, "landed") == []
    land(landing, [(f"web/{LAST}/b.jsonl", text(10))])
    assert wanted(published, "landed") == [LAST]


def test_other_settings_are_no_reason_by_themselves(published: Settings) -> None:
    """A person asks for `due`; a changed setting does not start every night of the history."""
    dedup = msgspec.structs.replace(published.dedup, threshold=0.9)
    other = msgspec.structs.replace(published, dedup=dedup)
    assert wanted(other, "landed") == []
    assert wanted(other, "due") == [OLD, NEXT]


def test_a_rollback_is_not_undone(published: Settings) -> None:
    """The night that was taken back is due, but its files have been published before."""
    with runner.corpus_session(published) as corpus:
        rollback(corpus, 1, run_id="back")
    assert wanted(published, "landed") == []
    assert wanted(published, "due") == [NEXT]


def test_all_are_those_with_complete_files(published: Settings, landing: Store) -> None:
    """Published or not, once something of them can be read."""
    land(landing, [("web/2026-11-12/a.jsonl", text(11))])
    waiting = msgspec.structs.replace(
        published, plan=msgspec.structs.replace(published.plan, quiet_seconds=10**9)
    )
    assert wanted(published, "all") == [OLD, NEXT, "2026-11-12"]
    assert wanted(waiting, "all") == []


def test_the_digest_names_what_landed(local: Settings, landing: Store) -> None:
    """The same files give the same digest, others another: it is what starts a run once."""
    digests = []
    for number in (1, 1, 2):
        land(landing, [(f"web/{OLD}/a.jsonl", text(number))])
        with runner.session(local) as night:
            (one,) = ahead.wanted(night, "landed", first=OLD, last=OLD)
            assert (one.files, one.bytes) == (1, len(text(number)))
            digests.append(one.digest)
    assert digests[0] == digests[1] != digests[2]


def test_a_dump_that_has_not_landed_is_waited_for_until_morning(local: Settings) -> None:
    """Six hours after the end of its day by default; then the night is one without dumps."""
    today = datetime.now(UTC).date()
    with runner.session(local) as night:
        with pytest.raises(NotReadyError, match=r"nothing has landed yet.* 06:00 UTC"):
            ahead.await_dump(night, today.isoformat())
        ahead.await_dump(night, (today - timedelta(days=2)).isoformat())
        plan = msgspec.structs.replace(night.settings.plan, landing_seconds=0)
        night.settings = msgspec.structs.replace(night.settings, plan=plan)
        ahead.await_dump(night, (today - timedelta(days=1)).isoformat())


def test_an_upload_is_waited_for(local: Settings, landing: Store) -> None:
    """A source without a marker that has just changed; with its marker the night can begin."""
    plan = msgspec.structs.replace(local.plan, quiet_seconds=900)
    patient = msgspec.structs.replace(local, plan=plan)
    land(landing, [(f"web/{OLD}/a.jsonl", text(1)), (f"news/{OLD}/a.jsonl", text(2))])
    land(landing, [(f"news/{OLD}/_SUCCESS", b"")])
    with runner.session(patient) as night:
        ahead.await_dump(night, OLD)
        with pytest.raises(NotReadyError, match="found web still being uploaded"):
            ahead.await_dump(night, OLD, choose=("web",))
        land(landing, [(f"web/{OLD}/_SUCCESS", b"")])
        ahead.await_dump(night, OLD, choose=("web",))
