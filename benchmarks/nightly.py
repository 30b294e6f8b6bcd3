"""A night of generated dumps, each task in a process of its own, as Airflow would run it.

Holds: the command behind `make bench`. Writes dumps and a corpus under `--folder` and prints, per
stage, tasks, seconds, MB/s and documents/s (over the sum of the tasks' seconds: one core each) and
the largest peak memory of a task. Start-up and imports are counted separately, as "start".

    python -m benchmarks.nightly --bytes 1GB
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.generate import Options, generate, size_of

DATE = "2026-11-21"
RUN = "bench"
_MAPPED = {"ingest": "shards", "match": "key_ranges", "annotate": "units", "publish": "groups"}
_LISTED_BY = {"ingest": "plan", "match": "plan", "annotate": "decide", "publish": "route"}
STAGES = ("plan", "ingest", "match", "decide", "annotate", "route", "publish", "commit", "promote")


def child(stage: str, index: int | None) -> None:
    """Run one task of the night in this process and print what it took."""
    from pipeline import config, runner, telemetry  # noqa: PLC0415 - its time is "start"

    settings = config.load()
    telemetry.configure("json")
    started = time.perf_counter()
    with runner.session(settings) as night:
        arguments = [] if index is None else [index]
        result = getattr(night, stage)(DATE, RUN, *arguments)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "result": result,
                "seconds": time.perf_counter() - started,
                "cpu": used.ru_utime + used.ru_stime,
                "rss_mb": used.ru_maxrss / 1000,
            }
        )
    )


def task(stage: str, index: int | None, environ: dict[str, str]) -> dict[str, Any]:
    """Run one task as a process and return what it printed, with its wall time as `wall`."""
    arguments = [sys.executable, "-m", "benchmarks.nightly", "--task", stage]
    arguments += [] if index is None else ["--index", str(index)]
    started = time.perf_counter()
    done = subprocess.run(arguments, env=environ, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{stage} {index}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer | {"wall": time.perf_counter() - started}


def night(environ: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run all tasks of the night one after the other."""
    answers: dict[str, dict[str, Any]] = {}
    for stage in STAGES:
        if stage not in _MAPPED:
            answers[stage] = task(stage, None, environ)
            yield stage, answers[stage]
            continue
        for part in answers[_LISTED_BY[stage]]["result"][_MAPPED[stage]]:
            yield stage, task(stage, part["index"], environ)


def main() -> None:
    """Generate, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--bytes", type=size_of, default=size_of("256MB"))
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench"))
    parser.add_argument("--format", choices=["txt", "jsonl", "mixed"], default="mixed")
    parser.add_argument("--keep", action="store_true", help="leave dumps and corpus where they are")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        child(options.task, options.index)
        return
    shutil.rmtree(options.folder, ignore_errors=True)
    landing, corpus = options.folder / "landing", options.folder / "corpus"
    started = time.perf_counter()
    made = Options(out=landing, bytes=options.bytes, dump_date=DATE, format=options.format)
    documents = generate(made)
    print(f"generated {documents:,} documents in {time.perf_counter() - started:.1f} s", flush=True)
    environ = os.environ | {
        "WINNOW_STORE__LANDING": str(landing),
        "WINNOW_STORE__CORPUS": str(corpus),
        "WINNOW_PLAN__QUIET_SECONDS": "0",
    }
    report(list(night(environ)))
    if not options.keep:
        shutil.rmtree(options.folder)


def report(tasks: list[tuple[str, dict[str, Any]]]) -> None:
    """Print the table, and the commit's own numbers."""
    by_stage: dict[str, list[dict[str, Any]]] = {stage: [] for stage in STAGES}
    for stage, answer in tasks:
        by_stage[stage].append(answer)
    commit = by_stage["commit"][0]["result"]
    size = commit["bytes"]
    found, load = f"{commit['documents']:,} documents", f"load {os.getloadavg()[0]:.1f}"
    table = Table(title=f"{size / 1e6:,.0f} MB, {found}, {load}")
    for name in ("stage", "tasks", "start s", "seconds", "MB/s", "documents/s", "peak MB"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage, answers in by_stage.items():
        seconds = sum(answer["seconds"] for answer in answers)
        start = sum(answer["wall"] - answer["seconds"] for answer in answers)
        table.add_row(
            stage,
            str(len(answers)),
            f"{start:.1f}",
            f"{seconds:.1f}",
            f"{size / 1e6 / seconds:,.0f}" if seconds else "",
            f"{commit['documents'] / seconds:,.0f}" if seconds else "",
            f"{max((answer['rss_mb'] for answer in answers), default=0):,.0f}",
        )
    Console().print(table)
    print(json.dumps({name: value for name, value in commit.items() if name != "languages"}))


if __name__ == "__main__":
    main()
