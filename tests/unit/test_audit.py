"""What the look-up of advisories says, and when it fails."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / "ops" / "audit.py"
VERDICT = runpy.run_path(str(AUDIT))["verdict"]
SOUND = {"name": "sound", "version": "1", "vulns": []}
AWAY = {"name": "away", "skip_reason": "not found on PyPI"}
WEAK = {"name": "weak", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([SOUND], 0, "1 of 1 packages were looked up; known weaknesses: 0."),
        ([SOUND, AWAY], 0, "1 of 2 packages were looked up; known weaknesses: 0. Nobody answered"),
        ([AWAY, WEAK], 1, "weak 2: PYSEC-1, mended in 3\n1 of 2 packages"),
    ],
)
def test_only_a_known_weakness_stops(packages: list[Any], code: int, said: str) -> None:
    """Who did not answer is named as such: neither a failure nor sound."""
    found = VERDICT(packages)
    assert found[0] == code
    assert found[1].startswith(said)


class _Advisories(BaseHTTPRequestHandler):
    """An OSV service that knows of one weakness, of `weak` before version 3."""

    def do_POST(self) -> None:
        """Answer a query as the service does: nothing at all of a sound package."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        package = asked["package"]
        found: dict[str, Any] = {}
        if package["name"] == "weak" and int(asked["version"]) < 3:
            events = [{"introduced": "0"}, {"fixed": "3"}]
            affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
            found["vulns"] = [{"id": "PYSEC-1", "summary": "It is weak.", "affected": [affected]}]
        answer = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """Yield the address of the service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Advisories)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        ("2", 1, "audit: weak 2: PYSEC-1, mended in 3\n2 of 2 packages were looked up"),
        ("3", 0, "audit: 2 of 2 packages were looked up; known weaknesses: 0."),
    ],
)
def test_a_locked_package_with_an_advisory_fails_the_audit(
    version: str, code: int, said: str, *, service: str, tmp_path: Path
) -> None:
    """The whole command, over HTTP: every package of a lock is asked about by its version."""
    lock = "".join(
        f"{name}=={number} --hash=sha256:{'0' * 64}\n"
        for name, number in (("sound", "1"), ("weak", version))
    )
    (tmp_path / "requirements.lock").write_text(lock, "utf-8")
    command = [sys.executable, AUDIT, "report.json", "-s", "osv", "--osv-url", service]
    command += ["--cache-dir", tmp_path / "cache"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"NO_PROXY": "127.0.0.1"}
    )  # fmt: skip
    assert done.stdout.startswith(said), done.stdout + done.stderr
    assert done.returncode == code
