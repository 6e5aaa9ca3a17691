"""A source of configuration that fails in all the ways that sources do: a real server, which ends by itself."""

from __future__ import annotations

import json
import socketserver
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parents[2] / "examples" / "fail_static"
NOON = 1795348800.0
"""2026-11-22 12:00 UTC."""
PATH = "/applications/shop/environments/production/configurations/web"

MODES = (
    "good", "silent", "drips", "drips-head", "page", "html", "truncated", "list", "number", "empty", "nan",
    "infinite", "deep", "huge", "endless", "reset", "404", "500", "502", "504", "302", "refused-by-check", "not-http",
)  # fmt: skip
"""``good`` first; with each of the others there is no configuration to take."""


def client() -> tuple[ModuleType, ModuleType]:
    """The two files of the example, as an application has them."""
    sys.path.insert(0, str(FOLDER))
    try:
        return import_module("fail_static"), import_module("steps")
    finally:
        sys.path.remove(str(FOLDER))


def check(content: Mapping[str, Any]) -> None:
    """What the application of these tests needs."""
    if not isinstance(content.get("price"), int):
        raise ValueError("price must be a whole number")


class Source(socketserver.ThreadingTCPServer):
    """Answers by its ``mode``, and counts what it was asked."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode = "good"
        self.version = "7"
        self.content: object = {"price": 7}
        self.asked = 0
        self.lines: list[str] = []
        self.hanging = 0
        self.sent = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Where the agent would be."""
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked has gone; that is what the tests are about."""


class Handler(socketserver.StreamRequestHandler):
    """One question."""

    server: Source

    def handle(self) -> None:
        """Whatever the mode is when the question comes."""
        source = self.server
        source.asked += 1
        mode = source.mode
        source.lines.append(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        good = json.dumps(source.content).encode()
        if mode == "silent":
            source.hanging += 1
            source.over.wait(30)
        elif mode == "drips":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            self.drip()
        elif mode == "drips-head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            self.drip()
        elif mode == "reset":
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        elif mode == "not-http":
            self.wfile.write(b"\x00\x01SSH-2.0\r\n\r\n")
        elif mode == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not source.over.is_set():
                self.wfile.write(b"[" * 65536)
                source.sent += 65536
        elif mode.isdigit():
            self.answer(good, status=mode)
        else:
            self.answer(
                {
                    "good": good,
                    "page": b'"upstream connect error or disconnect/reset before headers"',
                    "html": b"<!doctype html><title>502 Bad Gateway</title>",
                    "truncated": good[:-1],
                    "list": b"[1, 2]",
                    "number": b"7",
                    "empty": b"",
                    "nan": b'{"price": 7, "rate": NaN}',
                    "infinite": b'{"price": 7, "rate": 1e400}',
                    "deep": b'{"price": 7, "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
                    "huge": b'{"price": 7, "a": "' + b"x" * (5 * 1024 * 1024) + b'"}',
                    "refused-by-check": b'{"price": "seven"}',
                }[mode]
            )

    def answer(self, body: bytes, status: str = "200") -> None:
        """As the agent writes it."""
        head = f"HTTP/1.1 {status} So\r\nConfiguration-Version: {self.server.version}\r\nContent-Length: {len(body)}"
        self.wfile.write(f"{head}\r\nLocation: {PATH}\r\nConnection: close\r\n\r\n".encode() + body)

    def drip(self) -> None:
        """A byte each tenth of a second, for as long as somebody listens."""
        while not self.server.over.wait(0.1):
            self.wfile.write(b" ")


@contextmanager
def source() -> Iterator[Source]:
    """A source that is gone, with its threads, when the test is."""
    with Source() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(5)
