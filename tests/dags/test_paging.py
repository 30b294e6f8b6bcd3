"""Telling a person of a guard: by web hook or by mail, and once a run."""

from __future__ import annotations

import asyncio
import json
import socketserver
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from pipeline.errors import ConfigError, GuardError
from pipeline.storage import layout
from winnow_airflow.alarms import tell_late
from winnow_airflow.paging import page_once

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database")]

DATE = "2026-11-21"


class _Hook:
    """A web hook that answers with `status`."""

    def __init__(self) -> None:
        self.status, self.bodies = 204, list[dict[str, str]]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                outer.bodies.append(json.loads(self.rfile.read(size)))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


class _Letters(socketserver.StreamRequestHandler):
    """As much of SMTP as one letter needs."""

    def handle(self) -> None:
        lines: list[str] = self.server.lines  # type: ignore[attr-defined] # set by the test
        self.wfile.write(b"220 here\r\n")
        inside = False
        while line := self.rfile.readline().decode():
            lines.append(line.rstrip())
            if inside and line != ".\r\n":
                continue  # of the letter
            inside = line.upper().startswith("DATA") and not inside
            code = 354 if inside else 221 if line.upper().startswith("QUIT") else 250
            self.wfile.write(f"{code} well\r\n".encode())


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[_Hook]:
    """Start a web hook, and make it the pager of a corpus on disk."""
    started = _Hook()
    Thread(target=started.server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{started.server.server_port}/hook"
    connection = {"conn_type": "http", "extra": {"url": address}}
    monkeypatch.setenv("AIRFLOW_CONN_WINNOW_PAGER", json.dumps(connection))
    _corpus(monkeypatch, tmp_path)
    yield started
    started.server.shutdown()
    started.server.server_close()


def _corpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("landing", "corpus"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"WINNOW_STORE__{name.upper()}", str(tmp_path / name))


def _failure(error: Exception, run_id: str = "manual__1") -> dict[str, Any]:
    run = SimpleNamespace(dag_id="winnow_nightly", run_id=run_id, partition_key=DATE, conf={})
    task = SimpleNamespace(log_url="http://airflow/log")
    return {"exception": error, "dag_run": run, "task_instance": task}


def test_a_guard_pages_once_a_run(hook: _Hook) -> None:
    """The same run pages once however often it fails; another run pages again."""
    for run_id in ("manual__1", "manual__1", "manual__2"):
        page_once(_failure(GuardError("removal: expected 0.1, found 0.9"), run_id))
    assert [body["run_id"] for body in hook.bodies] == ["manual__1", "manual__2"]
    assert hook.bodies[0]["dump_date"] == DATE
    assert "removal: expected 0.1, found 0.9 http://airflow/log" in hook.bodies[0]["text"]


def test_a_late_night_is_told(hook: _Hook) -> None:
    """The alarm names the night, how long it took, and where to look."""
    run = {"dag_id": "winnow_nightly", "dag_run_id": "manual__1", "conf": {"dump_date": DATE}}
    asyncio.run(tell_late(28_800, {"dag_run": {"partition_key": None, **run}}))
    (said,) = hook.bodies
    assert said["text"].startswith(f"Winnow is late: the night {DATE} has not ended 8:00:00 after")
    assert (said["dump_date"], said["run_id"]) == (DATE, "manual__1")


def test_other_failures_do_not_page(hook: _Hook) -> None:
    """Only a guard pages: all else is red in Airflow."""
    page_once(_failure(ConfigError("no such bucket")))
    assert hook.bodies == []


def test_a_page_that_was_refused_is_sent_again(hook: _Hook, tmp_path: Path) -> None:
    """While the hook fails the run counts as not paged, so that its next failure tries again."""
    hook.status = 503
    with pytest.raises(httpx.HTTPStatusError):
        page_once(_failure(GuardError("odd")))
    assert not (tmp_path / "corpus" / layout.page(DATE, "manual__1")).exists()
    hook.status = 204
    page_once(_failure(GuardError("odd")))
    page_once(_failure(GuardError("odd")))
    assert len(hook.bodies) == 2


def test_a_guard_may_write_a_letter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A connection of type smtp sends mail from and to whom its extra names."""
    _corpus(monkeypatch, tmp_path)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Letters) as server:
        server.lines = []  # type: ignore[attr-defined] # what it was told
        Thread(target=server.serve_forever, daemon=True).start()
        connection = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "extra": {"from": "winnow@example.org", "to": "ops@example.org"},
        }
        monkeypatch.setenv("AIRFLOW_CONN_WINNOW_PAGER", json.dumps(connection))
        page_once(_failure(GuardError("documents: expected at least 98, found 3")))
        server.shutdown()
        said = "\n".join(server.lines)  # type: ignore[attr-defined]
    assert "rcpt TO:<ops@example.org>".lower() in said.lower()
    assert f"Subject: Winnow stopped the night {DATE}" in said
    assert "documents: expected at least 98, found 3" in said


def test_without_a_connection_the_log_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is sent, and nothing fails for want of a pager."""
    monkeypatch.delenv("AIRFLOW_CONN_WINNOW_PAGER", raising=False)
    _corpus(monkeypatch, tmp_path)
    page_once(_failure(GuardError("odd")))
    assert "Winnow stopped a night. odd" in caplog.text
    assert list((tmp_path / "corpus").rglob("*.txt")) == []
