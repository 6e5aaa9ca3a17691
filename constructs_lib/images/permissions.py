"""What the retention guard may do, as plain data. Standard library only.

It can put a tag on an image that is there, and restore one. It can neither delete an image nor upload one
(lesson Q2). The resource types of each action are those of the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).

Two things that a reviewer of the template will ask:

- ``ecr:PutImage`` could move any tag of a guarded repository whose tags are mutable, for IAM has no condition on a
  tag's name. Where only ``pin-*`` is mutable (:class:`constructs_lib.images.repository.PinnedRepository`), it can move
  pins alone.
- ``ecs:DescribeTaskDefinition``, ``states:DescribeStateMachine``, ``scheduler:GetSchedule`` and
  ``events:ListTargetsByRule`` show the role settings that stand in plain text anywhere in the account and region,
  environment variables among them. Only the guard's function assumes the role, and it logs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.iam_policy import Arns, PolicyDocument, allow, document, write_log

ON_REPOSITORIES: Final = (
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:PutImage",
    "ecr:UpdateImageStorageClass",
)
"""What the guard does to a repository; a repository of another account must allow its role these, too."""

LISTS: Final = (
    "ecs:DescribeTaskDefinition",
    "ecs:ListClusters",
    "ecs:ListServices",
    "ecs:ListTaskDefinitionFamilies",
    "ecs:ListTaskDefinitions",
    # The reference names container instances here, but a listing by cluster is authorized on *
    # (https://github.com/cdklabs/construct-hub/pull/1207).
    "ecs:ListTasks",
    "events:ListEventBuses",
    "events:ListRuleNamesByTarget",
    "events:ListRules",
    "scheduler:ListSchedules",
    "states:ListStateMachines",
)
"""Actions for which the services offer no resource. All only read."""


def guard_permissions(
    *,
    here: Arns,
    repositories: Sequence[str],
    parameters: Sequence[str],
    table: str,
    queue: str,
    log_group: str,
) -> PolicyDocument:
    """What one guard may do.

    Args:
        here: of the guard's account and region.
        repositories: ARNs of the guarded repositories.
        parameters: ARNs of their release parameters.
        table: ARN of its memory.
        queue: ARN of its wake-ups.
        log_group: ARN of its log, with ``:*`` at the end, as CloudFormation's ``Arn`` attribute has it.
    """
    services = here.of("ecs", "service/*")
    statements = [
        allow(repositories, *ON_REPOSITORIES),
        allow(["*"], *LISTS),
        allow([here.of("ecs", "task/*")], "ecs:DescribeTasks"),
        allow([services], "ecs:DescribeServices"),
        allow([services, here.of("ecs", "service-deployment/*")], "ecs:DescribeServiceDeployments"),
        allow([services, here.of("ecs", "service-revision/*")], "ecs:DescribeServiceRevisions"),
        allow([here.of("events", "rule/*")], "events:ListTargetsByRule"),
        allow([here.of("scheduler", "schedule/*")], "scheduler:GetSchedule"),
        allow([here.of("states", "stateMachine:*")], "states:DescribeStateMachine"),
        allow([table], "dynamodb:GetItem", "dynamodb:PutItem"),
        # What Lambda needs to read a queue for a function (AWSLambdaSQSQueueExecutionRole).
        allow([queue], "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
        write_log(log_group),
    ]
    if parameters:
        statements.append(allow(parameters, "ssm:GetParameterHistory"))
    return document(*statements)
