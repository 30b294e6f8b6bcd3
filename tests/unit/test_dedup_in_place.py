"""`winnow dedup` on files that it would replace."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
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
