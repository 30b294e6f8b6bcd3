"""Many nights, in three orders, through the real DAG: do they end in the same tables?

Holds: the command. Writes dumps, corpora and Airflow's home below `--folder`; prints the seconds of
each night, and fails unless the published tables are the same to the byte:

- all nights in order of date;
- all nights shuffled, into a corpus of their own;
- the first corpus after one of its nights was replaced by other dumps and put back.

    python -m benchmarks.dedup.nights --documents 100000 --nights 10

With `--without-airflow` the same functions run in this process, one after the other, as
`winnow run` does. Not here: what a night's stages take (`benchmarks/nightly.py`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import requests
from rich.console import Console
from rich.table import Table

from benchmarks.generate import Options, generate
from demo.airflow import Airflow
from pipeline import config, runner
from pipeline.audit import verify
from pipeline.model.settings import Settings
from pipeline.storage.open import open_store

FIRST = dt.date(2026, 11, 1)
SOURCE = "bench"
TABLES = ("documents/", "verdicts/", "quarantine/")
"""What is a function of the dumps alone; rows of `runs` tell times."""
_BYTES = 4800
"""Of a generated document in the mean, as dumps hold it."""
_DAG = "winnow_nightly"
_RUNS = f"/dags/{_DAG}/dagRuns"
_TOML = '[store]\nlanding = "{landing}"\ncorpus = "{corpus}"\n\n[plan]\nquiet_seconds = 0\n'


class Took(NamedTuple):
    """What one night took."""

    dump_date: str
    wall: float
    work: float
    """Seconds of its tasks (with Airflow), or of CPU (without)."""


Runs = Callable[[str, int], Took]
"""Runs the night of a date to its end; the number tells its runs apart."""


class Place:
    """The folders of the benchmark, and the settings file that all runs load."""

    def __init__(self, folder: Path) -> None:
        """Take a folder, which is emptied."""
        self.folder = folder.absolute()
        self.landing = self.folder / "landing"
        self.settings_file = self.folder / "winnow.toml"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.landing.mkdir(parents=True)

    def use(self, corpus: str) -> None:
        """Make all runs from now on publish into a corpus."""
        text = _TOML.format(landing=self.landing, corpus=self.folder / corpus)
        self.settings_file.write_text(text, "utf-8")

    def settings(self) -> Settings:
        """Load the settings as a run does."""
        return config.load(self.settings_file, environ={})

    def tables(self) -> dict[str, str]:
        """Return key and SHA-256 of every file of the published tables."""
        store = open_store(self.settings().store.corpus)
        return {
            info.key: hashlib.sha256(store.get(info.key)[0]).hexdigest()
            for table in TABLES
            for info in store.list(table)
        }

    def land(self, dump_date: str, bytes_: int, *, pool: int, seed: int = 1) -> int:
        """Put a night's dumps into the landing area in place of others; return its documents."""
        shutil.rmtree(self.landing / SOURCE / dump_date, ignore_errors=True)
        made = Options(
            out=self.landing,
            bytes=bytes_,
            dump_date=dump_date,
            source=SOURCE,
            seed=seed,
            pool_size=pool,
            truth=self.folder / "truth" / f"{dump_date}-{seed}.jsonl",
        )
        return generate(made)


def main() -> int:
    """Make dumps, run the orders, compare."""
    options = _options()
    dates = [str(FIRST + dt.timedelta(days=day)) for day in range(options.nights)]
    place = Place(options.folder)
    size, pool = options.documents * _BYTES, max(50, options.documents // 5)
    counts = {date: place.land(date, size, pool=pool) for date in dates}
    landed = sum(file.stat().st_size for file in place.landing.rglob("*") if file.is_file())
    print(f"{sum(counts.values()):,} documents, {landed / 1e6:,.0f} MB in {len(dates)} nights")
    with _in_process(place) if options.without_airflow else _through_airflow(place) as run:
        place.use("ordered")
        _print("in order", _timed(run, dates), counts)
        tables = {"in order": place.tables()}
        middle = dates[len(dates) // 2]
        place.land(middle, size, pool=pool, seed=2)
        other = [run(middle, 1)]
        changed = place.tables()
        place.land(middle, size, pool=pool)
        _print("replaced, and put back", [*other, run(middle, 2)], counts)
        tables["replaced, and put back"] = place.tables()
        broken = _broken(place)
        place.use("shuffled")
        shuffled = np.random.default_rng(options.seed).permutation(dates).tolist()
        shuffled = shuffled if shuffled != dates else dates[::-1]
        _print("shuffled", _timed(run, shuffled), counts)
        tables["shuffled"] = place.tables()
    used = sum(file.stat().st_size for file in place.folder.rglob("*") if file.is_file())
    same = _compare(tables, changed)
    print(f"broken promises: {broken or 'none'}; {used / 1e6:,.0f} MB of disk")
    if not options.keep:
        shutil.rmtree(place.folder)
    return 0 if same and not broken else 1


def _compare(tables: dict[str, dict[str, str]], changed: dict[str, str]) -> bool:
    """Say which orders ended in the tables of the first; other dumps must not have."""
    (_, first), *others = tables.items()
    print(f"in order: {len(first):,} files")
    for name, found in others:
        differ = sorted(key for key in first.keys() | found if first.get(key) != found.get(key))
        print(f"{name}: {'the same bytes' if not differ else f'OTHER: {differ[:5]}'}")
    if changed == first:
        print("replaced: expected other tables than before, found the same: nothing was shown")
    return changed != first and all(found == first for _, found in others)


def _broken(place: Place) -> list[str]:
    with runner.corpus_session(place.settings()) as corpus:
        return [finding.detail for finding in verify.findings(corpus)]


def _timed(run: Runs, dates: Sequence[str]) -> list[Took]:
    return [run(date, 0) for date in dates]


def _print(title: str, nights: Sequence[Took], counts: dict[str, int]) -> None:
    table = Table(title=f"{title}; load {os.getloadavg()[0]:.1f}")
    for name in ("night", "documents", "nights before", "seconds", "seconds of work"):
        table.add_column(name, justify="left" if name == "night" else "right")
    for before, night in enumerate(nights):
        documents = f"{counts[night.dump_date]:,}"
        table.add_row(
            night.dump_date, documents, str(before), f"{night.wall:.1f}", f"{night.work:.1f}"
        )
    Console().print(table)
    sys.stdout.flush()


@contextmanager
def _in_process(place: Place) -> Iterator[Runs]:
    def run(dump_date: str, number: int) -> Took:
        started, cpu = time.perf_counter(), time.process_time()
        with runner.session(place.settings()) as night:
            for _ in runner.run_night(
                night, dump_date, f"run-{number}", allow_deleted=True, accept_guards=True
            ):
                pass
        return Took(dump_date, time.perf_counter() - started, time.process_time() - cpu)

    yield run


@contextmanager
def _through_airflow(place: Place) -> Iterator[Runs]:
    place.use("ordered")
    airflow = Airflow(place.folder / "airflow", place.settings_file)

    def run(dump_date: str, _: int) -> Took:
        choices = {"allow_deleted": True, "accept_guards": True}
        body = {"logical_date": None, "partition_key": dump_date, "conf": choices}
        name = airflow.call("POST", _RUNS, json=body)["dag_run_id"]
        found = {"state": "queued"}
        while found["state"] not in _ENDED:
            time.sleep(1)
            with suppress(requests.Timeout):  # a busy machine: it answers the next time
                found = airflow.call("GET", f"{_RUNS}/{name}")
        if found["state"] != "success":
            raise RuntimeError(airflow.failure(_DAG, name))
        tasks = airflow.call("GET", f"{_RUNS}/{name}/taskInstances?limit=1000")["task_instances"]
        return Took(dump_date, _seconds(found), sum(task["duration"] or 0 for task in tasks))

    try:
        airflow.start(seconds=600)
        airflow.make_ready(_DAG, seconds=600)
        yield run
    finally:
        airflow.stop()


_ENDED = {"success", "failed"}


def _seconds(run: dict[str, Any]) -> float:
    began, ended = (dt.datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    return (ended - began).total_seconds()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=500, help="about, in each night")
    parser.add_argument("--nights", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1, help="of the shuffled order")
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench-nights"))
    parser.add_argument("--without-airflow", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave everything where it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
