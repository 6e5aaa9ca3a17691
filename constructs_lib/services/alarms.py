"""What is watched of a web service, as data (lessons W3, T1, T4). Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Statistic, Threshold

SERVER_ERRORS_PER_MINUTE = 5
"""This many server errors within a minute are a fault and no accident."""

_CPU_MARGIN: Final = 20
_HIGHEST_CPU: Final = 95
"""In percent. A service without any CPU left may stay just below 100 on average, and that must be told too."""


def web_service_alarms(
    component: str,
    *,
    cluster: str,
    service: str,
    load_balancer: str,
    target_group: str,
    min_tasks: int,
    target_cpu_percent: int,
    start_seconds: int,
    acts_if: str | None,
) -> tuple[AlarmSpec, ...]:
    """Four pages on what a partial failure looks like, and a notice before one. All their metrics are free.

    Args:
        component: the service's name.
        cluster: ECS's name of the cluster.
        service: ECS's name of the service.
        load_balancer: full name of the load balancer, ``app/…/…``.
        target_group: full name of the target group, ``targetgroup/…/…``.
        start_seconds: how long a task may take to start. A load balancer calls a task that starts unhealthy, so that
            alarm waits as long; 60 or less gives the shortest time to a page, two minutes.
        min_tasks: fewer healthy targets than this are an alarm.
        target_cpu_percent: average CPU that scaling aims at.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
    """
    minutes = max(2, 1 + math.ceil(start_seconds / 60))
    on_balancer = {"LoadBalancer": load_balancer}
    on_targets = {"LoadBalancer": load_balancer, "TargetGroup": target_group}
    on_service = {"ClusterName": cluster, "ServiceName": service}
    page = partial(AlarmSpec, component=component, severity="page", acts_if=acts_if)
    return (
        page(
            what="unhealthy-targets",
            meaning="Some tasks fail their health check, so some visitors may see errors already. "
            "Look at the service's events and the tasks' logs.",
            metric=_metric("UnHealthyHostCount", on_targets, "Maximum"),
            threshold=Threshold(value=1, periods=minutes, out_of=minutes),
        ),
        page(
            what="too-few-healthy-targets",
            meaning=f"Fewer than {min_tasks} tasks are healthy. Perhaps tasks cannot start: "
            "look at the stopped tasks' reasons, CannotPullContainerError first.",
            metric=_metric("HealthyHostCount", on_targets, "Minimum"),
            threshold=Threshold(
                value=min_tasks, comparison="LessThanThreshold", periods=2, out_of=2, missing="breaching"
            ),
        ),
        page(
            what="load-balancer-errors",
            meaning="The load balancer itself answers 5xx: it reaches no target in time (502, 503, 504). "
            "Look at the targets' health and the time-outs.",
            metric=_metric("HTTPCode_ELB_5XX_Count", on_balancer, "Sum"),
            threshold=Threshold(value=SERVER_ERRORS_PER_MINUTE),
        ),
        page(
            what="application-errors",
            meaning="The application answers 5xx. Look at its logs, and at what was released last.",
            metric=_metric("HTTPCode_Target_5XX_Count", on_targets, "Sum"),
            threshold=Threshold(value=SERVER_ERRORS_PER_MINUTE),
        ),
        # A notice: slow is not down, and what it does to visitors, such as errors and lost targets, pages by itself.
        # Five minutes: scaling waits about three before it acts, and then a task must start.
        AlarmSpec(
            component=component,
            what="scaling-cannot-keep-up",
            meaning=f"CPU stays well above the {target_cpu_percent} % that scaling aims at: the service is at its "
            "maximum, or scaling is too slow. Look at the number of tasks beside max_tasks, and at what takes the CPU.",
            severity="notice",
            metric=Metric(namespace="AWS/ECS", name="CPUUtilization", dimensions=on_service, statistic="Average"),
            threshold=Threshold(value=min(_HIGHEST_CPU, target_cpu_percent + _CPU_MARGIN), periods=5, out_of=5),
            acts_if=acts_if,
        ),
    )


def _metric(name: str, dimensions: Mapping[str, str], statistic: Statistic) -> Metric:
    return Metric(namespace="AWS/ApplicationELB", name=name, dimensions=dimensions, statistic=statistic)
