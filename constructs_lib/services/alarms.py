"""What is watched of a web service, as data (lessons W3, W1, T1, T4). Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Statistic, Threshold
from constructs_lib.services.scaling.capacity import Capacity

SERVER_ERRORS_PER_MINUTE = 5
"""This many server errors within a minute are a fault and no accident."""

_CPU_MARGIN: Final = 20
_HIGHEST_CPU: Final = 95
"""In percent. A service without any CPU left may stay just below 100 on average, and that must be told too."""

_AT_MAXIMUM_MINUTES: Final = 15


def web_service_alarms(
    component: str,
    *,
    cluster: str,
    service: str,
    load_balancer: str,
    target_groups: Sequence[str],
    capacity: Capacity,
    start_seconds: int,
    deployment_seconds: int,
    acts_if: str | None,
) -> tuple[AlarmSpec, ...]:
    """Six pages on what a partial failure looks like, and two notices before one. All their metrics are free.

    Args:
        component: the service's name.
        cluster: ECS's name of the cluster.
        service: ECS's name of the service.
        load_balancer: full name of the load balancer, ``app/…/…``.
        target_groups: full names of the service's target group, ``targetgroup/…/…``, or of its two. Of two, only one
            has targets most of the time, and a deployment changes which: their values are added up.
        start_seconds: how long a task may take to start. A load balancer calls a task that starts unhealthy, so that
            alarm waits as long; 60 or less gives the shortest time to a page, two minutes.
        capacity: fewer healthy targets than its fewest tasks are an alarm, and tasks that stay at its maximum.
        deployment_seconds: how long a deployment may keep old and new tasks side by side. Their number says nothing of
            the maximum until then.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
    """
    min_tasks, aim = capacity.lowest_min_tasks, capacity.target_cpu_percent
    minutes = max(2, 1 + math.ceil(start_seconds / 60))
    on_balancer = {"LoadBalancer": load_balancer}
    on_targets, *others = [on_balancer | {"TargetGroup": name} for name in target_groups]
    of_targets = partial(_metric, dimensions=on_targets, also=tuple(others))
    on_service = {"ClusterName": cluster, "ServiceName": service}
    page = partial(AlarmSpec, component=component, severity="page", acts_if=acts_if)
    return (
        page(
            what="unhealthy-targets",
            meaning="Some tasks fail their health check, so some visitors may see errors already. "
            "Look at the service's events and the tasks' logs.",
            metric=of_targets("UnHealthyHostCount", statistic="Maximum"),
            threshold=Threshold(value=1, periods=minutes, out_of=minutes),
        ),
        page(
            what="too-few-healthy-targets",
            meaning=f"Fewer than {min_tasks} tasks are healthy. Perhaps tasks cannot start: "
            "look at the stopped tasks' reasons, CannotPullContainerError first.",
            metric=of_targets("HealthyHostCount", statistic="Minimum"),
            threshold=Threshold(
                value=min_tasks, comparison="LessThanThreshold", periods=2, out_of=2, missing="breaching"
            ),
        ),
        page(
            what="load-balancer-errors",
            meaning="The load balancer itself answers 5xx: it reaches no target in time (502, 503, 504). "
            "Look at the targets' health and the time-outs.",
            metric=_metric("HTTPCode_ELB_5XX_Count", dimensions=on_balancer, statistic="Sum"),
            threshold=Threshold(value=SERVER_ERRORS_PER_MINUTE),
        ),
        page(
            what="application-errors",
            meaning="The application answers 5xx. Look at its logs, and at what was released last.",
            metric=of_targets("HTTPCode_Target_5XX_Count", statistic="Sum"),
            threshold=Threshold(value=SERVER_ERRORS_PER_MINUTE),
        ),
        # Two minutes: a task that ends without leaving first refuses connections until its checks have failed, for half
        # a minute or so, and ECS replaces it. A target that is drained gets no new connections at all.
        page(
            what="connection-errors",
            meaning="The load balancer cannot connect to tasks: they refuse, or ports have run out between them. Look "
            "at the tasks' logs and sockets, at stopped tasks' reasons, and at what was released last.",
            metric=of_targets("TargetConnectionErrorCount", statistic="Sum"),
            threshold=Threshold(value=SERVER_ERRORS_PER_MINUTE, periods=2, out_of=2),
        ),
        # It counts only connections beyond what the load balancer can hold, so one is a visitor who was turned away.
        page(
            what="rejected-connections",
            meaning="The load balancer turns visitors away: it holds as many connections as it can. On one that is "
            "shared they may be a neighbour's. Look at its ActiveConnectionCount and NewConnectionCount, and ask AWS "
            "Support for more capacity.",
            metric=_metric("RejectedConnectionCount", dimensions=on_balancer, statistic="Sum"),
            threshold=Threshold(value=1),
        ),
        *at_maximum(component, on_service, capacity, deployment_seconds, acts_if),
        # A notice: slow is not down, and what it does to visitors, such as errors and lost targets, pages by itself.
        # Five minutes: scaling waits about three before it acts, and then a task must start.
        AlarmSpec(
            component=component,
            what="scaling-cannot-keep-up",
            meaning=f"CPU stays well above the {aim} % that scaling aims at: the service is at its "
            "maximum, or scaling is too slow. Look at the number of tasks beside max_tasks, and at what takes the CPU.",
            severity="notice",
            metric=Metric(namespace="AWS/ECS", name="CPUUtilization", dimensions=on_service, statistic="Average"),
            threshold=Threshold(value=min(_HIGHEST_CPU, aim + _CPU_MARGIN), periods=5, out_of=5),
            acts_if=acts_if,
        ),
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
        threshold=Threshold(value=most, periods=minutes, out_of=minutes),
        acts_if=acts_if,
    )


def _metric(
    name: str, *, dimensions: Mapping[str, str], statistic: Statistic, also: tuple[Mapping[str, str], ...] = ()
) -> Metric:
    return Metric(namespace="AWS/ApplicationELB", name=name, dimensions=dimensions, statistic=statistic, also=also)
