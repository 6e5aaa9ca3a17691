"""What every container gets, the application's and the sidecars' alike (lesson W2)."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.checks import invalid
from constructs_lib.services.policy import WritablePath
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.execute_command_access import record_sessions
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_rendering import log_driver, retained_log_group
from constructs_lib.services.task.restart_policy import RestartPolicy
from constructs_lib.services.traffic.service_connect import ServiceConnect


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
    system_controls: list[ecs.SystemControl] | None = None,
    memory_mib: int | None = None,
) -> ecs.ContainerDefinition:
    """Adds a container with a log group of its own, non-blocking logs and a read-only root file system.

    The task must have the volumes of the writable paths (:func:`volume_name`). ``linux`` is :func:`init_process`, one
    for all containers of a task. With ``records_sessions`` the task may write sessions of ECS Exec to the log group.
    ``system_controls`` belong to one container of a task: ECS gives them to all. Above ``memory_mib`` the container is
    killed; without, it may take all memory of the task.
    """
    log_group = retained_log_group(scope, name, log_delivery)
    container = task.add_container(
        name,
        image=image,
        command=None if settings.command is None else list(settings.command),
        essential=essential,
        memory_limit_mib=memory_mib,
        environment=dict(settings.environment) or None,
        secrets=dict(settings.secrets) or None,
        health_check=health_check,
        logging=log_driver(name, log_group, log_delivery),
        port_mappings=_ports(port, settings.offers),
        readonly_root_filesystem=True,
        stop_timeout=Duration.seconds(stop_seconds),
        linux_parameters=linux,
        system_controls=system_controls or None,
        enable_restart_policy=None if restart is None else True,
        restart_attempt_period=None if restart is None else Duration.seconds(restart.attempt_seconds),
        restart_ignored_exit_codes=None if restart is None else list(restart.ignored_exit_codes) or None,
    )
    if records_sessions:
        record_sessions(task, log_group)
    if settings.writable_paths:
        container.add_mount_points(
            *(
                ecs.MountPoint(container_path=path.path, source_volume=volume_name(name, path), read_only=False)
                for path in settings.writable_paths
            )
        )
    return container


def _ports(port: int | None, offers: ServiceConnect | None) -> list[ecs.PortMapping] | None:
    """The application's port; others call it by its name, and its protocol makes their time-outs possible."""
    if offers is None:
        return None if port is None else [ecs.PortMapping(container_port=port)]
    if offers.container_port != port:
        raise invalid(
            "container_port of offers",
            offers.container_port,
            f"the port of the application's health check ({port})" if port else "left out where nothing listens",
            "others call the port that the health check asks",
        )
    protocol = getattr(ecs.AppProtocol, offers.protocol)
    return [ecs.PortMapping(container_port=port, name=offers.name, app_protocol=protocol)]


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
