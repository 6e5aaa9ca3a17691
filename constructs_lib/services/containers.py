"""What every container gets, the application's and the sidecars' alike (lesson W2)."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.log_retention import RETENTION_DAYS
from constructs_lib.services.container_settings import ContainerSettings
from constructs_lib.services.log_delivery import LogDelivery
from constructs_lib.services.policy import WritablePath


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
) -> ecs.ContainerDefinition:
    """Adds a container with a log group of its own, non-blocking logs and a read-only root file system.

    The task must have the volumes of the writable paths (:func:`volume_name`).
    """
    log_group = logs.LogGroup(
        scope,
        f"{name}Logs",
        retention=logs.RetentionDays[RETENTION_DAYS[log_delivery.retention_days]],
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    container = task.add_container(
        name,
        image=image,
        command=None if settings.command is None else list(settings.command),
        essential=essential,
        environment=dict(settings.environment) or None,
        secrets=dict(settings.secrets) or None,
        health_check=health_check,
        logging=ecs.LogDrivers.aws_logs(
            stream_prefix=name,
            log_group=log_group,
            mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            max_buffer_size=Size.mebibytes(log_delivery.buffer_mib),
        ),
        port_mappings=None if port is None else [ecs.PortMapping(container_port=port)],
        readonly_root_filesystem=True,
        stop_timeout=Duration.seconds(stop_seconds),
    )
    for path in settings.writable_paths:
        container.add_mount_points(
            ecs.MountPoint(container_path=path.path, source_volume=volume_name(name, path), read_only=False)
        )
    return container


def volume_name(container: str, path: WritablePath) -> str:
    """The task's volume for a path. No container's name holds ``_``, so no two containers share a volume."""
    return f"{container}_{path.volume_name}"
