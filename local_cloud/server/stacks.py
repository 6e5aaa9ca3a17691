"""CloudFormation's answers, for clients that poll seldom."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

from local_cloud.server.emulator import Properties, Response, app

HELD_SECONDS = 2.0
_BUSY = re.compile(rb"<StackStatus>(?!REVIEW)\w+_IN_PROGRESS<")


def install() -> None:
    """Hold the answer about a stack that is changing until the change is done, for a moment at most.

    The CDK CLI asks every five seconds, and a change here takes less than one.
    """
    app.SERVICE_HANDLERS["cloudformation"] = _held(app.SERVICE_HANDLERS["cloudformation"])


def _held(inner: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def handle(method: str, path: str, headers: Properties, body: bytes, query: Properties) -> Response:
        deadline = time.monotonic() + HELD_SECONDS * (b"Action=DescribeStacks&" in body and b"StackName=" in body)
        while True:
            response = await inner(method, path, headers, body, query)
            if time.monotonic() > deadline or not _BUSY.search(response[2]):
                return response
            await asyncio.sleep(0.05)

    return handle
