"""CloudFormation's answers, for clients that poll seldom, and the role that a stack is updated with."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

from local_cloud.server.emulator import Properties, Response, app, handlers

HELD_SECONDS = 2.0
_BUSY = re.compile(rb"<StackStatus>(?!REVIEW)\w+_IN_PROGRESS<")


def install() -> None:
    """Hold the answer about a stack that is changing until the change is done, for a moment at most.

    The CDK CLI asks every five seconds, and a change here takes less than one.
    """
    app.SERVICE_HANDLERS["cloudformation"] = _held(app.SERVICE_HANDLERS["cloudformation"])
    actions = handlers._ACTION_HANDLERS
    for action in ("CreateStack", "CreateChangeSet", "UpdateStack"):
        actions[action] = _recorded(actions[action])
    actions["DescribeStacks"] = _with_roles(actions["DescribeStacks"])


def _recorded(inner: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    """A role that was given once is the stack's own, until another one is given."""

    def handle(parameters: Properties) -> Response:
        response = inner(parameters)
        stack = handlers._resolve_stack(_first(parameters, "StackName"))
        if stack and response[0] < 400 and _first(parameters, "RoleARN"):
            stack["_role_arn"] = _first(parameters, "RoleARN")
        return response

    return handle


def _with_roles(inner: Callable[[Properties], Response]) -> Callable[[Properties], Response]:
    def role(match: re.Match[str]) -> str:
        arn = handlers._resolve_stack(match[1]).get("_role_arn")
        return match[0] + (f"<RoleARN>{arn}</RoleARN>" if arn else "")

    def handle(parameters: Properties) -> Response:
        status, headers, body = inner(parameters)
        return status, headers, re.sub(r"<StackId>([^<]+)</StackId>", role, body.decode()).encode()

    return handle


def _first(parameters: Properties, name: str) -> str:
    value = parameters.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _held(inner: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def handle(method: str, path: str, headers: Properties, body: bytes, query: Properties) -> Response:
        deadline = time.monotonic() + HELD_SECONDS * (b"Action=DescribeStacks&" in body and b"StackName=" in body)
        while True:
            response = await inner(method, path, headers, body, query)
            if time.monotonic() > deadline or not _BUSY.search(response[2]):
                return response
            await asyncio.sleep(0.05)

    return handle
