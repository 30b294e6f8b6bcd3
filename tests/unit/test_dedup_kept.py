"""`winnow dedup --kept` on files that it would replace, and on such as it cannot copy."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from pipeline.cli import dedup_files
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
