"""Parquet files: rows, however their texts are stored."""

from __future__ import annotations

import io
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.reader import UnreadableError
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


@pytest.mark.parametrize("bit", [0, 2, 4, 6])
def test_a_broken_footer_costs_its_file_and_not_the_process(bit: int) -> None:
    """Some broken statistics end the process when the library is asked for a column's encodings."""
    stored = io.BytesIO()
    pq.write_table(pa.table({"text": TEXTS, "id": [*range(600)]}), stored, row_group_size=400)
    raw = stored.getvalue()
    size = int.from_bytes(raw[-8:-4], "little")
    read = 0
    for at in range(len(raw) - 8 - size, len(raw) - 8):
        broken = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]
        with suppress(UnreadableError):
            read += bool(read_whole(broken, IngestSettings(), kind="parquet"))

    assert 0 < read < size
