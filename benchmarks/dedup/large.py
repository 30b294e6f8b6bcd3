"""What deciding a night, and merging its keys, hold in memory when it is too large to be written.

Holds: `peaks`, and the command. Makes a night of signatures alone, 27 in a hundred of them copies;
matches it, and then decides and merges it, each in a process of its own. Writes below `--folder`,
removed at the end; prints peak MB of both.
Not here: nights with texts, and what follows from the numbers (`benchmarks/rates.py`).

    python -m benchmarks.dedup.large --documents 1000000 2000000

Deciding is without its self-test and without passages, which hold as much of a night of any size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from benchmarks.dedup import keys
from benchmarks.dedup.history import peak_mb
from pipeline import telemetry
from pipeline.dedup.matching import match_range
from pipeline.dedup.reader import fixed
from pipeline.model.id_columns import id_texts
from pipeline.model.manifest import IngestManifest
from pipeline.model.plan import Plan, Shard
from pipeline.model.schemas import SIGNATURES
from pipeline.storage import layout, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.units import Corpus, open_corpus

STAGES = ("decide", "promote")
DATE = "2026-11-21"
COPIES = 0.27
EXACT = 0.25
"""Of the copies; others have the signature of a document and another content."""
SHARD = 50_000
"""Documents of a shard."""
RANGE = 50_000
"""Documents for which a night has one key range more."""


def main() -> None:
    """Measure nights of several sizes and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[500_000, 1_000_000])
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench-large"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        with open_corpus(LocalStore(options.folder)) as corpus:
            print(json.dumps(task(corpus, options.child, options.documents[0])))
        return
    for documents in options.documents:
        print(json.dumps({"documents": documents, **peaks(options.folder, documents)}), flush=True)


def peaks(folder: Path, documents: int) -> dict[str, int]:
    """Make a night and return the peak of each stage in MB."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place, telemetry.silence():
        with open_corpus(LocalStore(Path(place))) as corpus:
            plan = plan_of(documents)
            for number, shard in enumerate(plan.shards):
                ingested(corpus, shard.fingerprint, number)
            for owned in plan.key_ranges:
                match_range(corpus, plan, snapshots.current(corpus), owned.index)
        return {stage: _child(Path(place), stage, documents) for stage in STAGES}


def task(corpus: Corpus, stage: str, documents: int) -> int:
    """Decide the night and show it, or merge its keys; return this process's peak."""
    from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels
    from pipeline.runner import night  # noqa: F401, PLC0415 - what a task has loaded

    if stage == "decide":
        plan = plan_of(documents)
        decision = dedup.decide(corpus, plan, snapshots.current(corpus))
        peak = peak_mb()
        keys.show(corpus, {DATE: (plan.generation, decision.index)})
        return peak
    dedup.merge(corpus)
    return peak_mb()


def plan_of(documents: int) -> Plan:
    """Return the plan of a night of whole shards, of about so many documents."""
    plan = keys.plan_of(DATE, "large", ranges=max(1, documents // RANGE))
    count = max(1, round(documents / SHARD))
    return msgspec.structs.replace(
        plan, shards=tuple(Shard(at, f"large-{at}", ()) for at in range(count))
    )


def ingested(corpus: Corpus, unit: str, number: int) -> None:
    """Leave a shard as ingest does, without texts and passages."""
    table = _with_copies(keys.signatures(SHARD, seed=number), number)
    rows = np.arange(SHARD)
    documents = pa.table(
        {
            "document_id": _texts(table, "document_id"),
            "source": pa.array(["feed"] * SHARD),
            "dump_file": pa.array([f"feed/{DATE}/{number:05}-{at % 8}.jsonl" for at in rows]),
            "char_start": pa.array(rows * 3500),
            "char_end": pa.array(rows * 3500 + 3400),
            "content_hash": _texts(table, "content_hash"),
        }
    )
    manifest = IngestManifest(
        fingerprint=unit,
        documents=corpus.write("ingest", unit, "documents", documents),
        signatures=corpus.write("ingest", unit, "signatures", table),
        quarantine=keys.NONE,
        files=(),
    )
    corpus.finish(layout.unit("ingest", unit), manifest)


def _with_copies(table: pa.Table, number: int) -> pa.Table:
    """Return signatures of which the last are those of documents among the first."""
    copies = int(len(table) * COPIES)
    first = len(table) - copies
    dice = np.random.default_rng([number, 1])
    taken = np.append(np.arange(first), dice.integers(0, first, copies))
    copied = table.take(pa.array(taken))
    others = table["content_hash"].slice(first + int(copies * EXACT))
    alike = copied["content_hash"].slice(0, len(table) - len(others))
    hashes = pa.chunked_array([*alike.chunks, *others.chunks]).combine_chunks()
    place = SIGNATURES.names.index("content_hash")
    return copied.set_column(0, SIGNATURES.field(0), table["document_id"]).set_column(
        place, SIGNATURES.field(place), hashes
    )


def _texts(table: pa.Table, name: str) -> pa.Array:
    return id_texts(fixed(table[name], "S16"))


def _child(place: Path, stage: str, documents: int) -> int:
    given: Iterable[Any] = ("--folder", place, "--child", stage, "--documents", documents)
    command = [sys.executable, "-m", "benchmarks.dedup.large", *map(str, given)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1])  # after what a long task tells of itself


if __name__ == "__main__":
    with telemetry.silence():
        main()
