"""IAM policies as plain data, and the ARNs that they name. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Statement = dict[str, object]
"""A statement of an IAM policy as JSON has it. Resources may be Tokens."""

Condition = dict[str, dict[str, str]]
"""Of a statement, such as ``{"StringEquals": {key: value}}``."""

PolicyDocument = dict[str, object]
"""An IAM policy document as JSON has it. Resources may be Tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arns:
    """Makes ARNs of one account and region (lesson Q1). Each part may be a Token.

    Args:
        partition: such as ``aws``.
        region: such as ``eu-west-1``.
        account: 12 digits.
    """

    partition: str
    region: str
    account: str

    def of(self, service: str, resource: str) -> str:
        """A resource of a service."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def repository(self, name: str) -> str:
        """A repository of ECR."""
        return self.of("ecr", f"repository/{name}")

    def parameter(self, name: str) -> str:
        """A parameter, or a path of parameters, whose name begins with ``/``."""
        return self.of("ssm", f"parameter{name}")

    def role(self, name: str) -> str:
        """A role; IAM has no regions."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"


def allow(resources: Sequence[str], *actions: str, condition: Condition | None = None) -> Statement:
    """A statement that allows these actions on these resources."""
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": _one_or_all(resources)}
    return {**statement, "Condition": condition} if condition else statement


def write_log(log_group_arn: str) -> Statement:
    """To write to one log group; the ARN ends with ``:*``, as CloudFormation's ``Arn`` attribute has it."""
    return allow([log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents")


def document(*statements: Statement) -> PolicyDocument:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def queue_of_rules(queue_arn: str, rule_arns: Sequence[str]) -> PolicyDocument:
    """Of a queue: rules of EventBridge may write to it, these and no others, and nobody does anything without TLS."""
    return document(
        {
            "Sid": "TheseRules",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": _one_or_all(rule_arns)}},
        },
        {
            "Sid": "OnlyWithTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def _one_or_all(resources: Sequence[str]) -> str | list[str]:
    return resources[0] if len(resources) == 1 else list(resources)
