"""The task definition of a program that runs once before a release (lessons W2, Q3, Q5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import invalid
from constructs_lib.checks import name as check_name
from constructs_lib.naming import NO_IMAGE
from constructs_lib.services.placement import component_name
from constructs_lib.services.policy import FixedDigest, TaskSize
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.log_delivery import LogDelivery

_DEFAULT_SIZE: Final = TaskSize()
_DEFAULT_LOG_DELIVERY: Final = LogDelivery()
_DEFAULT_SETTINGS: Final = ContainerSettings()

_STOP_SECONDS: Final = 120
"""The most that Fargate gives, so that a migration which is stopped can take its transaction back."""

_NO_CHECK: Final = (
    "A task that ends by itself is judged by its exit code, and stopped when it takes too long. ECS lets a task of no "
    "service run on, whatever its health check says (API reference, HealthCheck)."
)

_LONGEST: Final = 45
"""A service's name, and ``-before-release``."""


class FargateOneOffTask(Construct):
    """The task definition of a program that runs once before a release, such as database migrations (lessons Q5, W2).

    Nothing starts it by itself. ``moorings release`` copies the definition with the digest that shall be released, runs
    the copy once, and goes on only when it ended with exit code 0 (``docs/migrations.md``). The definition in the stack
    names no image that exists, so nobody starts an old migration by accident and a release need not change it.

    It has non-blocking logs, a read-only root file system, roles of its own, and two minutes to stop. It has no health
    check: what ends by itself is judged by its end.

    Args:
        id: also names the container, its log and the family, unless ``component`` does.
        repository: where the image is; the execution role may pull from it.
        task: the command and its limits.
        image: a digest in code, for a task that you start yourself; ``None``, the default: a release names it.
        component: the name of the container, and the end of the family's name; by default what ``id`` says.
        size: CPU, memory and architecture, when the task has none of its own.
        settings: what the container is told and may write to: the service's. Its command is the task's.
        log_delivery: buffer and retention of the logs.

    Attributes:
        task: the task definition with its containers.
        family: the family's name, with the stack's in it, as other stacks can know it.
        component: the container's name.
        timeout_minutes: after how many minutes it shall be stopped.

    Raises:
        ValueError: a task that is none, settings with a command, or log buffers too large for the task.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        repository: ecr.IRepository,
        task: OneOffTask,
        image: FixedDigest | None = None,
        component: str | None = None,
        size: TaskSize = _DEFAULT_SIZE,
        settings: ContainerSettings = _DEFAULT_SETTINGS,
        log_delivery: LogDelivery = _DEFAULT_LOG_DELIVERY,
    ) -> None:
        if not isinstance(task, OneOffTask):
            raise invalid("task", task, "a OneOffTask", "pass one such as OneOffTask(command=('migrate',))")
        if settings.command is not None:
            raise invalid("settings.command", settings.command, "left out", "the command is the task's")
        if image is not None and not isinstance(image, FixedDigest):
            raise invalid("image", image, "a FixedDigest or None", "a release puts its digest into a copy")
        self.component = (
            component_name(id) if component is None else check_name("component", component, longest=_LONGEST)
        )
        size = task.size or size
        log_delivery.check_memory(1, size.memory_mib)
        super().__init__(scope, id)
        self.timeout_minutes = task.timeout_minutes
        self.family = f"{Stack.of(self).stack_name}-{self.component}"
        self.task = FargateTask(
            self,
            self.component,
            repository=repository,
            digest=image.digest if image else NO_IMAGE,
            size=size,
            settings=replace(settings, command=task.command),
            log_delivery=log_delivery,
            stop_seconds=_STOP_SECONDS,
        )
        Validations.of(self.task.definition).acknowledge(Acknowledgment(id="Moorings::MOOR-T4a", reason=_NO_CHECK))

    @property
    def task_role(self) -> iam.IRole:
        """The role that the program runs with; it may do nothing until you grant it something."""
        return self.task.definition.task_role

    @property
    def roles(self) -> tuple[str, ...]:
        """ARNs of the roles that whoever starts the task must pass: the task's and the execution role."""
        return self.task.roles
