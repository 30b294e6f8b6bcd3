"""Each promise about duplicates, broken on purpose in a sound corpus, is named by verify."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from pipeline.audit.verify import verify
from pipeline.model.manifest import MatchManifest
from pipeline.model.schemas import VERDICTS
from pipeline.model.settings import Settings
from pipeline.model.snapshot import Snapshot
from pipeline.publish.promote import promote
from pipeline.runner import corpus_session
from pipeline.signature import sign, similarity
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from pipeline.storage.units import Corpus
from tests.decided import story
from tests.nights import land, run, settings_for

DATES = ("2026-11-20", "2026-11-21")
FRONT, BACK, MIDDLE = story(0, 3, 0), story(0, 0, 4), story(0, 0, 0)

Row = dict[str, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish two unlike texts, and the next night one that is like both."""
    home = tmp_path_factory.mktemp("built")
    settings = settings_for(str(home / "landing"), str(home / "corpus"))
    landing = open_store(settings.store.landing, create=True)
    for date, texts in zip(DATES, ([FRONT, BACK], [MIDDLE, story(1, 0, 0)]), strict=True):
        rows = [json.dumps({"id": str(at), "text": text}) for at, text in enumerate(texts)]
        land(landing, [(f"web/{date}/a.jsonl", "\n".join(rows).encode())])
        run(settings, date, f"run-{date}")
    return home


@pytest.fixture
def settings(built: Path, tmp_path: Path) -> Settings:
    """Return settings of a copy that a test may change."""
    shutil.copytree(built, tmp_path / "home")
    return settings_for(str(tmp_path / "home" / "landing"), str(tmp_path / "home" / "corpus"))


def rows_of(corpus: Corpus, date: str) -> list[Row]:
    """Return the verdicts of a night."""
    state = snapshots.load_state(corpus, snapshots.current(corpus), date)
    rows: list[Row] = corpus.read(state.verdicts).to_pylist()
    return rows


def publish(corpus: Corpus, dumps: dict[str, Any]) -> None:
    """Publish other dumps, bypassing every check."""
    live = snapshots.current(corpus)
    after = Snapshot(
        sequence=live.sequence + 1,
        parent=snapshots.pointed(corpus),
        run_id=f"by-hand-{live.sequence}",
        dumps=dumps,
    )
    snapshots.advance(corpus, after)


def forge(corpus: Corpus, change: Callable[[Row], None]) -> None:
    """Publish other verdicts of the one dropped document, with all hashes right."""
    live, date = snapshots.current(corpus), DATES[1]
    state = snapshots.load_state(corpus, live, date)
    rows = rows_of(corpus, date)
    (dropped,) = (row for row in rows if not row["kept"])
    change(dropped)
    table = pa.Table.from_pylist(rows, schema=VERDICTS)
    verdicts = corpus.write("decide", "forged", "verdicts", table)
    forged = msgspec.structs.replace(state, verdicts=verdicts)
    ref = corpus.save(forged, partial(layout.state, date))
    publish(corpus, {**live.dumps, date: msgspec.structs.replace(live.dumps[date], state=ref)})
    promote(corpus)


def broken(corpus: Corpus) -> dict[int, tuple[str, ...]]:
    """Return what verify finds, by promise."""
    return {check.promise: check.findings for check in verify(corpus) if check.findings}


def test_the_corpus_is_sound_and_checked_in_full(settings: Settings) -> None:
    """Before anything is forged every promise holds and nothing is skipped."""
    with corpus_session(settings) as corpus:
        checks = verify(corpus)
        kept = [[row["kept"] for row in rows_of(corpus, date)] for date in DATES]
    assert [(check.findings, check.skipped) for check in checks] == [((), ())] * 7
    assert (sorted(kept[0]), sorted(kept[1])) == ([True, True], [False, True])


def test_a_published_duplicate_breaks_promise_2(settings: Settings) -> None:
    """A near-duplicate that counts as kept is named with its twin."""

    def keep(row: Row) -> None:
        row.update(kept=True, reason="unique", similarity=None)
        row.update(witness_id=None, witness_dump_date=None)

    with corpus_session(settings) as corpus:
        forge(corpus, keep)
        found = broken(corpus)
    assert any("similar to 2026-11-20/" in detail for detail in found[2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"similarity": 0.999}, "another similarity than stated"),
        ({"witness_id": "0" * 32}, "no earlier published witness"),
        ({"witness_dump_date": "2026-11-22"}, "no earlier published witness"),
    ],
)
def test_a_witness_that_does_not_hold_breaks_promise_3(
    settings: Settings, change: Row, words: str
) -> None:
    """A similarity or a witness that is made up is found by comparing signatures again."""
    with corpus_session(settings) as corpus:
        forge(corpus, lambda row: row.update(change))
        found = broken(corpus)
    assert any(words in detail for detail in found[3])


def test_a_witness_out_of_scope_breaks_promise_3(settings: Settings) -> None:
    """Where nights look at themselves alone, a witness of another night is none."""
    with corpus_session(settings) as corpus:
        live = snapshots.current(corpus)
        dumps = {
            date: msgspec.structs.replace(ref, scope="night") for date, ref in live.dumps.items()
        }
        publish(corpus, dumps)
        found = broken(corpus)
    assert any("witness out of scope" in detail for detail in found[3])
    assert 4 in found


def test_a_second_best_witness_breaks_promise_4_alone(settings: Settings) -> None:
    """A witness that is published, earlier and similar, but not the one of the rule."""
    with corpus_session(settings) as corpus:
        (told,) = (row for row in rows_of(corpus, DATES[1]) if not row["kept"])
        texts = {FRONT: 0.0, BACK: 0.0}
        for text in texts:
            signed = sign(pa.array([text, MIDDLE]))
            texts[text] = float(similarity(signed.minima[0], signed.minima[1]))
        other = min(texts.values())
        assert 0.75 <= other < max(texts.values()) == told["similarity"]
        (second,) = (
            row["document_id"]
            for row in rows_of(corpus, DATES[0])
            if row["document_id"] != told["witness_id"]
        )
        forge(corpus, lambda row: row.update(witness_id=second, similarity=other))
        found = broken(corpus)
    assert list(found) == [4]
    assert "another verdict when decided anew" in found[4][0]


def test_a_night_that_changed_another_breaks_promise_6(settings: Settings) -> None:
    """A new latest night whose commit also replaced an older one is named."""
    with corpus_session(settings) as corpus:
        live = snapshots.current(corpus)
        old = live.dumps[DATES[0]]
        publish(corpus, {DATES[0]: msgspec.structs.replace(old, settings="other")})
        publish(corpus, live.dumps)
        found = broken(corpus)
    assert f"night {DATES[1]} also changed ['{DATES[0]}']" in found[6][0]


def test_a_night_that_compared_too_much_breaks_promise_6(settings: Settings) -> None:
    """More comparisons on record than pairs that share a key: the night cost what history is."""
    units = Path(settings.store.corpus) / "store/units/match"
    for path in units.glob("*.json"):
        unit = msgspec.json.decode(path.read_bytes(), type=MatchManifest)
        forged = msgspec.structs.replace(unit, candidates=unit.candidates + 100_000)
        path.write_bytes(msgspec.json.encode(forged))
    with corpus_session(settings) as corpus:
        found = broken(corpus)
    assert list(found) == [6]
    assert f"night {DATES[1]} compared 1" in found[6][0]
