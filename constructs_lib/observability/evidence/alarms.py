"""What is watched of the log of evidence, as plain data (lesson W5). Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold


def evidence_alarms(rule_names: Sequence[str]) -> tuple[AlarmSpec, ...]:
    """One notice when EventBridge could not write an event: nobody would see that it is missing.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    """
    first, *others = ({"RuleName": name} for name in rule_names)
    return (
        AlarmSpec(
            component="evidence",
            what="evidence-lost",
            meaning="EventBridge could not write an event to the log of evidence. Look whether the log group and its "
            "resource policy are there: an account has at most 10 such policies in a Region.",
            severity="notice",
            metric=Metric(
                namespace="AWS/Events",
                name="FailedInvocations",
                dimensions=first,
                statistic="Sum",
                period_seconds=300,
                also=tuple(others),
            ),
            threshold=Threshold(
                value=1, missing_because="EventBridge sends the metric only when something was not delivered."
            ),
        ),
    )
