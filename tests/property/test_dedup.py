"""Deduplication against the definition, whatever path the nights took."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.dedup.stage import decide, match_range
from pipeline.model.plan import KeyRange, Plan, Shard
from pipeline.model.settings import RunSettings
from pipeline.signature import sign, similarity
from pipeline.storage import snapshots
from tests.decided import CROWDED, DATES, THRESHOLD, Dump, Nights, by_classes, identity, story

texts = st.one_of(
    st.builds(story, st.integers(0, 2), st.integers(0, 6), st.integers(0, 6), shout=st.booleans()),
    st.sampled_from(["", "too short", "Too, short!", "😀", "a b c d"]),
)
dumps = st.dictionaries(st.sampled_from("abcdefgh"), texts, max_size=8)
rules = st.sampled_from([0.6, 0.75, 0.93])
corpora = st.fixed_dictionaries(dict.fromkeys(DATES[:4], dumps))


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Dump], list[tuple[str, Dump]]]:
    """A corpus, and a path to it: any order, with runs before that bring other contents."""
    corpus = draw(corpora)
    false_starts = draw(st.lists(st.tuples(st.sampled_from(DATES[:4]), dumps), max_size=3))
    final = draw(st.permutations(sorted(corpus.items())))
    where = sorted(draw(st.lists(st.integers(0, 3), min_size=3, max_size=3)))
    path: list[tuple[str, Dump]] = []
    for at, step in enumerate(final):
        path.extend(start for start, place in zip(false_starts, where, strict=False) if place == at)
        path.append(step)
    path.extend(item for item in sorted(corpus.items()) if item[0] in dict(false_starts))
    return corpus, path


relaxed = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(corpora, st.integers(1, 3), st.integers(1, 3))
def test_verdicts_in_date_order_equal_the_definition(
    tmp_path: Path, corpus: dict[str, Dump], shards: int, ranges: int
) -> None:
    """Night after night gives the verdicts of comparing everything with everything."""
    nights = Nights(tmp_path, shards=shards, ranges=ranges)
    for date, dump in corpus.items():
        nights.run(date, dump)
    assert nights.verdicts() == by_classes(corpus)


@relaxed
@given(histories(), st.integers(1, 3), st.integers(1, 3))
def test_promise_4_order_does_not_matter(
    tmp_path: Path,
    history: tuple[dict[str, Dump], list[tuple[str, Dump]]],
    shards: int,
    ranges: int,
) -> None:
    """Late, changed, emptied and repeated dumps end in the bytes of processing all in order."""
    corpus, path = history
    straight = Nights(tmp_path)
    for date, dump in corpus.items():
        straight.run(date, dump)
    winding = Nights(tmp_path, shards=shards, ranges=ranges)
    for date, dump in path:
        winding.run(date, dump)
    assert winding.verdicts() == by_classes(corpus)
    for date, state in straight.states().items():
        other = winding.states()[date]
        assert other.verdicts.sha256 == state.verdicts.sha256
        assert shards != 2 or other.kept_hashes == state.kept_hashes


@settings(parent=relaxed, max_examples=5)
@given(histories(), st.integers(1, 3))
def test_merging_the_band_index_changes_no_edge(
    tmp_path: Path, history: tuple[dict[str, Dump], list[tuple[str, Dump]]], ranges: int
) -> None:
    """Edge files are the same, byte for byte, whether dumps are found in runs or by themselves."""
    merging, plain = Nights(tmp_path, ranges=ranges), Nights(tmp_path, ranges=ranges, sizes=None)
    for date, dump in history[1]:
        assert merging.run(date, dump).edges == plain.run(date, dump).edges


@settings(parent=relaxed, max_examples=5)
@given(corpora, st.lists(st.tuples(st.sampled_from(DATES[:4]), rules), max_size=5), rules)
def test_a_changed_threshold_ends_as_if_it_had_always_been(
    tmp_path: Path, corpus: dict[str, Dump], path: list[tuple[str, float]], last: float
) -> None:
    """Dumps of several thresholds stand side by side; once all have one, it alone counts."""
    straight, winding = Nights(tmp_path, shards=1), Nights(tmp_path, ranges=1)
    for date, dump in corpus.items():
        straight.run(date, dump, last)
        winding.run(date, dump)
    for date, rule in [*path, *((date, last) for date in reversed(DATES[:4]))]:
        winding.run(date, corpus[date], rule)
    assert winding.verdicts() == straight.verdicts()


@settings(parent=relaxed, max_examples=5)
@given(corpora, st.permutations([*zip(DATES[:4], (0.6, 0.75, 0.93, 0.6), strict=True)]))
def test_dumps_of_several_thresholds_depend_on_no_order(
    tmp_path: Path, corpus: dict[str, Dump], path: list[tuple[str, float]]
) -> None:
    """Between two dumps the stricter threshold counts, whichever of them came first."""
    straight, winding = Nights(tmp_path), Nights(tmp_path)
    for date, rule in sorted(path):
        straight.run(date, corpus[date], rule)
    for date, rule in path:
        winding.run(date, corpus[date], rule)
    assert winding.verdicts() == straight.verdicts()


@relaxed
@given(corpora, st.randoms(use_true_random=False))
def test_promise_2_nothing_twice(tmp_path: Path, corpus: dict[str, Dump], dice: Any) -> None:
    """After any order of arrival, no two kept documents are copies or verified near-duplicates."""
    nights = Nights(tmp_path)
    for date, dump in dice.sample(sorted(corpus.items()), len(corpus)):
        nights.run(date, dump)
    verdicts = nights.verdicts()
    kept = [
        text
        for date, dump in corpus.items()
        for name, text in dump.items()
        if verdicts[date][identity(date, name)][0]
    ]
    signed = sign(pa.array(kept, pa.string()))
    bands = [set(row.tolist()) for row in signed.band_keys.view("<u8")]
    for one, two in itertools.combinations(range(len(kept)), 2):
        assert signed.content_hash[one].tobytes() != signed.content_hash[two].tobytes()
        if signed.shingles[one] and signed.shingles[two] and bands[one] & bands[two]:
            assert similarity(signed.minima[one], signed.minima[two]) < THRESHOLD


@relaxed
@given(corpora, st.randoms(use_true_random=False))
def test_promise_3_every_removal_has_a_witness(
    tmp_path: Path, corpus: dict[str, Dump], dice: Any
) -> None:
    """Every dropped document names an earlier kept one, and their similarity is the one stated."""
    nights = Nights(tmp_path)
    for date, dump in dice.sample(sorted(corpus.items()), len(corpus)):
        nights.run(date, dump)
    verdicts = nights.verdicts()
    text_of = {
        identity(date, name): text for date, dump in corpus.items() for name, text in dump.items()
    }
    for date, rows in verdicts.items():
        for document, (kept, reason, witness, where, score) in rows.items():
            if kept:
                assert (reason, witness, where, score) == ("unique", None, None, None)
                continue
            assert (where, witness) < (date, document)
            assert verdicts[where][witness][0]
            signed = sign(pa.array([text_of[document], text_of[witness]]))
            same = signed.content_hash[0].tobytes() == signed.content_hash[1].tobytes()
            assert same == (reason == "exact")
            assert score == (1.0 if same else similarity(signed.minima[0], signed.minima[1]))
            assert score >= THRESHOLD


def test_a_new_latest_night_touches_itself_alone(tmp_path: Path) -> None:
    """Nothing published changes when the newest dump arrives, and nothing is retracted."""
    nights = Nights(tmp_path)
    nights.run(DATES[0], {"a": story(0, 0, 0), "b": story(0, 1, 0)})
    decision = nights.run(DATES[1], {"a": story(0, 0, 1), "b": story(1, 0, 0)})
    (own,) = decision.touched
    counts = (own.documents, own.kept, own.dropped_exact, own.dropped_near, own.dropped_history)
    assert counts == (2, 1, 0, 1, 1)
    assert (own.retracted, own.restored) == (0, 0)


def test_a_late_dump_retracts_and_its_deletion_restores(tmp_path: Path) -> None:
    """A backfilled copy takes the place of the published one, and gives it back when it goes."""
    nights = Nights(tmp_path)
    nights.run(DATES[1], {"a": story(0, 0, 0), "b": story(1, 0, 0)})
    late = nights.run(DATES[0], {"z": story(0, 1, 0)})
    assert [(dump.dump_date, dump.retracted, dump.restored) for dump in late.touched] == [
        (DATES[0], 0, 0),
        (DATES[1], 1, 0),
    ]
    gone = nights.run(DATES[0], {})
    assert [
        (dump.dump_date, dump.kept, dump.retracted, dump.restored) for dump in gone.touched
    ] == [
        (DATES[0], 0, 1, 0),
        (DATES[1], 2, 0, 1),
    ]


def test_a_drifting_page_is_published_again(tmp_path: Path) -> None:
    """A page edited a little every night returns once it is unlike its published ancestor."""
    nights = Nights(tmp_path)
    kept = []
    for at in range(12):  # four more of 100 words are new each night: J < 0.75 after four nights
        words = [f"new{n}" if n < 4 * at else f"old{n}" for n in range(100)]
        night = nights.run(f"2026-11-{at + 1:02d}", {"page": " ".join(words)})
        kept.append(night.touched[0].kept)
    published = "".join(map(str, kept))
    assert published.startswith("100")
    assert "11" not in published
    assert published.count("1") in {3, 4}


def test_a_retry_finds_the_finished_units(tmp_path: Path) -> None:
    """Deciding again writes nothing and returns the same decision."""
    nights = Nights(tmp_path)
    snapshot = snapshots.current(nights.corpus)
    decision = nights.run(DATES[0], {"a": story(0, 0, 0), "b": story(0, 0, 0, shout=True)})
    objects = sorted(info.key for info in nights.corpus.store.list("store/units/"))
    plan = Plan(
        run_id=decision.run_id,
        dump_date=DATES[0],
        planned_at=0.0,
        generation=decision.generation,
        parent=0,
        shards=tuple(Shard(at, name, ()) for at, name in enumerate(decision.touched[0].shards)),
        key_ranges=(KeyRange(0, 0, 32768), KeyRange(1, 32768, 65536)),
        waiting=(),
        unchanged=False,
        settings=RunSettings(),
        code_version="",
    )
    assert match_range(nights.corpus, plan, snapshot, 0).index == decision.index[0]
    assert decide(nights.corpus, plan, snapshot) == decision
    assert sorted(info.key for info in nights.corpus.store.list("store/units/")) == objects


@pytest.mark.parametrize("size", [2000])
def test_thousands_of_copies_make_a_star(tmp_path: Path, size: int) -> None:
    """Exact copies of one page cost an edge each, never one a pair."""
    nights = Nights(tmp_path)
    decision = nights.run(
        DATES[0], {f"{at:05d}": story(0, 0, 0, shout=bool(at % 2)) for at in range(size)}
    )
    own = decision.touched[0]
    assert (own.kept, own.dropped_exact) == (1, size - 1)
    assert size - 1 <= sum(file.file.rows for file in decision.edges) < 2 * size + 50


def test_near_identical_pages_of_one_night_leave_one(tmp_path: Path) -> None:
    """A boilerplate page with a counter is published once, however often it comes."""
    nights = Nights(tmp_path)
    body = " ".join(f"line{at}" for at in range(200))
    decision = nights.run(DATES[0], {f"{at:04d}": f"{body} visit {at}" for at in range(300)})
    own = decision.touched[0]
    assert (own.kept, own.dropped_near) == (1, 299)
    assert sum(file.file.rows for file in decision.edges) < 2 * 20 * 300


def crowd(kind: str, size: int, skip: int) -> Dump:
    """Many variants of two unlike boilerplate pages, far more alike than the threshold."""
    body = [f"{kind}{at}" for at in range(150)]
    other = [f"{kind}{at}" if at % 3 else f"other{at}" for at in range(150)]
    pages = {f"p{at:03d}": " ".join([*body, str(at)]) for at in range(0, size, skip)}
    return pages | {f"q{at:03d}": " ".join([*other, str(at)]) for at in range(0, size, skip + 1)}


def test_hot_buckets_are_decided_by_the_definition(tmp_path: Path) -> None:
    """Groups of tied documents, inside nights and across them, change no verdict on any path."""
    lone = {
        "x": " ".join([*(f"z{at}" for at in range(12)), *(f"hot{at}" for at in range(12, 150))])
    }
    corpus = {
        DATES[0]: lone,
        DATES[1]: crowd("hot", 150, 1),
        DATES[2]: crowd("hot", 150, 1) | {"new": story(0, 0, 0)},
        DATES[3]: crowd("hot", 100, 2),
    }
    paths = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]
    expected = by_classes(corpus)
    for number, path in enumerate(paths):
        nights = Nights(tmp_path, shards=1 + number, ranges=1 + number, sizes=CROWDED)
        if number == 2:
            nights.run(DATES[1], crowd("cold", 120, 1))
        ties = 0
        for at in path:
            decision = nights.run(DATES[at], corpus[DATES[at]])
            for file in decision.edges:
                ties += np.count_nonzero(
                    nights.corpus.read(file.file)["similarity"].to_numpy() == 0
                )
        assert ties > 300
        assert nights.verdicts() == expected


def test_hot_buckets_keep_the_threshold_of_their_dumps(tmp_path: Path) -> None:
    """Whichever dump is committed last, tied documents are compared by the rules of their own."""
    lone = [*(f"z{at}" for at in range(12)), *(f"hot{at}" for at in range(12, 150))]
    corpus = {
        DATES[0]: {"x": " ".join(lone)},
        DATES[1]: crowd("hot", 150, 1),
        DATES[2]: {name: f"{text} again" for name, text in crowd("hot", 150, 1).items()},
    }
    rules = {DATES[0]: 0.6, DATES[1]: 0.98, DATES[2]: 0.6}
    found = []
    for path in itertools.permutations(sorted(rules)):
        nights = Nights(tmp_path, sizes=CROWDED)
        for date in path:
            nights.run(date, corpus[date], rules[date])
        found.append(nights.verdicts())
    assert found == [found[0]] * 6
    kept = [sum(row[0] for row in found[0][date].values()) for date in sorted(rules)]
    assert kept[1] > 3 > kept[2]
