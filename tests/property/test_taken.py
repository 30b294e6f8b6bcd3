"""Take-downs at any time and in any order, against the definition."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model.rule import Rule
from tests.decided import (
    DATES,
    Dump,
    Nights,
    Row,
    Stone,
    by_classes,
    by_pairs,
    identity,
    stone_id,
    story,
    without_taken,
)

texts = st.one_of(
    st.builds(story, st.integers(0, 2), st.integers(0, 6), st.integers(0, 6), shout=st.booleans()),
    st.sampled_from(["", "too short", "Too, short!", "a b c d"]),
)
dumps = st.dictionaries(st.sampled_from("abcdefgh"), texts, max_size=8)
corpora = st.fixed_dictionaries(dict.fromkeys(DATES[:4], dumps))
stones = st.lists(st.tuples(texts, st.sampled_from([0.6, 0.75, 0.93])), max_size=3, unique=True)
ranked = [Rule(survivor="longest"), Rule(source_priority=("south",)), Rule(scope=2), Rule()]

relaxed = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Dump], list[Stone], list[object]]:
    """A corpus, tombstones, and a path to both with other contents and tombstones on the way."""
    corpus, last = draw(corpora), draw(stones)
    path: list[object] = list(draw(st.permutations(sorted(corpus.items()))))
    for at in sorted(draw(st.lists(st.integers(0, len(path)), max_size=3)), reverse=True):
        path.insert(at, draw(st.one_of(stones, st.tuples(st.sampled_from(DATES[:4]), dumps))))
    changed = {step[0] for step in path if isinstance(step, tuple)}
    path.insert(draw(st.integers(0, len(path))), last)
    path += [item for item in sorted(corpus.items()) if item[0] in changed]
    if [step for step in path if isinstance(step, list)][-1] != last:
        path.append(last)
    return corpus, last, path


def expected(corpus: dict[str, Dump], down: list[Stone]) -> dict[str, dict[str, Row]]:
    """The verdicts of a corpus under tombstones, by the definition for default rules."""
    left, taken = without_taken(corpus, down)
    kept = by_classes(left)
    return {date: kept[date] | taken[date] for date in corpus}


@relaxed
@given(histories(), st.integers(1, 3), st.integers(1, 3))
def test_take_downs_at_any_time_end_in_the_definition(
    tmp_path: Path,
    history: tuple[dict[str, Dump], list[Stone], list[object]],
    shards: int,
    ranges: int,
) -> None:
    """Nights and take-downs in any order end in the bytes of tombstones that were always there."""
    corpus, down, path = history
    straight = Nights(tmp_path)
    straight.take(down)
    for date, dump in corpus.items():
        straight.run(date, dump)
    winding = Nights(tmp_path, shards=shards, ranges=ranges)
    for step in path:
        if isinstance(step, list):
            winding.take(step)
        else:
            winding.run(*step)
    assert winding.verdicts() == expected(corpus, down)
    for date, state in straight.states().items():
        assert winding.states()[date].verdicts.sha256 == state.verdicts.sha256


@settings(parent=relaxed, max_examples=6)
@given(corpora, stones, st.sampled_from(ranked), st.permutations([0, 1, 2, 3, 4]))
def test_take_downs_under_any_rule(
    tmp_path: Path, corpus: dict[str, Dump], down: list[Stone], rule: Rule, order: list[int]
) -> None:
    """Scope and rank do not matter to tombstones, and those taken down matter to nobody."""
    nights = Nights(tmp_path)
    for at in order:
        if at == 4:
            nights.take(down)
        else:
            nights.run(DATES[at], corpus[DATES[at]], rule)
    left, taken = without_taken(corpus, down)
    kept = by_pairs(left, dict.fromkeys(corpus, rule))
    assert nights.verdicts() == {date: kept[date] | taken[date] for date in corpus}


def test_who_had_it_as_witness_comes_back_if_unlike(tmp_path: Path) -> None:
    """A near copy goes with it; one that is similar only to the copy's level is restored."""
    nights = Nights(tmp_path)
    texts = {"a": story(0, 0, 0), "b": story(0, 1, 0), "c": story(0, 3, 0)}
    nights.run(DATES[0], {"a": texts["a"]})
    nights.run(DATES[1], {"b": texts["b"], "c": texts["c"], "d": story(1, 0, 0)})
    assert sum(row[0] for row in nights.verdicts()[DATES[1]].values()) == 1
    one, two = nights.take([(texts["a"], 0.9)])
    assert (one.kept, one.taken_down, one.retracted, one.restored) == (0, 1, 1, 0)
    assert (two.kept, two.taken_down, two.retracted, two.restored) == (2, 1, 0, 1)
    row = nights.verdicts()[DATES[1]][identity(DATES[1], "b")]
    assert row[1:4] == ("taken_down", None, None)
    assert row[5] == stone_id(texts["a"], 0.9)


def test_an_undone_take_down_leaves_no_trace(tmp_path: Path) -> None:
    """Without the tombstone every verdict is what it was."""
    nights = Nights(tmp_path)
    nights.run(DATES[0], {"a": story(0, 0, 0), "b": story(0, 1, 0)})
    nights.run(DATES[1], {"c": story(0, 0, 2), "d": story(1, 0, 0)})
    before = {date: state.verdicts.sha256 for date, state in nights.states().items()}
    nights.take([(story(0, 0, 0), 0.75)])
    assert {date: state.verdicts.sha256 for date, state in nights.states().items()} != before
    nights.take([])
    assert {date: state.verdicts.sha256 for date, state in nights.states().items()} == before


@pytest.mark.parametrize("later", [0, 1])
def test_members_of_hot_buckets_are_taken_down(tmp_path: Path, later: int) -> None:
    """Where documents are tied and not compared in pairs, the first that is kept goes as well."""
    body = [f"hot{at}" for at in range(150)]
    pages = {f"p{at:03d}": " ".join([*body, str(at)]) for at in range(150)}
    corpus = {DATES[0]: pages, DATES[1]: pages | {"new": story(0, 0, 0)}}
    down = [(" ".join([*body[later * 40 :], "7"]), 0.98 - 0.4 * later)]
    nights = Nights(tmp_path)
    for date, dump in corpus.items():
        nights.run(date, dump)
    nights.take(down)
    assert nights.verdicts() == expected(corpus, down)
