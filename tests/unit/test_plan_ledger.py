"""The ledger: versions only grow, fates stay, nothing seen is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.files import ObjectInfo
from pipeline.plan import ledger
from pipeline.plan.discover import Source
from pipeline.storage.units import Corpus

DATE = "2026-11-21"
EMPTY = ledger.Ledger(dump_date=DATE, rows=())
LISTINGS = st.lists(
    st.dictionaries(st.sampled_from("kl"), st.sampled_from(["e1", "e2", "e3"])), max_size=8
)


def source(files: dict[str, str], waiting: str = "") -> Source:
    """Return a source that lists keys with ETags."""
    infos = tuple(ObjectInfo(key, 1, etag, 0.0) for key, etag in sorted(files.items()))
    return Source(name="s", files=infos, waiting=waiting)


def rows_of(book: ledger.Ledger) -> list[tuple[str, str, int, str]]:
    """Return the rows without their times."""
    return [(row.key, row.etag, row.version, row.state) for row in book.rows]


@settings(max_examples=150, deadline=None)
@given(listings=LISTINGS)
def test_versions_grow_by_one_and_never_change(listings: list[dict[str, str]]) -> None:
    """Per key the versions are 1..n in order of first sight; a version keeps its ETag."""
    book = EMPTY
    known: dict[tuple[str, int], str] = {}
    for now, files in enumerate(listings):
        book = ledger.observed(book, [source(files)], now=float(now))
        found = {(row.key, row.version): row.etag for row in book.rows}
        assert known.items() <= found.items()
        known = found
        here = {(row.key, row.etag) for row in book.rows if row.state != "gone"}
        assert here == set(files.items())
    for key in "kl":
        mine = [row for row in book.rows if row.key == key]
        assert [row.version for row in mine] == list(range(1, len(mine) + 1))
        assert [row.first_seen for row in mine] == sorted(row.first_seen for row in mine)


def test_a_changed_object_is_a_new_version() -> None:
    """The old version is kept as gone, the new one is numbered after it."""
    book = ledger.observed(EMPTY, [source({"k": "e1"})], now=1.0)
    book = ledger.observed(book, [source({"k": "e2"}, "uploading")], now=2.0)
    assert rows_of(book) == [("k", "e1", 1, "gone"), ("k", "e2", 2, "seen")]
    assert [(row.first_seen, row.last_seen) for row in book.rows] == [(1.0, 1.0), (2.0, 2.0)]


def test_a_published_file_stays_published_when_seen_again() -> None:
    """A listing does not undo what a commit said."""
    book = ledger.observed(EMPTY, [source({"k": "e1", "l": "e1"})], now=1.0)
    book = ledger.marked(book, {("k", "e1"): "published", ("never", "e1"): "published"})
    book = ledger.observed(book, [source({"k": "e1", "l": "e1"})], now=2.0)
    assert rows_of(book) == [("k", "e1", 1, "published"), ("l", "e1", 1, "stable")]


def test_an_unknown_state_is_refused() -> None:
    """A misspelt state never reaches the ledger."""
    with pytest.raises(ValueError, match="expected states"):
        ledger.marked(EMPTY, {("k", "e1"): "publishd"})  # type: ignore[dict-item]


def test_concurrent_writers_lose_nothing(memory_corpus: Corpus) -> None:
    """Eight writers mark eight files at once; all marks are there."""
    files = {f"k{number}": "e1" for number in range(8)}
    ledger.observe(memory_corpus, DATE, [source(files)], now=1.0)

    def mark(key: str) -> None:
        ledger.mark(memory_corpus, DATE, {(key, "e1"): "published"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(mark, files))
    states = [row.state for row in ledger.load(memory_corpus, DATE).rows]
    assert states == ["published"] * 8


def test_a_date_never_seen_has_an_empty_ledger(memory_corpus: Corpus) -> None:
    """Nothing seen is no error."""
    assert ledger.load(memory_corpus, DATE) == EMPTY
