"""EventBridge's event of a composite alarm, read into a change. Pure; standard library only.

Lenient in what it does not need, for AWS adds fields: only the name, the state and its time are read. Strict in these
three: what is not from this account, region and environment, or tells of a time to come, changes nothing.
The state before is not looked at: a composite alarm's can be the same one, when a suppressor's wait is over
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .changes import AlarmChanged
from .settings import StatusSettings
from .upkeep import FUTURE
from .values import VALUES

SOURCE: Final = "aws.cloudwatch"
DETAIL_TYPE: Final = "CloudWatch Alarm State Change"

_TIME: Final = re.compile(r"(.+[+-][0-9]{2})([0-9]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """An event that changes nothing (lesson T5).

    Args:
        because: why, for the log.
    """

    because: str


def is_alarm_event(event: object) -> bool:
    """Whether it is one of CloudWatch's at all; anything else is the clock's."""
    return isinstance(event, Mapping) and event.get("detail-type") == DETAIL_TYPE


def read_event(event: Mapping[str, object], settings: StatusSettings, now: datetime) -> AlarmChanged | Dropped:
    """What an event says."""
    place = (event.get("source"), event.get("account"), event.get("region"))
    if place != (SOURCE, settings.account, settings.source_region):
        return Dropped(because="it is not from CloudWatch in the account and region of the services")
    detail = event.get("detail")
    state = detail.get("state") if isinstance(detail, Mapping) else None
    if not isinstance(detail, Mapping) or not isinstance(state, Mapping):
        return Dropped(because="it has no state")
    name, value, told = detail.get("alarmName"), state.get("value"), state.get("timestamp")
    meant = settings.alarms.get(name) if isinstance(name, str) else None
    if meant is None:
        return Dropped(because="no component of the page has this alarm")
    if not isinstance(value, str) or value not in VALUES:
        return Dropped(because="it is in a state that alarms do not have")
    timestamp = read_time(told)
    if timestamp is None or timestamp > now + FUTURE:
        return Dropped(because="its time cannot be read, or is yet to come")
    component, felt = meant
    return AlarmChanged(component=component, felt=felt, value=value, timestamp=timestamp)


def read_time(text: object) -> datetime | None:
    """A time as CloudWatch writes it, ``2022-07-22T15:57:45.394+0000``, in UTC; None when it is none."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    with_colon = _TIME.fullmatch(text)
    try:
        time = datetime.fromisoformat(f"{with_colon[1]}:{with_colon[2]}" if with_colon else text)
        return time.astimezone(UTC) if time.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
