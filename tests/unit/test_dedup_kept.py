"""`winnow dedup --kept` on files that it would replace, that change, or that it cannot copy."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from rich.progress import Progress

from pipeline.cli import dedup_files, kept_rows, packing
from pipeline.dedup import standalone
from pipeline.errors import InputError
from pipeline.model.settings import DedupSettings


def run(out: Path, file: Path, *, keep: bool) -> None:
    """Deduplicate a file."""
    dedup_files.run([file], out, settings=DedupSettings(), keep=keep, as_json=True)


def test_copies_do_not_replace_what_they_are_copied_from(tmp_path: Path) -> None:
    """What an earlier call kept is deleted first; if it is what is to be read, it stays."""
    first = pa.table({"id": ["a", "b"], "text": ["one two three", "four five six"]})
    pq.write_table(first, tmp_path / "texts.parquet")
    run(tmp_path, tmp_path / "texts.parquet", keep=True)
    kept, link = tmp_path / "kept/part-00000.parquet", tmp_path / "link"
    link.symlink_to(kept)
    for path in (kept, link):
        with pytest.raises(InputError, match=r"expected files outside .*kept, .* another folder"):
            run(tmp_path, path, keep=True)
        run(tmp_path, path, keep=False)
    own = kept.rename(kept.with_name("own.parquet"))
    run(tmp_path, own, keep=True)
    assert pq.read_table(own) == pq.read_table(kept) == first


def _rows(path: Path, second: str) -> None:
    """Write three rows of one size, as lines or as a table that is not compressed."""
    texts = ["one two three", second, "seven eight nine"]
    rows = [{"id": name, "text": text} for name, text in zip("abc", texts, strict=True)]
    if path.name == "lines":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path, compression="none")


@pytest.mark.parametrize("name", ["lines", "table"])
@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_written_anew_between_the_passes_is_refused(
    tmp_path: Path, name: str, *, in_place: bool
) -> None:
    """Its verdicts are about other texts, though it has as many rows and bytes as before."""
    path, other = tmp_path / name, tmp_path / "other" / name
    _rows(path, "four five six")
    os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**6))  # clocks of file systems are coarse
    progress = Progress(disable=True)
    reading = dedup_files._Reading([path], progress, sources=False)
    verdicts = standalone.deduplicate(reading, settings=DedupSettings())
    kept = verdicts["kept"].combine_chunks()
    dedup_files._copy_kept(reading, kept, tmp_path / "kept")
    before = path.stat().st_size
    other.parent.mkdir()
    _rows(path if in_place else other, "four five SIX")
    if not in_place:
        other.replace(path)
    assert path.stat().st_size == before
    with pytest.raises(
        InputError, match=rf"{name}: expected the {before} bytes .* others, written"
    ):
        dedup_files._copy_kept(reading, kept, tmp_path / "kept")


@pytest.mark.parametrize("name", ["lines", "table"])
def test_a_file_that_grew_is_refused_before_it_is_copied(tmp_path: Path, name: str) -> None:
    """Nothing is written for it."""
    path = tmp_path / name
    _rows(path, "four five six")
    seen = kept_rows.Seen.of(path)
    _rows(path, "four five six and more")
    with pytest.raises(
        InputError, match=rf"the {seen.size} bytes .* found {path.stat().st_size}\."
    ):
        kept_rows.copy_kept(
            path, pa.array([True] * 3), tmp_path / "kept", lambda _: None, seen=seen
        )
    assert not [*tmp_path.glob("kept*")]


@pytest.mark.parametrize("name", ["lines", "table"])
def test_a_file_written_while_it_is_copied_is_refused(tmp_path: Path, name: str) -> None:
    """It is looked at after copying as well; here whoever is told of progress writes into it."""
    path = tmp_path / name
    _rows(path, "four five six")
    os.utime(path, ns=(0, 0))
    seen = kept_rows.Seen.of(path)
    marks = pa.array([True, True, False])
    with pytest.raises(InputError, match="found others, written since"):
        kept_rows.copy_kept(
            path, marks, tmp_path / "kept", lambda _: os.utime(path, ns=(0, 1)), seen=seen
        )


@pytest.mark.parametrize("name", ["lines", "table"])
@pytest.mark.parametrize("marks", [[True], [True] * 4])
def test_other_rows_are_refused_where_times_are_too_coarse(
    tmp_path: Path, name: str, marks: list[bool]
) -> None:
    """As many rows as verdicts are expected whatever size and time say."""
    path = tmp_path / name
    _rows(path, "four five six")
    seen = kept_rows.Seen.of(path)
    with pytest.raises(InputError, match=f"expected the {len(marks)} documents .* found 3"):
        kept_rows.copy_kept(path, pa.array(marks), tmp_path / "kept", lambda _: None, seen=seen)


class Keys(pe.KmsClient):
    """Keys that are their own disguise."""

    def __init__(self) -> None:
        """Need nothing."""
        pe.KmsClient.__init__(self)

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:  # noqa: ARG002 - Arrow's
        """Hide a key, which no test looks for."""
        return base64.b64encode(key_bytes).decode()


def test_a_column_that_is_encrypted_is_no_reason_to_die(tmp_path: Path) -> None:
    """Ids and texts are plain, so that verdicts can be had; a copy is refused as damaged files are.

    In a process of its own: Arrow ends it when its metadata is asked about such a column.
    """
    path = tmp_path / "texts.parquet"
    table = pa.table({"id": ["a", "b"], "text": ["one two three", "four five"], "secret": [1, 2]})
    hidden = pe.EncryptionConfiguration(
        footer_key="footer", column_keys={"column": ["secret"]}, plaintext_footer=True
    )
    factory = pe.CryptoFactory(lambda _: Keys())
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), hidden)
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", encryption_properties=properties
    ) as writer:
        writer.write_table(table)
    command = [sys.executable, "-m", "pipeline", "dedup", str(path), "--out", str(tmp_path)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    ended = subprocess.run([*command, "--kept"], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "texts.parquet: expected a sound Parquet file, found: Cannot decrypt" in ended.stderr


def test_a_broken_footer_is_no_reason_to_die(tmp_path: Path) -> None:
    """Arrow ends the process when it is asked about a column with some broken statistics."""
    path, rows = tmp_path / "table", 600
    texts = [f"The council met on day {row}" for row in range(rows)]
    table = pa.table({"id": [*map(str, range(rows))], "text": texts, "more": [*range(rows)]})
    pq.write_table(table, path, compression="zstd", row_group_size=400, write_page_index=True)
    raw = path.read_bytes()
    marks, copied = pa.array([True] * rows), 0
    for at in range(len(raw) - 8 - int.from_bytes(raw[-8:-4], "little"), len(raw) - 8):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        with suppress(InputError):
            seen = kept_rows.Seen.of(path)
            kept_rows.copy_kept(path, marks, tmp_path / "kept", lambda _: None, seen=seen)
            copied += 1
    assert copied


def test_how_columns_are_packed_is_told_from_any_footer(tmp_path: Path) -> None:
    """One column in another way is enough, and so is a footer that is cut, or none."""
    path, table = tmp_path / "table", pa.table({"id": ["a"], "text": ["one"], "flag": [True]})
    wide = table.append_column("lists", pa.array([[{"x": 1.5, "y": [b"z"]}]]))
    for rows in (table, wide):
        for codecs in ("zstd", {"id": "zstd", "text": "zstd", "flag": "snappy"}):
            pq.write_table(rows, path, compression=codecs, row_group_size=1)
            assert packing.is_all_zstd(path) == (codecs == "zstd")
    pq.write_table(wide, path, compression="zstd")
    raw = path.read_bytes()
    for tail in (b"", b"PAR1", bytes(9), b"\xff" * 99, b"\x1c" * 99, b"\x19\xfc" * 99):
        path.write_bytes(tail + len(tail).to_bytes(4, "little") + b"PAR1")
        assert not packing.is_all_zstd(path)
    for size in (7, 40, 200):
        path.write_bytes(raw[:-8][:-size] + raw[-8:])
        assert not packing.is_all_zstd(path)


def test_numbers_that_are_said_to_be_in_a_footer_cost_nothing(tmp_path: Path) -> None:
    """Those with eight bytes each were passed without a look at where the footer ends."""
    footer = b"\x49\xf7" + b"\xff\xff\xff\x01" + b"\0"
    path = tmp_path / "table"
    path.write_bytes(footer + len(footer).to_bytes(4, "little") + b"PAR1")
    tracemalloc.start()
    assert not packing.is_all_zstd(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
