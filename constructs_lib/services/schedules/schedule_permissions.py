"""What a schedule may do, as plain data: run one task definition's tasks in one cluster. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.iam_policy import PolicyDocument, document


def schedule_trust(*, account: str, group_arn: str) -> PolicyDocument:
    """Only EventBridge Scheduler can be the role, for schedules of one group of this account.

    AWS asks for the group, and for no single schedule
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
    """
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": group_arn}},
        }
    )


def schedule_permissions(
    *, task_definitions: str, cluster_arn: str, tasks: str, roles: Sequence[str], queue_arn: str
) -> PolicyDocument:
    """Runs any revision of one family in one cluster, with its own two roles, and says what it could not run.

    A release makes the next revision, so the family is named and no revision. Tags are given to a task as it is made,
    and by nothing else
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html).

    Args:
        task_definitions: ARN of the family's revisions, ``*`` for the revision.
        cluster_arn: the ECS cluster.
        tasks: ARN of the cluster's tasks, ``*`` for the task.
        roles: ARNs of task role and execution role.
        queue_arn: where runs go that could not be started.
    """
    return document(
        {
            "Effect": "Allow",
            "Action": "ecs:RunTask",
            "Resource": task_definitions,
            "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
        },
        {
            "Effect": "Allow",
            "Action": "ecs:TagResource",
            "Resource": tasks,
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": list(roles),
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn},
    )
