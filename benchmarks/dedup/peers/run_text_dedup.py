"""text-dedup: its MinHash command over JSON lines, as its manual has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
from common import BANDS, ROWS, SHINGLE, Clock, arguments, finish, read

corpus, out = arguments()
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
ids, texts = read(corpus)
source = out / "documents.jsonl"
with source.open("w", encoding="utf-8") as lines:
    for name, text in zip(ids, texts, strict=True):
        lines.write(json.dumps({"id": name, "text": text}) + "\n")
del texts
cache = {"HF_HOME": str(out / "hf"), "HF_DATASETS_CACHE": str(out / "hf"), "HF_HUB_OFFLINE": "1"}
command = [
    *(sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--split", "train"),
    *(
        "--data_files",
        str(source),
        "--cache_dir",
        str(out / "cache"),
        "--output",
        str(out / "kept"),
    ),
    *("--column", "text", "--batch_size", "10000", "--num_perm", str(BANDS * ROWS)),
    *("--b", str(BANDS), "--r", str(ROWS), "--ngram", str(SHINGLE), "--num_proc", "1"),
]
clock = Clock()
subprocess.run(command, check=True, env=os.environ | cache)
clock.lap("all")
clock.stop()
kept: set[str] = set()
for path in sorted(Path(out / "kept").glob("*.arrow")):
    with pa.memory_map(str(path)) as file:
        kept.update(pa.ipc.open_stream(file).read_all()["id"].to_pylist())
# Which document stands for a removed one is not told: removed ones get no label.
labels = [place if name in kept else None for place, name in enumerate(ids)]
finish(out, ids, labels, clock, tool="text-dedup")
