"""Winnow: the compiled signatures and the cores behind `winnow dedup`, kept documents written."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import Clock, arguments, files, finish

from pipeline import signature
from pipeline.dedup import standalone
from pipeline.model.settings import DedupSettings

_TINY = pa.record_batch({"id": ["a", "b"], "text": ["one two three four five six"] * 2})
standalone.deduplicate([_TINY], settings=DedupSettings())
start = sum(os.times()[:4])

corpus, out = arguments()
clock = Clock()


def batches() -> Iterator[pa.RecordBatch]:
    """Read the corpus; what signing takes is measured apart."""
    for path in files(corpus):
        with pq.ParquetFile(path, memory_map=True) as file:
            yield from file.iter_batches(batch_size=4096, use_threads=False)


def timed(texts: pa.Array) -> signature.Signatures:
    """Sign, on the clock."""
    clock.lap("read")
    signed = signature.sign(texts)
    clock.lap("sign")
    return signed


standalone.sign = timed  # the one place that signs: to tell its time from that of the rest
verdicts = standalone.deduplicate(batches(), settings=DedupSettings())
clock.lap("match")
(out / "kept").mkdir(parents=True, exist_ok=True)
keep = verdicts["kept"].combine_chunks()
at = 0
for path in files(corpus):
    table = pq.read_table(path, use_threads=False)
    stays = keep.slice(at, table.num_rows)
    pq.write_table(table.filter(stays), out / "kept" / path.name, compression="zstd")
    at += table.num_rows
clock.lap("write")
clock.stop()
clock.parts["start"] = start
ids = verdicts["document_id"].to_pylist()
place = {name: number for number, name in enumerate(ids)}
witness = verdicts["witness_id"].to_pylist()
labels = [place[name or own] for own, name in zip(ids, witness, strict=True)]
similarity = verdicts["similarity"].fill_null(1).to_numpy()
assert np.all(similarity >= 0.75)  # noqa: S101 - a verdict below the threshold would be a defect
finish(out, ids, labels, clock, tool="winnow")
