"""Whatever is damaged in a corpus, verify names the promise, and heal mends it byte for byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from demo.object_store import ObjectStore
from pipeline.audit.verify import verify
from pipeline.cli import cli
from pipeline.errors import CorruptError
from pipeline.model.manifest import IngestManifest
from pipeline.model.settings import Settings
from pipeline.model.snapshot import DumpState
from pipeline.publish.promote import promote
from pipeline.runner import corpus_session
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from pipeline.storage.units import Corpus
from tests.nights import land, published_bytes, run, settings_for

DATES = ("2026-11-20", "2026-11-21")
WORDS = ("river", "stone", "market", "harvest", "engine", "window", "council", "doctor")

Find = Callable[[Corpus, DumpState], str]


def text(number: int) -> str:
    """Return a text that shares no 5-gram with those of other numbers."""
    return " ".join(f"{WORDS[at % 8]}{number}x{at // 8}" for at in range(60))


def lines(numbers: range) -> bytes:
    """Return a JSON Lines file of these texts, with one line that is none."""
    rows = "".join(json.dumps({"text": text(number)}) + "\n" for number in numbers)
    return (rows + "{broken\n").encode()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish two nights, the second of which repeats documents of the first."""
    home = tmp_path_factory.mktemp("built")
    settings = settings_for(str(home / "landing"), str(home / "corpus"))
    landing = open_store(settings.store.landing, create=True)
    for date, numbers in zip(DATES, (range(8), range(4, 12)), strict=True):
        land(landing, [(f"web/{date}/a.jsonl", lines(numbers))])
        run(settings, date, f"run-{date}")
    return home


@pytest.fixture
def settings(built: Path, tmp_path: Path) -> Settings:
    """Return settings of a copy of the two nights that a test may damage."""
    shutil.copytree(built, tmp_path / "home")
    return settings_for(str(tmp_path / "home" / "landing"), str(tmp_path / "home" / "corpus"))


def command(settings: Settings, *words: str) -> Result:
    """Run a command of the CLI on the stores of `settings`."""
    stores = ["--corpus", settings.store.corpus, "--landing", settings.store.landing]
    return CliRunner().invoke(cli, [*words, *stores])


def manifest(corpus: Corpus, state: DumpState) -> IngestManifest:
    """Return the manifest of a dump's first shard."""
    return corpus.load(layout.unit("ingest", state.shards[0]), IngestManifest)


def leaf(table: str, language: str = "") -> Find:
    """Find the first file of a leaf in the trees."""

    def find(corpus: Corpus, state: DumpState) -> str:
        folder = layout.tree(table, state.dump_date, language)
        return next(info.key for info in corpus.store.list(folder))

    return find


STORED: dict[str, tuple[int, Find]] = {
    "state": (5, lambda corpus, state: snapshots.current(corpus).dumps[state.dump_date].state.key),
    "verdicts": (5, lambda _, state: state.verdicts.key),
    "quarantine": (5, lambda _, state: state.quarantine.key),
    "run": (5, lambda _, state: state.runs[0].key),
    "documents": (5, lambda _, state: state.documents[0].files[0].key),
    "index": (4, lambda _, state: state.index[0].key),
    "edges": (4, lambda _, state: state.edges[0].file.key),
    "manifest": (1, lambda _, state: state.shard_manifests[0].key),
    "staged text": (1, lambda corpus, state: manifest(corpus, state).documents.key),
    "staged quarantine": (1, lambda corpus, state: manifest(corpus, state).quarantine.key),
    "signatures": (4, lambda corpus, state: manifest(corpus, state).signatures.key),
}
SHOWN: dict[str, tuple[int, Find]] = {
    "tree of documents": (5, leaf("documents")),
    "tree of verdicts": (5, leaf("verdicts")),
    "tree of quarantine": (5, leaf("quarantine")),
    "tree of runs": (5, leaf("runs")),
    "note of the trees": (5, lambda _, __: layout.PROMOTED),
}
POINTING: dict[str, tuple[int, Find]] = {
    "pointer": (5, lambda _, __: layout.CURRENT),
    "snapshot": (5, lambda corpus, _: snapshots.pointed(corpus).key),
}
OBJECTS = STORED | SHOWN | POINTING
DAMAGE = ("deleted", "flipped", "garbage")


def damage(settings: Settings, find: Find, how: str, date: str = DATES[1]) -> str:
    """Damage one object of a night and return its key."""
    with corpus_session(settings) as corpus:
        state = snapshots.load_state(corpus, snapshots.current(corpus), date)
        key = find(corpus, state)
    path = Path(settings.store.corpus) / key
    data = path.read_bytes()
    middle = len(data) // 2
    if how == "deleted":
        path.unlink()
    elif how == "flipped":
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    else:
        path.write_bytes(b"garbage")
    return key


def broken(settings: Settings) -> dict[int, tuple[str, ...]]:
    """Verify; return the findings of the broken promises."""
    with corpus_session(settings) as corpus:
        return {check.promise: check.findings for check in verify(corpus) if check.findings}


def test_the_sound_corpus_holds(settings: Settings) -> None:
    """Without damage no promise is broken, nothing is skipped and heal has nothing to do."""
    with corpus_session(settings) as corpus:
        checks = verify(corpus)
    assert [(check.findings, check.skipped) for check in checks] == [((), ())] * 7
    answer = json.loads(command(settings, "heal", "--json").stdout)
    assert [(one["damaged"], one["units"]) for one in answer["dumps"]] == [(0, 0)] * 2


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", OBJECTS)
def test_verify_names_the_broken_promise(settings: Settings, name: str, how: str) -> None:
    """Each kind of object, damaged in each way, breaks its promise; verify exits with 1."""
    promise, find = OBJECTS[name]
    key = damage(settings, find, how)
    answer = command(settings, "verify", "--json")
    found = {one["promise"]: one["findings"] for one in json.loads(answer.stdout)}
    assert answer.exit_code == 1
    assert any(key in detail or name in POINTING for detail in found[promise])


@pytest.mark.parametrize("how", DAMAGE)
def test_damage_hides_nothing_else(settings: Settings, how: str) -> None:
    """Behind a damaged file of one night, damage of the other and of the trees is still found."""
    first = damage(settings, STORED["verdicts"][1], how, DATES[0])
    second = damage(settings, STORED["signatures"][1], how, DATES[1])
    shown = damage(settings, SHOWN["tree of documents"][1], how, DATES[1])
    found = broken(settings)
    assert any(first in detail for detail in found[5])
    assert any(shown in detail for detail in found[5])
    assert any(second in detail for detail in found[4])
    with corpus_session(settings) as corpus:
        skipped = {check.promise: check.skipped for check in verify(corpus)}
    assert all(skipped[promise] for promise in (2, 3, 4))


@pytest.mark.parametrize("how", ["flipped", "garbage"])
def test_damaged_older_snapshot(settings: Settings, how: str) -> None:
    """A damaged snapshot before the current one breaks the promise that compares them."""
    damage(settings, lambda corpus, _: snapshots.current(corpus).parent.key, how)
    assert list(broken(settings)) == [6]


def test_older_snapshot_that_is_not_kept(settings: Settings) -> None:
    """Without the snapshots before, promise 6 is said to be checked in part."""
    damage(settings, lambda corpus, _: snapshots.current(corpus).parent.key, "deleted")
    with corpus_session(settings) as corpus:
        checks = verify(corpus)
    assert [len(check.skipped) for check in checks] == [0, 0, 0, 0, 0, 1, 0]


def test_signatures_are_computed_again(settings: Settings) -> None:
    """Signatures changed together with their manifest and the state are not those of the texts."""
    with corpus_session(settings) as corpus:
        live = snapshots.current(corpus)
        state = snapshots.load_state(corpus, live, DATES[1])
        before = manifest(corpus, state)
        table = corpus.read(before.signatures)
        place = table.schema.get_field_index("minima")
        other = table["minima"].take(list(reversed(range(table.num_rows))))
        forged = corpus.write("test", "forged", "s", table.set_column(place, "minima", other))
        key = layout.unit("ingest", before.fingerprint)
        corpus.store.put(
            key, msgspec.json.encode(msgspec.structs.replace(before, signatures=forged))
        )
        state = msgspec.structs.replace(state, shard_manifests=(corpus.reference(key),))
        ref = corpus.save(state, lambda digest: layout.state(DATES[1], digest))
        dumps = live.dumps | {DATES[1]: msgspec.structs.replace(live.dumps[DATES[1]], state=ref)}
        snapshots.advance(
            corpus,
            msgspec.structs.replace(
                live, sequence=live.sequence + 1, parent=snapshots.pointed(corpus), dumps=dumps
            ),
        )
        promote(corpus)
    assert any("8 stored signatures are not" in detail for detail in broken(settings)[4])


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", [*sorted(set(STORED) - {"state"}), *SHOWN, "pointer"])
def test_heal_mends_it(settings: Settings, name: str, how: str) -> None:
    """Heal makes each kind of object again: the same bytes in the trees, every promise holds."""
    store = open_store(settings.store.corpus)
    before = published_bytes(store)
    damage(settings, OBJECTS[name][1], how)
    healed = command(settings, "heal")
    assert (healed.exit_code, healed.exception) == (0, None)
    assert broken(settings) == {}
    assert published_bytes(store) == before


def test_heal_computes_what_no_copy_is_left_of(settings: Settings) -> None:
    """A published file that is damaged in the store and in the tree is annotated again."""
    key = damage(settings, STORED["documents"][1], "flipped")
    damage(settings, SHOWN["tree of documents"][1], "deleted")
    (healed,) = json.loads(command(settings, "heal", DATES[1], "--json").stdout)["dumps"]
    assert (healed["damaged"], healed["mended"], healed["left"]) == (1, 1, [])
    assert healed["units"] > 0
    assert (Path(settings.store.corpus) / key).is_file()
    assert broken(settings) == {}


def test_heal_forgets_units_that_stop_a_run(settings: Settings) -> None:
    """A manifest of an unpublished unit that is no JSON is forgotten, and the next run goes on."""
    store = open_store(settings.store.corpus)
    units = [info.key for info in store.list(layout.UNITS) if "/ingest/" not in info.key]
    for key in units:
        store.put(key, b"garbage")
    assert command(settings, "heal").exit_code == 0
    assert [key for key in units if store.stat(key) is not None] == []
    land(open_store(settings.store.landing), [(f"web/{DATES[0]}/b.jsonl", lines(range(20, 24)))])
    run(settings, DATES[0], "run-again")
    assert broken(settings) == {}


def test_heal_of_two_nights_that_need_each_other(settings: Settings) -> None:
    """The first night cannot be done again before the second's index is: it has a second turn."""
    damage(settings, STORED["index"][1], "deleted", DATES[1])
    damage(settings, STORED["documents"][1], "garbage", DATES[0])
    damage(settings, SHOWN["tree of documents"][1], "flipped", DATES[0])
    healed = command(settings, "heal")
    assert (healed.exit_code, broken(settings)) == (0, {})


def test_heal_needs_the_dump_file_to_read_it_again(settings: Settings) -> None:
    """Staged text is not made again from a dump file that is gone, and heal says so."""
    key = damage(settings, STORED["staged text"][1], "deleted")
    (Path(settings.store.landing) / f"web/{DATES[1]}/a.jsonl").unlink()
    answer = command(settings, "heal", "--json")
    (left,) = [one["left"] for one in json.loads(answer.stdout)["dumps"] if one["left"]]
    assert answer.exit_code == 1
    assert any("a.jsonl" in detail for detail in left)
    assert key in left[0] or layout.UNITS in left[0]


def test_heal_says_what_it_cannot_mend(settings: Settings) -> None:
    """A lost state is named with the advice to restore it, and the exit code is 1."""
    key = damage(settings, STORED["state"][1], "deleted")
    healed = command(settings, "heal")
    assert healed.exit_code == 1
    assert key in healed.stdout
    assert "restore the object from a backup" in " ".join(healed.stdout.split())


@pytest.mark.parametrize("how", ["deleted", "garbage"])
def test_lost_pointer_stops_a_run_before_it_deletes(settings: Settings, how: str) -> None:
    """Without its pointer a corpus is not taken for empty: neither a run nor promote goes on."""
    store = open_store(settings.store.corpus)
    before = published_bytes(store)
    damage(settings, POINTING["pointer"][1], how)
    land(open_store(settings.store.landing), [("web/2026-11-22/a.jsonl", lines(range(20, 24)))])
    with pytest.raises(CorruptError, match="winnow heal"):
        run(settings, "2026-11-22", "run-3")
    with corpus_session(settings) as corpus, pytest.raises(CorruptError, match="winnow heal"):
        promote(corpus)
    assert published_bytes(store) == before
    assert json.loads(command(settings, "heal", "--json").stdout)["pointed_to"] == 2
    run(settings, "2026-11-22", "run-4")
    assert broken(settings) == {}
    assert before.items() <= published_bytes(store).items()


def test_lost_pointer_names_the_newest_snapshot(settings: Settings) -> None:
    """The message of a lost pointer names the newest snapshot."""
    with corpus_session(settings) as corpus:
        newest = snapshots.pointed(corpus)
    damage(settings, POINTING["pointer"][1], "deleted")
    answer = command(settings, "status")
    assert newest is not None
    assert newest.key in str(answer.exception)


@pytest.mark.parametrize(
    "words", [["verify"], ["verify", "--json"], ["files"], ["report"], ["explain", "ab"]]
)
@pytest.mark.parametrize("there", ["missing", "empty"])
def test_asking_creates_nothing(tmp_path: Path, words: list[str], there: str) -> None:
    """Asking about a folder that is missing, or that holds no corpus, fails and makes nothing."""
    (tmp_path / "landing").mkdir()
    folder = tmp_path / "typo"
    if there == "empty":
        folder.mkdir()
    answer = command(settings_for(str(tmp_path / "landing"), str(folder)), *words)
    said = str(answer.exception) if words[0] != "verify" else answer.output
    assert answer.exit_code == 1
    assert "expected a published corpus at" in said or "expected a folder at" in said
    assert folder.exists() == (there == "empty")
    assert list(folder.glob("*")) == []


def test_store_that_cannot_be_reached() -> None:
    """Verify exits with 2 when it could not check, and says why in JSON too."""
    words = ["verify", "--json", "--endpoint-url", "http://127.0.0.1:9"]
    answer = CliRunner(env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}).invoke(
        cli, [*words, "--corpus", "s3://nowhere/corpus"]
    )
    assert answer.exit_code == 2
    assert "could not be reached" in json.loads(answer.stdout)["error"]


@pytest.mark.server
def test_missing_bucket_is_said(object_store: ObjectStore) -> None:
    """A bucket that does not exist is an error and is not made."""
    words = ["verify", "--endpoint-url", object_store.url]
    for _ in range(2):
        answer = CliRunner().invoke(cli, [*words, "--corpus", "s3://a-typo/corpus"])
        assert answer.exit_code == 1
        assert "expected the bucket to exist" in answer.output


def test_report_of_one_run(settings: Settings) -> None:
    """`report` takes a run id as well as a dump date, and says of the one run what it cost."""
    every = json.loads(command(settings, "report", "--json").stdout)
    for word in (DATES[1], f"run-{DATES[1]}"):
        (row,) = json.loads(command(settings, "report", word, "--json").stdout)
        stages = {one["stage"] for one in row.pop("cost")}
        assert row == every[1]
        assert stages >= {"ingest", "match", "decide", "annotate", "publish"}
    assert "expected a run or a dump date nothing" in str(
        command(settings, "report", "nothing").exception
    )


def test_status_shows_what_is_gone(settings: Settings) -> None:
    """A published night whose files vanished from the landing area is `gone`."""
    (Path(settings.store.landing) / f"web/{DATES[0]}/a.jsonl").unlink()
    stores = ["--corpus", settings.store.corpus, "--landing", settings.store.landing]
    answer = CliRunner(env={"WINNOW_PLAN__QUIET_SECONDS": "0"}).invoke(
        cli, ["status", "--json", *stores]
    )
    assert json.loads(answer.stdout)[0]["state"] == "gone"
