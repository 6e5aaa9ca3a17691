"""Services without a load balancer, and tasks that run by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from aws_cdk import Aws
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from constructs import Construct, IConstruct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.release_schedules import ReleasedSchedule
from constructs_lib.services.fargate_scheduled_task import FargateScheduledTask
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.task.container_settings import ContainerSettings
from stacks.config import ServiceConfig


class Scheduled(NamedTuple):
    """What the rest of the stack must know of a scheduled task."""

    alarms: Sequence[AlarmSpec]
    released: ReleasedSchedule


def scheduled_tasks(
    scope: Construct,
    service: ServiceConfig,
    *,
    made: FargateWebService | FargateWorker,
    cluster: ecs.ICluster,
    repository: ecr.IRepository,
    size: TaskSize,
    settings: ContainerSettings,
) -> list[Scheduled]:
    """The scheduled tasks of a service, with its image and settings. Their alarms speak for the service.

    An update changes a schedule after the service, so what the service's deployment refuses is not run by the clock.
    """
    if not service.scheduled_tasks:
        return []
    below = Construct(scope, f"{service.name}-scheduled")  # so that no task's name is that of another construct
    first = made.service.node.default_child
    assert first is not None
    return [
        _scheduled(
            f"{given.name}-",
            service.name,
            first,
            FargateScheduledTask(
                below,
                f"{service.name}-{given.name}",
                cluster=cluster,
                repository=repository,
                image=made.release,
                schedule=given.schedule,
                size=given.size or size,
                settings=replace(settings, command=given.command),
                log_delivery=service.log_delivery,
            ),
        )
        for given in service.scheduled_tasks
    ]


def _scheduled(prefix: str, service: str, first: IConstruct, made: FargateScheduledTask) -> Scheduled:
    made.schedule.node.add_dependency(first)
    return Scheduled(
        alarms=[replace(spec, component=service, what=f"{prefix}{spec.what}") for spec in made.alarms],
        released=ReleasedSchedule(
            arn=made.schedule.attr_arn,
            role=made.role.attr_arn,
            families=f"{Aws.STACK_NAME}-*",  # as those of the services
            roles=made.task_roles,
        ),
    )
