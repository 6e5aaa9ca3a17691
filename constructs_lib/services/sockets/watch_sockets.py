"""A CloudWatch agent beside each task, which counts its sockets by state (lesson W1)."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import is_token
from constructs_lib.services.sockets.agent_config import WRITABLE_PATHS, agent_environment
from constructs_lib.services.sockets.alarms import socket_alarms
from constructs_lib.services.sockets.socket_metrics import NAMESPACE, SocketMetrics, SocketSource
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.plain_sidecar import add_plain_sidecar
from constructs_lib.services.task.restart_policy import RestartPolicy

CONTAINER = "cloudwatch-agent"

_STOP_SECONDS = 10
"""A sample leaves the agent after five seconds."""

_DEFAULT_LOG_DELIVERY = LogDelivery()
_RESTART = RestartPolicy(ignored_exit_codes=())
"""It has never done its work, so it is started again whatever it ended with."""


def watch_sockets(
    task: FargateTask, metrics: SocketMetrics, source: SocketSource, *, tasks: int = 0, acts_if: str | None = None
) -> tuple[AlarmSpec, ...]:
    """Puts the agent beside the application; gives back what to watch.

    The metrics' path to CloudWatch should not be the NAT gateway whose ports they watch: in a VPC of your own, name the
    feature ``metrics`` to :class:`constructs_lib.network.vpc.ServiceNetwork`.

    Args:
        task: a service's, a worker's or a scheduled task's: ``service.task``.
        metrics: the agent's image and memory, and how many destinations there are. When the image is in a private
            repository of ECR, the execution role may pull from that one.
        source: the names under which its sockets are found.
        tasks: tasks that run at any time, at least; with 0, the default, nobody is told of an agent that is silent.
        acts_if: condition under which the alarms notify; of a service ``service.release.condition_id``.

    Raises:
        ValueError: a task that is too small, or one that has the agent already.
    """
    metrics.check_task(task.size.memory_mib)
    task.add_sidecar(
        CONTAINER,
        image=metrics.image,
        settings=_settings(metrics, source),
        restart=_RESTART,
        memory_mib=metrics.memory_mib,
    )
    allow_socket_metrics(task.definition)
    return socket_alarms(
        source, local_ports=task.local_ports, destinations=metrics.destinations, tasks=tasks, acts_if=acts_if
    )


def add_socket_agent(
    task: ecs.FargateTaskDefinition,
    metrics: SocketMetrics,
    source: SocketSource,
    *,
    log_delivery: LogDelivery = _DEFAULT_LOG_DELIVERY,
) -> ecs.ContainerDefinition:
    """The same agent for any task definition; :func:`socket_alarms` says what to watch.

    It is not essential, has a read-only root file system and a log group of its own, and its logs never block it.

    Args:
        task: the task definition; its application need not have been added yet.
        metrics: as in :func:`watch_sockets`.
        source: as in :func:`watch_sockets`.
        log_delivery: buffer and retention of the agent's logs.

    Raises:
        ValueError: a task that is too small.
    """
    memory = task.memory_mib
    if not is_token(memory):
        metrics.check_task(int(memory))
    allow_socket_metrics(task)
    return add_plain_sidecar(
        task,
        CONTAINER,
        image=metrics.image,
        settings=_settings(metrics, source),
        log_delivery=log_delivery,
        stop_seconds=_STOP_SECONDS,
        restart=_RESTART,
        memory_mib=metrics.memory_mib,
    )


def allow_socket_metrics(task: ecs.TaskDefinition) -> None:
    """Lets the task role send metrics, into the sockets' namespace alone.

    On ``*``, because ``cloudwatch:PutMetricData`` takes no resource; the condition is what AWS has instead
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html). Whoever runs
    in the task can send false numbers of sockets, and nothing else.
    """
    task.add_to_task_role_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
        )
    )


def _settings(metrics: SocketMetrics, source: SocketSource) -> ContainerSettings:
    return ContainerSettings(environment=agent_environment(metrics, source), writable_paths=WRITABLE_PATHS)
