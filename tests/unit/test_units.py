"""A unit is committed by its manifest, first one wins; data files are named by their bytes."""

from __future__ import annotations

import hashlib

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import CorruptError, MissingError
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus, concat, encode, open_corpus

TABLE = pa.table({"number": list(range(10_000)), "text": ["ü"] * 10_000})


class Manifest(msgspec.Struct, frozen=True):
    """A manifest of a stage of these tests."""

    attempt: int


def test_the_first_manifest_wins(memory_corpus: Corpus) -> None:
    """A second attempt gets the manifest of the first and must use it."""
    key = layout.unit("test", "f1")
    assert memory_corpus.finish(key, Manifest(1)) == Manifest(1)
    assert memory_corpus.finish(key, Manifest(2)) == Manifest(1)
    assert memory_corpus.load(key, Manifest) == Manifest(1)


def test_an_unfinished_unit_is_not_found(memory_corpus: Corpus) -> None:
    """Without its manifest a unit does not exist, whatever files it left."""
    memory_corpus.write("test", "f1", "rows", TABLE)
    assert memory_corpus.find(layout.unit("test", "f1"), Manifest) is None
    with pytest.raises(MissingError):
        memory_corpus.load(layout.unit("test", "f1"), Manifest)


def test_a_written_table_comes_back(memory_corpus: Corpus) -> None:
    """Whole, by columns, and in batches of the size asked for."""
    ref = memory_corpus.write("test", "f1", "rows", TABLE)
    assert memory_corpus.read(ref) == TABLE
    assert memory_corpus.read(ref, columns=["number"]) == TABLE.select(["number"])
    batches = list(memory_corpus.batches(ref, rows=3000))
    assert [batch.num_rows for batch in batches] == [3000, 3000, 3000, 1000]
    assert pa.Table.from_batches(batches) == TABLE


def test_data_files_are_named_by_their_bytes(memory_corpus: Corpus) -> None:
    """Equal tables are one object; the reference tells hash, size and rows of what is stored."""
    first = memory_corpus.write("test", "f1", "rows", TABLE)
    again = memory_corpus.write("test", "f1", "rows", TABLE)
    other = memory_corpus.write("test", "f1", "rows", TABLE.slice(1))
    data = memory_corpus.store.get(first.key)[0]
    assert first == again
    assert other.key != first.key
    assert (first.sha256, first.size, first.rows) == (
        hashlib.sha256(data).hexdigest(),
        len(data),
        10_000,
    )
    assert first.key == layout.data("test", "f1", "rows", first.sha256)
    assert len(list(memory_corpus.store.list(layout.DATA))) == 2


def test_adopting_leaves_no_local_file(memory_corpus: Corpus) -> None:
    """A file that is in the store is gone from the scratch folder."""
    path = memory_corpus.scratch_file()
    path.write_bytes(b"bytes")
    memory_corpus.adopt("test", "f1", "rows", path, 1)
    assert list(memory_corpus.scratch.iterdir()) == []


def test_damaged_bytes_are_not_read(memory_corpus: Corpus) -> None:
    """A stored file that differs from its reference raises, with the key in the message."""
    ref = memory_corpus.write("test", "f1", "rows", TABLE)
    memory_corpus.store.put(ref.key, b"PAR1" * 10)
    with pytest.raises(CorruptError, match=ref.key):
        memory_corpus.read(ref)


def test_saving_twice_is_saving_once(memory_corpus: Corpus) -> None:
    """An immutable value has one key, made from its hash."""
    first = memory_corpus.save({"b": 1, "a": 2}, lambda digest: f"values/{digest}")
    again = memory_corpus.save({"a": 2, "b": 1}, lambda digest: f"values/{digest}")
    assert first == again
    assert memory_corpus.store.get(first.key)[0] == encode({"a": 2, "b": 1})
    assert hashlib.sha256(encode({"a": 2, "b": 1})).hexdigest() == first.sha256


def test_the_scratch_folder_goes_with_the_corpus() -> None:
    """Nothing is left on the worker's disk."""
    with open_corpus(MemoryStore()) as corpus:
        scratch = corpus.scratch
        corpus.scratch_file()
        assert scratch.is_dir()
    assert not scratch.exists()


def test_no_tables_concatenate_to_an_empty_one() -> None:
    """The schema survives without rows."""
    assert concat([], TABLE.schema) == TABLE.schema.empty_table()
    assert concat([TABLE, TABLE], TABLE.schema).num_rows == 20_000


def test_scratch_folder_is_bounded(memory_corpus: Corpus) -> None:
    """Downloads beyond the limit are removed, least recently read first; open ones can be read."""
    tables = [pa.table({"number": [number] * 100}) for number in range(4)]
    refs = [memory_corpus.write("test", f"f{at}", "rows", table) for at, table in enumerate(tables)]
    limit = refs[0].size * 2 + refs[0].size // 2
    corpus = Corpus(memory_corpus.store, memory_corpus.scratch, scratch_bytes=limit)
    opened = corpus.batches(refs[0])
    first = next(opened)
    for ref in (refs[1], refs[2], refs[1], refs[3]):
        corpus.read(ref)
    held = {path.name for path in corpus.scratch.iterdir()}
    assert held == {refs[1].sha256, refs[3].sha256}
    assert pa.Table.from_batches([first, *opened]) == tables[0]
    assert [corpus.read(ref) for ref in refs] == tables


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_whatever_is_read_and_removed_the_scratch_folder_is_bounded(
    memory_corpus: Corpus, steps: list[tuple[bool, int]]
) -> None:
    """Also when files were there before, or others remove some that come again."""
    refs = [
        memory_corpus.write("test", f"f{at}", "rows", pa.table({"number": [at] * 100 * (at + 1)}))
        for at in range(6)
    ]
    for path in memory_corpus.scratch.iterdir():
        path.unlink()
    memory_corpus.read(refs[0])
    limit = sum(ref.size for ref in refs[:4])
    corpus = Corpus(memory_corpus.store, memory_corpus.scratch, scratch_bytes=limit)
    for remove, at in steps:
        path = corpus.scratch / refs[at].sha256
        if remove:
            path.unlink(missing_ok=True)
        else:
            assert corpus.fetch(refs[at]) == path
            assert path.is_file()
        assert sum(one.stat().st_size for one in corpus.scratch.iterdir()) <= limit


def test_a_file_larger_than_the_scratch_limit_is_read(memory_corpus: Corpus) -> None:
    """The file that is being read stays, whatever the limit."""
    ref = memory_corpus.write("test", "f1", "rows", TABLE)
    corpus = Corpus(memory_corpus.store, memory_corpus.scratch, scratch_bytes=1)
    assert corpus.read(ref) == TABLE
    assert corpus.fetch(ref).is_file()


def test_a_manifest_that_is_none_says_what_to_do(memory_corpus: Corpus) -> None:
    """Garbage in place of a manifest is a damaged object and no unfinished unit."""
    key = layout.unit("test", "f1")
    memory_corpus.store.put(key, b"garbage")
    with pytest.raises(CorruptError, match="`winnow heal`"):
        memory_corpus.find(key, Manifest)
