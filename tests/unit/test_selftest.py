"""The canaries of every run: what they are, what a sound run finds of them, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import structlog

from pipeline.dedup import canaries, curve, selftest
from pipeline.errors import ContractError
from pipeline.model.manifest import CanaryResult, SelfTest
from pipeline.model.plan import Plan
from pipeline.model.settings import DedupSettings, RunSettings
from pipeline.signature import Signatures, sign
from pipeline.storage.units import Corpus


def shingles(text: str) -> set[tuple[str, ...]]:
    """Cut a planted text into its 5-grams, of words or of characters."""
    tokens = text.split() if " " in text else list(text)
    return {tuple(tokens[at : at + 5]) for at in range(len(tokens) - 4)}


def test_planted_pairs_have_the_similarity_they_are_said_to_have() -> None:
    """Counting 5-grams gives exactly the Jaccard similarity of each pair, in every alphabet."""
    for pair in canaries.plant():
        if pair.similarity < 1:
            one, other = shingles(pair.first), shingles(pair.second)
            both = len(one | other)
            assert (len(one & other) / both if both else 0.0) == pytest.approx(pair.similarity)


def test_planted_copies_of_similarity_one_are_exact() -> None:
    """They differ in letter case and marks, and have the same content hash."""
    pairs = [pair for pair in canaries.plant() if pair.similarity == 1]
    one, other = (
        sign(pa.array([getattr(pair, name) for pair in pairs])) for name in ("first", "second")
    )
    assert len(pairs) == canaries.PAIRS
    assert all(pair.first != pair.second for pair in pairs)
    assert (one.content_hash == other.content_hash).all()


def test_every_level_and_kind_is_planted_in_every_alphabet() -> None:
    """64 pairs a level, 16 of each kind of strangers, and the same texts each time."""
    pairs = list(canaries.plant())
    planted = Counter((pair.kind, pair.similarity) for pair in pairs)
    copies = {level: number for (kind, level), number in planted.items() if kind == "copy"}
    assert sorted(copies) == pytest.approx(canaries.LEVELS, abs=0.005)
    assert set(copies.values()) == {canaries.PAIRS}
    strangers = {kind for kind, _ in planted} - {"copy"}
    assert strangers == set(canaries.KINDS)
    assert pairs == list(canaries.plant())


def test_the_curve_is_that_of_random_signatures() -> None:
    """100,000 pairs of random minima of a given similarity count as duplicates as expected."""
    random = np.random.default_rng(7)
    tries = 100_000
    for jaccard in (0.6, 0.7, 0.75, 0.8):
        equal = random.random((tries, 128)) < jaccard
        met = equal[:, :120].reshape(tries, 20, 6).all(axis=2).any(axis=1)
        agree = equal | (random.random((tries, 128)) < 1 / 256)
        needed = -(-128 * (0.75 * 255 + 1) // 256)
        share = float((met & (agree.sum(axis=1) >= needed)).mean())
        assert share == pytest.approx(curve.duplicate(jaccard, 0.75), abs=0.006)


def test_the_ends_of_the_curve_are_certain() -> None:
    """Equal texts are always found, whatever the threshold, and bounds hold nothing but that."""
    assert curve.duplicate(1.0, 1.0) == pytest.approx(1)
    assert curve.duplicate(0.0, 0.75) == pytest.approx(0, abs=1e-12)
    assert curve.bounds(1.0, 64) == (64, 64)
    assert curve.bounds(0.0, 64) == (0, 0)
    assert curve.bounds(0.5, 64) == (15, 49)


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.97, 1.0])
def test_a_sound_run_passes_whatever_its_threshold(threshold: float) -> None:
    """Every level lies within its bounds and no stranger is merged."""
    result = selftest.measure(DedupSettings(threshold=threshold))
    assert [one for one in result.results if not one.passed] == []
    assert sum(one.planted for one in result.results if one.kind == "copy") == 512
    selftest.refuse(result)


@pytest.mark.parametrize(
    "settings",
    [
        DedupSettings(scope="night"),
        DedupSettings(scope=3),
        DedupSettings(survivor="longest", source_priority=("wire",)),
    ],
)
def test_scope_and_survivor_policy_do_not_matter(settings: DedupSettings) -> None:
    """What a run compares and which copy stays is its own; similarity is tried all the same."""
    assert selftest.measure(settings) == selftest.measure(DedupSettings())


def test_precision_and_recall_are_measured_by_similarity() -> None:
    """At the default threshold all copies from .9 on are found, hardly any at .6, none wrongly."""
    results = {
        round(one.similarity, 2): one
        for one in selftest.measure(DedupSettings()).results
        if one.kind == "copy"
    }
    assert results[0.6].recall < 0.05
    assert 0.5 < results[0.75].recall < 0.95
    assert [results[level].recall for level in (0.9, 0.95, 1.0)] == [1, 1, 1]
    assert {one.precision for one in results.values()} == {1.0}


def blind(texts: pa.Array) -> Signatures:
    """Sign texts as a machine would whose band keys are wrong in all but one band of ten."""
    signed = sign(texts)
    keys = signed.band_keys.view("<u8").copy()
    rows = np.arange(keys.size, dtype=np.uint64).reshape(keys.shape)
    keys[:, 2:] = rows[:, 2:] << np.uint64(40)
    return replace(signed, band_keys=keys.view(np.uint8))


def dazed(texts: pa.Array) -> Signatures:
    """Sign texts as a machine would that gives every long text the same minima and keys."""
    signed = sign(texts)
    long = signed.shingles > 0
    minima, keys = signed.minima.copy(), signed.band_keys.copy()
    minima[long], keys[long] = minima[long][0], keys[long][0]
    return replace(signed, minima=minima, band_keys=keys)


@pytest.mark.parametrize(
    ("signer", "message"),
    [
        (blind, r"62 to 64 of 64 copies of similarity 0\.90 recognised, found \d+"),
        (dazed, r"none of 16 strangers \(other order\) merged with others, found \d+"),
    ],
)
def test_a_machine_that_computes_wrongly_is_found_out(
    signer: selftest.Signer, message: str
) -> None:
    """Missed copies and merged strangers are refused with what was expected and found."""
    result = selftest.measure(DedupSettings(), signer=signer)
    with pytest.raises(ContractError, match="self-test of deduplication") as refused:
        selftest.refuse(result)
    said = str(refused.value)
    assert "Nothing was published" in said
    assert "`winnow verify`" in said
    assert re.search(message, said)


def test_a_run_tries_itself_once_and_says_so_in_one_line(
    memory_corpus: Corpus, events: list[structlog.typing.EventDict]
) -> None:
    """The result is kept as a unit of the run; the canaries' own stages leave no line."""
    first = selftest.self_test(memory_corpus, plan("a"))
    assert selftest.self_test(memory_corpus, plan("a")) == first
    assert [event["event"] for event in events] == ["selftest.done"]
    assert (events[0]["copies"], events[0]["wrong"]) == (512, 0)
    assert selftest.self_test(memory_corpus, plan("b")).fingerprint != first.fingerprint
    keys = [info.key for info in memory_corpus.store.list()]
    assert all(key.startswith("store/units/selftest/") for key in keys)
    assert len(keys) == 2


def plan(run_id: str) -> Plan:
    """Return the plan of an empty night."""
    return Plan(
        run_id=run_id,
        dump_date="2026-11-21",
        planned_at=0,
        generation="",
        parent=0,
        shards=(),
        key_ranges=(),
        waiting=(),
        unchanged=False,
        settings=RunSettings(),
        code_version="test",
    )


def test_a_result_says_whether_it_passed() -> None:
    """Too few, too many and wrong ones do not pass; nothing dropped is no lack of precision."""
    one = CanaryResult(
        kind="copy", similarity=0.8, planted=10, found=8, wrong=0, expected=0.8, least=6, most=9
    )
    assert one.passed
    assert (one.recall, one.precision) == (0.8, 1.0)
    for found, wrong in ((5, 0), (10, 0), (8, 1)):
        other = CanaryResult(
            kind="copy", similarity=0.8, planted=10, found=found, wrong=wrong, expected=0.8,
            least=6, most=9,
        )  # fmt: skip
        assert not other.passed
        with pytest.raises(ContractError):
            selftest.refuse(SelfTest(fingerprint="", results=(one, other)))
