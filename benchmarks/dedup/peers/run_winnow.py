"""Winnow: what `winnow dedup --kept` does, in this process so that its parts can be timed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import Clock, arguments, finish

from pipeline import signature
from pipeline.cli import dedup_files, kept_rows
from pipeline.dedup import standalone
from pipeline.model.settings import DedupSettings

_TINY = pa.record_batch({"id": ["a", "b"], "text": ["one two three four five six"] * 2})
standalone.deduplicate([_TINY], settings=DedupSettings())
start = sum(os.times()[:4])

corpus, out = arguments()
shutil.rmtree(out, ignore_errors=True)
clock = Clock()
copy_kept = kept_rows.copy_kept


def timed(texts: pa.Array) -> signature.Signatures:
    """Sign, on the clock."""
    clock.lap("read")
    signed = signature.sign(texts)
    clock.lap("sign")
    return signed


def copied(*given: Any, **named: Any) -> Path:
    """Copy the kept rows of a file, on the clock."""
    clock.lap("match")
    target = copy_kept(*given, **named)
    clock.lap("write")
    return target


standalone.sign = timed
kept_rows.copy_kept = copied
dedup_files.run([corpus / "documents"], out, settings=DedupSettings(), keep=True, as_json=True)
clock.lap("match")
clock.stop()
clock.parts["start"] = start
verdicts = pq.read_table(out / dedup_files.VERDICTS)
ids = verdicts["document_id"].to_pylist()
place = {name: number for number, name in enumerate(ids)}
witness = verdicts["witness_id"].to_pylist()
labels = [place[name or own] for own, name in zip(ids, witness, strict=True)]
similarity = verdicts["similarity"].fill_null(1).to_numpy()
assert np.all(similarity >= DedupSettings().threshold)  # noqa: S101 - a verdict below the threshold would be a defect
finish(out, ids, labels, clock, tool="winnow")
