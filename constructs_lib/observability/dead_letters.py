"""What is watched of what could not be delivered, as data (lessons W3, W5). Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Severity
from constructs_lib.kept_messages import ANY_MESSAGE, IDLE_QUEUE_SECONDS, messages_kept

RUNBOOK: Final = "dead-letters"


def dead_letters_alarm(
    component: str, *, queue: str, of: str, what: str = "dead-letters", severity: Severity = "page"
) -> AlarmSpec:
    """Red while the queue holds anything: until somebody has looked, sent it again or deleted it (lesson W5).

    Args:
        component: what the alarm speaks for.
        queue: SQS's name of the dead-letter queue; it may be a Token.
        of: what could not be delivered, in a few words, such as ``events of the status page``.
        what: the fault; ``dead-letters`` by default. Give each queue of a component its own.
        severity: ``page`` by default: nobody else says that something is lost.
    """
    return AlarmSpec(
        component=component,
        what=what,
        meaning=f"Not delivered: {of}. The queue that this alarm's metric names keeps each, and says why. Mend the "
        "cause, send them again if they still matter, and delete them.",
        severity=severity,
        metric=messages_kept(queue),
        threshold=ANY_MESSAGE,
        runbook=RUNBOOK,
        fault_seconds=IDLE_QUEUE_SECONDS,
        slower_because="nothing sooner: SQS tells of a queue that was idle up to 15 minutes late; messages stay",
    )


def failed_invocations(rule_names: Sequence[str]) -> Metric:
    """What rules of EventBridge could not deliver to their targets, in five minutes; there is a value only then.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html

    Args:
        rule_names: at least one; the values may be Tokens.
    """
    first, *others = ({"RuleName": name} for name in rule_names)
    return Metric(
        namespace="AWS/Events",
        name="FailedInvocations",
        dimensions=first,
        statistic="Sum",
        period_seconds=300,
        also=tuple(others),
    )


NOTHING_FAILED: Final = "EventBridge sends the metric only when something was not delivered"
"""Why a period without :func:`failed_invocations` is no fault."""
