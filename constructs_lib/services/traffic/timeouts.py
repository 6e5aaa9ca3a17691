"""How long everything may wait, as one ordered budget (lesson T3). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import invalid, whole_number

UPSTREAM_SECONDS: Final = "MOORINGS_UPSTREAM_TIMEOUT_SECONDS"
REQUEST_SECONDS: Final = "MOORINGS_REQUEST_TIMEOUT_SECONDS"
KEEP_ALIVE_SECONDS: Final = "MOORINGS_KEEP_ALIVE_SECONDS"
SHUTDOWN_SECONDS: Final = "MOORINGS_SHUTDOWN_SECONDS"
"""Names of the settings that a container reads; docs/lessons/T3-time-outs-in-order.md shows who reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutBudget:
    """Time-outs in seconds, from the innermost outwards (lesson T3). Long, unordered ones let waiting pile up.

    ``upstream < idle < caller`` and ``upstream <= longest request <= idle``: who waits outside never gives up first.
    ``idle < keep-alive``: the load balancer ends an idle connection, and not the application. ``longest request <=
    drain`` and ``shutdown <= stop``: a deployment cuts nothing off.

    Args:
        upstream_seconds: the longest that the application waits for something it calls; 15 by default.
        idle_seconds: how long the load balancer lets a connection be silent, 2 to 4000; 60 by default.
        caller_seconds: how long whoever calls the load balancer waits for an answer, 3 to 86400; 90 by default. A
            caller that gives up first asks again while the first request still runs. CloudFront waits 30 seconds unless
            told otherwise: then ``idle_seconds`` must be less
            (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html).
        keep_alive_seconds: how long the application keeps an idle connection open; 75 by default. Longer than
            ``idle_seconds``, or the load balancer sends a request into a connection that is closing: a 502.
        longest_request_seconds: the longest request that is allowed to end; 30 by default.
        drain_seconds: how long a target that leaves may finish its requests, 0 to 3600; 45 by default.
        shutdown_seconds: how long the application takes to end after SIGTERM; 20 by default.
        stop_seconds: when ECS kills the container after SIGTERM, at most 120; 30 by default.

    Raises:
        ValueError: a number out of its range or out of order.
    """

    upstream_seconds: int = 15
    idle_seconds: int = 60
    caller_seconds: int = 90
    keep_alive_seconds: int = 75
    longest_request_seconds: int = 30
    drain_seconds: int = 45
    shutdown_seconds: int = 20
    stop_seconds: int = 30

    def __post_init__(self) -> None:
        whole_number("upstream_seconds", self.upstream_seconds, low=1, high=3999, fix="15 is a good start")
        whole_number("idle_seconds", self.idle_seconds, low=2, high=4000, fix="the load balancer has no other range")
        whole_number("caller_seconds", self.caller_seconds, low=3, high=86400, fix="90 is a good start")
        whole_number("keep_alive_seconds", self.keep_alive_seconds, low=3, high=86400, fix="75 is a good start")
        whole_number(
            "longest_request_seconds", self.longest_request_seconds, low=1, high=3600, fix="30 is a good start"
        )
        whole_number("drain_seconds", self.drain_seconds, low=0, high=3600, fix="the target group has no other range")
        whole_number("shutdown_seconds", self.shutdown_seconds, low=0, high=120, fix="Fargate waits 120 at most")
        whole_number("stop_seconds", self.stop_seconds, low=2, high=120, fix="Fargate waits 120 seconds at most")
        for smaller, larger, strict, why in (
            ("upstream_seconds", "longest_request_seconds", False, "a request would end before what it waits for"),
            ("upstream_seconds", "idle_seconds", True, "the load balancer would give up first and answer 504"),
            ("idle_seconds", "caller_seconds", True, "the caller would give up first, and ask again"),
            ("idle_seconds", "keep_alive_seconds", True, "the application would close a connection that is in use"),
            ("longest_request_seconds", "idle_seconds", False, "the load balancer would cut off a long request"),
            ("longest_request_seconds", "drain_seconds", False, "a deployment would cut off a long request"),
            ("shutdown_seconds", "stop_seconds", False, "ECS would kill the application while it shuts down"),
        ):
            low, high = getattr(self, smaller), getattr(self, larger)
            if low > high or (strict and low == high):
                relation = "less than" if strict else "at most"
                raise invalid(smaller, low, f"{relation} {larger} ({high})", f"{why}; change one of the two")

    def environment(self) -> dict[str, str]:
        """The application's own numbers as settings of its container, so that it uses the same ones."""
        return {
            UPSTREAM_SECONDS: str(self.upstream_seconds),
            REQUEST_SECONDS: str(self.longest_request_seconds),
            KEEP_ALIVE_SECONDS: str(self.keep_alive_seconds),
            SHUTDOWN_SECONDS: str(self.shutdown_seconds),
        }
