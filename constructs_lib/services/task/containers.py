"""What every container gets, the application's and the sidecars' alike (lesson W2)."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.services.policy import WritablePath
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.execute_command_access import record_sessions
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_rendering import log_driver, retained_log_group
from constructs_lib.services.task.restart_policy import RestartPolicy


def add_container(
    scope: Construct,
    task: ecs.FargateTaskDefinition,
    name: str,
    *,
    image: ecs.ContainerImage,
    settings: ContainerSettings,
    log_delivery: LogDelivery,
    stop_seconds: int,
    essential: bool = True,
    health_check: ecs.HealthCheck | None = None,
    port: int | None = None,
    linux: ecs.LinuxParameters | None = None,
    restart: RestartPolicy | None = None,
    records_sessions: bool = False,
) -> ecs.ContainerDefinition:
    """Adds a container with a log group of its own, non-blocking logs and a read-only root file system.

    The task must have the volumes of the writable paths (:func:`volume_name`). ``linux`` is :func:`init_process`, one
    for all containers of a task. With ``records_sessions`` the task may write sessions of ECS Exec to the log group.
    """
    log_group = retained_log_group(scope, name, log_delivery)
    container = task.add_container(
        name,
        image=image,
        command=None if settings.command is None else list(settings.command),
        essential=essential,
        environment=dict(settings.environment) or None,
        secrets=dict(settings.secrets) or None,
        health_check=health_check,
        logging=log_driver(name, log_group, log_delivery),
        port_mappings=None if port is None else [ecs.PortMapping(container_port=port)],
        readonly_root_filesystem=True,
        stop_timeout=Duration.seconds(stop_seconds),
        linux_parameters=linux,
        enable_restart_policy=None if restart is None else True,
        restart_attempt_period=None if restart is None else Duration.seconds(restart.attempt_seconds),
        restart_ignored_exit_codes=None if restart is None else list(restart.ignored_exit_codes) or None,
    )
    if records_sessions:
        record_sessions(task, log_group)
    for path in settings.writable_paths:
        container.add_mount_points(
            ecs.MountPoint(container_path=path.path, source_volume=volume_name(name, path), read_only=False)
        )
    return container


def init_process(scope: Construct) -> ecs.LinuxParameters:
    """A small first process, which passes signals on and reaps processes whose parent is gone.

    Without it SIGTERM may reach a program that ignores it as process 1, and then ECS kills it after the stop timeout;
    and what a shell of ECS Exec leaves behind stays
    (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html). Fargate takes it.
    """
    return ecs.LinuxParameters(scope, "Init", init_process_enabled=True)


def volume_name(container: str, path: WritablePath) -> str:
    """The task's volume for a path. No container's name holds ``_``, so no two containers share a volume."""
    return f"{container}_{path.volume_name}"
