"""What a release may change of tasks that run by the clock, as plain data. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.iam_policy import Arns, PolicyDocument, allow, document


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedSchedule:
    """What a release changes of a task that EventBridge Scheduler runs (lesson Q5).

    Args:
        arn: the schedule.
        role: ARN of the role with which it starts the task.
        families: its task definitions' family, with ``*`` in it when that names the families of a whole stack.
        roles: ARNs of the roles that the task has: the task role and the execution role.
    """

    arn: str
    role: str
    families: str
    roles: tuple[str, ...]


def schedule_permissions(arns: Arns, schedules: Sequence[ReleasedSchedule]) -> PolicyDocument:
    """What CloudFormation may do to scheduled tasks in a release: their next task definition, and the update that names
    it and turns a schedule on; what the schemas of the two resource types name
    (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html).
    """
    families = dict.fromkeys(arns.of("ecs", f"task-definition/{schedule.families}:*") for schedule in schedules)
    roles = list(dict.fromkeys(role for schedule in schedules for role in schedule.roles))
    own = list(dict.fromkeys(schedule.role for schedule in schedules))
    return document(
        allow([schedule.arn for schedule in schedules], "scheduler:GetSchedule", "scheduler:UpdateSchedule"),
        allow(own, "iam:PassRole", condition={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}),
        allow(list(families), "ecs:ListTagsForResource", "ecs:RegisterTaskDefinition", "ecs:TagResource"),
        allow(roles, "iam:PassRole", condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
        allow(roles, "iam:GetRole"),
    )
