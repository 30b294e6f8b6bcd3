"""The folder `.demo`: the object store's data, Airflow's home, settings, and who is running.

Holds: `Home`. Reads and writes `.demo/`; starts and stops the object store.
Not here: the S3 server itself (`object_store.py`), Airflow (`airflow.py`).

    .demo/winnow.toml        settings; `winnow …` without flags uses them
    .demo/credentials        the store's one user, in the format of ~/.aws/credentials
    .demo/store/             data of the object store
    .demo/airflow/           Airflow's home: database, logs
    .demo/corpus/            a copy of the published tables as plain files
    .demo/*.pid              process groups that were left running
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from demo.object_store import ObjectStore

ROOT = Path(__file__).parents[1]
BUCKETS = ("landing", "corpus")
_USER, _SECRET = "winnow", "winnow-demo-only"

_TOML = """\
# Written by `make demo`; `winnow` uses it in this folder when nothing else is configured.
[store]
landing = "s3://landing"
corpus = "s3://corpus"
endpoint_url = "{url}"
credentials_file = "{credentials}"

[plan]
shard_bytes = 98304   # tiny, so that a night of 180 kB is two tasks of each kind
range_bytes = 98304
"""


class BusyError(Exception):
    """Somebody else is starting or stopping servers in the same folder."""


class Home:
    """`.demo` of a checkout. Process groups are found again through their pid files."""

    def __init__(self, folder: Path = ROOT / ".demo") -> None:
        """Make the folder when it is not there."""
        self.folder = folder
        self.airflow = folder / "airflow"
        self.corpus = folder / "corpus"
        self.settings = folder / "winnow.toml"
        self._credentials = folder / "credentials"
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other demos out of the folder while the block runs.

        Raises:
            BusyError: another one is at work.
        """
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                message = f"Another `make demo` or `make up` is at work in {self.folder}."
                raise BusyError(message) from error
            yield

    def start_store(self) -> str:
        """Start the object store unless it runs; leave it running; return its URL."""
        url = self.folder / "store.url"
        if self.running("store"):
            return url.read_text("utf-8")
        server = ObjectStore(
            self.folder / "store", access_key=_USER, secret_key=_SECRET, buckets=BUCKETS
        ).start()
        atexit.unregister(server.stop)
        self.remember("store", server.pid)
        url.write_text(server.url, "utf-8")
        self._credentials.write_text(
            f"[default]\naws_access_key_id = {_USER}\naws_secret_access_key = {_SECRET}\n", "utf-8"
        )
        self.settings.write_text(
            _TOML.format(url=server.url, credentials=self._credentials), "utf-8"
        )
        return server.url

    def remember(self, name: str, pid: int) -> None:
        """Note the process group that runs under `name`."""
        (self.folder / f"{name}.pid").write_text(f"{pid}\n{_command(pid)}\n", "utf-8")

    def running(self, name: str) -> int:
        """Return the process group of `name`, or 0 when it has ended.

        A number that the system has given to another program meanwhile does not count.
        """
        note = self.folder / f"{name}.pid"
        if not note.exists():
            return 0
        pid, command, *_ = [*note.read_text("utf-8").splitlines(), ""]
        return int(pid) if command and _command(int(pid)) == command else 0

    def names(self) -> list[str]:
        """Name everything that has a pid file, the store last: others write to it."""
        found = [path.stem for path in sorted(self.folder.glob("*.pid"))]
        return sorted(found, key=lambda name: name == "store")

    def stop(self, name: str, *, seconds: float = 20) -> bool:
        """End the process group of `name` and forget it; return whether it was running."""
        pid = self.running(name)
        if pid:
            end_group(pid, seconds=seconds)
        (self.folder / f"{name}.pid").unlink(missing_ok=True)
        return bool(pid)


def end_group(pid: int, *, seconds: float = 20) -> None:
    """Ask a process group to end, then make it."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            os.killpg(pid, 0)
            time.sleep(0.1)
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _command(pid: int) -> str:
    done = subprocess.run(
        ["ps", "-p", str(pid), "-o", "lstart=,command="],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
