"""What a night costs against history of any size, and a page that comes a hundred thousand times.

Holds: the second command behind `make bench` for deduplication. Writes corpora below `--folder`,
removed at the end; prints CPU seconds (median of rounds that alternate) and peak memory.

    python -m benchmarks.dedup.history --history 1000000 10000000 --night 100000
    python -m benchmarks.dedup.history --history 100000000 --of 8     one key range of eight

History is random keys, 21 a document, in dumps of `--dump` documents, in the runs that merges after
each dump leave; `--merge` makes all these merges, and tells what they took. A tenth of the night's
documents are copies of documents of the first dump, which is the same in every history. Measured
are, in a process of its own, the task `match` of the night (its keys, its own copies, history, what
is alike, edges and index), and of it the look into history: from the night's sorted keys to the
entries of each dump that share one (`dedup/history.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.dedup import keys, pages
from pipeline import telemetry
from pipeline.dedup import upkeep
from pipeline.dedup.entries import Entries, key_range
from pipeline.dedup.history import History
from pipeline.dedup.matching import match_range, write_index
from pipeline.dedup.merging import merge
from pipeline.model.ids import fingerprint
from pipeline.model.schemas import SIGNATURES
from pipeline.model.snapshot import Snapshot
from pipeline.storage import band_index, layout, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.units import Corpus, open_corpus

NIGHT = 1 << 30
"""Seed of the night; dumps have theirs from 0."""


def main() -> None:
    """Build each history, ask them in turn, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--history", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dump", type=int, default=100_000)
    parser.add_argument("--night", type=int, default=100_000)
    parser.add_argument("--of", type=int, default=1, help="key ranges, of which one is measured")
    parser.add_argument("--merge", action="store_true", help="write all dumps, merge after each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=100_000, help="0: none")
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench-history"))
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(ask(options.child, options)))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        _histories(Path(folder), options)
    if options.pages:
        for kind, seconds, edges in pages.measure(options.pages):
            print(
                f"{options.pages:,} {kind} pages on each of two nights: {seconds:.1f} s CPU to "
                f"match the second, {edges:,} edges"
            )


def _histories(folder: Path, options: argparse.Namespace) -> None:
    places = [folder / str(documents) for documents in options.history]
    for place, documents in zip(places, options.history, strict=True):
        print(json.dumps({"history": documents, **build(place, documents, options)}), flush=True)
    rounds = [[_child(place, options) for place in places] for _ in range(options.rounds)]
    table = Table(title=f"a night of {options.night:,} documents; CPU seconds, median of rounds")
    for name in ("history", "runs", "match", "ratio", "look", "ratio", "edges", "peak MB"):
        table.add_column(name, justify="right")
    first: list[float] = []
    for documents, told in zip(options.history, zip(*rounds, strict=True), strict=True):
        spent = [statistics.median(one[what] for one in told) for what in ("match", "look")]
        first = first or spent
        times = [
            told
            for one, least in zip(spent, first, strict=True)
            for told in (f"{one:.3f}", f"{one / least:.2f}")
        ]
        peak = f"{max(one['peak_mb'] for one in told):,}"
        table.add_row(f"{documents:,}", str(told[0]["runs"]), *times, f"{told[0]['edges']:,}", peak)
    Console().print(table)


def build(place: Path, documents: int, options: argparse.Namespace) -> dict[str, Any]:
    """Write the runs of a history, or its dumps and all merges; return what it took."""
    spent, dumps = 0.0, documents // options.dump
    first = keys.signatures(options.dump, seed=0)
    place.mkdir()
    with open_corpus(LocalStore(place)) as corpus:
        if not options.merge:
            keys.stock(corpus, dumps, options.dump, first=first, of=options.of)
        for number in range(dumps if options.merge else 0):
            date = keys.date_of(number)
            unit = keys.generation(date)
            mine = (
                keys.draw(options.dump, seed=number)
                if number
                else keys.ingested(corpus, unit, first)
            )
            owned = key_range(0, 1)
            index = write_index(corpus, unit, _part(mine, options.of), owned)
            keys.show(corpus, {date: (unit, (index,))})
            spent += _spent(lambda: merge(corpus))
            _tidy(corpus)
        runs, alone = upkeep.overview(corpus)
    return {
        "runs": [run.dumps for run in runs],
        "in_no_run": len(alone),
        "bytes": sum(run.bytes for run in runs),  # of the slices that were written
        "merge_cpu_seconds": round(spent, 1),
        "peak_rss_mb": peak_mb(),
    }


def ask(place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Match the night with a history; return what that took."""
    with open_corpus(LocalStore(place)) as corpus:
        snapshot = snapshots.current(corpus)
        _matched(corpus, snapshot, _night(10, options), options)  # compiled code is loaded
        found = _matched(corpus, snapshot, _night(options.night, options), options)
        runs, alone = upkeep.overview(corpus)
    return {**found, "runs": len(runs) + len(alone), "peak_mb": peak_mb()}


def _night(documents: int, options: argparse.Namespace) -> pa.Table:
    """Return signatures of which a tenth are those of documents of the first dump."""
    copies = documents // 10
    old = keys.signatures(options.dump, seed=0).slice(0, copies)
    fresh = keys.signatures(documents, seed=NIGHT)
    copied = old.set_column(0, SIGNATURES.field(0), fresh["document_id"].slice(0, copies))
    return pa.concat_tables([copied, fresh.slice(copies)])


def _matched(
    corpus: Corpus, snapshot: Snapshot, table: pa.Table, options: argparse.Namespace
) -> dict[str, Any]:
    """Match documents with all that is live; return CPU seconds, the look into history first."""
    unit = fingerprint("night", os.getpid(), len(table))
    new = keys.within(keys.ingested(corpus, unit, table), key_range(0, options.of)).key
    plan = keys.plan_of(keys.date_of(len(snapshot.dumps)), unit, ranges=options.of)
    look = _spent(lambda: _look(corpus, snapshot, new, options.of))
    match = _spent(lambda: match_range(corpus, plan, snapshot, 0))
    edges = match_range(corpus, plan, snapshot, 0).edges  # as it was left
    return {"look": look, "match": match, "edges": sum(edge.file.rows for edge in edges)}


def _look(corpus: Corpus, snapshot: Snapshot, new: Any, ranges: int) -> None:
    live = {date: ref.generation for date, ref in snapshot.dumps.items()}
    with History(corpus, live, keys=new, owned=key_range(0, ranges)) as history:
        for date in filter(history.meets, live):
            history.entries(date, snapshots.load_state(corpus, snapshot, date))


def _spent(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def _part(entries: Entries, ranges: int) -> Entries:
    return keys.within(entries, key_range(0, ranges))


def _tidy(corpus: Corpus) -> None:
    """Remove what merges left behind, as expire does in time."""
    needed = band_index.needed(corpus)
    for folder in (layout.DATA, layout.UNITS):
        for info in list(corpus.store.list(f"{folder}index/")):
            if info.key not in needed:
                corpus.store.delete([info.key])


def _child(place: Path, options: argparse.Namespace) -> dict[str, Any]:
    given: Sequence[object] = (
        "--child", place, "--night", options.night, "--dump", options.dump, "--of", options.of,
    )  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.dedup.history", *map(str, given)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peak_mb() -> int:
    """Return this process's own peak in MB; `getrusage` tells that of who started it as well."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1000


if __name__ == "__main__":
    with telemetry.silence():
        main()
