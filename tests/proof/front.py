"""Servers that stand where the internet would be, as a program: ``python -m tests.proof.front <folder> <registry>``.

- A front of the registry, on port 81. It passes everything on to the local cloud, or refuses, or holds, as it is told.
- Docker Hub, over TLS on an address of its own: tokens from ``auth.docker.io``, and from ``registry-1.docker.io`` the
  images that the local cloud has.
- The name server: it writes down every name that is asked for, and knows none.

The folder has ``mode``, ``key.pem`` and ``certificate.pem``, and for each server the one ``user:password`` that it
takes; what is asked goes to ``asked`` there.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

LIMIT = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"


@dataclass(frozen=True)
class Front:
    """What the servers share: a folder, and the registry behind them."""

    folder: Path
    registry: str

    def note(self, line: str) -> None:
        """Writes down what was asked."""
        with (self.folder / "asked").open("a") as asked:
            asked.write(line + "\n")

    @property
    def mode(self) -> list[str]:
        """What to do with the next request: ``pass``, ``refuse STATUS CODE PATTERN`` or ``hold PATTERN``."""
        return (self.folder / "mode").read_text().split(" ", 3)

    def right(self, server: str, authorization: str) -> bool:
        """Whether a header has the user and the password that a server takes."""
        wanted = base64.b64encode((self.folder / server).read_bytes()).decode()
        return authorization == f"Basic {wanted}"


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, byte for byte."""

    protocol_version = "HTTP/1.1"
    front: Front

    def answer(self, status: int, body: object, **headers: str) -> None:
        """An answer of our own. The connection ends, because the request's body may not have been read."""
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status: int, code: str, message: str, **headers: str) -> None:
        """A registry's error."""
        self.answer(status, {"errors": [{"code": code, "message": message}]}, **headers)

    def pass_on(self) -> None:
        """What the registry behind says."""
        behind = HTTPConnection("127.0.0.1", 80, timeout=60)
        ours = ("authorization", "transfer-encoding", "content-length", "connection")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ours}
        headers["Host"] = self.front.registry
        behind.request(self.command, self.path, self.body(), headers)
        answer = behind.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(body)
        behind.close()

    def body(self) -> bytes:
        """What was sent, in one piece or in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_: object) -> None:
        """``asked`` has it."""


class Registry(Handler):
    """The front of the environment's registry."""

    def handle(self) -> None:
        """Docker tries TLS first, wherever it may do without."""
        if self.connection.recv(1, socket.MSG_PEEK) != b"\x16":
            super().handle()

    def serve(self) -> None:
        line = f"{self.command} {urlsplit(self.path).path}"
        self.front.note(f"registry {line}")
        what, *words = self.front.mode
        if not self.front.right("registry", self.headers.get("Authorization", "")):
            self.refuse(401, "UNAUTHORIZED", "Not Authorized", WWW_Authenticate='Basic realm="registry"')
        elif what == "refuse" and re.search(words[2], line):
            self.refuse(int(words[0]), words[1], "no")
        elif what == "hold" and re.search(" ".join(words), line):
            self.front.note(f"held {line}")
            self.connection.settimeout(60)
            with contextlib.suppress(OSError):
                while self.rfile.read1(65536):
                    pass  # until the client is gone
            self.close_connection = True
        else:
            self.pass_on()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = serve  # noqa: N815


class DockerHub(Handler):
    """Docker Hub: whoever is nobody has reached the limit."""

    def serve(self) -> None:
        path = urlsplit(self.path).path
        sent = self.headers.get("Authorization", "")
        self.front.note(f"hub {self.command} {path} {sent.split(' ')[0] or 'nobody'}")
        if path == "/token":
            if sent and not self.front.right("hub", sent):
                self.answer(401, {"details": "incorrect username or password"})
            else:
                self.answer(200, {"token": "somebody" if sent else "nobody", "expires_in": 300})
        elif not sent.startswith("Bearer "):
            challenge = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
            self.refuse(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=challenge)
        elif path == "/v2/":
            self.answer(200, {})
        elif sent == "Bearer somebody":
            self.pass_on()
        else:
            self.refuse(429, "TOOMANYREQUESTS", LIMIT)

    do_GET = do_HEAD = serve  # noqa: N815


class Names(socketserver.BaseRequestHandler):
    """A name server that knows no name."""

    front: Front

    def handle(self) -> None:
        question, answers = self.request
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += length + 1
        self.front.note(f"name {'.'.join(labels)}")
        nothing = bytes((0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0))  # an answer: no such name
        answers.sendto(question[:2] + nothing + question[12 : at + 5], self.client_address)


@contextmanager
def serving(front: Front) -> Iterator[None]:
    """All three, each in a thread."""
    for handler in (Registry, DockerHub, Names):
        handler.front = front
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(front.folder / "certificate.pem", front.folder / "key.pem")
    hub = ThreadingHTTPServer(("127.0.0.2", 443), DockerHub)
    hub.socket = context.wrap_socket(hub.socket, server_side=True)
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 81), Registry),
        hub,
        socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names),
    ]
    run: list[Callable[[], None]] = [server.serve_forever for server in servers]
    for one in run:
        threading.Thread(target=one, daemon=True).start()
    yield
    for server in servers:
        server.shutdown()


def main(folder: str, registry: str) -> None:
    """Serves until its input ends."""
    with serving(Front(Path(folder), registry)):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
