"""Verifying a published corpus finds every kind of damage under the promise that it breaks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyarrow as pa
import pytest

from pipeline.errors import ConfigError, MissingError
from pipeline.model.finding import PROMISES
from pipeline.model.snapshot import DumpRef, DumpState, Partition
from pipeline.publish.leaves import files, leaves
from pipeline.publish.promote import promote
from pipeline.publish.shared import passages_hold
from pipeline.publish.verify import verify_checks, verify_rows, verify_store, verify_trees
from pipeline.publish.view import View
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus
from tests.publishing import Doc, make_night, publish_night

DATE = "2026-11-20"


@pytest.fixture
def corpus(memory_corpus: Corpus) -> Corpus:
    """Return a corpus with one promoted night of three documents in two languages."""
    publish_night(memory_corpus, make_night(memory_corpus, DATE, [[Doc(), Doc()], [Doc("deu")]]))
    promote(memory_corpus)
    return memory_corpus


def view(corpus: Corpus) -> View:
    """Look at the current snapshot."""
    return View(corpus, snapshots.current(corpus), threshold=0.75)


def state_of(corpus: Corpus) -> DumpState:
    """Return the state of the one dump."""
    return view(corpus).state(DATE)


def with_documents(corpus: Corpus, change: Callable[[pa.Table], pa.Table]) -> View:
    """Return a view in which the rows of one partition were changed."""
    state = state_of(corpus)
    part = state.documents[-1]
    file = corpus.write("test", "broken", "part", change(corpus.read(part.files[0])))
    broken = msgspec.structs.replace(
        state, documents=(*state.documents[:-1], Partition(part.language, (file,)))
    )
    ref = DumpRef(
        generation=state.generation,
        state=corpus.save(broken, lambda digest: layout.state(DATE, digest)),
        settings="",
    )
    live = snapshots.current(corpus)
    return View(corpus, msgspec.structs.replace(live, dumps={DATE: ref}), threshold=0.75)


def test_sound_corpus_has_no_findings(corpus: Corpus) -> None:
    """A corpus as published verifies."""
    for verify in (verify_checks, verify_rows, verify_store, verify_trees):
        assert list(verify(view(corpus))) == []


@pytest.mark.parametrize(
    ("promises", "change"),
    [
        ([1], lambda table: table.slice(1)),
        ([2], lambda table: pa.concat_tables([table, table.slice(1)])),
        ([1, 2], lambda table: table.set_column(0, table.field(0), [["ab" * 16, "cd" * 16]])),
        ([5], lambda table: table.drop_columns(["url"])),
    ],
)
def test_published_rows_that_are_not_the_kept_documents(
    corpus: Corpus, promises: list[int], change: Callable[[pa.Table], pa.Table]
) -> None:
    """Lost, doubled and foreign rows and another schema are found."""
    found = list(verify_rows(with_documents(corpus, change)))
    assert [finding.promise for finding in found] == promises


def test_checks_are_repeated(corpus: Corpus) -> None:
    """What the commit checks is verified again: here rows that are fewer than kept documents."""
    found = list(verify_checks(with_documents(corpus, lambda table: table.slice(1))))
    assert ["expected 3 published rows, found 2" in finding.detail for finding in found] == [True]


@pytest.mark.parametrize(
    ("promise", "pick"),
    [
        (5, lambda state: state.verdicts.key),
        (5, lambda state: state.quarantine.key),
        (5, lambda state: state.runs[0].key),
        (4, lambda state: state.index[0].key),
        (5, lambda state: state.documents[0].files[0].key),
        (1, lambda state: state.shard_manifests[0].key),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "flipped"])
def test_damaged_store_files(
    corpus: Corpus, promise: int, pick: Callable[[DumpState], str], damage: str
) -> None:
    """Any file that the snapshot names is found when it is gone or one bit of it changed."""
    key = pick(state_of(corpus))
    data = bytearray(corpus.store.get(key)[0])
    data[len(data) // 2] ^= 1
    if damage == "missing":
        corpus.store.delete([key])
    else:
        corpus.store.put(key, bytes(data))
    (found,) = verify_store(view(corpus))
    assert (found.promise, found.name) == (promise, PROMISES[promise])
    assert found.detail.startswith(f"{key}: expected ")


def test_missing_state_is_a_finding(corpus: Corpus) -> None:
    """A state object that is gone is reported and does not stop the verification."""
    key = snapshots.current(corpus).dumps[DATE].state.key
    corpus.store.delete([key])
    (found,) = verify_store(view(corpus))
    assert found.detail.startswith(f"{key}: expected ")


def test_damaged_trees(corpus: Corpus) -> None:
    """Missing, changed and surplus objects of the trees are named with the way to heal them."""
    gone = layout.tree("verdicts", DATE) + layout.part(0)
    flipped = layout.tree("documents", DATE, "eng") + layout.part(0)
    surplus = "documents/notes.txt"
    data = bytearray(corpus.store.get(flipped)[0])
    data[10] ^= 1
    corpus.store.put(flipped, bytes(data))
    corpus.store.put(surplus, b"mine")
    corpus.store.delete([gone])
    found = [finding.detail for finding in verify_trees(view(corpus))]
    assert [detail.split(":")[0] for detail in found] == [surplus, flipped, gone]
    remedies = ["delete it", "`winnow promote --full` heals it", "`winnow promote --full` heals it"]
    assert [detail.rsplit("; ", 1)[1] for detail in found] == remedies
    promote(corpus, full=True)
    assert [finding.detail.split(":")[0] for finding in verify_trees(view(corpus))] == [surplus]


def test_run_that_committed_twice_has_two_files(corpus: Corpus) -> None:
    """A run that committed again after a rollback does not overwrite its first row."""
    state = state_of(corpus)
    twice = msgspec.structs.replace(state, runs=state.runs * 2)
    names = list(leaves(twice)[layout.tree("runs", DATE)])
    assert names == ["run-run.parquet", "run-run.2.parquet"]


def test_files_of_an_unknown_table_or_dump(corpus: Corpus) -> None:
    """A strict reader is told what there is."""
    with pytest.raises(ConfigError, match="documents, verdicts, quarantine, runs"):
        files(corpus, "edges")
    with pytest.raises(MissingError, match="expected dump 1999-01-01"):
        files(corpus, "documents", "1999-01-01")


def _with(table: pa.Table, **columns: list[object]) -> pa.Table:
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(name)
        table = table.set_column(place, field, pa.array(values, field.type))
    return table


def test_container_is_another_published_document_of_the_night(corpus: Corpus) -> None:
    """Promise 4: a container that is not published, or the document itself, is found."""
    rows = with_documents(corpus, lambda table: table)
    ids = [
        one
        for part in state_of(corpus).documents
        for one in corpus.read(part.files[0])["document_id"].to_pylist()
    ]
    own = corpus.read(state_of(corpus).documents[-1].files[0])["document_id"].to_pylist()
    other = next(one for one in ids if one not in own)
    assert list(passages_hold(rows, DATE)) == []
    for container, wrong in ((other, 0), (own[0], 1), ("0" * 32, 1)):
        values = [container, *[None] * (len(own) - 1)]
        broken = with_documents(corpus, lambda table, v=values: _with(table, contained_in=v))
        found = list(passages_hold(broken, DATE))
        assert [one.promise for one in found] == [4] * wrong


def test_repeated_spans_lie_in_their_text(corpus: Corpus) -> None:
    """Promise 4: a span beyond the end of its text, or without a character, is found."""
    table = corpus.read(state_of(corpus).documents[-1].files[0])
    size = table["char_count"][0].as_py()
    for start, end, wrong in ((0, size, 0), (0, size + 1, 1), (2, 2, 1)):
        spans = [[{"start": start, "end": end, "documents": 5}], *[[]] * (table.num_rows - 1)]
        broken = with_documents(corpus, lambda rows, v=spans: _with(rows, repeated_spans=v))
        found = list(passages_hold(broken, DATE))
        assert [one.promise for one in found] == [4] * wrong
