"""An address of its own for a CloudFront distribution, so that a browser can open it without a Host header."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local_cloud.server.emulator import cloudfront, iam, responses


class Viewers:
    """Listens on 127.0.0.1, one port a distribution, from the first question on."""

    def __init__(self) -> None:
        self._ports: dict[tuple[str, str], int] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def address(self, account: str, distribution: str) -> str:
        """Where the distribution can be seen."""
        key = (account, distribution)
        if key not in self._ports:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen()  # who asks before the server is ready waits for it
            self._ports[key] = listener.getsockname()[1]
            config = Config()
            config.bind = [f"fd://{listener.detach()}"]
            never = asyncio.Event()
            served = serve(_viewer(account, distribution), config, shutdown_trigger=never.wait)
            self._serving.add(asyncio.get_running_loop().create_task(served))
        return f"http://127.0.0.1:{self._ports[key]}/"


def _viewer(account: str, distribution: str) -> Any:
    """What CloudFront serves, with its headers. The way to it counts as HTTPS: there is no certificate here."""

    async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        given = {name.decode(): value.decode() for name, value in scope["headers"]}
        headers = {**given, "x-forwarded-proto": "https"}
        query = scope["query_string"].decode()
        path, raw = scope["path"], scope["raw_path"].decode()
        with responses.request_scope(account, "us-east-1"):
            found = cloudfront._distributions.get(distribution)
            if found is None:
                status, shown, body = 404, {"Content-Type": "text/plain"}, b"the distribution is gone\n"
            else:
                headers["host"] = found["DomainName"]
                iam.pin_request_origin("127.0.0.1", True)  # CloudFront asks S3 over TLS, and a bucket may insist on it
                status, shown, body = await cloudfront.handle_viewer_request(
                    found, scope["method"], path, raw, query, headers, b"", parse_qs(query)
                )
        fields = [(name.lower().encode(), str(value).encode()) for name, value in shown.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return application
