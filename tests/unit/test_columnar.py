"""Parquet files: rows, however their texts are stored."""

from __future__ import annotations

import io
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest import footers
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


def stored(texts: list[str]) -> bytes:
    """Return a Parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.table({"text": texts}), file)
    return file.getvalue()


def read(raw: bytes) -> tuple[list[str], list[str]]:
    """Return the texts of a file, and why the rest is refused."""
    pieces = read_whole(raw, IngestSettings(), kind="parquet")
    texts = [piece.text for piece in pieces if piece.kind == "document"]
    return texts, [piece.reason for piece in pieces if piece.kind != "document"]


@pytest.mark.parametrize("tail", [b"\0" * 512, b"junk" * 30, b"\x10\0\0\0PAR1", b"PAR2", b"x"])
def test_bytes_behind_a_footer_cost_themselves_alone(tail: bytes) -> None:
    """The footer is looked for at the end of the file; all rows were lost."""
    assert read(stored(TEXTS) + tail) == (TEXTS, ["garbage_tail"])


@pytest.mark.parametrize("cut", [100, 300, 500])
def test_all_joined_files_are_read(cut: int) -> None:
    """The last footer told of the bytes of the first file: of two alike, one was read as both."""
    parts = [stored(TEXTS[:cut]), stored(TEXTS[cut:]), stored(TEXTS[:300])]
    assert read(b"".join(parts)) == (TEXTS + TEXTS[:300], [])


@pytest.mark.parametrize("fill", [b"\n", b"\r\n", b"\0" * 511])
def test_padding_between_joined_files_costs_nothing(fill: bytes) -> None:
    """The second was lost in silence: its footer was read with the bytes of the first."""
    parts = [stored(TEXTS[:300]), stored(TEXTS[300:]), stored(TEXTS)]
    assert read(fill.join(parts)) == (TEXTS + TEXTS, [])
    assert read(fill.join([*parts, b"PAR1"])) == (TEXTS + TEXTS, ["corrupt_parquet"])


def test_a_broken_file_among_joined_ones_costs_itself() -> None:
    """Its footer is broken, its end is not; another has no text, and the last has no end."""
    good, other = stored(TEXTS), io.BytesIO()
    at = len(good) - 7 - int.from_bytes(good[-8:-4], "little")
    broken = good[:at] + b"\xff" * 9 + good[at + 9 :]
    pq.write_table(pa.table({"name": TEXTS}), other)
    reasons = ["corrupt_parquet", "missing_text_column", "corrupt_parquet"]
    assert read(good + broken + other.getvalue() + good + good[:-9]) == (TEXTS + TEXTS, reasons)


def test_a_footer_is_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its length and the magic number may stand in two blocks that are searched."""
    monkeypatch.setattr(footers, "_BLOCK", 7)
    for more in range(7):
        assert read(stored(TEXTS) + stored(TEXTS[:9]) + b"x" * more)[0] == TEXTS + TEXTS[:9]
