"""A small web application, as a service of this project runs one: standard library only, no state, quiet checks.

It answers ``/`` with its version and ``/healthz`` with ``ok``. At SIGTERM it takes no new connection, finishes the
requests that it has, and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = Path(__file__).with_name("version.txt")
KEEP_ALIVE_SECONDS = 75
"""Longer than the load balancer keeps an idle connection (60 s): or it would send a request into one that closes."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    timeout = KEEP_ALIVE_SECONDS
    server: Server

    def do_GET(self) -> None:
        """The two pages."""
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self.answer(HTTPStatus.OK, "text/plain", "ok\n")
        elif path == "/":
            self.answer(HTTPStatus.OK, "application/json", json.dumps({"version": self.server.version}) + "\n")
        else:
            self.answer(HTTPStatus.NOT_FOUND, "text/plain", "there is nothing here\n")

    def answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        """Sends one answer; while the server stops, the connection ends with it."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.server.stopping:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line for each request; checks that are fine would only fill the log."""
        if not (self.path == "/healthz" and code == HTTPStatus.OK):
            super().log_request(code, size)


class Server(ThreadingHTTPServer):
    """One thread for each connection; closing waits for all of them."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, version: str) -> None:
        self.version = version
        self.stopping = False
        self._open: set[socket.socket] = set()
        super().__init__(("", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def stop(self, *_: object) -> None:
        """Called at SIGTERM. ``shutdown`` waits for the loop that this very thread runs, so another one calls it."""
        self.stopping = True
        threading.Thread(target=self.shutdown).start()

    def run(self) -> None:
        """Serves until it is stopped, and until what was asked before that is answered."""
        self.serve_forever(poll_interval=0.1)
        for connection in list(self._open):
            # What has come already can still be read, and is answered; a silent connection ends here.
            with contextlib.suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RD)
        self.server_close()


def main() -> None:
    """Serves until SIGTERM or Ctrl-C."""
    server = Server(int(os.environ.get("PORT", "8080")), VERSION.read_text().strip())
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    print(f"version {server.version} listens on port {server.server_port}", flush=True)
    server.run()
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
