"""Parquet files: rows, however their texts are stored."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.model.settings import IngestSettings
from tests.reading import read_whole

TEXTS = [f"The council met on day {number} and said so." for number in range(600)]


@pytest.mark.parametrize(
    "encoding", ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "RLE_DICTIONARY"]
)
def test_texts_are_read_in_every_encoding(encoding: str) -> None:
    """The library reads differences, but not as a dictionary; all rows were lost."""
    stored = io.BytesIO()
    chosen = None if encoding == "RLE_DICTIONARY" else {"text": encoding}
    pq.write_table(
        pa.table({"text": TEXTS, "id": [*range(600)]}),
        stored,
        use_dictionary=chosen is None,
        column_encoding=chosen,
        row_group_size=400,
    )
    pieces = read_whole(stored.getvalue(), IngestSettings(), kind="parquet")
    assert [piece.text for piece in pieces] == TEXTS
    assert pieces[-1].external_id == "599"
