"""Scope and survivors against the definition, on random histories of a corpus."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from pipeline.audit import anew, recompute, signed
from pipeline.model.finding import Finding
from pipeline.model.rule import Rule
from pipeline.publish.order import witnesses_come_first
from pipeline.publish.view import View
from pipeline.storage import snapshots
from tests.decided import CROWDED, Dump, Nights, by_classes, by_pairs, identity, story
from tests.drawn import DATES, dumps, rules

Night = tuple[str, Dump, Rule]

nights = st.tuples(st.sampled_from(DATES), dumps, rules)
relaxed = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def histories(draw: st.DrawFn, rules: st.SearchStrategy[Rule] = rules) -> list[list[Night]]:
    """Nights in any order, by those that run at once: new, repeated, changed, emptied, late."""
    last = {date: (date, draw(dumps), draw(rules)) for date in DATES}
    path: list[Night] = []
    for date in draw(st.permutations(DATES)):
        for kind in draw(st.lists(st.sampled_from(["changed", "emptied", "same"]), max_size=2)):
            dump = {"changed": draw(dumps), "emptied": {}, "same": last[date][1]}[kind]
            path.append((date, dump, draw(rules)))
        path.append(last[date])
    again = draw(st.lists(st.sampled_from(DATES), max_size=2))
    path.extend((date, draw(dumps), draw(rules)) for date in again)
    path.extend(last[date] for date in dict.fromkeys(again))
    steps: list[list[Night]] = []
    for night in path:
        apart = not steps or night[0] in {other[0] for other in steps[-1]}
        if apart or not draw(st.booleans()):
            steps.append([])
        steps[-1].append(night)
    return steps


def final(history: list[list[Night]]) -> dict[str, tuple[Dump, Rule]]:
    """What a history leaves of each date."""
    found = {date: (dump, rule) for step in history for date, dump, rule in step}
    return dict(sorted(found.items()))


def check(tmp_path: Path, history: list[list[Night]], *, shards: int = 2, ranges: int = 1) -> None:
    """Run a history, and its outcome in date order, and hold both to the definition."""
    corpus = final(history)
    winding = Nights(tmp_path, shards=shards, ranges=ranges)
    for step in history:
        winding.at_once(step)
    expected = by_pairs(
        {date: dump for date, (dump, _) in corpus.items()},
        {date: rule for date, (_, rule) in corpus.items()},
    )
    assert winding.verdicts() == expected
    assert audited(winding) == []
    straight = Nights(tmp_path, ranges=2)
    for date, (dump, rule) in corpus.items():
        straight.run(date, dump, rule)
    for date, state in straight.states().items():
        assert winding.states()[date].verdicts.sha256 == state.verdicts.sha256


def audited(nights: Nights) -> list[Finding]:
    """What is found before a commit, and by `winnow verify` when it decides everything anew."""
    snapshot = snapshots.current(nights.corpus)
    documents = signed.load(nights.corpus, snapshot)
    standing = anew.standing(nights.corpus, snapshot, documents)
    view = View(nights.corpus, snapshot)
    return [
        *(one for date in snapshot.dumps for one in witnesses_come_first(view, date)),
        *recompute.nothing_twice(documents, standing),
        *recompute.witnesses(documents, standing),
        *recompute.verdicts(documents, standing),
    ]


@relaxed
@given(histories(), st.integers(1, 3), st.integers(1, 2))
def test_promise_4_holds_for_nights_of_any_rules(
    tmp_path: Path, history: list[list[Night]], shards: int, ranges: int
) -> None:
    """Scopes, ranks and thresholds may differ from night to night; no order matters."""
    event(f"nights at once: {max(map(len, history))}")
    check(tmp_path, history, shards=shards, ranges=ranges)


@relaxed
@given(st.data(), rules)
def test_promise_4_holds_under_one_rule(tmp_path: Path, data: st.DataObject, rule: Rule) -> None:
    """Any history of nights under one scope and one order of survivors ends in the same bytes."""
    check(tmp_path, data.draw(histories(st.just(rule))))


@settings(parent=relaxed, max_examples=7)
@given(st.dictionaries(st.sampled_from(DATES), dumps))
def test_the_definition_by_pairs_is_that_by_classes(
    tmp_path: Path, corpus: dict[str, Dump]
) -> None:
    """Under default rules, classes across all dumps and classes of each dump decide alike."""
    del tmp_path
    ordered = dict(sorted(corpus.items()))
    assert by_pairs(ordered, dict.fromkeys(ordered, Rule())) == by_classes(ordered)


def kept(nights: Nights) -> dict[str, list[bool]]:
    """Which documents of each dump are kept, by id."""
    return {
        date: [rows[name][0] for name in sorted(rows)] for date, rows in nights.verdicts().items()
    }


def test_a_copy_out_of_scope_is_published_again(tmp_path: Path) -> None:
    """Within 4 days the second copy is a duplicate, after 19 days the third is not."""
    nights = Nights(tmp_path)
    for date in DATES:
        nights.run(date, {"a": story(0, 0, 0)}, Rule(scope=5))
    assert kept(nights) == dict(zip(DATES, ([True], [False], [False], [True]), strict=True))


def test_a_copy_follows_no_copy_to_a_witness_out_of_scope(tmp_path: Path) -> None:
    """The page of every third day is published again once its published copy is out of scope."""
    nights = Nights(tmp_path)
    dates = [f"2026-11-{day:02d}" for day in range(1, 14, 3)]
    for date in dates:
        nights.run(date, {"a": story(0, 0, 0)}, Rule(scope=5))
    assert list(kept(nights).values()) == [[True], [False], [True], [False], [True]]


def test_the_night_alone_is_a_scope(tmp_path: Path) -> None:
    """Copies within a night are removed, those of other nights stay."""
    nights = Nights(tmp_path)
    for date in reversed(DATES):
        decision = nights.run(date, {"a": story(0, 0, 0), "b": story(0, 0, 0)}, Rule(scope="night"))
        assert [dump.dump_date for dump in decision.touched] == [date]
        assert decision.touched[0].kept == 1


def test_the_narrower_scope_of_two_nights_counts(tmp_path: Path) -> None:
    """A night that looks at itself alone neither loses to, nor beats, one that looks at all."""
    nights = Nights(tmp_path)
    nights.run(DATES[0], {"a": story(0, 0, 0)}, Rule(scope="night"))
    nights.run(DATES[1], {"a": story(0, 0, 0)}, Rule(scope="all"))
    nights.run(DATES[2], {"a": story(0, 0, 0)}, Rule(scope="all"))
    assert list(kept(nights).values()) == [[True], [True], [False]]


def test_a_longer_text_takes_the_place_of_a_published_one(tmp_path: Path) -> None:
    """A new night retracts in an older one, and only there; when it goes, the old one is back."""
    rule = Rule(survivor="longest")
    nights = Nights(tmp_path)
    nights.run(DATES[0], {"a": story(0, 0, 0), "b": story(1, 0, 0)}, rule)
    nights.run(DATES[1], {"a": story(2, 0, 0)}, rule)
    longer = nights.run(DATES[2], {"a": story(0, 0, 0) + " and some words"}, rule)
    moved = [(dump.dump_date, dump.kept, dump.retracted) for dump in longer.touched]
    assert moved == [(DATES[2], 1, 0), (DATES[0], 1, 1)]
    gone = nights.run(DATES[2], {}, rule)
    moved = [(dump.dump_date, dump.kept, dump.restored) for dump in gone.touched]
    assert moved == [(DATES[2], 0, 0), (DATES[0], 2, 1)]


def test_a_shorter_text_of_a_new_night_touches_nothing_published(tmp_path: Path) -> None:
    """Under a rank too, other dumps are written again only if a verdict in them changed."""
    rule = Rule(survivor="longest")
    nights = Nights(tmp_path)
    nights.run(DATES[0], {"a": story(0, 0, 0) + " and some words", "b": story(0, 1, 0)}, rule)
    shorter = nights.run(DATES[1], {"a": story(0, 0, 0), "b": story(0, 0, 1)}, rule)
    assert [(dump.dump_date, dump.kept) for dump in shorter.touched] == [(DATES[1], 0)]


def test_a_named_source_wins_over_an_earlier_date(tmp_path: Path) -> None:
    """Of copies inside a night and across nights the one of the first named source stays."""
    rule = Rule(source_priority=("east", "north"))
    nights = Nights(tmp_path)
    text = story(0, 0, 0)  # sources by name: c north, a south, b east
    nights.run(DATES[0], {"a": text, "c": text}, rule)
    assert nights.verdicts()[DATES[0]][identity(DATES[0], "c")][0]
    nights.run(DATES[1], {"a": story(0, 1, 0), "b": text.upper(), "c": text}, rule)
    verdicts = nights.verdicts()
    east = identity(DATES[1], "b")
    rows = [row for found in verdicts.values() for name, row in found.items() if name != east]
    assert verdicts[DATES[1]][east][0]
    assert [(row[0], row[2]) for row in rows] == [(False, east)] * 4


def crowd(kind: str, size: int, *, longer: int = 0) -> Dump:
    """Variants of one boilerplate page of 150 words, of several sources and lengths."""
    body = [f"{kind}{at}" for at in range(150)]
    more = ["more"] * longer
    return {
        f"p{at:03d}": " ".join([*body, str(at), *more, *["x"] * (at % 5)]) for at in range(size)
    }


def test_hot_buckets_are_decided_by_the_definition_under_a_rank(tmp_path: Path) -> None:
    """Groups whose documents of two nights take turns in the order change no verdict."""
    rule = Rule(survivor="longest", source_priority=("east",), threshold=0.9)
    corpus = {
        DATES[0]: crowd("hot", 90),
        DATES[1]: crowd("hot", 90, longer=1) | {"new": story(0, 0, 0)},
        DATES[2]: crowd("hot", 80, longer=2),
    }
    expected = by_pairs(corpus, dict.fromkeys(corpus, rule))
    for path in (DATES[:3], [DATES[2], DATES[0], DATES[1]]):
        nights = Nights(tmp_path, sizes=CROWDED)
        nights.run(path[1], crowd("cold", 70), rule)
        ties = 0
        for date in path:
            for file in nights.run(date, corpus[date], rule).edges:
                scores = nights.corpus.read(file.file)["similarity"].to_numpy()
                ties += int((scores == 0).sum())
        assert ties > 300
        assert nights.verdicts() == expected
        assert audited(nights) == []
