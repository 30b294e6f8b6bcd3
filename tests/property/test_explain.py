"""`winnow explain --text` against what deduplication then does, on random corpora."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from pipeline.audit.would_be import Landing, explain_text
from pipeline.model.rule import Rule
from tests.decided import Dump, Nights, identity, source_of
from tests.drawn import DATES, dumps, rules, texts

OTHERS = ["2026-10-31", "2026-11-03", "2026-11-21"]

nights = st.dictionaries(st.sampled_from(DATES), st.tuples(dumps, rules), min_size=1)
landings = st.tuples(st.sampled_from("abc"), texts, rules, st.sampled_from(OTHERS))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(nights, landings)
def test_what_is_said_of_a_text_happens_when_it_lands(
    tmp_path: Path, nights: dict[str, tuple[Dump, Rule]], landing: tuple[str, str, Rule, str]
) -> None:
    """Kept or not, its witness with the similarity, and the documents whose place it takes."""
    name, text, rule, date = landing
    corpus = Nights(tmp_path)
    for night, (dump, own) in nights.items():
        corpus.run(night, dump, own)
    before = corpus.verdicts()
    place = Landing(rule, date, source_of(name))
    answers = explain_text(corpus.corpus, text, place, limit=100)
    corpus.run(date, {name: text}, rule)
    after = corpus.verdicts()
    kept, _, witness, witness_date, similarity = after[date][identity(date, name)]
    duplicates = [one for one in answers if one["duplicate"]]
    assert kept is not bool(duplicates)
    if duplicates:
        said = duplicates[0]["document"]
        assert (said["document_id"], said["dump_date"]) == (witness, witness_date)
        assert duplicates[0]["similarity"] == similarity
    taken = {one["document"]["document_id"] for one in answers if one["relation"] == "later"}
    lost = {
        document
        for night, rows in before.items()
        for document, row in rows.items()
        if row[0] and not after[night][document][0]
    }
    event("duplicate" if duplicates else "takes a place" if taken else "new")
    assert lost >= (set() if duplicates else taken)
    if duplicates:
        assert not lost
