"""What a night costs against history of any size, and a page that comes a hundred thousand times.

Holds: the second command behind `make bench` for deduplication. Writes corpora below `--folder`,
removed at the end; prints CPU seconds (median of rounds that alternate) and peak memory.

    python -m benchmarks.dedup.history --history 1000000 10000000 --night 100000
    python -m benchmarks.dedup.history --history 100000000 --of 8     one key range of eight

History is random keys, 21 a document, in dumps of `--dump` documents, in the runs that merges after
each dump leave; `--merge` makes all these merges, and tells what they took. A tenth of the night's
documents has all keys of documents of the first dump, which is the same in every history. What is
measured is finding the entries that share a key, in a process of its own: from the night's sorted
keys to the entries of each dump (`dedup/history.py`). Signing the night and comparing candidates
cost the same whatever history holds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dedup import keys, pages
from pipeline import telemetry
from pipeline.dedup import upkeep
from pipeline.dedup.entries import Entries, key_range
from pipeline.dedup.history import History
from pipeline.dedup.merging import merge
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
    first = 0.0
    for documents, told in zip(options.history, zip(*rounds, strict=True), strict=True):
        seconds = statistics.median(one["cpu_seconds"] for one in told)
        first = first or seconds
        peak = max(one["peak_rss_mb"] for one in told)
        print(
            f"history {documents:>11,}  looks {told[0]['looks']:>2}  entries met "
            f"{told[0]['met']:>9,}  CPU {seconds:6.3f} s  ratio {seconds / first:4.2f}  "
            f"peak {peak:,} MB (before: {told[0]['before_mb']:,} MB)",
            flush=True,
        )


def build(place: Path, documents: int, options: argparse.Namespace) -> dict[str, Any]:
    """Write the runs of a history, or its dumps and all merges; return what it took."""
    spent, dumps = 0.0, documents // options.dump
    place.mkdir()
    with open_corpus(LocalStore(place)) as corpus:
        if not options.merge:
            keys.stock(corpus, dumps, options.dump, of=options.of)
        for number in range(dumps if options.merge else 0):
            mine = _part(keys.draw(options.dump, seed=number), options.of)
            keys.publish(corpus, {keys.date_of(number): mine})
            started = time.process_time()
            merge(corpus)
            spent += time.process_time() - started
            _tidy(corpus)
        runs, alone = upkeep.overview(corpus)
    return {
        "runs": [run.dumps for run in runs],
        "in_no_run": len(alone),
        "bytes": sum(run.bytes for run in runs),  # of the slices that were written
        "merge_cpu_seconds": round(spent, 1),
        "peak_rss_mb": _peak(),
    }


def ask(place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Find all entries that share a key with the night; return what that took."""
    first = keys.draw(options.dump, seed=0)
    copied = first.key[np.isin(first.row, np.arange(options.night // 10, dtype=np.uint32))]
    fresh = keys.draw(options.night - options.night // 10, seed=NIGHT)
    new = np.sort(np.append(copied, fresh.key))
    new = new[new >> np.uint64(48) < key_range(0, options.of).high]
    with open_corpus(LocalStore(place)) as corpus:
        _answer(corpus, new[:2], options.of)  # compiled code is loaded
        before, started = _peak(), time.process_time()
        met = _answer(corpus, new, options.of)
        spent = time.process_time() - started
        runs, alone = upkeep.overview(corpus)
    return {
        "cpu_seconds": spent,
        "met": met,
        "looks": len(runs) + len(alone),
        "before_mb": before,
        "peak_rss_mb": _peak(),
    }


def _answer(corpus: Corpus, new: Any, ranges: int) -> int:
    snapshot = snapshots.current(corpus)
    live = {date: ref.generation for date, ref in snapshot.dumps.items()}
    with History(corpus, live, keys=new, owned=key_range(0, ranges)) as history:
        return sum(
            len(history.entries(date, snapshots.load_state(corpus, snapshot, date)))
            for date in filter(history.meets, live)
        )


def _part(entries: Entries, ranges: int) -> Entries:
    return keys.within(entries, key_range(0, ranges)) if ranges > 1 else entries


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


def _peak() -> int:
    """Return this process's own peak in MB; `getrusage` tells that of who started it as well."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1000


if __name__ == "__main__":
    with telemetry.silence():
        main()
