"""Guards: what makes a night look unusual, and what each may do."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
import pytest
import structlog

from pipeline.errors import GuardError
from pipeline.model.guard import GuardResult
from pipeline.model.manifest import FileCounts
from pipeline.model.settings import GuardSettings, RunSettings
from pipeline.model.snapshot import DumpCounts
from pipeline.model.versions import settings_fingerprint
from pipeline.publish import guards
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus
from tests.publishing import Doc, make_night, publish_night

USUAL = DumpCounts(documents=1000, kept=600)
SETTINGS = GuardSettings()


def numbers(**changes: Any) -> guards.Numbers:
    """Return an ordinary night after five like it, but for what is given."""
    values = {
        "counts": USUAL,
        "quarantined": 0.01,
        "cluster": ("w", 50),
        "sources": {"agora": (500, 200), "wire": (500, 200)},
        "before": (USUAL,) * 5,
    }
    return guards.Numbers(**(values | changes))


def judged(name: str, night: guards.Numbers, **settings: Any) -> list[GuardResult]:
    """Return what one guard says."""
    every = guards.judge(night, msgspec.structs.replace(SETTINGS, **settings))
    return [one for one in every if one.name == name]


def outcomes(results: list[GuardResult]) -> list[str]:
    """Return the outcomes alone."""
    return [one.outcome for one in results]


def test_an_ordinary_night_passes_every_guard() -> None:
    """Each guard has one result, with what was found and what is usual."""
    results = guards.judge(numbers(), SETTINGS)
    assert [(one.name, one.outcome) for one in results] == [
        (name, "ok") for name in ("removal", "documents", "cluster", "source", "quarantine")
    ]
    found = {one.name: (one.found, one.low, one.high, one.nights) for one in results}
    assert found["removal"] == pytest.approx((0.4, 0.2, 0.6, 5))
    assert found["documents"] == (1000, 500, None, 5)
    assert found["cluster"] == (50, None, 10_000, 0)


@pytest.mark.parametrize(
    ("kept", "absolute", "relative", "outcome"),
    [
        (400, 0.2, 0.5, "ok"),
        (399, 0.2, 0.5, "warn"),
        (801, 0.2, 0.5, "warn"),
        (399, 0.3, 0.5, "ok"),
        (399, 0.2, 0.6, "ok"),
        (590, 0.001, 0.001, "warn"),
        (0, 0.6, 0.0, "ok"),
    ],
)
def test_the_wider_band_around_the_median_counts(
    kept: int, absolute: float, relative: float, outcome: str
) -> None:
    """Less than usual removed is as unusual as more."""
    night = numbers(counts=DumpCounts(documents=1000, kept=kept))
    bands = {"removal_absolute": absolute, "removal_relative": relative}
    assert outcomes(judged("removal", night, **bands)) == [outcome]


def test_one_wild_night_before_does_not_move_the_median() -> None:
    """The middle of the nights before counts, not their mean."""
    wild = DumpCounts(documents=100_000, kept=0)
    night = numbers(before=(USUAL, wild, USUAL, USUAL))
    assert outcomes(judged("removal", night)) == ["ok"]
    assert judged("documents", night)[0].low == 500


@pytest.mark.parametrize("nights", [0, 1, 2])
def test_first_nights_have_nothing_to_be_compared_with(nights: int) -> None:
    """Until there are enough nights, guards that compare say that they do not know."""
    night = numbers(counts=DumpCounts(documents=10, kept=1), before=(USUAL,) * nights)
    for name in ("removal", "documents"):
        assert outcomes(judged(name, night, removal="stop", documents="stop")) == ["unknown"]
    assert outcomes(judged("documents", night, min_nights=1)) == (
        ["warn"] if nights else ["unknown"]
    )


def test_an_empty_night_is_a_lack_of_documents_not_of_copies() -> None:
    """Nothing can be said of what was removed of nothing."""
    night = numbers(counts=DumpCounts(), sources={}, cluster=("", 0), quarantined=0.0)
    assert outcomes(judged("removal", night)) == ["unknown"]
    assert outcomes(judged("source", night)) == ["unknown"]
    assert outcomes(judged("documents", night, documents="stop")) == ["stop"]


def test_sources_are_looked_at_one_by_one() -> None:
    """Small ones are passed over; all that lost too much are named, the worst first."""
    sources = {"a": (100, 99), "b": (99, 99), "c": (1000, 1000), "d": (1000, 10)}
    found = judged("source", numbers(sources=sources))
    assert [(one.subject, one.outcome, one.found) for one in found] == [
        ("c", "warn", 1.0),
        ("a", "warn", 0.99),
    ]
    fine = judged("source", numbers(sources={"d": (1000, 10), "e": (1000, 9)}))
    assert [(one.subject, one.outcome) for one in fine] == [("d", "ok")]


def test_a_large_cluster_names_its_witness() -> None:
    """The number of documents that one witness makes redundant has a limit of its own."""
    (one,) = judged("cluster", numbers(cluster=("abc", 10_001)), cluster="stop")
    assert (one.outcome, one.subject, one.found) == ("stop", "abc", 10_001)


def test_quarantine_has_a_limit() -> None:
    """A share above it is unusual."""
    assert outcomes(judged("quarantine", numbers(quarantined=0.1))) == ["ok"]
    assert outcomes(judged("quarantine", numbers(quarantined=0.11))) == ["warn"]


@pytest.mark.parametrize(
    ("action", "accept", "outcome"),
    [
        ("off", False, "off"),
        ("warn", False, "warn"),
        ("warn", True, "warn"),
        ("stop", False, "stop"),
        ("stop", True, "accepted"),
    ],
)
def test_a_guard_does_what_its_setting_says(action: str, accept: bool, outcome: str) -> None:  # noqa: FBT001 - a case of the table
    """Off, warn or stop; accepting lets pass what would stop."""
    settings = msgspec.structs.replace(SETTINGS, quarantine=action)
    results = guards.judge(numbers(quarantined=1.0), settings, accept=accept)
    assert [one.outcome for one in results if one.name == "quarantine"] == [outcome]


def test_guards_make_no_night_due() -> None:
    """Their settings are no part of what published bytes depend on."""
    plan = RunSettings()
    other = msgspec.structs.replace(plan, guard=GuardSettings(quarantine="stop", nights=3))
    assert settings_fingerprint(other) == settings_fingerprint(plan)


def test_what_is_measured_is_the_night_and_those_before_it(memory_corpus: Corpus) -> None:
    """Clusters and sources come from the verdicts; later nights and empty ones do not count."""
    for day in (17, 18, 19, 23):
        publish_night(memory_corpus, make_night(memory_corpus, f"2026-11-{day}", [[Doc()] * day]))
    publish_night(memory_corpus, make_night(memory_corpus, "2026-11-20", []))
    shards = [[Doc(), Doc()], [Doc()]]
    ids = make_night(memory_corpus, "2026-11-21", shards).ids
    first = min(ids[0][0], ids[0][1])
    witness = Doc(witness=("2026-11-21", first))
    here = [Doc(), witness] if first == ids[0][0] else [witness, Doc()]
    older = ("2026-11-17", published(memory_corpus, "2026-11-17"))
    shards = [here, [Doc(witness=older)]]
    made = make_night(memory_corpus, "2026-11-21", shards)
    parent = snapshots.current(memory_corpus)
    snapshot = publish_night(memory_corpus, made)
    state = snapshots.load_state(memory_corpus, snapshot, "2026-11-21")
    plan = made.plan
    found = guards.measure(memory_corpus, plan, state, parent=parent)
    assert [night.documents for night in found.before] == [19, 18, 17]
    assert found.sources == {"wire": (3, 2)}
    assert found.cluster == (min(first, older[1]), 1)
    assert found.quarantined == 0.0
    fewer = msgspec.structs.replace(
        plan, settings=msgspec.structs.replace(plan.settings, guard=GuardSettings(nights=2))
    )
    found = guards.measure(memory_corpus, fewer, state, parent=parent)
    assert [night.documents for night in found.before] == [19]


def published(corpus: Corpus, date: str) -> str:
    """Return the first id that is published of a night."""
    state = snapshots.load_state(corpus, snapshots.current(corpus), date)
    return str(corpus.read(state.verdicts)["document_id"][0])


def test_the_largest_cluster_is_found() -> None:
    """The witness that most documents name, the first of equals; none when nothing was dropped."""
    column = pa.chunked_array([["b", None, "a", "b"], ["a", "c"]], pa.string())
    assert guards._largest(column) == ("a", 2)
    assert guards._largest(pa.chunked_array([[None]], pa.string())) == ("", 0)


@pytest.mark.parametrize(
    ("chars", "unread", "share"), [((100, 20), (10, 0), 0.2), ((0, 0), (10, 10), 1.0)]
)
def test_quarantine_counts_characters_and_unread_bytes(
    memory_corpus: Corpus, chars: tuple[int, int], unread: tuple[int, int], share: float
) -> None:
    """A file that could not be read at all has no characters, but bytes."""
    snapshot = publish_night(memory_corpus, make_night(memory_corpus, "2026-11-21", [[Doc()]]))
    state = snapshots.load_state(memory_corpus, snapshot, "2026-11-21")
    book = msgspec.structs.replace(
        state.file_counts[0],
        chars=chars[0],
        quarantine_chars=chars[1],
        stored_bytes=unread[0],
        unread_bytes=unread[1],
    )
    assert isinstance(book, FileCounts)
    state = msgspec.structs.replace(state, file_counts=(book,))
    assert guards._quarantined(state) == share


def test_a_stop_says_what_was_expected_and_how_to_go_on(
    memory_corpus: Corpus, events: list[structlog.typing.EventDict]
) -> None:
    """The message has every guard that stopped, its range, and the command; the log has all."""
    plan = make_night(memory_corpus, "2026-11-21", [[Doc()]]).plan
    night = numbers(counts=DumpCounts(documents=400, kept=4), quarantined=0.5, cluster=("abc", 8))
    settings = GuardSettings(removal="stop", documents="stop", cluster="stop", cluster_documents=7)
    with pytest.raises(GuardError) as stopped:
        guards.refuse(plan, guards.judge(night, settings))
    said = str(stopped.value)
    assert "removal: expected 0.200 to 0.600, by 5 nights before, found 0.990" in said
    assert "documents: expected at least 500, by 5 nights before, found 400" in said
    assert "cluster (abc): expected at most 7, found 8" in said
    assert "winnow run --dump-date 2026-11-21 --accept-guards" in said
    assert "accept_guards" in said
    assert [(event["event"], event["guard"]) for event in events] == [
        ("guard.stop", "removal"),
        ("guard.stop", "documents"),
        ("guard.stop", "cluster"),
        ("guard.warn", "quarantine"),
    ]
    guards.refuse(plan, guards.judge(night, settings, accept=True))
