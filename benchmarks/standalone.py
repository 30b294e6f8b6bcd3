"""What `winnow dedup` takes: seconds of CPU, documents a second, peak memory a document.

    python -m benchmarks.standalone --documents 1000000

Writes made-up documents of 80 words, of which 15 % are exact and 15 % near copies of others, as
one Parquet file; deduplicates them in a process of its own, and the first tenth of them in another,
so that what a document takes is told apart from what a process takes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WORDS = 80
BLOCK = 20_000
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])


def write(path: Path, documents: int) -> None:
    """Write documents block by block; copies lie in the block of their original."""
    random = np.random.default_rng(1)
    vocabulary = np.array([f"w{number:05d}" for number in range(20_000)])
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        for first in range(0, documents, BLOCK):
            rows = min(BLOCK, documents - first)
            words = random.integers(0, len(vocabulary), (rows, WORDS))
            copies = np.flatnonzero(random.random(rows) < 0.3)
            words[copies] = words[random.integers(0, rows, len(copies))]
            near = copies[::2]
            words[near, random.integers(0, WORDS, len(near))] = 0
            texts = [" ".join(row) for row in vocabulary[words]]
            ids = [f"{first + number:09d}" for number in range(rows)]
            file.write_table(pa.table([ids, texts], schema=SCHEMA))


def measure(path: Path, out: Path) -> dict[str, Any]:
    """Deduplicate a file in a process of its own; return its counts and seconds of CPU."""
    before = os.times()
    command = [sys.executable, "-m", "pipeline", "dedup", str(path), "--out", str(out), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"cpu_seconds": round(cpu, 1)}


def main() -> None:
    """Measure two sizes and print them, and what a document takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    documents = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for size in (documents // 10, documents):
            path = Path(folder) / f"{size}.parquet"
            write(path, size)
            rows.append(measure(path, Path(folder) / "out"))
            print(json.dumps(rows[-1]))
    small, large = rows
    more = large["documents"] - small["documents"]
    memory = (large["peak_rss_mb"] - small["peak_rss_mb"]) * 1e6 / more
    cpu = (large["cpu_seconds"] - small["cpu_seconds"]) / more
    print(f"{memory:.0f} bytes and {cpu * 1e6:.0f} microseconds of CPU for each document more")


if __name__ == "__main__":
    main()
