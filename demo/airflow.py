"""Airflow on one machine: four processes, SQLite, and a client for its REST API.

Holds: `Airflow` (start, stop, ask). Writes Airflow's home; reads DAGs of this checkout.
Not here: Celery and PostgreSQL (`docker-compose.yaml`), what the demo asks for (`run.py`).

SQLite with one writer at a time is enough for four task processes: the long lock timeout matters
(with the default of 5 s the scheduler dies under load).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from demo.home import ROOT, end_group

USER = PASSWORD = "admin"  # noqa: S105 - printed by the demo; the server listens on 127.0.0.1
VIEWER = "viewer"
"""A second user with a password of the same name, who may look and not act."""

POOLS = (
    {"name": "winnow_commit", "slots": 1, "description": "Nights commit one after the other."},
    {"name": "winnow_landing", "slots": 32, "description": "Tasks that read dump files."},
)
_LOCAL_SETTINGS = """\
# Task processes are forked from the scheduler's: what it has loaded they need not load again.
import sys

if "scheduler" in sys.argv:
    import pipeline.dedup.stage
    import pipeline.ingest.stage
    import pipeline.report.stage
    import pipeline.runner
    from pipeline.enrich.annotator import resolve
    from pipeline.ingest.tidy import tidy
    from pipeline.model.settings import EnrichSettings

    resolve(EnrichSettings().annotators)
    tidy("the first call of a kernel loads what all of them need")
"""
_CORE = ("api-server", "scheduler", "dag-processor")


class AirflowError(Exception):
    """Airflow did not start, or refused a request; the message ends with its log."""


class Airflow:
    """Airflow's processes in `home`, all of them in process groups of their own."""

    def __init__(
        self,
        home: Path,
        settings: Path,
        *,
        triggerer: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe an Airflow; `settings` is the file that its tasks load.

        Without a triggerer nothing can be waited for. `environment` adds to that of all processes.
        """
        self.home = home
        self.pids: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._components = (*_CORE, "triggerer") if triggerer else _CORE
        port, worker_port, trigger_port = _free_ports(3)
        self.url = f"http://127.0.0.1:{port}"
        self.environment = _environment(home, settings, port, worker_port, trigger_port)
        self.environment |= environment or {}
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self, *, seconds: float = 180) -> None:
        """Make the database, start every process and wait until all report healthy.

        Raises:
            AirflowError: a process ended, or the time is over.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        local_settings = self.home / "config" / "airflow_local_settings.py"
        local_settings.parent.mkdir(exist_ok=True)
        local_settings.write_text(_LOCAL_SETTINGS, "utf-8")
        passwords = self.home / "passwords.json"
        passwords.write_text(json.dumps({USER: PASSWORD, VIEWER: VIEWER}), "utf-8")
        self._launch("db", "migrate").wait()
        for component in self._components:
            self._processes[component] = self._launch(component)
            self.pids[component] = self._processes[component].pid
        deadline = time.monotonic() + seconds
        while not self._healthy():
            self._check_alive()
            if time.monotonic() > deadline:
                raise AirflowError(f"Airflow is not healthy after {seconds:.0f} s; see {self.home}")
            time.sleep(0.5)

    def stop(self) -> None:
        """End every process, the scheduler first so that its tasks are not orphaned."""
        for component in ("scheduler", *self._components):
            process = self._processes.pop(component, None)
            if process:
                end_group(process.pid)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request to `/api/v2` and return its JSON.

        Raises:
            AirflowError: a status of 400 or more.
        """
        self._check_alive()
        answer = self._session.request(method, f"{self.url}/api/v2{path}", timeout=60, **options)
        if answer.status_code >= 400:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def get(self, path: str) -> requests.Response:
        """Ask for a page outside the API, as who is logged in."""
        return self._session.get(self.url + path, timeout=60)

    def make_ready(self, dag_id: str, *, seconds: float = 120) -> None:
        """Make the pools and wait until the DAG has been parsed.

        Raises:
            AirflowError: the DAG did not appear; the message has its import errors.
        """
        self._log_in()
        for pool in POOLS:
            found = self._session.post(f"{self.url}/api/v2/pools", json=pool, timeout=60)
            if found.status_code not in {201, 409}:
                raise AirflowError(f"could not make pool {pool['name']}: {found.text[:500]}")
        deadline = time.monotonic() + seconds
        while not any(dag["dag_id"] == dag_id for dag in self.call("GET", "/dags")["dags"]):
            if time.monotonic() > deadline:
                errors = self.call("GET", "/importErrors")["import_errors"]
                raise AirflowError(f"DAG {dag_id} did not appear: {errors}")
            time.sleep(0.5)

    def failure(self, dag_id: str, run_id: str) -> str:
        """Return the end of the log of the first task of a run that failed."""
        instances = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000")
        for task in instances["task_instances"]:
            if task["state"] == "failed":
                path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/"
                path += f"{task['try_number']}?map_index={task['map_index']}"
                lines = list(_events(self.call("GET", path)["content"]))
                return "\n".join([f"Log of {task['task_id']}:", *lines[-40:]])
        return f"No task of {run_id} failed; see {self.home}/scheduler.log"

    def _launch(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{command[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "airflow", *command],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _healthy(self) -> bool:
        try:
            answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=10)
        except requests.RequestException:  # not there yet, or too busy to answer
            return False
        if not answer.ok:
            return False
        parts = [name.replace("-", "_") for name in self._components if name != "api-server"]
        health = answer.json()
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def _check_alive(self) -> None:
        for component, process in self._processes.items():
            if process.poll() is not None:
                log = (self.home / f"{component}.log").read_text("utf-8", "replace")
                tail = "\n".join(log.splitlines()[-30:])
                raise AirflowError(f"airflow {component} ended ({process.returncode}):\n{tail}")

    def _log_in(self) -> None:
        answer = self._session.post(
            f"{self.url}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=60
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _environment(
    home: Path, settings: Path, port: int, worker_port: int, trigger_port: int
) -> dict[str, str]:
    """Return the environment of every process: nothing of the caller's Airflow, all of ours."""
    url = f"http://127.0.0.1:{port}"
    ours = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": min(4, max(2, os.cpu_count() or 2)),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin,{VIEWER}:viewer",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "passwords.json",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
        "LOGGING__WORKER_LOG_SERVER_PORT": worker_port,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_port,
        # The chain of ten tasks takes 0.3 s a step instead of 1.1 s.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.1,
        # Triggers and backfills only: the schedule would add yesterday, on which nothing landed.
        "SCHEDULER__USE_JOB_SCHEDULE": False,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    keep = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    local = "127.0.0.1,localhost"
    return keep | {
        **{f"AIRFLOW__{name}": str(value) for name, value in (ours | _secrets(home)).items()},
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins"))),
        "WINNOW_CONFIG": str(settings),
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), local))),
        "no_proxy": ",".join(filter(None, (os.environ.get("no_proxy"), local))),
    }


def _secrets(home: Path) -> dict[str, str]:
    """Return the keys of this home, made once: connections stay readable over restarts."""
    path = home / "secrets.json"
    if not path.exists():
        made = {
            "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "API__SECRET_KEY": secrets.token_hex(32),
            "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        }
        home.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(made), "utf-8")
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found


def _events(content: Any) -> Iterator[str]:
    """Turn Airflow's structured log into lines, exceptions included."""
    for event in content if isinstance(content, list) else [content]:
        if not isinstance(event, dict):
            yield str(event)
            continue
        yield f"{event.get('level', '')} {event.get('event', '')}".strip()
        for error in event.get("error_detail") or []:
            yield f"  {error.get('exc_type')}: {error.get('exc_value')}"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]
