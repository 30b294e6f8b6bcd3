"""datatrove: its four MinHash stages on the local executor, with its default configuration."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pyarrow.parquet as pq
from common import Clock, arguments, files, finish
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers.parquet import ParquetWriter

FAR = 1 << 40


def reader(corpus: Path) -> ParquetReader:
    """Read the corpus as datatrove documents."""
    return ParquetReader(str(corpus / "documents"), text_key="text", id_key="id")


def main() -> None:
    """Run the stages, then read which documents it put together."""
    corpus, out = arguments()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    config, tasks, clock = MinhashConfig(), len(files(corpus)), Clock()
    signed, buckets, removed = (str(out / name) for name in ("signed", "buckets", "removed"))
    steps = {
        "sign": ([reader(corpus), MinhashDedupSignature(signed, config=config)], tasks),
        "buckets": (
            [MinhashDedupBuckets(signed, buckets, config=config)],
            config.num_buckets,
        ),
        "cluster": (
            [MinhashDedupCluster(buckets, removed, config=config, save_cluster_id=True)],
            1,
        ),
        "filter": (
            [reader(corpus), MinhashDedupFilter(removed), ParquetWriter(str(out / "kept"))],
            tasks,
        ),
    }
    for name, (pipeline, count) in steps.items():
        LocalPipelineExecutor(
            pipeline=pipeline, tasks=count, workers=1, logging_dir=str(out / "log" / name)
        ).run()
        clock.lap(name)
    clock.stop()
    ids, labels = families(corpus, Path(removed))
    finish(out, ids, labels, clock, tool="datatrove")


def families(corpus: Path, removed: Path) -> tuple[list[str], list[int]]:
    """Return ids and, for each, the first document of its cluster."""
    ids: list[str] = []
    cluster: list[int] = []
    for rank, path in enumerate(files(corpus)):
        names = pq.read_table(path, columns=["id"])["id"].to_pylist()
        own = [FAR + len(ids) + place for place in range(len(names))]
        found = removed / f"{rank:06d}.clusters"
        if found.exists():
            for place, number in struct.iter_unpack("<II", found.read_bytes()):
                own[place] = number
        cluster += own
        ids += names
    first: dict[int, int] = {}
    for place, number in enumerate(cluster):
        first.setdefault(number, place)
    return ids, [first[number] for number in cluster]


if __name__ == "__main__":
    main()
