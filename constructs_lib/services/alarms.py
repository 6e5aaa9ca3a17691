"""What is watched of a web service, as data (lessons W3, W1, T1, T4). Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.request_alarms import request_alarms
from constructs_lib.services.traffic.target_alarms import first_tasks_minutes, target_alarms
from constructs_lib.services.traffic.timeouts import TimeoutBudget

_CPU_MARGIN: Final = 20
_HIGHEST_CPU: Final = 95
"""In percent. A service without any CPU left may stay just below 100 on average, and that must be told too."""

_AT_MAXIMUM_MINUTES: Final = 15

_NO_TASKS: Final = "no task runs, so none is too many or too busy"


def web_service_alarms(
    component: str,
    *,
    cluster: str,
    service: str,
    balanced: Balanced,
    zones: Sequence[str],
    capacity: Capacity,
    check: HealthCheck,
    timeouts: TimeoutBudget,
    deployment_seconds: int,
    acts_if: str | None,
    after: str | None,
) -> tuple[AlarmSpec, ...]:
    """Pages on what a partial failure looks like, and notices before one. All their metrics are free.

    What users notice while an alarm is red is said with it (``felt``): those page together, once.

    Args:
        component: the service's name.
        cluster: ECS's name of the cluster.
        service: ECS's name of the service.
        balanced: what the load balancer's metrics are called.
        zones: availability zones of its load balancer; each has an alarm on unhealthy targets.
        capacity: fewer healthy targets than its fewest tasks are an alarm, and tasks that stay at its maximum.
        check: how long a task may take to start, and to be found unhealthy.
        timeouts: how long an answer may take.
        deployment_seconds: how long a deployment may keep old and new tasks side by side. Their number says nothing of
            the maximum until then.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
        after: logical id of what starts the tasks: missing ones, and the load balancer's answers without them, are no
            fault before it; see :class:`AlarmSpec`.
    """
    on_service = {"ClusterName": cluster, "ServiceName": service}
    return (
        *target_alarms(
            component,
            balanced=balanced,
            zones=zones,
            capacity=capacity,
            check=check,
            acts_if=acts_if,
            after=after,
        ),
        *request_alarms(
            component,
            balanced=balanced,
            capacity=capacity,
            timeouts=timeouts,
            acts_if=acts_if,
            after=after,
            warm_up_minutes=first_tasks_minutes(check.in_rotation_seconds),
        ),
        *at_maximum(component, on_service, capacity, deployment_seconds, acts_if),
        _scaling_behind(component, on_service, capacity.target_cpu_percent, acts_if),
    )


def at_maximum(
    component: str, on_service: Mapping[str, str], capacity: Capacity, deployment_seconds: int, acts_if: str | None
) -> Iterator[AlarmSpec]:
    """A notice: no more tasks can come, whichever target asks for them. Higher load then saturates the service.

    Each task sends one sample of its CPU a minute, so their number is that of the running tasks, and it is free
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html#cw_running_task_count).
    A deployment at 200 % may run twice the tasks, so it must be over before the number says anything.
    Of a capacity whose maximum is also a minimum there is none.
    """
    if not capacity.always_scales:
        return
    most = capacity.highest_max_tasks
    minutes = max(_AT_MAXIMUM_MINUTES, 1 + math.ceil(deployment_seconds / 60))
    yield AlarmSpec(
        component=component,
        what="at-maximum",
        meaning=f"{most} tasks, the maximum, have run for {minutes} minutes: scaling has nothing left to add. "
        "Look at what brings the load; if it is welcome, raise max_tasks.",
        severity="notice",
        metric=Metric(namespace="AWS/ECS", name="CPUUtilization", dimensions=on_service, statistic="SampleCount"),
        threshold=Threshold(value=most, periods=minutes, out_of=minutes, missing_because=_NO_TASKS),
        acts_if=acts_if,
    )


def _scaling_behind(component: str, on_service: Mapping[str, str], aim: int, acts_if: str | None) -> AlarmSpec:
    """A notice: slow is not down, and what it does to visitors, such as errors and lost targets, pages by itself.

    Five minutes: scaling waits about three before it acts, and then a task must start.
    """
    return AlarmSpec(
        component=component,
        what="scaling-cannot-keep-up",
        meaning=f"CPU stays well above the {aim} % that scaling aims at: the service is at its "
        "maximum, or scaling is too slow. Look at the number of tasks beside max_tasks, and at what takes the CPU.",
        severity="notice",
        metric=Metric(namespace="AWS/ECS", name="CPUUtilization", dimensions=on_service, statistic="Average"),
        threshold=Threshold(value=min(_HIGHEST_CPU, aim + _CPU_MARGIN), periods=5, out_of=5, missing_because=_NO_TASKS),
        acts_if=acts_if,
    )
