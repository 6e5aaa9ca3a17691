"""Health answer, idle stop and a clean end."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable
from typing import Any

from local_cloud.control import HEALTH_PATH


class Lifetime:
    """Wraps the application: answers the health question, and knows when the last other request came."""

    def __init__(self, application: Callable[..., Any], token: str, idle_seconds: float) -> None:
        self._application = application
        self._health = json.dumps({"token": token}).encode()
        self._idle_seconds = idle_seconds
        self._last = time.monotonic()
        self._open = 0

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "http" and scope["path"] == HEALTH_PATH:
            # A health question is not use: who polls `status` does not keep the server alive.
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._health})
        elif scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        else:
            self._open += 1
            try:
                await self._application(scope, receive, send)
            finally:
                self._open -= 1
                self._last = time.monotonic()

    async def ended(self) -> None:
        """Return when the server should stop: at a signal, or after the idle time."""
        signalled = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, signalled.set)
        while not signalled.is_set():
            left = self._last + self._idle_seconds - time.monotonic()
            if self._open:
                left = self._idle_seconds
            elif left <= 0:
                print(f"no request for {self._idle_seconds:.0f} s: stopping", flush=True)
                return
            with_limit = asyncio.wait_for(signalled.wait(), timeout=left)
            try:
                await with_limit
            except TimeoutError:
                continue
