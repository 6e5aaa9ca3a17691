"""A sidecar in a task definition that is not ours, like those beside our own applications (lesson W2)."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs

from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.containers import add_container, volume_name
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.restart_policy import RestartPolicy
from constructs_lib.services.task.sidecar_images import allow_pull


def add_plain_sidecar(
    task: ecs.FargateTaskDefinition,
    name: str,
    *,
    image: str,
    settings: ContainerSettings,
    log_delivery: LogDelivery,
    stop_seconds: int,
    restart: RestartPolicy,
    memory_mib: int | None = None,
) -> ecs.ContainerDefinition:
    """Adds one that is not essential, with what :meth:`FargateTask.add_sidecar` gives it.

    It has a log group of its own, non-blocking logs, a read-only root file system with volumes for what it writes to,
    and the right to pull its image from a private repository of ECR.
    """
    for path in settings.writable_paths:
        task.add_volume(name=volume_name(name, path))
    container = add_container(
        task,
        task,
        name,
        image=ecs.ContainerImage.from_registry(image),
        settings=settings,
        log_delivery=log_delivery,
        stop_seconds=stop_seconds,
        essential=False,
        restart=restart,
        memory_mib=memory_mib,
    )
    allow_pull(task, container, image)
    return container
