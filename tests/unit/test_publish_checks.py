"""Each check before publishing finds the one thing that it is there for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from pipeline.errors import ContractError, CorruptError
from pipeline.model.finding import Finding
from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import FileCounts
from pipeline.model.schemas import QUARANTINE, VERDICTS
from pipeline.model.snapshot import EMPTY, DumpRef, DumpState, Snapshot
from pipeline.publish import books, checks, order
from pipeline.publish.view import View
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus
from tests.publishing import Doc, ids_of, make_night, publish_night

DATE = "2026-11-20"
LATER = "2026-11-21"
THRESHOLD = 0.72


def good_night(corpus: Corpus) -> Snapshot:
    """Publish two nights: the later one has a copy of the earlier one's document."""
    publish_night(corpus, make_night(corpus, DATE, [[Doc(hole=5), Doc("deu")], [Doc()]]))
    parent = snapshots.current(corpus)
    witness = (DATE, ids_of(DATE, 1, [Doc()])[0])
    shards = [[Doc(), Doc(witness=witness, reason="near", similarity=0.8)]]
    edge = (DATE, witness[1], LATER, ids_of(LATER, 0, shards[0])[1])
    night = make_night(corpus, LATER, shards, parent=parent, edges=[edge], run_id="later")
    return publish_night(corpus, night)


def changed(corpus: Corpus, date: str, change: Callable[[DumpState], DumpState]) -> View:
    """Return a view in which one dump's state was changed behind the back of the stages."""
    snapshot = snapshots.current(corpus)
    state = change(snapshots.load_state(corpus, snapshot, date))
    ref = DumpRef(
        generation=state.generation,
        state=corpus.save(state, lambda digest: layout.state(date, digest)),
        settings=snapshot.dumps[date].settings,
    )
    dumps = snapshot.dumps | {date: ref}
    return View(corpus, msgspec.structs.replace(snapshot, dumps=dumps), threshold=THRESHOLD)


def findings(view: View, date: str) -> list[Finding]:
    """Run all checks on one dump."""
    return [finding for check in checks.CHECKS for finding in check(view, date)]


def with_rows(corpus: Corpus, table: str, edit: Callable[[list[dict[str, Any]]], object]) -> Any:
    """Return a change that edits the rows of a dump's verdicts or quarantine."""
    schema = {"verdicts": VERDICTS, "quarantine": QUARANTINE}[table]

    def change(state: DumpState) -> DumpState:
        rows = corpus.read(getattr(state, table)).to_pylist()
        edit(rows)
        ref = corpus.write("test", "broken", table, pa.Table.from_pylist(rows, schema=schema))
        return msgspec.structs.replace(state, **{table: ref})

    return change


def with_counts(**numbers: int) -> Callable[[DumpState], DumpState]:
    """Return a change of the dump's counts."""
    return lambda state: msgspec.structs.replace(
        state, counts=msgspec.structs.replace(state.counts, **numbers)
    )


def with_books(**numbers: int) -> Callable[[DumpState], DumpState]:
    """Return a change of the first file's books."""

    def change(state: DumpState) -> DumpState:
        first: FileCounts = msgspec.structs.replace(state.file_counts[0], **numbers)
        return msgspec.structs.replace(state, file_counts=(first, *state.file_counts[1:]))

    return change


def without_partition(state: DumpState) -> DumpState:
    """Lose one partition."""
    return msgspec.structs.replace(state, documents=state.documents[1:])


def doubled_partition(state: DumpState) -> DumpState:
    """Publish one partition twice."""
    return msgspec.structs.replace(state, documents=(state.documents[0], *state.documents))


def without_file(state: DumpState) -> DumpState:
    """Forget that a file was planned."""
    return msgspec.structs.replace(state, files=state.files[1:])


def test_sound_nights_have_no_findings(memory_corpus: Corpus) -> None:
    """What was published passes all checks again."""
    view = View(memory_corpus, good_night(memory_corpus), threshold=THRESHOLD)
    assert findings(view, DATE) + findings(view, LATER) == []


@pytest.mark.parametrize(
    ("promise", "detail", "change"),
    [
        (1, "unread, and 221 characters", with_books(chars=221)),
        (1, "expected 230 bytes", with_books(stored_bytes=230)),
        (1, "not planned", without_file),
        (1, "expected 4 documents, verdicts say 3", with_counts(documents=4)),
        (1, "expected kept = 2, found 3", with_counts(kept=2)),
        (1, "expected dropped_near = 1, found 0", with_counts(dropped_near=1)),
        (1, "expected 3 published rows, found 2", without_partition),
        (2, "expected one partition a language", doubled_partition),
    ],
)
def test_states_that_do_not_add_up(
    memory_corpus: Corpus, promise: int, detail: str, change: Callable[[DumpState], DumpState]
) -> None:
    """Numbers of a state that disagree are found under the promise that they break."""
    good_night(memory_corpus)
    found = findings(changed(memory_corpus, DATE, change), DATE)
    assert [one.promise for one in found if detail in one.detail] == [promise]


@pytest.mark.parametrize(
    ("detail", "table", "edit"),
    [
        ("gaps or overlap", "verdicts", lambda rows: rows[0].update(char_start=11)),
        ("gaps or overlap", "verdicts", lambda rows: rows[0].update(char_end=109)),
        ("gaps or overlap", "quarantine", lambda rows: rows.pop(0)),
        ("gaps or overlap", "quarantine", lambda rows: rows.append(rows[0])),
        ("do not lie inside", "quarantine", lambda rows: rows[1].update(document_id="0" * 32)),
        ("do not lie inside", "quarantine", lambda rows: rows[1].update(char_start=8)),
        ("(100, 10, 0)", "quarantine", lambda rows: rows[-1].update(kind="quarantine")),
        ("0 unread bytes", "quarantine", lambda rows: rows[0].update(stored_bytes=3)),
        ("a file without books", "quarantine", lambda rows: rows[0].update(dump_file="else")),
    ],
)
def test_spans_that_do_not_tile(
    memory_corpus: Corpus, detail: str, table: str, edit: Callable[[list[dict[str, Any]]], object]
) -> None:
    """A gap, an overlap, a stray or a misplaced span breaks promise 1."""
    good_night(memory_corpus)
    view = changed(memory_corpus, DATE, with_rows(memory_corpus, table, edit))
    found = list(books.spans_tile(view, DATE))
    assert {one.promise for one in found} == {1}
    assert any(detail in one.detail for one in found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"witness_id": None},
        {"similarity": 0.7},
        {"similarity": None},
        {"witness_dump_date": "2026-11-22"},
        {"witness_dump_date": None},
        {"witness_id": "0" * 32},
        {"witness_dump_date": "2026-11-19"},
        {"witness_dump_date": LATER, "witness_id": "f" * 32},
    ],
)
def test_dropped_documents_without_a_sound_witness(
    memory_corpus: Corpus, wrong: dict[str, Any]
) -> None:
    """A dropped document whose witness is missing, later, unlike or not kept breaks promise 3."""
    good_night(memory_corpus)

    def edit(rows: list[dict[str, Any]]) -> None:
        next(row for row in rows if not row["kept"]).update(wrong)

    view = changed(memory_corpus, LATER, with_rows(memory_corpus, "verdicts", edit))
    assert [one.promise for one in checks.witnesses_hold(view, LATER)] == [3]


def test_witness_that_was_itself_dropped(memory_corpus: Corpus) -> None:
    """A chain of removals is found: the witness exists but is not kept."""
    good_night(memory_corpus)

    def edit(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.update(kept=False)

    view = changed(memory_corpus, DATE, with_rows(memory_corpus, "verdicts", edit))
    (found,) = checks.witnesses_hold(view, LATER)
    assert "1 witnesses in 2026-11-20 are not kept there" in found.detail


@pytest.mark.parametrize("date", [DATE, LATER])
def test_near_duplicates_kept_on_both_sides(memory_corpus: Corpus, date: str) -> None:
    """A live edge between two kept documents breaks promise 2, seen from either dump."""
    good_night(memory_corpus)

    def edit(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.update(kept=True)

    view = changed(memory_corpus, LATER, with_rows(memory_corpus, "verdicts", edit))
    (found,) = checks.no_kept_pairs(view, date)
    assert (found.promise, found.name) == (2, "nothing twice")
    assert "1 near-duplicate pairs are both kept" in found.detail


@pytest.mark.parametrize(
    ("rules", "promises"), [((0.75, 0.75), []), ((0.75, 0.9), []), ((0.9, 0.75), [3])]
)
def test_a_witness_is_as_similar_as_its_dump_asks(
    memory_corpus: Corpus, rules: tuple[float, float], promises: list[int]
) -> None:
    """A similarity of 0.8 is too little where the dump of the witness asks for 0.9."""
    snapshot = good_night(memory_corpus)
    dumps = {
        date: msgspec.structs.replace(snapshot.dumps[date], threshold=rule)
        for date, rule in zip((DATE, LATER), rules, strict=True)
    }
    view = View(memory_corpus, msgspec.structs.replace(snapshot, dumps=dumps))
    assert [one.promise for one in checks.witnesses_hold(view, LATER)] == promises


LONGEST = {"survivor": "longest"}
NAMED = {"source_priority": ("south", "wire")}


@pytest.mark.parametrize(
    ("earlier", "later", "edit", "broken"),
    [
        pytest.param({}, {}, {"source": "south"}, 0, id="no rank"),
        pytest.param(NAMED, NAMED, {}, 0, id="of one source the earlier date"),
        pytest.param(NAMED, NAMED, {"source": "south"}, 1, id="a better source is dropped"),
        pytest.param(NAMED, NAMED, {"source": "north"}, 0, id="a source that is not named"),
        pytest.param(LONGEST, LONGEST, {}, 0, id="the witness may be longer"),
        pytest.param({}, LONGEST, {}, 0, id="ranked behind a night without ranks"),
        pytest.param(LONGEST, {}, {}, 1, id="before a night that ranks"),
        pytest.param(LONGEST, {}, {"reason": "exact"}, 1, id="an exact copy as well"),
    ],
)
def test_a_witness_comes_first_in_rank(
    memory_corpus: Corpus,
    earlier: dict[str, Any],
    later: dict[str, Any],
    edit: dict[str, str],
    broken: int,
) -> None:
    """Order by source, and by length where that is known, is looked at before a commit."""
    good_night(memory_corpus)

    def change(rows: list[dict[str, Any]]) -> None:
        next(row for row in rows if not row["kept"]).update(edit)

    view = changed(memory_corpus, LATER, with_rows(memory_corpus, "verdicts", change))
    dumps = {
        DATE: msgspec.structs.replace(view.snapshot.dumps[DATE], **earlier),
        LATER: msgspec.structs.replace(view.snapshot.dumps[LATER], **later),
    }
    mixed = View(memory_corpus, msgspec.structs.replace(view.snapshot, dumps=dumps))
    found = [one for one in findings(mixed, LATER) if "come after" in one.detail]
    assert [one.promise for one in found] == [3] * broken


@pytest.mark.parametrize(
    ("rule", "reason", "broken"),
    [(NAMED, "near", 1), (NAMED, "exact", 1), (LONGEST, "exact", 1), (LONGEST, "near", 0)],
)
def test_a_witness_of_equal_rank_is_earlier(
    memory_corpus: Corpus, rule: dict[str, Any], reason: str, broken: int
) -> None:
    """Of equal sources and lengths the date and the id decide; a near copy's length is unknown."""
    good_night(memory_corpus)
    row = {
        "kept": False,
        "reason": reason,
        "similarity": 1.0,
        "witness_id": ids_of(LATER, 0, [Doc()])[0],
        "witness_dump_date": LATER,
    }
    change = with_rows(memory_corpus, "verdicts", lambda rows: rows[0].update(row))
    view = changed(memory_corpus, DATE, change)
    dumps = {
        date: msgspec.structs.replace(ref, **rule) for date, ref in view.snapshot.dumps.items()
    }
    ranked = View(memory_corpus, msgspec.structs.replace(view.snapshot, dumps=dumps))
    assert [one.promise for one in order.witnesses_come_first(ranked, DATE)] == [3] * broken


@pytest.mark.parametrize(("rules", "broken"), [((0.75, 0.75), 1), ((0.75, 1), 0), ((1, 0.75), 0)])
def test_a_pair_counts_when_it_is_similar_enough_for_both_dumps(
    memory_corpus: Corpus, rules: tuple[float, float], broken: int
) -> None:
    """Of two dumps with different thresholds the stricter one is right."""
    good_night(memory_corpus)

    def edit(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.update(kept=True)

    view = changed(memory_corpus, LATER, with_rows(memory_corpus, "verdicts", edit))
    dumps = {
        date: msgspec.structs.replace(view.snapshot.dumps[date], threshold=rule)
        for date, rule in zip((DATE, LATER), rules, strict=True)
    }
    mixed = View(memory_corpus, msgspec.structs.replace(view.snapshot, dumps=dumps))
    assert len(list(checks.no_kept_pairs(mixed, LATER))) == broken


def test_edges_of_replaced_generations_do_not_count(memory_corpus: Corpus) -> None:
    """An edge to a generation that is no longer live says nothing about the present one."""
    good_night(memory_corpus)

    def other(state: DumpState) -> DumpState:
        return msgspec.structs.replace(state, generation="replaced")

    assert list(checks.no_kept_pairs(changed(memory_corpus, DATE, other), LATER)) == []


def test_repeated_verdicts_are_found(memory_corpus: Corpus) -> None:
    """A document with two verdicts breaks promise 2."""
    good_night(memory_corpus)
    change = with_rows(memory_corpus, "verdicts", lambda rows: rows.insert(0, rows[0]))
    found = list(checks.verdicts_add_up(changed(memory_corpus, DATE, change), DATE))
    assert "1 verdicts repeat an id" in found[0].detail


def test_findings_refuse_the_commit(memory_corpus: Corpus) -> None:
    """A night that breaks a promise is refused with promise, dump and numbers; nothing moves."""
    made = make_night(memory_corpus, DATE, [[Doc(), Doc("deu")]])
    message = r"promise 1 \(nothing is lost\): 2026-11-20: expected 2 published rows, found 1"
    with pytest.raises(ContractError, match=message):
        publish_night(memory_corpus, made, published=made.published[:1])
    assert snapshots.current(memory_corpus) == EMPTY


def test_refusal_shows_few_findings_and_counts_the_rest() -> None:
    """A refusal stays readable however much is wrong."""
    with pytest.raises(ContractError, match=r"detail 4; and 3 more\. Nothing was published"):
        checks.refuse([Finding(1, "nothing is lost", f"detail {number}") for number in range(8)])


@pytest.mark.parametrize("ids", [["ab"], ["0" * 31 + "x"], ["0" * 30, "0" * 34]])
def test_ids_of_another_shape_are_refused(ids: list[str]) -> None:
    """Ids that are not 32 hex digits are an error and not a silent mismatch."""
    with pytest.raises(CorruptError, match="32 hex digits"):
        id_bytes(pa.array(ids))


def test_ids_as_text_and_as_bytes_are_equal() -> None:
    """Hex text and raw bytes give the same values, also for slices and for trailing zeros."""
    texts = ["00" * 16, "ab" * 15 + "00", "0f" * 16]
    raw = pa.array([bytes.fromhex(text) for text in texts], pa.binary(16))
    expected = id_bytes(pa.array(texts))[1:]
    assert id_bytes(pa.array(texts)[1:]).tolist() == expected.tolist()
    assert id_bytes(raw[1:]).tolist() == expected.tolist()
