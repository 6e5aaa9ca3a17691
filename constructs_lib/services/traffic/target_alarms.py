"""What is watched of a web service's targets, as data (lessons W3, T4, Q4). Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Threshold
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.request_alarms import SERVER_ERRORS_PER_MINUTE

PLACING_MINUTES: Final = 5
"""Assumed of Fargate, to find a place for a task and to pull its image: no AWS page gives a number."""

_ECS_TELLS: Final = "ECS's events of tasks that stop or cannot start tell in seconds"
_NO_TARGET: Final = "silence is the fault: where no task can start there is no target to count"


def first_tasks_minutes(starting_seconds: int) -> int:
    """How long the first tasks may take, from the moment at which scaling is told to start them."""
    return PLACING_MINUTES + math.ceil(starting_seconds / 60)


def unhealthy_minutes(check: HealthCheck) -> int:
    """How many minutes in a row a target must be unhealthy, so that none that only starts ever is for as many.

    A time of W seconds that straddles the edges of minutes touches ceil(W / 60) + 1 of them, and the worst moment of
    each counts: so one minute more than those. W: a target that starts is called unhealthy after ``unhealthy_after``
    bad checks, and healthy after ``healthy_after`` good ones from the application's start on. Where good ones take no
    fewer checks than bad ones it is unhealthy for longer than it starts, by an interval for each that they take more,
    and one. AWS does not say from when on a new target counts; sooner than after so many checks we take for none.
    """
    inside = check.container
    longer = max(0, 1 + check.healthy_after - inside.unhealthy_after) * inside.interval_seconds
    return 2 + math.ceil((inside.start_seconds + longer) / 60)


def target_alarms(
    component: str,
    *,
    balanced: Balanced,
    zones: Sequence[str],
    capacity: Capacity,
    check: HealthCheck,
    acts_if: str | None,
    after: str | None,
) -> Iterator[AlarmSpec]:
    """Pages on targets that are unhealthy, by zone, too few, none at all, or refuse connections.

    Args:
        component: the service's name.
        balanced: what its metrics are called.
        zones: availability zones of its load balancer; the names may be Tokens. Of a list that is not known yet, or
            empty, there is one alarm for all.
        capacity: fewer healthy targets than its fewest tasks are an alarm.
        check: how long a target takes to be found unhealthy, and to start.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
        after: what must be there before missing targets are a fault; see :class:`AlarmSpec`.
    """
    page = partial(AlarmSpec, component=component, severity="page", felt="degraded", acts_if=acts_if)
    minutes = unhealthy_minutes(check)
    for number, zone in _numbered(zones):
        yield page(
            what=f"unhealthy-targets{number}",
            meaning=f"Some tasks fail their health check{f', counted in {zone}' if zone else ''}, so some visitors may "
            "see errors already. Look at the service's events and the tasks' logs; where one zone alone is red, at "
            "that zone.",
            metric=balanced.of_targets("UnHealthyHostCount", "Maximum", zone=zone),
            threshold=Threshold(
                value=1, periods=minutes, out_of=minutes, missing_because="no target is there that could be unhealthy"
            ),
            runbook="unhealthy-targets",
            fault_seconds=check.out_of_rotation_seconds,
            slower_because="ECS's event of the stopped task tells in seconds; errors that users see page by themselves",
        )
    few = capacity.lowest_min_tasks
    waited = partial(
        Threshold,
        comparison="LessThanThreshold",
        periods=2,
        out_of=2,
        missing="breaching",
        missing_because=_NO_TARGET,
        # A first release deploys at zero tasks, and only then does scaling start them: that is no fault.
        warm_up_minutes=first_tasks_minutes(check.in_rotation_seconds),
    )
    yield page(
        what="too-few-healthy-targets",
        meaning=f"Fewer than {few} tasks are healthy. Perhaps tasks cannot start: "
        "look at the stopped tasks' reasons, CannotPullContainerError first.",
        metric=balanced.of_targets("HealthyHostCount", "Minimum"),
        threshold=waited(value=few),
        fault_seconds=check.out_of_rotation_seconds,
        slower_because=_ECS_TELLS,
        after=after,
    )
    # Maximum: no node of the load balancer finds one.
    yield page(
        what="no-healthy-targets",
        meaning="No task is healthy: nobody gets an answer, or only from tasks that fail their health check. Look at "
        "the stopped tasks' reasons and at what was released last; going back is `moorings rollback`.",
        metric=balanced.of_targets("HealthyHostCount", "Maximum"),
        threshold=waited(value=1),
        felt="outage",
        fault_seconds=check.out_of_rotation_seconds,
        slower_because=_ECS_TELLS,
        after=after,
    )
    # Two minutes: a task that ends without leaving first refuses connections until its checks have failed, for half
    # a minute or so, and ECS replaces it. A target that is drained gets no new connections at all. No share: the load
    # balancer tries again, so there may be more refusals than requests.
    yield page(
        what="connection-errors",
        meaning="The load balancer cannot connect to tasks: they refuse, or ports have run out between them. Look "
        "at the tasks' logs and sockets, at stopped tasks' reasons, and at what was released last.",
        metric=balanced.of_targets("TargetConnectionErrorCount"),
        threshold=Threshold(
            value=SERVER_ERRORS_PER_MINUTE,
            periods=2,
            out_of=2,
            missing_because="refused connections are counted only when there are some",
        ),
        slower_because="load-balancer-errors pages a minute sooner, where users see errors of it",
    )


def _numbered(zones: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """The end of an alarm's name and its zone. A zone's own name may be a Token, and an alarm's name may not."""
    if not zones or any(zone.startswith("#{Token[") for zone in zones):  # a list that is not known yet
        yield "", None
        return
    for number, zone in enumerate(zones, start=1):
        yield f"-{number}", zone
