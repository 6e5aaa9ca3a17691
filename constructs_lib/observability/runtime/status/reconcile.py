"""What the alarms say right now: it mends what a lost event left wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from .changes import AlarmChanged, Checked, Clock, apply
from .settings import StatusSettings
from .state import PageState
from .store import changed
from .values import VALUES

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import CompositeAlarmTypeDef

HEARTBEAT: Final = timedelta(minutes=2)
"""How old the page may say that its reports are, while nothing changes; less than what it calls late."""

_A_CALL: Final = 100
"""Names that DescribeAlarms takes
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)."""


class AlarmsUnreadError(Exception):
    """The alarms could not all be read, so what the page says of them is as of before (lesson T5)."""


def read_alarms(cloudwatch: CloudWatchClient, settings: StatusSettings) -> list[AlarmChanged]:
    """What each composite alarm says that is there.

    Raises:
        AlarmsUnreadError: an alarm is there and its state cannot be read.
    """
    names = iter(settings.alarms)
    found: list[AlarmChanged] = []
    while batch := list(islice(names, _A_CALL)):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNames=batch, AlarmTypes=["CompositeAlarm"])
        for page in pages:
            found += [_reading(alarm, settings) for alarm in page.get("CompositeAlarms", ())]
    return found


def brought(state: PageState, settings: StatusSettings, readings: Sequence[AlarmChanged], now: datetime) -> PageState:
    """The state with what all alarms say now.

    An alarm that was there before and is not now is no good news: the page keeps what it said, and says soon that it is
    as of before. But where a component has its alarm still, and only the one on outages is gone, there is no outage.

    That all alarms were read is written with what they changed, and else every two minutes: so that most runs write
    nothing.
    """
    there = {(one.component, one.felt) for one in readings}
    after = changed(state, (settings.configured, Clock(), *readings), now)
    for component in after.components:
        outage = component.machine.outage
        if (component.name, "degraded") in there and (component.name, "outage") not in there and outage is not None:
            over = AlarmChanged(component=component.name, felt="outage", value="OK", timestamp=now)
            after = apply(after, over, now) if outage.value == "ALARM" else after
    due = after is not state or state.checked is None or now - state.checked >= HEARTBEAT
    return apply(after, Checked(), now) if due and not missing(readings, after) else after


def missing(readings: Sequence[AlarmChanged], state: PageState) -> list[str]:
    """The components whose alarm was there before and is not now."""
    there = {one.component for one in readings if one.felt == "degraded"}
    known = (one.name for one in state.components if one.machine.degraded is not None)
    return [name for name in known if name not in there]


def _reading(alarm: CompositeAlarmTypeDef, settings: StatusSettings) -> AlarmChanged:
    """The time is when the state came to be what it is, as an event tells it."""
    meant = settings.alarms.get(alarm.get("AlarmName", ""))
    value = alarm.get("StateValue")
    time = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    if meant is None or value not in VALUES or time is None:
        raise AlarmsUnreadError(f"CloudWatch's answer has an alarm without name, state or time: {dict(alarm)!r:.200}")
    component, felt = meant
    return AlarmChanged(component=component, felt=felt, value=value, timestamp=time.astimezone(UTC))
