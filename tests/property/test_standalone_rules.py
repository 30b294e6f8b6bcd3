"""Scope and survivors without a corpus, against the definition."""

from __future__ import annotations

from random import Random

import msgspec
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit import anew
from pipeline.dedup import deduplicate
from pipeline.dedup.apart import Standing
from pipeline.dedup.ranking import rank_of
from pipeline.dedup.settle import REASONS
from pipeline.model.rule import Rule, day, span
from pipeline.signature import sign
from tests.decided import Dump, by_pairs, identity, source_of
from tests.drawn import DATES, dumps, rules


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(DATES), dumps), rules, st.randoms(use_true_random=False))
def test_texts_are_decided_as_nights_of_one_rule(
    nights: dict[str, Dump], rule: Rule, chance: Random
) -> None:
    """Any order of rows gives the verdicts of a corpus of these nights."""
    corpus = dict(sorted(nights.items()))
    rows = [
        {"id": identity(date, name), "text": text, "dump_date": date, "source": source_of(name)}
        for date, dump in corpus.items()
        for name, text in dump.items()
    ]
    chance.shuffle(rows)
    verdicts = deduplicate(
        pa.Table.from_pylist(
            rows, pa.schema([(name, pa.string()) for name in ("id", "text", "dump_date", "source")])
        ),
        threshold=rule.threshold,
        scope=rule.scope,
        survivor=rule.survivor,
        source_priority=rule.source_priority,
    )
    found = {
        row["document_id"]: (row["kept"], row["reason"], row["witness_id"], row["similarity"])
        for row in verdicts.to_pylist()
    }
    expected = by_pairs(corpus, dict.fromkeys(corpus, rule))
    assert found == {
        name: (kept, reason, witness, similarity)
        for dump in expected.values()
        for name, (kept, reason, witness, _, similarity) in dump.items()
    }


unlimited = rules.map(lambda rule: msgspec.structs.replace(rule, scope="all"))
mixed = st.dictionaries(st.sampled_from(DATES), st.tuples(dumps, unlimited | rules), min_size=1)


@settings(max_examples=150, deadline=None)
@given(mixed | st.dictionaries(st.sampled_from(DATES), st.tuples(dumps, unlimited), min_size=1))
def test_nights_of_other_thresholds_are_decided_at_once(
    nights: dict[str, tuple[Dump, Rule]],
) -> None:
    """Verify decides stored signatures as the definition says, whatever it compares as a whole."""
    corpus = {date: nights[date][0] for date in sorted(nights)}
    by_date = {date: rule for date, (_, rule) in nights.items()}
    rows = sorted(
        (date, identity(date, name), text, source_of(name))
        for date, dump in corpus.items()
        for name, text in dump.items()
    )
    dates = [row[0] for row in rows]
    signed = sign(pa.array([row[2] for row in rows], pa.string()))
    rank = [
        int(rank_of(pa.array([row[3]]), signed.tokens[at : at + 1], by_date[row[0]])[0])
        for at, row in enumerate(rows)
    ]
    standing = Standing(
        by_date,
        np.array(dates, "U10"),
        np.array(rank, np.int64),
        np.array([day(date) for date in dates], np.int64),
        np.array([span(by_date[date]) for date in dates], np.int64),
    )
    state = anew.decide(signed, standing)
    found = {
        row[1]: (REASONS[reason], rows[witness][1] if witness >= 0 else None)
        for row, reason, witness in zip(rows, state.reason, state.witness, strict=True)
    }
    assert found == {
        name: (reason, witness)
        for dump in by_pairs(corpus, by_date).values()
        for name, (_, reason, witness, *_) in dump.items()
    }
