"""PostgreSQL and Redis of a test's own, from Debian's packages, on free ports of this machine.

Holds: `Postgres`, `Redis`, `free_port`. Starts servers with data in a folder that the test gives;
`restart` stops one hard and starts it again on the same port and data, as a machine does.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

_PACKAGES = {"initdb": "postgresql", "redis-server": "redis-server"}
_INSTALL = (
    "apt-get",
    "install",
    "-y",
    "-qq",
    "--no-install-recommends",
    "-oDPkg::Lock::Timeout=120",
)


def free_port() -> int:
    """Return a port that nobody listens on, below those that the kernel gives to connections.

    So it is still free when its server comes back: clients that knock meanwhile cannot be given it.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class _Server:
    """A process that answers on `port`; subclasses say how it is started."""

    def __init__(self, folder: Path) -> None:
        """Describe the server; `start` makes its data."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 120
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "server.log").read_text("utf-8")[-2000:])
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server's process group and wait for it."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
        self._process.wait(120)

    def restart(self) -> None:
        """Stop it as an operator would in a hurry, and start it again."""
        self.stop()
        self.start()

    def _command(self) -> list[str]:
        raise AssertionError("a server has a command")

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


class Redis(_Server):
    """Redis with the options of the compose file: every write is kept on disk."""

    def _command(self) -> list[str]:
        program = _program("redis-server")
        options = ["--port", str(self.port), "--dir", str(self.folder)]
        return [program, *options, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]


class Postgres(_Server):
    """PostgreSQL with the role and the database `airflow`; root cannot run it, `postgres` does."""

    def __init__(self, password: str) -> None:
        """Make the cluster, outside pytest's folders, which are private to root."""
        super().__init__(Path(tempfile.mkdtemp(prefix="winnow-postgres-")))
        self._password = password
        self._bin = Path(_program("initdb")).parent
        self._data = self.folder / "data"
        secret = self.folder / "password"
        secret.write_text(password, "utf-8")
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (self.folder, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        made = [str(self._bin / "initdb"), "-D", str(self._data), "--pwfile", str(secret)]
        made += ["-U", "airflow", "-A", "scram-sha-256", "--no-sync"]
        subprocess.run(self._as_user(made), check=True, capture_output=True)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server; SIGINT is PostgreSQL's fast shutdown."""
        super().stop(how)

    def remove(self) -> None:
        """Delete the data of a stopped server."""
        shutil.rmtree(self.folder)

    def make_database(self) -> None:
        """Make the database `airflow` of the running server."""
        command = [str(self._bin / "createdb"), "-h", "127.0.0.1", "-p", str(self.port)]
        environment = os.environ | {"PGPASSWORD": self._password}
        subprocess.run([*command, "-U", "airflow", "airflow"], check=True, env=environment)

    def _command(self) -> list[str]:
        options = ["-p", str(self.port), "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", "fsync=off"]  # what is written outlives the process, not the machine
        return self._as_user([str(self._bin / "postgres"), "-D", str(self._data), *options])

    def _answers(self) -> bool:
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def _as_user(self, command: list[str]) -> list[str]:
        if os.getuid() != 0:
            return command
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]


def _program(name: str) -> str:
    """Find a server program; install Debian's package of it when root may."""
    found = _find(name)
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        package = _PACKAGES[name]
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        subprocess.run(
            [*_INSTALL, package],
            check=False,
            capture_output=True,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
        found = _find(name)
    if found is None:
        pytest.skip(f"expected {name} (Debian: apt-get install {_PACKAGES[name]}), found none")
    return found


def _find(name: str) -> str | None:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(versions[-1]) if versions else shutil.which(name)
