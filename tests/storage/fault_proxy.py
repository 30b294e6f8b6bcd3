"""A small HTTP proxy that breaks chosen answers on their way, as networks do.

Holds: `FaultProxy`, `Fault`. Everything is passed on unchanged (also the Host header, which the
signature covers), except that matching requests meet the next fault of the list.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

Kind = Literal["reset_mid", "short_body", "stall_head", "unavailable", "lost_ack", "flip"]

UNAVAILABLE = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Reduce your request rate.</Message></Error>"
)


@dataclass
class FaultProxy:
    """Forwards to `upstream`; each request with `method` meets the next of `faults`, then none.

    `requests` are those with `method`, `sent` the bytes of the bodies that answered them.
    """

    upstream: str
    method: str
    faults: Sequence[Kind]
    met: list[Kind] = field(default_factory=list)
    requests: int = 0
    sent: int = 0

    def __post_init__(self) -> None:
        """Make the server; it listens from now on."""
        self._lock = threading.Lock()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]  # the handler finds us there
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The URL to use instead of the upstream's."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let stalled requests go and stop."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, size: int) -> None:
        """Note the size of an answer's body."""
        with self._lock:
            if method == self.method:
                self.sent += size

    def next_fault(self, method: str) -> Kind | None:
        """Return the fault that this request meets."""
        with self._lock:
            if method != self.method:
                return None
            self.requests += 1
            if len(self.met) == len(self.faults):
                return None
            self.met.append(self.faults[len(self.met)])
            return self.met[-1]


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base names it so
        """Say nothing."""

    def _serve(self) -> None:
        proxy: FaultProxy = self.server.proxy  # type: ignore[attr-defined]
        fault = proxy.next_fault(self.command)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault == "stall_head":
            proxy.released.wait()
            self._reset()
        elif fault == "unavailable":
            self._send(503, {"Content-Type": "application/xml"}, UNAVAILABLE)
        else:
            self._pass_on(proxy.upstream, body, fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815  the base names them

    def _pass_on(self, upstream: str, body: bytes, fault: Kind | None) -> None:
        connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name != "Expect"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        data = bytearray(answer.read())
        names = {name: value for name, value in answer.getheaders() if name != "Transfer-Encoding"}
        connection.close()
        self.server.proxy.count(self.command, len(data))  # type: ignore[attr-defined]
        if fault == "lost_ack":
            self._reset()
            return
        if fault == "flip":
            data[len(data) // 2] ^= 1
        if fault in {"reset_mid", "short_body"}:
            self._send(answer.status, names, bytes(data), cut=len(data) // 2)
            if fault == "reset_mid":
                self._reset()
            self.close_connection = True
            return
        self._send(answer.status, names, bytes(data))

    def _send(
        self, status: int, headers: dict[str, str], data: bytes, *, cut: int | None = None
    ) -> None:
        """Send a head that promises all of `data`, and its first `cut` bytes."""
        self.send_response_only(status)
        lengths = {"content-length"} if self.command != "HEAD" else set()
        for name, value in headers.items():
            if name.lower() not in lengths:
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:cut])
        self.wfile.flush()

    def _reset(self) -> None:
        """Break the connection so that the client sees a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.close_connection = True
        self.rfile.close()
        self.connection.close()
