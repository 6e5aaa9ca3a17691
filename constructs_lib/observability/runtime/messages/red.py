"""Whether the component's alarm is red, so that whoever it woke is not woken again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .aws import failures, log

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient


def red_since(cloudwatch: CloudWatchClient, alarm: str) -> datetime | None:
    """Since when a composite alarm is red; ``None`` when it is not, does not exist, or nobody knows."""
    try:
        answer = cloudwatch.describe_alarms(AlarmNames=[alarm], AlarmTypes=["CompositeAlarm"])
    except failures() as error:
        log("whether the alarm is red cannot be read", error=type(error).__name__)
        return None
    for found in answer.get("CompositeAlarms", []):
        if found.get("AlarmName") == alarm and found.get("StateValue") == "ALARM":
            return found.get("StateTransitionedTimestamp") or found.get("StateUpdatedTimestamp")
    return None
