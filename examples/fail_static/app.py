"""A tiny application with a configuration that may be old, but is never missing.

Its settings are ``MOORINGS_CONFIG_URL``, ``MOORINGS_CONFIG_DIRECTORY``, ``MOORINGS_CONFIG_COPY`` and ``PORT``.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fail_static import FailStatic
from steps import from_environment

OLD_SECONDS = 900


def check(content: Mapping[str, Any]) -> None:
    """What this application needs; whatever it cannot work with is refused here, not found by a customer."""
    if not isinstance(content.get("greeting"), str):
        raise ValueError("greeting must be a text")


class Handler(BaseHTTPRequestHandler):
    """Answers with the greeting; ``/configuration`` tells where it is from and how old it is."""

    configuration: FailStatic

    def do_GET(self) -> None:
        """One request: no network, no disk."""
        now = self.configuration.get()
        text = str(now.content["greeting"])
        if self.path == "/configuration":
            text = json.dumps({"source": now.source, "age": round(now.age), "old": now.age > OLD_SECONDS})
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing; the client logs a change of its step."""


def main() -> None:
    """Reads the configuration before it takes a request, so that a task without any never becomes healthy."""
    logging.basicConfig(level=logging.INFO)
    Handler.configuration = from_environment(check=check, baked=Path(__file__).with_name("baked.json"))
    Handler.configuration.get()
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
    print(f"listens on port {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
