"""Findings about messages to people that we accept."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.naming import evidence_log_name
from stacks.accepted import Accepted
from stacks.config import EnvironmentConfig


def message_findings(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What is accepted of the function that tells people of events."""
    group = f"arn:<partition>:logs:<region>:<account>:log-group:{evidence_log_name(config.application, config.name)}:*"
    yield _messages(
        "IAM5[Resource::*]",
        "cloudwatch:DescribeAlarms gives composite alarms only to who may ask for all. It reads, in one region. "
        "stacks/gate.py refuses every other statement on '*'.",
    )
    yield _messages(f"IAM5[Resource::{group}]", "The log group of events, and the events in it.")
    yield _messages("DDB3", "The table holds what was told in the last hour. If it is lost, a fault is told once more.")
    yield _messages("SQS3", "The queue is what dead letters go to, and an alarm tells that it holds any.")


def _messages(rule: str, reason: str) -> Accepted:
    return Accepted("observability", "Messages", f"AwsSolutions::AwsSolutions-{rule}", reason)
