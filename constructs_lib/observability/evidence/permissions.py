"""Who may write to the log of evidence, as plain data (lesson W5). Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.iam_policy import PolicyDocument

_WRITERS: Final = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
"""Both, as https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html has it."""


def evidence_policy(log_group_arn: str, rule_arns: Sequence[str]) -> PolicyDocument:
    """EventBridge may write for these rules, to this log group.

    That it names the rule when it makes a log stream, no AWS page says, so only the writing is bound to the rules: a
    policy that is too narrow would lose the evidence in silence.

    Args:
        log_group_arn: the log group; ends with ``:*``, as CloudFormation's ``Arn`` has it.
        rule_arns: the rules whose target it is.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "EventBridgeMakesStreams",
                "Effect": "Allow",
                "Principal": _WRITERS,
                "Action": "logs:CreateLogStream",
                "Resource": log_group_arn,
            },
            {
                "Sid": "RulesWriteEvents",
                "Effect": "Allow",
                "Principal": _WRITERS,
                "Action": "logs:PutLogEvents",
                "Resource": log_group_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
            },
        ],
    }
