"""Kernel settings as ECS takes them; for any task definition (lesson W1)."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import CfnResource
from aws_cdk import aws_ecs as ecs

from constructs_lib.services.ports.kernel_settings import KernelSettings

_DEFAULT = KernelSettings()


def system_controls(kernel: KernelSettings, *, container_ports: Iterable[int]) -> list[ecs.SystemControl]:
    """For ``add_container(…, system_controls=…)``, of one container of a task: ECS gives them to all.

    Args:
        kernel: what to ask for.
        container_ports: the ports that the task's containers listen on.

    Raises:
        ValueError: a range that was given has one of the ports.
    """
    return [
        ecs.SystemControl(namespace=key, value=value) for key, value in kernel.settings(tuple(container_ports)).items()
    ]


def apply_kernel_settings(
    task: ecs.TaskDefinition | ecs.CfnTaskDefinition,
    kernel: KernelSettings = _DEFAULT,
    *,
    container_ports: Iterable[int],
) -> None:
    """Sets them of a task definition that exists, on the container that was added first.

    It takes Linux on Fargate platform 1.4.0 or later, which ``LATEST`` is
    (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html). What the first container had
    before is replaced; leave the others without any, or the one that starts last decides.

    Args:
        task: the task definition, or its resource.
        kernel: what to ask for; the wide range of ports by default.
        container_ports: the ports that the task's containers listen on; write ``()`` when none does.

    Raises:
        ValueError: a range that was given has one of the ports.
    """
    made = task.node.default_child if isinstance(task, ecs.TaskDefinition) else task
    assert isinstance(made, CfnResource)
    controls = [{"Namespace": key, "Value": value} for key, value in kernel.settings(tuple(container_ports)).items()]
    if controls:
        made.add_property_override("ContainerDefinitions.0.SystemControls", controls)
