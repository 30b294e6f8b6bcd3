"""A real Airflow on a real S3 server, and the few questions that tests ask it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, UDPServer
from threading import Thread
from typing import Any

from demo.airflow import Airflow
from demo.home import Home
from demo.nights import DemoNight
from pipeline import config, runner
from pipeline.model.settings import Settings
from pipeline.storage.store import Store

DAG = "/dags/winnow_nightly/dagRuns"
States = Mapping[str, set[str]]

CALM = {"AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3"}
"""Several Airflows share two cores with the tasks that they wait for: they look less often."""


@contextmanager
def started(
    folder: Path, *, triggerer: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Start an object store and Airflow in a folder; stop both at the end."""
    before = dict(os.environ)
    home = Home(folder)
    also = CALM | dict(environment or {})
    airflow = Airflow(home.airflow, home.settings, triggerer=triggerer, environment=also)
    try:
        home.start_store()
        config.use_credentials(config.load(home.settings, environ={}))
        airflow.start()
        airflow.make_ready("winnow_nightly")
        yield Stack(airflow, config.load(home.settings, environ={}), home.settings)
    finally:
        airflow.stop()
        home.stop("store")
        os.environ.clear()
        os.environ.update(before)


class Stack:
    """A running Airflow with its store, and the few questions that tests ask it."""

    def __init__(self, airflow: Airflow, settings: Settings, file: Path) -> None:
        """Wrap an Airflow that is ready; its tasks load their settings from `file`."""
        self.airflow = airflow
        self.file = file
        self.settings = settings

    def land(self, night: DemoNight) -> None:
        """Upload a night."""
        self.put(dict(night.files))

    def put(self, files: Mapping[str, bytes]) -> None:
        """Upload files."""
        landing = runner.open_landing(self.settings)
        for key, data in files.items():
            landing.put(key, data)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask the REST API."""
        return self.airflow.call(method, path, **options)

    def cli(self, *arguments: str) -> str:
        """Run the airflow command and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.airflow.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def trigger(self, partition_key: str | None, **params: Any) -> dict[str, Any]:
        """Start a run and return it when it has ended."""
        body = {"logical_date": None, "partition_key": partition_key, "conf": params}
        run_id = self.airflow.call("POST", DAG, json=body)["dag_run_id"]
        return self.ended(lambda: self.airflow.call("GET", f"{DAG}/{run_id}"))

    def backfill(self, dump_date: str) -> dict[str, Any]:
        """Backfill one date and return its run when it has ended."""
        instant = f"{dump_date}T00:00:00Z"
        body = {"dag_id": "winnow_nightly", "from_date": instant, "to_date": instant}
        self.airflow.call("POST", "/backfills", json=body)

        def find() -> dict[str, Any]:
            runs = self.airflow.call("GET", f"{DAG}?run_type=backfill")["dag_runs"]
            return next((run for run in runs if run["partition_key"] == dump_date), {})

        return self.ended(find)

    def ended(self, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Ask until the run has ended; pytest's own time limit is the only other way out."""
        while (run := look()).get("state") not in {"success", "failed"}:
            time.sleep(1)
        return run

    def clear(
        self, run: Mapping[str, Any], tasks: list[str], *, downstream: bool = True
    ) -> dict[str, Any]:
        """Do tasks of a run again, with those after them or alone; return the run at its end."""
        body = {
            "dry_run": False,
            "dag_run_id": run["dag_run_id"],
            "task_ids": tasks,
            "include_downstream": downstream,
            "only_failed": False,
        }
        self.ask("POST", f"{DAG.removesuffix('/dagRuns')}/clearTaskInstances", json=body)
        return self.ended(lambda: self.ask("GET", f"{DAG}/{run['dag_run_id']}"))

    def states(self, run: Mapping[str, Any]) -> States:
        """Return task → the states of its instances."""
        path = f"{DAG}/{run['dag_run_id']}/taskInstances?limit=1000"
        found: dict[str, set[str]] = {}
        for task in self.airflow.call("GET", path)["task_instances"]:
            found.setdefault(task["task_id"], set()).add(task["state"])
        return found

    def why(self, run: Mapping[str, Any]) -> str:
        """Return the log of the task that failed."""
        return self.airflow.failure("winnow_nightly", run["dag_run_id"])


class Pager:
    """A web hook that keeps what it is sent."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.received: list[tuple[str | None, dict[str, str]]] = []
        received = self.received

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.headers["Authorization"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Hook)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def connection(self) -> dict[str, str]:
        """The connection `winnow_pager` that leads here."""
        extra = json.dumps({"url": f"http://127.0.0.1:{self.server.server_port}/hook"})
        named = {"connection_id": "winnow_pager", "conn_type": "http"}
        return named | {"extra": extra, "password": "token"}

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()


class Statsd:
    """A StatsD server that remembers the names and the sums of what it is sent."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.sums: Counter[str] = Counter()
        sums = self.sums

        class Packet(BaseRequestHandler):
            def handle(self) -> None:
                for line in self.request[0].decode().splitlines():
                    name, _, rest = line.partition(":")
                    sums[name] += float(rest.partition("|")[0])

        self.server = UDPServer(("127.0.0.1", 0), Packet)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What leads Airflow here."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.server.server_address[1]),
        }

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()


def published(store: Store) -> dict[str, str]:
    """Return key → sha256 of the published tables that do not depend on the run."""
    return {
        found.key: hashlib.sha256(store.get(found.key)[0]).hexdigest()
        for table in ("documents/", "verdicts/", "quarantine/")
        for found in store.list(table)
    }
