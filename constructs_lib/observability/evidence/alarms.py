"""What is watched of the log of evidence, as plain data (lesson W5). Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.alarm_spec import AlarmSpec, Threshold
from constructs_lib.observability.dead_letters import NOTHING_FAILED, failed_invocations


def evidence_alarms(rule_names: Sequence[str]) -> tuple[AlarmSpec, ...]:
    """One notice when EventBridge could not write an event: nobody would see that it is missing."""
    return (
        AlarmSpec(
            component="evidence",
            what="evidence-lost",
            meaning="EventBridge could not write an event to the log of evidence. Look whether the log group and its "
            "resource policy are there: an account has at most 10 such policies in a Region.",
            severity="notice",
            metric=failed_invocations(rule_names),
            threshold=Threshold(value=1, missing_because=NOTHING_FAILED),
        ),
    )
