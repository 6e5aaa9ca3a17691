"""What is known of a run that did not end well, and who may tell it, as plain data (lessons T4, W5).

Standard library only. ECS says how each task ended by an event, which costs nothing, and so does the metric of the
queue that the events are kept in. Metrics of single tasks would need Container Insights, which is paid.
"""

from __future__ import annotations

from typing import TypeAlias

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.kept_messages import ANY_MESSAGE, IDLE_QUEUE_SECONDS, messages_kept

Document: TypeAlias = dict[str, object]


def failed_run_pattern(*, cluster_arn: str, task_definitions: str, container: str) -> Document:
    """Which of ECS's events tell of a task that did not end well, for an EventBridge rule.

    A task that did its work ends with ``EssentialContainerExited`` and exit code 0. Any other stop code means that it
    never started, or was stopped before its end, by whomever
    (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html). Only the exit code of the named container
    counts: a sidecar is ended with its task and need not like it. Both keys are looked for in one element of the list
    (https://github.com/aws/event-ruler#json-array-matching).

    Args:
        cluster_arn: the ECS cluster.
        task_definitions: how the ARNs of the task definitions begin, the colon before the revision included.
        container: the container whose exit code tells.
    """
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [cluster_arn],
            "taskDefinitionArn": [{"prefix": task_definitions}],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"stopCode": [{"anything-but": ["EssentialContainerExited"]}]},
                {"containers": {"name": [container], "exitCode": [{"anything-but": [0]}]}},
            ],
        },
    }


def failed_runs_alarm(component: str, *, queue: str, acts_if: str | None) -> AlarmSpec:
    """A page while the queue holds anything: it stays red until somebody has looked and deleted the messages.

    Args:
        component: the scheduled task's name.
        queue: SQS's name of the queue.
        acts_if: condition under which the alarm notifies; see :class:`AlarmSpec`.
    """
    return AlarmSpec(
        component=component,
        what="failed-runs",
        meaning="A run could not be started, or its task did not end well. Each message in the queue of failed runs "
        "says which, and why; look at the task's logs, run it again if need be, and delete the messages.",
        severity="page",
        metric=messages_kept(queue),
        threshold=ANY_MESSAGE,
        fault_seconds=IDLE_QUEUE_SECONDS,
        runbook="failed-runs",
        slower_because="ECS's event of a task that failed is a notice in seconds; SQS tells up to 15 minutes late",
        acts_if=acts_if,
    )
