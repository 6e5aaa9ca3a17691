"""Findings about tasks that run by the clock that we accept."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.accepted import Accepted
from stacks.config import EnvironmentConfig


def schedule_findings(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What is accepted of an environment's scheduled tasks."""
    for service in config.services:
        if not service.scheduled_tasks:
            continue
        below = f"{service.name}-scheduled"
        yield Accepted(
            "services",
            below,
            "AwsSolutions::AwsSolutions-SQS3",
            "These queues are what dead letters go to, and an alarm tells that one holds any.",
        )
        yield Accepted(
            "services",
            below,
            "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
            "ecr:GetAuthorizationToken takes no resource; stacks/gate.py refuses every other statement on '*'.",
        )
        tasks = "The tasks of this cluster, and only as the schedule starts one: a task's ARN has an id that AWS makes."
        yield _may("ecs:<region>:<account>:task/<ClusterEB0386A7>/*", below, tasks)
        for task in service.scheduled_tasks:
            family = f"ecs:<region>:<account>:task-definition/<AWS::StackName>-{service.name}-{task.name}:*"
            yield _may(family, below, "The revisions of this one task definition: each release makes one.")


def _may(resource: str, below: str, reason: str) -> Accepted:
    return Accepted("services", below, f"AwsSolutions::AwsSolutions-IAM5[Resource::arn:<partition>:{resource}]", reason)
