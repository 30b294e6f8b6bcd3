"""Going back to an earlier snapshot, and deleting what no kept snapshot needs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.audit import verify
from pipeline.cli import cli
from pipeline.errors import MissingError
from pipeline.model.settings import Settings
from pipeline.publish import expire as expiring
from pipeline.publish import leaves, rollback
from pipeline.publish.expire import DAY, Rule
from pipeline.runner.rollback import go_back
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from pipeline.storage.s3 import S3Store
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus
from tests.e2e.conftest import Once
from tests.nights import land, published_bytes, run, settings_for

EARLIER, LATER = "2026-11-18", "2026-11-20"
NEWEST = Rule(snapshots=1, days=0)
LONG = 3 * DAY


def _line(seed: str) -> bytes:
    text = " ".join(f"{seed}{number}" for number in range(60))
    return json.dumps({"text": text}).encode() + b"\n"


def _bytes(settings: Settings) -> dict[str, str]:
    return published_bytes(
        open_store(settings.store.corpus, endpoint_url=settings.store.endpoint_url)
    )


def _broken(settings: Settings) -> list[object]:
    with runner.corpus_session(settings) as corpus:
        return list(verify.findings(corpus))


def _expire(settings: Settings, rule: Rule = NEWEST, *, later: float = LONG) -> expiring.Expiry:
    with runner.corpus_session(settings) as corpus:
        return expiring.expire(corpus, rule, now=time.time() + later)


def _back(settings: Settings, sequence: int) -> None:
    with runner.corpus_session(settings) as corpus:
        rollback.rollback(corpus, sequence, run_id="back")
    with runner.session(settings) as night:
        night.bring_in_step()


@pytest.fixture
def three(local: Settings, landing: Store, once: Once) -> list[dict[str, str]]:
    """Publish a night, a late one that retracts in it, and the first anew; return all bytes.

    The tables are kept by month too.
    """

    def publish() -> list[dict[str, str]]:
        seen = []
        open_store(local.store.corpus, create=True).put(layout.WANTS_MONTHS, b"{}")
        land(landing, [(f"wire/{LATER}/b.jsonl", _line("shared") + _line("own"))])
        run(local, LATER, "later")
        seen.append(_bytes(local))
        land(landing, [(f"wire/{EARLIER}/a.jsonl", _line("shared"))])
        run(local, EARLIER, "late")
        seen.append(_bytes(local))
        land(landing, [(f"wire/{LATER}/c.jsonl", _line("more"))])
        run(local, LATER, "changed")
        seen.append(_bytes(local))
        return seen

    found: list[dict[str, str]] = once(publish)
    return found


@pytest.mark.parametrize("sequence", [1, 2])
def test_rollback_brings_back_every_byte(
    local: Settings, three: list[dict[str, str]], sequence: int
) -> None:
    """The trees show what that snapshot showed, every promise holds, and it can be undone."""
    _back(local, sequence)
    assert _bytes(local) == three[sequence - 1]
    assert _broken(local) == []
    _back(local, 3)
    assert _bytes(local) == three[2]


@pytest.mark.usefixtures("three")
def test_what_tasks_took_is_kept_for_the_days(local: Settings) -> None:
    """Records of tasks stay while their days last, then go; the page of the run is still made."""

    def records() -> list[str]:
        return [info.key for info in open_store(local.store.corpus).list(layout.TASKS)]

    def costs() -> dict[str, Any]:
        said = CliRunner().invoke(cli, ["status", "--cost", "--json", *where])
        return {row["dump_date"]: row["cost"] for row in json.loads(said.stdout)}

    where = ["--corpus", local.store.corpus]
    told = costs()
    assert {date: one["run_id"] for date, one in told.items()} == {
        EARLIER: "late",
        LATER: "changed",
    }
    assert all(one["tasks"] > 8 and one["cpu_seconds"] > 0 for one in told.values())
    shown = CliRunner().invoke(cli, ["status", "--cost", *where]).stdout
    assert re.search(rf"{LATER} .* changed .* {told[LATER]['tasks']} ", shown)
    before = records()
    assert {key.split("/")[3] for key in before} == {"later", "late", "changed"}
    _expire(local, Rule(snapshots=1, days=5))
    assert records() == before
    _expire(local)
    assert records() == []
    assert costs() == {EARLIER: None, LATER: None}
    with runner.session(local) as night:
        assert night.report(LATER, "changed")["run_id"] == "changed"


def test_a_night_that_was_rolled_back_is_due(local: Settings, three: list[dict[str, str]]) -> None:
    """What a rollback takes out is published again by the next run, in the same bytes."""
    _back(local, 1)
    with runner.session(local) as night:
        assert night.due() == [EARLIER, LATER]
    for date in (EARLIER, LATER):
        run(local, date, f"again-{date}")
    assert _bytes(local) == three[2]
    assert _broken(local) == []


def test_what_a_rollback_would_do_is_told(local: Settings, three: list[dict[str, str]]) -> None:
    """Each night that would be other than now is named, with what happens to it."""
    assert three
    with runner.corpus_session(local) as corpus:
        assert rollback.changes(corpus, 1) == {EARLIER: "removed", LATER: "replaced"}
        assert rollback.changes(corpus, 3) == {}
        with pytest.raises(MissingError, match="expected snapshot 9"):
            rollback.changes(corpus, 9)


def test_files_of_an_earlier_snapshot(local: Settings, three: list[dict[str, str]]) -> None:
    """Time travel: the files of a kept snapshot are listed and have the bytes of then."""
    with runner.corpus_session(local) as corpus:
        found = leaves.files(corpus, "documents", LATER, snapshot=1)
    assert {one.file.sha256 for one in found} == {
        digest for key, digest in three[0].items() if key.startswith("documents/")
    }


def test_expire_leaves_what_is_published(local: Settings, three: list[dict[str, str]]) -> None:
    """After everything else is gone each promise holds and the trees have the same bytes."""
    first = _expire(local)
    assert (first.kept, first.expired) == ((3,), (2, 1))
    assert len(first.objects["snapshots"]) == 2
    assert first.objects["units"]
    assert first.orphans
    second = _expire(local, later=LONG + DAY)
    assert {info.key for info in second.objects["data"]} == first.orphans.keys()
    third = _expire(local, later=LONG + 2 * DAY)
    assert not any(third.objects.values())
    assert _bytes(local) == three[2]
    assert _broken(local) == []
    with pytest.raises(MissingError, match="expected snapshot 1, found none"):
        _back(local, 1)


def test_a_late_night_restores_after_expire(
    local: Settings, landing: Store, three: list[dict[str, str]]
) -> None:
    """The staged text of a document that is not published stays: it may have to come back."""
    for number in range(2):
        _expire(local, later=LONG + number * DAY)
    landing.delete([f"wire/{EARLIER}/a.jsonl"])
    assert run(local, EARLIER, "gone", allow_deleted=True)["restored"] == 1
    assert any(key in three[0] for key in _bytes(local))
    assert _broken(local) == []


def test_young_things_stay(local: Settings, three: list[dict[str, str]]) -> None:
    """What was in use within the days of the rule is kept, whatever the number of snapshots."""
    assert three
    found = _expire(local, Rule(snapshots=1, days=7), later=0)
    assert found.kept == (3, 2, 1)
    assert not any(found.objects.values())
    assert found.orphans == {}


def test_files_that_a_run_writes_again_are_spared(
    local: Settings, three: list[dict[str, str]]
) -> None:
    """A file of a deleted unit that a run made again meanwhile is needed and not deleted."""
    _expire(local)
    _back_to = three[2]
    with runner.corpus_session(local) as corpus:
        noted = msgspec.json.decode(corpus.store.get(layout.ORPHANS)[0])["since"]
        key = next(iter(noted))
        corpus.store.put(key, corpus.store.get(key)[0])
        found = expiring.expire(corpus, Rule(snapshots=1, days=2), now=time.time() + DAY)
        assert corpus.store.stat(key) is not None
    assert key not in {info.key for info in found.objects["data"]}
    assert _bytes(local) == _back_to


class _Dying:
    """A store that raises at its n-th write or deletion."""

    def __init__(self, store: Store, deadly: int) -> None:
        self.store, self.deadly, self.done = store, deadly, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def _count(self) -> None:
        self.done += 1
        if self.done == self.deadly:
            raise KeyboardInterrupt

    def put(self, *args: Any, **keys: Any) -> str:
        self._count()
        return self.store.put(*args, **keys)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._count()
            self.store.delete([key])


def _interrupted(corpus: Corpus, how: Callable[[Corpus], object], deadly: int) -> bool:
    """Do it with a store that dies at a write; tell whether it did."""
    corpus.store = _Dying(corpus.store, deadly)
    try:
        how(corpus)
    except KeyboardInterrupt:
        return True
    finally:
        corpus.store = corpus.store.store
    return False


@pytest.mark.usefixtures("three")
def test_expire_killed_at_every_deletion(local: Settings) -> None:
    """Whatever was deleted when it died, all that is published is whole, and it can go on."""
    before = _bytes(local)
    deadly = 1
    with runner.corpus_session(local) as corpus:
        for day in (0, 1):
            now = time.time() + LONG + day * DAY
            while _interrupted(
                corpus, lambda it, at=now: expiring.expire(it, NEWEST, now=at), deadly
            ):
                assert list(verify.findings(corpus)) == []
                deadly = 1 + deadly % 7
        assert not any(expiring.find(corpus, NEWEST, now=now).objects.values())
    assert _bytes(local) == before


@pytest.mark.usefixtures("three")
def test_rollback_killed_at_every_write(local: Settings) -> None:
    """A rollback that died has happened or has not; done again it ends in the wanted state."""
    with runner.corpus_session(local) as corpus:
        wanted = snapshots.load_snapshot(corpus, 1).dumps
        deadly = 1
        while _interrupted(corpus, lambda it: rollback.rollback(it, 1, run_id="back"), deadly):
            assert snapshots.current(corpus).sequence == 3
            deadly += 1
        assert deadly > 1
        assert snapshots.current(corpus).dumps == wanted


@pytest.mark.usefixtures("three")
def test_a_run_goes_back_once(local: Settings, landing: Store) -> None:
    """Tried again, under the same run id, it says what it did and takes back no later night."""
    asked = {"sequence": 1, "run_id": "back"}
    with runner.session(local) as night:
        done = go_back(night.corpus, night.landing, night.settings, **asked)
    assert done == {"snapshot": 4, "changes": {EARLIER: "removed", LATER: "replaced"}}
    land(landing, [(f"wire/{EARLIER}/a.jsonl", _line("shared"))])
    run(local, EARLIER, "meanwhile")
    with runner.session(local) as night:
        assert go_back(night.corpus, night.landing, night.settings, **asked) == done
        assert snapshots.current(night.corpus).sequence == 5
        asked = {"sequence": 5, "run_id": "nowhere"}
        done = go_back(night.corpus, night.landing, night.settings, **asked)
        assert done == {"snapshot": None, "changes": {}}


@pytest.mark.server
def test_rollback_and_expire_on_a_real_server(
    object_store: ObjectStore, s3_store: S3Store, tmp_path: Path
) -> None:
    """The same over S3: back, forward, and nothing needed is deleted."""
    settings = settings_for(str(tmp_path / "landing"), s3_store.url, endpoint_url=object_store.url)
    landing = open_store(settings.store.landing, create=True)
    seen = []
    for date, seeds in ((LATER, "ab"), (EARLIER, "a")):
        land(landing, [(f"wire/{date}/x.jsonl", b"".join(map(_line, seeds)))])
        run(settings, date, f"run-{date}")
        seen.append(_bytes(settings))
    _back(settings, 1)
    assert _bytes(settings) == seen[0]
    _back(settings, 2)
    for number in range(2):
        _expire(settings, later=LONG + number * DAY)
    assert _bytes(settings) == seen[1]
    assert _broken(settings) == []
