"""Taking documents down: whole nights, everything that is stored, and back again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.audit import verify
from pipeline.audit.explain import explain_document
from pipeline.audit.would_be import Landing, explain_text
from pipeline.cli import cli
from pipeline.errors import ChangedError, InputError, MissingError
from pipeline.model.rule import Rule
from pipeline.model.settings import Settings
from pipeline.publish import leaves
from pipeline.reading import dataset
from pipeline.runner.rebuild import heal_all
from pipeline.runner.retake import Retake
from pipeline.runner.rollback import roll_back
from pipeline.runner.takedown import TakeDown
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from pipeline.storage.s3 import S3Store
from pipeline.storage.store import Store
from tests.e2e.conftest import Once
from tests.nights import land, published_bytes, run, settings_for

DATES = ("2026-11-20", "2026-11-21", "2026-11-22")
DOWN = "zeppelin"
"""Stands in every text that is taken down, and in no other."""


def _text(seed: str, changed: int = 0) -> str:
    """A text of 100 words that say whose it is."""
    words = [f"{seed}{number}" for number in range(100)]
    return " ".join([*words[: 100 - changed], *(f"other{at}" for at in range(changed))])


def _lines(*texts: str) -> bytes:
    return b"".join(
        json.dumps({"text": text, "title": text[:9]}).encode() + b"\n" for text in texts
    )


FIRST = _text(DOWN)
NEAR = _text(DOWN, 8)
FAR = FIRST.replace(DOWN, "far", 8)
"""Both are near to the first, and not to each other."""


def _files(date: str) -> list[tuple[str, bytes]]:
    texts = {
        DATES[0]: [_text("one"), FIRST],
        DATES[1]: [NEAR, FAR, _text("two")],
        DATES[2]: [FIRST, FAR, _text("two", 3), _text("three")],
    }[date]
    return [(f"wire/{date}/{at}.jsonl", _lines(text)) for at, text in enumerate(texts)]


def _open(settings: Settings) -> Store:
    return open_store(settings.store.corpus, endpoint_url=settings.store.endpoint_url)


def _bytes(settings: Settings) -> dict[str, str]:
    return published_bytes(_open(settings))


def _broken(settings: Settings) -> list[str]:
    with runner.corpus_session(settings) as corpus:
        return [str(one) for one in verify.findings(corpus)]


def _wanted(settings: Settings, text: str = NEAR) -> str:
    """The id of the first document with a text."""
    with runner.corpus_session(settings) as corpus:
        found = explain_text(corpus, text, Landing(Rule()), limit=20)
    exact = [one["document"] for one in found if one["similarity"] == 1]
    return str(min(exact, key=lambda one: one["dump_date"])["document_id"])


def _take(settings: Settings, *ids: str, **options: Any) -> dict[str, Any]:
    said = {"reason": "court order 7", "by": "legal", "run_id": "down"} | options
    undo = said.pop("undo", False)
    with runner.session(settings) as night:
        tasks = TakeDown(night.corpus, night.landing, night.settings)
        return dict(tasks.undo(ids, **said) if undo else tasks.take(ids, **said))


def _shown(settings: Settings, word: str = f"{DOWN}0") -> list[str]:
    """Every object of the corpus in which a word of the texts can be read."""
    store, found = _open(settings), []
    for info in store.list():
        data, _ = store.get(info.key)
        if info.key.endswith(".parquet"):
            rows = pq.read_table(io.BytesIO(data)).to_pylist()
            data = json.dumps(rows, default=str).encode()
        if word.encode() in data:
            found.append(info.key)
    return found


@pytest.fixture
def published(local: Settings, landing: Store, once: Once) -> Settings:
    """Three nights, with a page about each run; also by month."""

    def publish() -> None:
        open_store(local.store.corpus, create=True).put(layout.WANTS_MONTHS, b"{}")
        for date in DATES:
            land(landing, _files(date))
            run(local, date, f"run-{date}")
            with runner.session(local) as night:
                night.report(date, f"run-{date}")

    once(publish)
    return local


def test_nothing_of_the_text_stays_readable(published: Settings) -> None:
    """All that holds the text is gone at once: trees, older snapshots, staging, pages."""
    assert len(_shown(published)) > 5
    found = _take(published, _wanted(published))
    assert (found["taken_down"], found["retracted"], found["restored"]) == (3, 1, 1)
    assert found["dumps"] == list(DATES)
    assert found["landing_files"] == [
        f"wire/{DATES[0]}/1.jsonl", f"wire/{DATES[1]}/0.jsonl", f"wire/{DATES[2]}/0.jsonl"
    ]  # fmt: skip
    assert _shown(published) == []
    assert _broken(published) == []
    pages = [info.key for info in _open(published).list("reports/")]
    assert len(pages) == 3
    assert all(_open(published).get(key)[0] for key in pages)


def test_order_does_not_matter(published: Settings, landing: Store, tmp_path: Path) -> None:
    """Taken down after, before or between the nights, the published bytes are the same."""
    wanted = _wanted(published)
    _take(published, wanted)
    expected = _bytes(published)
    other = settings_for(published.store.landing, str(tmp_path / "other"))
    run(other, DATES[1], "first")
    _take(other, wanted)
    for date in (DATES[2], DATES[0]):
        run(other, date, f"late-{date}")
        assert _shown(other) == []
        assert _broken(other) == []
    assert _bytes(other) == expected
    land(landing, [(f"wire/{DATES[1]}/9.jsonl", _lines(_text("late"), _text(DOWN, 2)))])
    for settings in (published, other):
        assert run(settings, DATES[1], "changed")["taken_down"] == 2
        assert _shown(settings) == []
        assert _broken(settings) == []
    assert _bytes(other) == _bytes(published)


def test_undone_it_is_as_if_it_had_never_been(published: Settings) -> None:
    """The same bytes, with both actions on record; without the dump file it is refused."""
    before, wanted = _bytes(published), _wanted(published)
    _take(published, wanted)
    store = open_store(published.store.landing)
    key = f"wire/{DATES[1]}/0.jsonl"
    data, _ = store.get(key)
    store.delete([key])
    after = _bytes(published)
    with pytest.raises(ChangedError, match="changed or gone"):
        _take(published, wanted, undo=True, reason="mistake", run_id="up")
    with runner.session(published) as night:
        TakeDown(night.corpus, night.landing, night.settings).sweep()
    assert _bytes(published) == after
    assert _broken(published) == []
    store.put(key, data)
    found = _take(published, wanted[:12], undo=True, reason="mistake", run_id="up")
    assert found["restored"] == 1
    assert _bytes(published) == before
    assert _broken(published) == []
    with runner.session(published) as night:
        assert night.due() == []
        (row,) = TakeDown(night.corpus, night.landing, night.settings).listed()
    assert (row["reason"], row["undone_reason"], row["undone_by"]) == (
        "court order 7", "mistake", "legal"
    )  # fmt: skip
    _take(published, wanted, run_id="again")
    assert _bytes(published) == after
    with pytest.raises(MissingError, match="expected a take-down of 00 in force"):
        _take(published, "00", undo=True)


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_a_rollback_brings_no_text_back(published: Settings, sequence: int) -> None:
    """Going back to before the take-down, its tombstone stays in force; forward again as well."""
    _take(published, _wanted(published))
    expected = _bytes(published)
    with runner.session(published) as night:
        roll_back(night.corpus, night.landing, night.settings, sequence=sequence, run_id="back")
        night.bring_in_step()
    assert _shown(published) == []
    assert _broken(published) == []
    for date in DATES[sequence:]:
        run(published, date, f"again-{date}")
    assert _bytes(published) == expected
    assert _broken(published) == []


def test_a_rollback_across_an_undo_brings_the_text_back(published: Settings) -> None:
    """A snapshot under a tombstone that is not in force any more is decided without it."""
    before, wanted = _bytes(published), _wanted(published)
    _take(published, wanted)
    _take(published, wanted, undo=True, run_id="up")
    with runner.session(published) as night:
        roll_back(night.corpus, night.landing, night.settings, sequence=4, run_id="back")
        night.bring_in_step()
    assert _bytes(published) == before
    assert _broken(published) == []


def test_explain_says_who_and_why_and_shows_nothing(published: Settings) -> None:
    """Of what is taken down the tombstone is told, whichever way one asks."""
    wanted = _wanted(published)
    found = _take(published, wanted)
    with runner.corpus_session(published) as corpus:
        answer = explain_document(corpus, wanted)
        assert DOWN not in json.dumps(answer, default=str)
        assert answer["tombstone"]["reason"] == "court order 7"
        (told,) = explain_text(corpus, _text(DOWN, 3), Landing(Rule()))
        assert (told["relation"], told["document"]) == ("taken_down", None)
        assert told["tombstone"]["tombstone_id"] == found["tombstones"][0]
        stones = leaves.files(corpus, "tombstones")
        rows = corpus.read(stones[0].file).to_pylist()
    assert [row["document_id"] for row in rows] == [wanted]
    tree = published.store.corpus + "/tombstones/part-00000.parquet"
    assert pq.read_table(tree).to_pylist() == rows


def test_a_dry_run_changes_nothing(published: Settings) -> None:
    """What would change is what then changes."""
    wanted = _wanted(published)
    before = {info.key: info.etag for info in _open(published).list()}
    told = _take(published, wanted, dry_run=True)
    assert {info.key: info.etag for info in _open(published).list()} == before
    done = _take(published, wanted)
    same = ("taken_down", "retracted", "restored", "dumps", "documents", "landing_files")
    assert {name: told[name] for name in same} == {name: done[name] for name in same}
    again = _take(published, wanted, run_id="again")
    assert (again["snapshot"], again["already"]) == (None, [wanted])


def test_a_run_undoes_once(published: Settings) -> None:
    """Tried again it says what it did, and leaves alone what was taken down since."""
    wanted = _wanted(published)
    _take(published, wanted)
    done = _take(published, wanted, undo=True, run_id="up")
    assert _take(published, wanted, undo=True, run_id="up") | {"erased": done["erased"]} == done
    _take(published, wanted, run_id="again")
    after = _bytes(published)
    _take(published, wanted, undo=True, run_id="up")
    assert _bytes(published) == after
    assert _shown(published) == []


def test_what_is_asked_for_is_checked(published: Settings) -> None:
    """No id, no reason and unknown ids are refused before anything happens."""
    wanted = _wanted(published)
    with pytest.raises(InputError, match="say why"):
        _take(published, wanted, reason=" ")
    with pytest.raises(InputError, match="say why"):
        _take(published)
    with pytest.raises(MissingError, match="expected document ffff"):
        _take(published, "f" * 32)
    with pytest.raises(InputError, match="expected a threshold"):
        _take(published, wanted, threshold=0.2)
    with runner.corpus_session(published) as corpus:
        assert snapshots.current(corpus).sequence == 3


def test_an_exact_take_down_leaves_near_copies(published: Settings) -> None:
    """With threshold 1 only exact copies go; what was near is published in its place."""
    found = _take(published, _wanted(published, FIRST), threshold=1.0)
    assert (found["taken_down"], found["restored"]) == (2, 2)
    assert _broken(published) == []


def test_the_command(published: Settings) -> None:
    """Take down, list, explain, undo, sweep: what each prints."""
    wanted = _wanted(published)
    stores = ["--corpus", published.store.corpus, "--landing", published.store.landing]

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(cli, [*arguments, *stores])

    done = invoke("takedown", wanted, "--reason", "order", "--by", "legal")
    assert done.exit_code == 0, done.output
    assert "Documents taken down: 3; retracted: 1; restored: 1" in done.output
    assert f"wire/{DATES[1]}/0.jsonl" in done.output
    listed = json.loads(invoke("takedown", "--list", "--json").stdout)
    assert [(row["document_id"], row["taken_down_by"]) for row in listed] == [(wanted, "legal")]
    assert "taken down" in invoke("explain", wanted).output
    assert "legal" in invoke("takedown", "--list").output
    assert "0 staged shards" in invoke("takedown", "--sweep").output
    assert "what is taken down stays down" in invoke("verify").output
    undone = invoke("takedown", wanted, "--undo", "--reason", "mistake", "--json")
    assert json.loads(undone.stdout)["restored"] == 1
    assert invoke("takedown").exit_code == 2


def test_reannotation_and_heal_keep_it_down(published: Settings) -> None:
    """Shards that are made again from the dump files lose the text again."""
    _take(published, _wanted(published))
    expected = _bytes(published)
    store = _open(published)
    for info in list(store.list("store/data/ingest/")):
        if "/documents-" in info.key:
            store.put(info.key, b"damaged")
    with runner.session(published) as night:
        names = iter(f"heal-{at}" for at in range(10))
        healed = heal_all(night, DATES, lambda: next(names))
    assert [one["left"] for one in healed] == [[], [], []]
    assert _shown(published) == []
    assert _bytes(published) == expected
    assert _broken(published) == []


def test_a_night_published_meanwhile_stays(
    published: Settings, landing: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night that commits while a take-down decides is kept, and decided under it as well."""
    wanted, late = _wanted(published), "2026-11-23"
    land(landing, [(f"wire/{late}/0.jsonl", _lines(FIRST, _text("late")))])
    changes, nights = Retake.changes, [late]

    def meanwhile(self: Retake) -> dict[str, Any]:
        found = changes(self)
        if nights:
            run(published, nights.pop(), "meanwhile")
        return found

    monkeypatch.setattr(Retake, "changes", meanwhile)
    _take(published, wanted)
    with runner.corpus_session(published) as corpus:
        snapshot = snapshots.current(corpus)
        assert sorted(snapshot.dumps) == [*DATES, late]
        assert snapshots.load_state(corpus, snapshot, late).counts.taken_down == 1
    assert _broken(published) == []
    assert _shown(published) == []


@pytest.mark.server
def test_take_down_on_a_real_server(
    object_store: ObjectStore, s3_store: S3Store, tmp_path: Path
) -> None:
    """The same over S3: down, back to before it, and up again; the tables say so."""
    settings = settings_for(str(tmp_path / "landing"), s3_store.url, endpoint_url=object_store.url)
    s3_store.put(layout.WANTS_MONTHS, b"{}")
    land(open_store(settings.store.landing, create=True), [one for d in DATES for one in _files(d)])
    for date in DATES:
        run(settings, date, f"run-{date}")
    before, wanted = _bytes(settings), _wanted(settings)
    _take(settings, wanted)
    after = _bytes(settings)
    assert _shown(settings) == []
    found = json.loads(s3_store.get(layout.PACKAGE)[0])["resources"]
    assert [one["path"] for one in found if one["name"] == layout.STONES] == [
        ["tombstones/part-00000.parquet"]
    ]
    stones = dataset(layout.STONES, settings.store.corpus, endpoint_url=object_store.url)
    assert stones.to_table()["reason"].to_pylist() == ["court order 7"]
    with runner.session(settings) as night:
        roll_back(night.corpus, night.landing, night.settings, sequence=3, run_id="back")
        night.bring_in_step()
    assert _bytes(settings) == after
    assert _broken(settings) == []
    _take(settings, wanted, undo=True, run_id="up")
    assert _bytes(settings) == before
    assert _broken(settings) == []
