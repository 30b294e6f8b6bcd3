"""Scope and survivors without a corpus, against the definition."""

from __future__ import annotations

from random import Random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup import deduplicate
from pipeline.model.rule import Rule
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
