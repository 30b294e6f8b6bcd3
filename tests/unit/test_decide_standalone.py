"""Deduplicating without a corpus."""

from __future__ import annotations

from cProfile import Profile

import pyarrow as pa
import pytest

from pipeline.dedup.standalone import SCHEMA, deduplicate
from pipeline.errors import InputError
from pipeline.model.settings import DedupSettings

BODY = " ".join(f"word{at}" for at in range(60))
SETTINGS = DedupSettings()


def batch(**columns: list[str | None]) -> pa.RecordBatch:
    """A batch of string columns."""
    return pa.RecordBatch.from_pydict(
        {name: pa.array(values, pa.string()) for name, values in columns.items()}
    )


def test_verdicts_come_in_input_order_with_witness_and_similarity() -> None:
    """The earliest by date wins, whatever order documents come in."""
    batches = [
        batch(id=["new", "copy"], text=[f"{BODY} more", BODY.upper()], dump_date=["2", "2"]),
        batch(
            id=["old", "other", "tiny", "b"],
            text=[BODY, "a b", "A, B!", "c"],
            dump_date=list("1234"),
        ),
    ]
    table = deduplicate(batches, settings=SETTINGS)
    assert table.schema == SCHEMA
    rows = [tuple(row.values()) for row in table.to_pylist()]
    score = rows[0][4]
    assert rows == [
        ("new", False, "near", "old", score),
        ("copy", False, "exact", "old", 1.0),
        ("old", True, "unique", None, None),
        ("other", True, "unique", None, None),
        ("tiny", False, "exact", "other", 1.0),
        ("b", True, "unique", None, None),
    ]
    assert 0.9 < score < 1


def test_without_dates_ids_decide_by_their_bytes() -> None:
    """`Z` comes before `a`, and `é` after both."""
    table = deduplicate([batch(id=["é", "a", "Z"], text=[BODY] * 3)], settings=SETTINGS)
    assert table["witness_id"].to_pylist() == ["Z", "Z", None]


def test_the_threshold_is_a_setting() -> None:
    """At 1.0 only what cannot be told apart counts as a near-duplicate."""
    batches = [batch(id=["a", "b"], text=[BODY, f"{BODY} more words at the end of it"])]
    strict = deduplicate(batches, settings=DedupSettings(threshold=1.0))
    assert strict["kept"].to_pylist() == [True, True]
    assert deduplicate(batches, settings=SETTINGS)["kept"].to_pylist() == [True, False]


def test_nothing_in_nothing_out() -> None:
    """No batches give an empty table of the right schema."""
    assert deduplicate([], settings=SETTINGS) == SCHEMA.empty_table()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"]}, "expected columns id and text"),
        ({"id": ["a", None], "text": ["x", "y"]}, "found 1 nulls"),
        ({"id": ["a", "a"], "text": ["x", "y"]}, "found 'a' twice"),
        ({"id": ["a"], "text": [None]}, "found 1 nulls"),
    ],
)
def test_bad_input_is_refused(columns: dict[str, list[str | None]], message: str) -> None:
    """Missing columns, nulls and repeated ids are errors that name what was found."""
    with pytest.raises(InputError, match=message):
        deduplicate([batch(**columns)], settings=SETTINGS)


def test_one_id_may_come_once_a_date() -> None:
    """A page scraped on two dates is two documents."""
    batches = [batch(id=["a", "a"], text=[BODY, BODY], dump_date=["2", "1"])]
    assert deduplicate(batches, settings=SETTINGS)["kept"].to_pylist() == [False, True]


def test_it_can_be_profiled() -> None:
    """What a profiler holds of the growing arrays keeps none of them from growing."""
    batches = [batch(id=["a"], text=[BODY]), batch(id=["b"], text=[BODY])]
    profiled = Profile().runcall(deduplicate, batches, settings=SETTINGS)
    assert profiled["kept"].to_pylist() == [True, False]
