"""What is watched of a web service's requests, as data: errors as shares, and slowness (lesson W3). Standard library
only.

A share and a floor: five errors of a million are no fault, and one of three is none. The share is 5 %, or half of one
task's share of the requests where that is less: a task that hangs or fails alone, behind a health check that passes,
is what WebORCA's customers met, and of thirty tasks it is 3.3 %. What is less and lasts is a notice, and so is what a
quiet service has: below five errors a minute nobody is paged, and five in five minutes are noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.timeouts import TimeoutBudget

SERVER_ERRORS_PER_MINUTE: Final = 5
"""This many server errors within a minute are a fault and no accident."""

ERROR_SHARE: Final = 0.05
"""Of the requests. More than that at once is felt by many, and pages at the first minute."""

MOST: Final = 0.5
"""From this share on it is an outage."""

LEAST_ERROR_SHARE: Final = 0.005
"""Less never pages, however many tasks there are. Of a thousand tasks half of one's share is 0.05 %, which a busy
service may have all day; and a component that is always red hides every later fault: its page comes only once."""

LINGERING_SHARE: Final = 0.01
"""Less of them than page, and a notice when it lasts; of a service of which less pages, half of that."""

_LINGERING_SECONDS: Final = 300
"""Longer than a minute, so that a service with a request a minute, all of which fail, reaches the floor."""

_LINGERING_PERIODS: Final = 3
_LINGERING_MINUTES: Final = _LINGERING_PERIODS * _LINGERING_SECONDS // 60
_SLOW_MINUTES: Final = 5

_NO_ERRORS: Final = "errors are counted only when there are some"
_NO_REQUESTS: Final = "without a request there is no time to measure"


def error_share(capacity: Capacity) -> float:
    """From which share of the requests on errors page: 5 %, or half of what one task has of the most tasks.

    At least 0.5 %: of more than 200 tasks, one that fails alone has less, and is told by its health check or not at
    all; the notice of what lingers has half of that.
    """
    return min(ERROR_SHARE, max(LEAST_ERROR_SHARE, round(0.5 / capacity.highest_max_tasks, 4)))


def request_alarms(
    component: str,
    *,
    balanced: Balanced,
    capacity: Capacity,
    timeouts: TimeoutBudget,
    acts_if: str | None,
    after: str | None,
    warm_up_minutes: int,
) -> Iterator[AlarmSpec]:
    """Six pages and a notice, each on what callers get.

    A shared load balancer's own errors may be a neighbour's, so they are not said to be felt by those who use this
    service: such an alarm pages by itself and changes no status page. Its own alarms are on its target groups.

    Args:
        component: the service's name.
        balanced: what its metrics are called.
        capacity: how small a share one task has.
        timeouts: how long an answer may take.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
        after: what must be there before a load balancer without targets is a fault; see :class:`AlarmSpec`.
        warm_up_minutes: how long the first tasks may take from then on; whoever comes before them gets 503. What the
            application answers judges at once: tasks may wait for a configuration whose deployment watches that alarm.
    """
    page = partial(AlarmSpec, component=component, severity="page", acts_if=acts_if)
    felt_unless_shared = partial(page, felt=None if balanced.shared else "degraded")
    share = error_share(capacity)
    lingering = LINGERING_SHARE if share > LINGERING_SHARE else round(share / 2, 5)
    rate = Threshold(value=share, missing_because=_NO_ERRORS)
    waited = partial(Threshold, missing_because=_NO_ERRORS, warm_up_minutes=warm_up_minutes)
    said = f"{100 * share:.3g} % of the requests or more, and at least {SERVER_ERRORS_PER_MINUTE} a minute"
    # 5xx of its own are not all among the requests that it counts: it counts those for which it had chosen a target.
    yield felt_unless_shared(
        what="load-balancer-errors",
        meaning=f"The load balancer itself answers 5xx to {said}: it has no target, or reaches none in time (502, 503, "
        "504). Look at the targets' health and the time-outs.",
        metric=_share_of_balancer(balanced, "HTTPCode_ELB_5XX_Count"),
        threshold=waited(value=share),
        after=after,
        slower_because="ECS's events tell in seconds where tasks stop; else nothing: requests are told by the minute",
    )
    yield felt_unless_shared(
        what="gateway-timeouts",
        meaning=f"The load balancer answers 504 to {said}: tasks take connections and answer nothing, or cannot be "
        "reached at all. Look for tasks that hang: logs that block, a database that waits, ports that have run out.",
        metric=_share_of_balancer(balanced, "HTTPCode_ELB_504_Count"),
        threshold=rate,
        fault_seconds=timeouts.idle_seconds,
        slower_because="nothing sooner: a request waits out the idle time-out; a hanging task fails its check sooner",
    )
    yield page(
        what="application-errors",
        meaning=f"The application answers 5xx to {said}. Look at its logs, and at what was released last.",
        metric=balanced.of_targets(
            "HTTPCode_Target_5XX_Count", per=("RequestCount",), at_least=SERVER_ERRORS_PER_MINUTE
        ),
        threshold=rate,
        slower_because="nothing sooner: requests are told by the minute; a 10-second metric of one's own could",
        felt="degraded",
    )
    # Two minutes: a share of a minute that is not over yet may be that of its first requests.
    yield page(
        what="most-requests-fail",
        meaning="Half of the requests or more end in 5xx, though tasks may pass their health check: it is an outage. "
        "Look at what the application depends on, and at what was released last.",
        metric=_failing(balanced),
        threshold=waited(value=MOST, periods=2, out_of=2),
        after=after,
        slower_because="application-errors or load-balancer-errors pages a minute sooner",
        felt="outage",
    )
    yield AlarmSpec(
        component=component,
        what="some-requests-fail",
        meaning=f"For {_LINGERING_MINUTES} minutes {100 * lingering:.3g} % of the requests or more have ended in "
        f"5xx, and at least {SERVER_ERRORS_PER_MINUTE} in five minutes, too few for a page: perhaps one path, one "
        "caller or one task. Look at the access logs for what they have in common.",
        severity="notice",
        metric=_failing(balanced, period_seconds=_LINGERING_SECONDS),
        threshold=Threshold(
            value=lingering, periods=_LINGERING_PERIODS, out_of=_LINGERING_PERIODS, missing_because=_NO_ERRORS
        ),
        acts_if=acts_if,
    )
    yield page(
        what="slow-responses",
        meaning=f"For {_SLOW_MINUTES} minutes one of a hundred requests has taken {timeouts.upstream_seconds} s or "
        "more, as long as the application waits for anything that it calls. Look at what it calls, at its CPU, and at "
        "its pools.",
        metric=balanced.of_targets("TargetResponseTime", "p99"),
        # Until the response's first byte, so a WebSocket counts with its answer and not with its length. Five minutes
        # in a row: in a quiet one p99 is the slowest request alone. Of two target groups the sum is an upper bound.
        threshold=Threshold(
            value=timeouts.upstream_seconds,
            periods=_SLOW_MINUTES,
            out_of=_SLOW_MINUTES,
            missing_because=_NO_REQUESTS,
        ),
        fault_seconds=timeouts.upstream_seconds,
        slower_because="nothing sooner: in one quiet minute p99 is the slowest request alone",
        felt="degraded",
    )
    # It counts only connections beyond what the load balancer can hold, so one is a visitor who was turned away.
    yield felt_unless_shared(
        what="rejected-connections",
        meaning="The load balancer turns visitors away: it holds as many connections as it can. On one that is "
        "shared they may be a neighbour's. Look at its ActiveConnectionCount and NewConnectionCount, and ask AWS "
        "Support for more capacity.",
        metric=balanced.of_balancer("RejectedConnectionCount"),
        threshold=Threshold(value=1, missing_because="it is counted only when somebody is turned away"),
        slower_because="nothing sooner: connections are told by the minute",
    )


def _share_of_balancer(balanced: Balanced, name: str) -> Metric:
    """Errors of the load balancer itself count among the requests too: ``RequestCount`` has none without a target."""
    return balanced.of_balancer(name, per=("RequestCount", name), at_least=SERVER_ERRORS_PER_MINUTE)


def _failing(balanced: Balanced, *, period_seconds: int = 60) -> Metric:
    """The share of all requests that end in 5xx, whoever says it; behind a shared load balancer what the tasks say.

    A 502 or 504 is among the requests, because a target was chosen; a 503 is not, so those are added.
    """
    if balanced.shared:
        return balanced.of_targets(
            "HTTPCode_Target_5XX_Count",
            per=("RequestCount",),
            at_least=SERVER_ERRORS_PER_MINUTE,
            period_seconds=period_seconds,
        )
    return balanced.of_balancer(
        "HTTPCode_Target_5XX_Count",
        plus=("HTTPCode_ELB_5XX_Count",),
        per=("RequestCount", "HTTPCode_ELB_503_Count"),
        at_least=SERVER_ERRORS_PER_MINUTE,
        period_seconds=period_seconds,
    )
