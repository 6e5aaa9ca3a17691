"""What an event bus is sent, and what is watched of that, as plain data (lesson W5). Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Threshold
from constructs_lib.iam_policy import Arns
from constructs_lib.naming import stack_name
from constructs_lib.observability.dead_letters import NOTHING_FAILED, failed_invocations
from constructs_lib.observability.evidence.patterns import Pattern, evidence_patterns

COMPONENT: Final = "notification"
"""What the alarm speaks for."""


def alarm_changes(here: Arns, application: str, environment: str) -> Pattern:
    """Every change of an environment's alarms, metric alarms and composite ones.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    stack_name(application, environment, "alarms")  # It refuses wrong names.
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [{"prefix": here.of("cloudwatch", f"alarm:{application}/{environment}/")}],
    }


def forwarded(
    here: Arns, *, application: str, environment: str, clusters: Sequence[str], repositories: Sequence[str] = ()
) -> dict[str, Pattern]:
    """The patterns by what they are about: ``Alarms``, and the evidence but for builds.

    An event of a build holds the build's plain variables, and what goes to a bus of another account goes as it is: an
    input transformer is not allowed there
    (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html).

    Args:
        here: account and Region.
        application: the application's name.
        environment: the environment's name.
        clusters: names of ECS clusters, or what they begin with and ``*``.
        repositories: names of ECR repositories, or what they begin with and ``*``; none by default.
    """
    evidence = evidence_patterns(here, clusters=clusters, repositories=repositories)
    return {"Alarms": alarm_changes(here, application, environment), **evidence}


def forwarding_alarms(rule_names: Sequence[str]) -> tuple[AlarmSpec, ...]:
    """A notice when a bus did not take an event. Nothing is kept for it: its events are in the log of evidence."""
    return (
        AlarmSpec(
            component=COMPONENT,
            what="events-not-forwarded",
            meaning="EventBridge could not send events to the event bus that is told of them, so who listens there "
            "misses them. Look whether the bus is there and its policy admits this account.",
            severity="notice",
            metric=failed_invocations(rule_names),
            threshold=Threshold(value=1, missing_because=NOTHING_FAILED),
        ),
    )
