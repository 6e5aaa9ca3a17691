"""What is watched of a service without a load balancer, as data (lessons W3, T1, T4). Standard library only."""

from __future__ import annotations

from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Statistic, Threshold
from constructs_lib.services.alarms import at_maximum
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.traffic.target_alarms import first_tasks_minutes

_SATURATED_PERCENT: Final = 95
"""Average CPU of a worker that has none left. To be busy is what a worker is for, so scaling's aim is no measure."""

_SATURATED_MINUTES: Final = 15

_DEPLOYMENT_SECONDS: Final = 300 + 300 + 60 + 120
"""How long old and new tasks may stand side by side: ECS's longest start, interval, time-out and stop."""


def worker_alarms(
    component: str,
    *,
    cluster: str,
    service: str,
    capacity: Capacity,
    starting_seconds: int = 75,
    acts_if: str | None,
    after: str | None = None,
) -> tuple[AlarmSpec, ...]:
    """Pages when too few tasks run or none, and two notices before one. All their metrics are free.

    ECS sends a service's CPU once a minute for each task that runs, so the samples of a minute are the tasks
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html#cw_running_task_count,
    https://github.com/aws/containers-roadmap/issues/2718), and no data are no tasks
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html). A task that runs and fails its
    check is counted until ECS has replaced it, so a worker whose tasks all fail again and again is not seen here.

    Args:
        component: the worker's name.
        cluster: ECS's name of the cluster.
        service: ECS's name of the service.
        capacity: fewer running tasks than its fewest are an alarm, and tasks that stay at its maximum.
        starting_seconds: how long a task may take to start, 75 by default.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
        after: logical id of what starts the tasks, so that missing ones are no fault before it; see
            :class:`AlarmSpec`. ``None``, the default: they run already.
    """
    min_tasks, on_service = capacity.lowest_min_tasks, {"ClusterName": cluster, "ServiceName": service}

    def cpu(statistic: Statistic) -> Metric:
        return Metric(namespace="AWS/ECS", name="CPUUtilization", dimensions=on_service, statistic=statistic)

    # Three minutes: a task that ended is replaced within one or two, and its first minute may have no sample.
    page = partial(
        AlarmSpec,
        component=component,
        severity="page",
        metric=cpu("SampleCount"),
        acts_if=acts_if,
        slower_because="ECS's events of tasks that stop or cannot start tell in seconds",
    )
    fewer_than = partial(
        Threshold,
        comparison="LessThanThreshold",
        periods=3,
        out_of=3,
        missing="breaching",
        missing_because="silence is the fault: each task that runs sends a sample",
        warm_up_minutes=first_tasks_minutes(starting_seconds),
    )
    return (
        page(
            what="too-few-running-tasks",
            meaning=f"Fewer than {min_tasks} tasks run. Perhaps they end or cannot start: look at the stopped tasks' "
            "reasons, CannotPullContainerError first, and at the logs.",
            threshold=fewer_than(value=min_tasks),
            felt="degraded",
            after=after,
        ),
        page(
            what="no-running-tasks",
            meaning="No task runs, so no work is done at all. Look at the stopped tasks' reasons and at what was "
            "released last; going back is `moorings rollback`.",
            threshold=fewer_than(value=1),
            felt="outage",
            after=after,
        ),
        *at_maximum(component, on_service, capacity, _DEPLOYMENT_SECONDS, acts_if),
        AlarmSpec(
            component=component,
            what="no-cpu-left",
            meaning=f"The tasks' average CPU has been {_SATURATED_PERCENT} % or more for {_SATURATED_MINUTES} minutes, "
            "so jobs take longer than they should. Look at the number of tasks, and at what takes the CPU.",
            severity="notice",
            metric=cpu("Average"),
            threshold=Threshold(
                value=_SATURATED_PERCENT,
                periods=_SATURATED_MINUTES,
                out_of=_SATURATED_MINUTES,
                missing_because="no task runs, so none is busy",
            ),
            acts_if=acts_if,
        ),
    )
