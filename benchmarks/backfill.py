"""How long a backfill of many small nights takes, and what Airflow adds to each task.

Holds: the measurement. Starts an object store and Airflow (LocalExecutor; SQLite as in the demo, or
`--database`, which must be empty) in `--folder`, lands nights of a few texts, backfills them over
the REST API, and prints wall time, tasks, processor seconds of all of Airflow's processes and of
the tasks' own work, and the pause between a task and the next one behind it. Removes the folder.

    createdb bench
    python -m benchmarks.backfill --nights 30 --database postgresql+psycopg2://me@127.0.0.1/bench
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

import psutil
import requests

from demo.airflow import Airflow
from demo.home import Home
from pipeline import config, runner
from pipeline.audit import tasks

DAG = "/dags/winnow_nightly/dagRuns"
FIRST = dt.date(2026, 9, 1)


def main() -> None:
    """Land, backfill, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--active", type=int, default=4, help="runs at once")
    parser.add_argument("--database", default="", help="for Airflow; SQLite by default")
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench-backfill"))
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    home = Home(options.folder.absolute())
    other = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": options.database} if options.database else {}
    airflow = Airflow(home.airflow, home.settings, triggerer=True, environment=other)
    try:
        home.start_store()
        settings = config.load(home.settings, environ={})
        config.use_credentials(settings)
        dates = [(FIRST + dt.timedelta(days=at)).isoformat() for at in range(options.nights)]
        land(settings, dates, options.documents)
        airflow.start(seconds=600)
        airflow.make_ready("winnow_nightly", seconds=600)
        report(options, *measured(airflow, settings, dates, options.active))
    finally:
        airflow.stop()
        home.stop("store")
    shutil.rmtree(options.folder)


def land(settings: Any, dates: list[str], documents: int) -> None:
    """Upload a complete night for each date; a third of its texts is that of the night before."""
    landing = runner.open_landing(settings)
    for night, date in enumerate(dates):
        first = night * documents * 2 // 3
        rows = (
            {"id": str(at), "text": " ".join(f"w{at}x{word}" for word in range(120))}
            for at in range(first, first + documents)
        )
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        landing.put(f"web/{date}/a.jsonl", data)
        landing.put(f"web/{date}/_SUCCESS", b"")


def measured(
    airflow: Airflow, settings: Any, dates: list[str], active: int
) -> tuple[float, float, float, list[list[dict[str, Any]]]]:
    """Backfill; return wall seconds, Airflow's and the tasks' processor seconds, the tasks."""
    before, started = cpu_of(airflow), time.monotonic()
    body = {
        "dag_id": "winnow_nightly",
        "from_date": f"{dates[0]}T00:00:00Z",
        "to_date": f"{dates[-1]}T00:00:00Z",
        "max_active_runs": active,
        "reprocess_behavior": "none",
    }
    airflow.call("POST", "/backfills", json=body)
    runs: list[dict[str, Any]] = []
    while len(runs) < len(dates):
        time.sleep(1)
        with contextlib.suppress(requests.Timeout):  # a busy machine
            runs = ended(airflow)
    wall, used = time.monotonic() - started, cpu_of(airflow) - before
    failed = [run["dag_run_id"] for run in runs if run["state"] != "success"]
    if failed:
        raise SystemExit(f"failed: {failed}\n{airflow.failure('winnow_nightly', failed[0])}")
    found = [
        airflow.call("GET", f"{DAG}/{run['dag_run_id']}/taskInstances?limit=1000")["task_instances"]
        for run in runs
    ]
    with runner.corpus_session(settings) as corpus:
        own = sum(
            record.cpu_seconds
            for run in runs
            for record in tasks.records(corpus, run["partition_key"], safe(run["dag_run_id"]))
        )
    return wall, used, own, found


def safe(run_id: str) -> str:
    """Return the name of a run in the corpus."""
    from pipeline.plan.stage import safe_run_id  # noqa: PLC0415

    return safe_run_id(run_id)


def ended(airflow: Airflow) -> list[dict[str, Any]]:
    """Return the runs of backfills that have ended."""
    runs = airflow.call("GET", f"{DAG}?run_type=backfill&limit=1000")["dag_runs"]
    return [run for run in runs if run["state"] in {"success", "failed"}]


def cpu_of(airflow: Airflow) -> float:
    """Return the processor seconds of Airflow's processes, those that have ended included."""
    total = 0.0
    for pid in airflow.pids.values():
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += sum((times.user, times.system, times.children_user, times.children_system))
    return total


def pauses(instances: list[dict[str, Any]]) -> list[float]:
    """Return how long each task of a run began after the last one before it had ended."""
    done = [one for one in instances if one["start_date"] and one["end_date"]]
    spans = sorted((moment(one["start_date"]), moment(one["end_date"])) for one in done)
    found = []
    for begun, _ in spans:
        before = [end for _, end in spans if end <= begun]
        if before:
            found.append(begun - max(before))
    return found


def moment(text: str) -> float:
    """Read a time of the REST API."""
    return dt.datetime.fromisoformat(text).timestamp()


def report(
    options: argparse.Namespace,
    wall: float,
    used: float,
    own: float,
    found: list[list[dict[str, Any]]],
) -> None:
    """Print what was measured."""
    done = sum(one["state"] == "success" for run in found for one in run)
    skipped = sum(one["state"] == "skipped" for run in found for one in run)
    waited = statistics.median(pause for run in found for pause in pauses(run))
    load = os.getloadavg()[0]
    print(f"{options.nights} nights of {options.documents} documents, {options.active} at once")
    print(f"wall {wall:.0f} s (load {load:.1f}), {wall / options.nights:.1f} s a night")
    print(f"{done} tasks done, {skipped} skipped, {wall / done:.2f} s of wall a task")
    print(f"processor: Airflow with its tasks {used:.0f} s, {used / done:.2f} s a task")
    print(
        f"of that the tasks' own work {own:.0f} s, {(used - own) / done:.2f} s a task is Airflow's"
    )
    print(f"from the end of a task to the start of the next: {waited:.2f} s (median)")


if __name__ == "__main__":
    main()
