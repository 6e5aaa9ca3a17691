"""The AppConfig agent beside an application (lesson T2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_ecs as ecs

from constructs_lib.checks import invalid
from constructs_lib.services.configuration.policy import AGENT_BACKUPS, CLIENT_DIRECTORY
from constructs_lib.services.policy import WritablePath, pinned_image
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.containers import volume_name
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.plain_sidecar import add_plain_sidecar
from constructs_lib.services.task.restart_policy import RestartPolicy

AGENT: Final = "configuration-agent"
"""The container's name."""

_ALWAYS: Final = RestartPolicy(ignored_exit_codes=())
"""The agent never ends by itself, so it comes again whatever it said when it ended."""

_STOP_SECONDS: Final = 30
_BACKUPS: Final = WritablePath(path=AGENT_BACKUPS)
_OWN_COPY: Final = WritablePath(path=CLIENT_DIRECTORY)
_LOGS: Final = LogDelivery()


def application_container(task: FargateTask | ecs.FargateTaskDefinition) -> ecs.ContainerDefinition:
    """The application's own container.

    Raises:
        ValueError: a plain task definition without any container yet.
    """
    if isinstance(task, FargateTask):
        return task.container
    found = task.default_container
    if found is None:
        raise invalid("task", task.node.path, "a task with its application's container", "add the container first")
    return found


def add_agent(
    task: FargateTask | ecs.FargateTaskDefinition, *, image: str, environment: Mapping[str, str]
) -> ecs.ContainerDefinition:
    """Adds the agent: not essential, restarted by ECS, with a read-only root and a directory for its backups.

    Beside a :class:`FargateTask` it gets the logs of the service; in a plain task definition non-blocking ones of its
    own, with 25 MiB. It has no health check: no AWS page names one, and nothing depends on it.

    Args:
        task: the application's task.
        image: the agent's image by digest.
        environment: its settings.

    Raises:
        ValueError: an image without a digest, or a task that has an agent already.
    """
    settings = ContainerSettings(environment=environment, writable_paths=(_BACKUPS,))
    if isinstance(task, FargateTask):
        return task.add_sidecar(AGENT, image=image, settings=settings, restart=_ALWAYS)
    pinned_image("agent_image", image)
    if task.find_container(AGENT) is not None:
        raise invalid("task", task.node.path, "without a configuration yet", "attach one configuration to a task")
    return add_plain_sidecar(
        task,
        AGENT,
        image=image,
        settings=settings,
        log_delivery=_LOGS,
        stop_seconds=_STOP_SECONDS,
        restart=_ALWAYS,
    )


def tell_application(
    task: FargateTask | ecs.FargateTaskDefinition, container: ecs.ContainerDefinition, environment: Mapping[str, str]
) -> None:
    """Gives the application its settings, and a directory for a copy of its own."""
    definition = task.definition if isinstance(task, FargateTask) else task
    for name, value in environment.items():
        container.add_environment(name, value)
    volume = volume_name(container.container_name, _OWN_COPY)
    definition.add_volume(name=volume)
    container.add_mount_points(ecs.MountPoint(container_path=_OWN_COPY.path, source_volume=volume, read_only=False))
