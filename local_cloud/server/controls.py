"""What a person may do to this cloud that nobody can do to AWS: how long a minute is, what fails, where a page is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from local_cloud.server import alarm_clock
from local_cloud.server.emulator import cloudfront, ecs, responses
from local_cloud.server.tasks import fail_health_checks
from local_cloud.server.viewers import Viewers

PREFIX: Final = "/_moorings/"


class Controls:
    """Wraps the application: answers what begins with our prefix."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self._viewers = Viewers()

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._application(scope, receive, send)
            return
        asked = dict(parse_qsl(scope["query_string"].decode()))
        try:
            status, body = 200, await self._answer(scope["path"].removeprefix(PREFIX), scope["method"], asked)
        except (KeyError, ValueError) as error:
            status, body = 400, {"error": str(error)}
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    async def _answer(self, what: str, method: str, asked: dict[str, str]) -> dict[str, object]:
        if what == "minute":
            if method == "PUT":
                alarm_clock.set_minute(float(asked["seconds"]))
            return {"seconds": alarm_clock.minute()}
        if what == "fault" and method == "PUT":
            with responses.request_scope(asked["account"], asked["region"]):
                if asked["service"] not in ecs._services:
                    raise ValueError(f"there is no service {asked['service']}; name it <cluster>/<service>")
                fail_health_checks(asked["service"], asked["failing"] == "yes")
            return {"failing": asked["failing"] == "yes"}
        if what == "distribution":
            with responses.request_scope(asked["account"], "us-east-1"):
                if asked["id"] not in cloudfront._distributions:
                    raise ValueError(f"there is no distribution {asked['id']}")
            return {"url": await self._viewers.address(asked["account"], asked["id"])}
        raise ValueError(f"{method} {PREFIX}{what} is not known; README.md lists what is")
