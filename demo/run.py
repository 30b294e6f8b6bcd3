"""`make demo`: land the sample nights, run them through Airflow, show the corpus.

Holds: `main`. Starts the servers; Airflow ends with the demo, the object store stays for queries.
Not here: the nights (`nights.py`), the servers (`home.py`, `airflow.py`), what is printed
(`show.py`).

A second call finds every night published and unchanged, and prints the same tables again.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from rich.console import Console

from demo import show
from demo.airflow import Airflow, AirflowError
from demo.home import ROOT, BusyError, Home
from demo.nights import DemoNight, nights
from pipeline import config, runner
from pipeline.errors import WinnowError
from pipeline.model.settings import Settings
from pipeline.storage.open import open_store
from pipeline.storage.store import Store

DAG = "winnow_nightly"
_TABLES = ("documents/", "verdicts/", "quarantine/", "runs/")
_RUNS = f"/dags/{DAG}/dagRuns"


def main() -> int:
    """Run the demo; return the exit code."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    home = Home()
    if home.running("airflow-scheduler"):
        console.print("Airflow of `make up` is running on the same folder: `make down` first.")
        return 1
    try:
        with home.alone():
            _run(console, home)
    except BusyError as error:
        console.print(str(error), markup=False)
        return 1
    except (AirflowError, WinnowError) as error:
        console.print(f"\n{error}", markup=False)
        home.stop("store")
        return 1
    except (KeyboardInterrupt, SystemExit):
        console.print("\nStopped; `make demo` goes on where it was.")
        home.stop("store")
        return 130
    _say_where(console, home, time.monotonic() - started)
    return 0


def _run(console: Console, home: Home) -> None:
    console.print(f"Object store  {home.start_store()}  (S3, data in {_short(home.folder)}/store)")
    settings = config.load(home.settings, environ={})
    with runner.session(settings) as night:
        todo = _todo(night)
        if todo:
            _through_airflow(console, home, night.landing, todo)
        else:
            console.print(f"All {len(nights())} nights are published and unchanged: nothing to do.")
    if todo or not home.corpus.exists():
        _copy_tables(settings, home.corpus)
    show.print_nights(console, home.corpus)
    show.print_queries(console, home.corpus)


def _todo(night: runner.Night) -> list[DemoNight]:
    """Return the nights that have not landed whole, or are not published as they landed."""
    due = set(night.due())
    return [
        one
        for one in nights()
        if one.dump_date in due
        or any(not _is_there(night.landing, key, data) for key, data in one.files)
    ]


def _through_airflow(
    console: Console, home: Home, landing: Store, todo: Sequence[DemoNight]
) -> None:
    airflow = Airflow(home.airflow, home.settings)
    console.print("Airflow       starting (half a minute) …")
    try:
        airflow.start()
        airflow.make_ready(DAG)
        _drop_unfinished(airflow)
        console.print(f"Airflow       {airflow.url}  (admin / admin, while the demo runs)\n")
        with show.Progress(console, [one.dump_date for one in todo]) as progress:
            for one in todo:
                _land(landing, one)
                run_id = _backfill(airflow, one) if one.late else _trigger(airflow, one)
                _follow(airflow, run_id, one.dump_date, progress=progress)
    finally:
        airflow.stop()


def _land(landing: Store, night: DemoNight) -> None:
    """Upload what is missing; `_SUCCESS`, which says that a source is complete, last."""
    for key, data in sorted(night.files, key=lambda file: file[0].endswith("/_SUCCESS")):
        if not _is_there(landing, key, data):
            landing.put(key, data)


def _is_there(landing: Store, key: str, data: bytes) -> bool:
    found = landing.stat(key)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return found is not None and found.etag.strip('"') == digest


def _trigger(airflow: Airflow, night: DemoNight) -> str:
    """Start a run for one dump date, as the *Trigger* form does."""
    body = {"logical_date": None, "partition_key": night.dump_date, "conf": {}}
    run_id: str = airflow.call("POST", _RUNS, json=body)["dag_run_id"]
    return run_id


def _backfill(airflow: Airflow, night: DemoNight) -> str:
    """Start a backfill of one night, as the *Backfill* form does, and return its run."""
    instant = f"{night.dump_date}T00:00:00Z"
    body = {
        "dag_id": DAG,
        "from_date": instant,
        "to_date": instant,
        "reprocess_behavior": "completed",
        "max_active_runs": 1,
        "dag_run_conf": {},
    }
    before = {run["dag_run_id"] for run in airflow.call("GET", f"{_RUNS}?limit=100")["dag_runs"]}
    airflow.call("POST", "/backfills", json=body)
    while True:
        for run in airflow.call("GET", f"{_RUNS}?limit=100")["dag_runs"]:
            is_new = run["dag_run_id"] not in before or run["state"] in {"queued", "running"}
            if is_new and run["partition_key"] == night.dump_date:
                run_id: str = run["dag_run_id"]
                return run_id
        time.sleep(0.3)


def _drop_unfinished(airflow: Airflow) -> None:
    """End what an interrupted demo has left: its runs would be in the way of ours."""
    for backfill in airflow.call("GET", f"/backfills?dag_id={DAG}")["backfills"]:
        if backfill["completed_at"] is None:
            airflow.call("PUT", f"/backfills/{backfill['id']}/cancel")
    for run in airflow.call("GET", f"{_RUNS}?state=running&state=queued")["dag_runs"]:
        airflow.call("PATCH", f"{_RUNS}/{run['dag_run_id']}", json={"state": "failed"})


def _follow(airflow: Airflow, run_id: str, date: str, *, progress: show.Progress) -> None:
    """Draw a run until it ends.

    Raises:
        AirflowError: it failed; the message is the end of the failing task's log.
    """
    state = ""
    while state not in {"success", "failed"}:
        time.sleep(0.3)
        state = airflow.call("GET", f"{_RUNS}/{run_id}")["state"]
        found = airflow.call("GET", f"{_RUNS}/{run_id}/taskInstances?limit=1000")
        progress.update(date, found["task_instances"])
    if state == "failed":
        raise AirflowError(f"Night {date} failed.\n{airflow.failure(DAG, run_id)}")


def _copy_tables(settings: Settings, target: Path) -> None:
    """Copy the published tables to plain files, replacing an older copy."""
    store = open_store(
        settings.store.corpus,
        endpoint_url=settings.store.endpoint_url,
        region=settings.store.region,
    )
    fresh = target.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for table in _TABLES:
        for found in store.list(table):
            path = fresh / found.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get(found.key)[0])
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _say_where(console: Console, home: Home, seconds: float) -> None:
    copy = _short(home.corpus)
    console.print(f"\n[bold]Done in {seconds:.0f} s.[/bold] The corpus:")
    for line in (
        f"  s3://corpus at {home.start_store()}   (settings: {_short(home.settings)})",
        f"  {copy}/   a copy as plain files",
        f'  pandas   pd.read_parquet("{copy}/documents")',
        f"  DuckDB   duckdb.sql(\"FROM '{copy}/documents/*/*/*.parquet'\")",
        f'  Polars   pl.read_parquet("{copy}/documents")',
        "Next:",
        "  .venv/bin/winnow status | verify | explain DOCUMENT_ID    ask the corpus",
        "  make up      Airflow with this corpus, to look at and play with",
        "  make down    stop the object store (the data stay in .demo)",
    ):
        console.print(line, markup=False, soft_wrap=True)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
