"""A small web application, as a service of this project runs one: standard library only, no state, quiet checks.

It answers ``/`` with its version and ``/healthz`` with ``ok``. At SIGTERM it takes no new connection, finishes the
requests that it has, and ends. Its time-outs are those of its service's ``TimeoutBudget``, which come as settings.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = Path(__file__).with_name("version.txt")
KEEP_ALIVE_SECONDS = float(os.environ.get("MOORINGS_KEEP_ALIVE_SECONDS", "75"))
"""Longer than the load balancer keeps an idle connection (60 s): or it would send a request into one that closes."""
REQUEST_SECONDS = float(os.environ.get("MOORINGS_REQUEST_TIMEOUT_SECONDS", "30"))
"""A request that takes longer, to come or to be answered, is cut off: nobody waits for it any more."""
SHUTDOWN_SECONDS = float(os.environ.get("MOORINGS_SHUTDOWN_SECONDS", "20"))
"""What is not answered so long after SIGTERM is cut off; ECS would kill the process a little later."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    timeout = KEEP_ALIVE_SECONDS
    server: Server

    def parse_request(self) -> bool:
        """Called when the first line of a request has come: from here on its time is counted."""
        self.server.begin(self.connection)
        return super().parse_request()

    def handle_one_request(self) -> None:
        """One request, or the silence until the connection is closed."""
        try:
            super().handle_one_request()
        except ConnectionError:  # the caller has gone, or was cut off
            self.close_connection = True
        self.server.end(self.connection)

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
    """One thread for each connection; stopping waits for all of them, but not for ever."""

    daemon_threads = True
    request_queue_size = 128
    request_seconds = REQUEST_SECONDS
    shutdown_seconds = SHUTDOWN_SECONDS

    def __init__(self, port: int, version: str) -> None:
        self.version = version
        self.stopping = False
        self._open: dict[socket.socket, float | None] = {}
        """When the request of each connection is cut off; None while it has none."""
        self._changed = threading.Condition()
        super().__init__(("", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changed:
            self._open.pop(request, None)
            self._changed.notify_all()
        super().shutdown_request(request)

    def begin(self, connection: socket.socket) -> None:
        """A request has begun."""
        self._open[connection] = time.monotonic() + self.request_seconds

    def end(self, connection: socket.socket) -> None:
        """The request has been answered, or there was none."""
        self._open[connection] = None

    def service_actions(self) -> None:
        """Called again and again while it serves: cuts off what takes too long."""
        now = time.monotonic()
        for connection, until in list(self._open.items()):
            if until is not None and now > until:
                close(connection, socket.SHUT_RDWR)

    def stop(self, *_: object) -> None:
        """Called at SIGTERM. ``shutdown`` waits for the loop that this very thread runs, so another one calls it."""
        self.stopping = True
        threading.Thread(target=self.shutdown).start()

    def run(self) -> int:
        """Serves until it is stopped, and until what was asked before that is answered; how many were cut off."""
        self.serve_forever(poll_interval=0.1)
        for connection in list(self._open):
            # What has come already can still be read, and is answered; a silent connection ends here.
            close(connection, socket.SHUT_RD)
        self.server_close()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, timeout=self.shutdown_seconds)
            return len(self._open)


def close(connection: socket.socket, how: int) -> None:
    """Closes one or both directions of a connection; its thread notices."""
    with contextlib.suppress(OSError):  # the other side was faster
        connection.shutdown(how)


def main() -> None:
    """Serves until SIGTERM or Ctrl-C."""
    server = Server(int(os.environ.get("PORT", "8080")), VERSION.read_text().strip())
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    print(f"version {server.version} listens on port {server.server_port}", flush=True)
    left = server.run()
    print(f"stopped; cut off: {left}" if left else "stopped", flush=True)


if __name__ == "__main__":
    main()
