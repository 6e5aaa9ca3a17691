"""Events of composite alarms: what they change, and that a wrong one changes nothing and stops nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.naming import alarm_name
from constructs_lib.observability.runtime.status.alarm_events import (
    Dropped,
    is_alarm_event,
    read_event,
    read_time,
)
from constructs_lib.observability.runtime.status.changes import AlarmChanged
from constructs_lib.observability.runtime.status.upkeep import FUTURE
from tests.observability.runtime.status.support import NOW, SETTINGS, alarm_event

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_an_event_says_which_alarm_what_and_when() -> None:
    """The time is the alarm's own, to the millisecond, and not when the event was sent."""
    at = datetime(2026, 4, 1, 11, 59, 58, 394000, tzinfo=UTC)
    told = AlarmChanged(component="web", felt="degraded", value="ALARM", timestamp=at)
    assert read_event(alarm_event(), SETTINGS, NOW) == told


@pytest.mark.parametrize("component", ["web", "worker"])
@pytest.mark.parametrize("felt", ["degraded", "outage"])
@pytest.mark.parametrize("value", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_every_alarm_and_state_of_the_page(component: str, felt: str, value: str) -> None:
    """By the names that the alarms have."""
    event = alarm_event(component, value, felt=felt)
    assert event["detail"]["alarmName"] == alarm_name("shop", "production", component, felt)
    told = read_event(event, SETTINGS, NOW)
    assert isinstance(told, AlarmChanged)
    assert (told.component, told.felt, told.value) == (component, felt, value)


def test_the_names_are_those_of_the_alarms() -> None:
    """The function cannot import the library, and says them again."""
    for name, (component, felt) in SETTINGS.alarms.items():
        assert name == alarm_name(SETTINGS.application, SETTINGS.environment, component, felt)
    assert len(SETTINGS.alarms) == 4


@pytest.mark.parametrize("before", [{"value": "ALARM"}, {}, None, "?"])
def test_the_state_before_is_not_looked_at(before: object) -> None:
    """A composite alarm's is the same one when a suppressor's wait is over; a first one has none."""
    event = alarm_event()
    event["detail"]["previousState"] = before
    assert isinstance(read_event(event, SETTINGS, NOW), AlarmChanged)
    del event["detail"]["previousState"]
    assert isinstance(read_event(event, SETTINGS, NOW), AlarmChanged)


def test_more_than_was_known_is_no_fault() -> None:
    """AWS adds fields; a mute window is one that was added."""
    event = alarm_event(extra={"x": 1})
    event["detail"]["muteDetail"] = {"mutedByArn": "arn"}
    event["detail"]["state"]["actionsSuppressedBy"] = "WaitPeriod"
    assert isinstance(read_event(event, SETTINGS, NOW), AlarmChanged)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("source", "aws.ecs"),
        ("source", "my.cloudwatch"),
        ("account", "222222222222"),
        ("region", "us-east-1"),
        ("detail", None),
        ("detail", "ALARM"),
        ("detail", {}),
        ("detail", {"alarmName": "shop/production/web/degraded"}),
        ("detail", {"alarmName": "shop/production/web/degraded", "state": "ALARM"}),
    ],
)
def test_what_is_not_of_this_page_changes_nothing(place: str, value: Any) -> None:
    """Another account's, region's or source's, or one that is none; the log says why."""
    told = read_event({**alarm_event(), place: value}, SETTINGS, NOW)
    assert isinstance(told, Dropped)
    assert told.because


@pytest.mark.parametrize(
    "name",
    ["shop/staging/web/degraded", "shop/production/web/elb-5xx", "shop/production/api/degraded", "", None, ["x"]],
)
def test_alarms_of_others_change_nothing(name: object) -> None:
    """Nor those of the component that are no composites."""
    event = alarm_event()
    event["detail"]["alarmName"] = name
    told = read_event(event, SETTINGS, NOW)
    assert told == Dropped(because="no component of the page has this alarm")


@pytest.mark.parametrize("value", ["alarm", "RED", "", None, 1, ["ALARM"]])
def test_a_state_that_alarms_do_not_have(value: Any) -> None:
    """It is not guessed."""
    event = alarm_event()
    event["detail"]["state"]["value"] = value
    assert isinstance(read_event(event, SETTINGS, NOW), Dropped)


@pytest.mark.parametrize(
    "at",
    ["", "yesterday", "2026-04-01T11:59:58", "2026-04-01", None, 1775044798, "9999-99-99T00:00:00.000+0000", "x" * 999],
)
def test_a_time_that_is_none(at: Any) -> None:
    """Without it nobody knows which event is the newer one."""
    told = read_event(alarm_event(at=at), SETTINGS, NOW)
    assert told == Dropped(because="its time cannot be read, or is yet to come")


def test_a_time_to_come_would_win_for_ever() -> None:
    """Five minutes ahead is a clock that goes wrong; more is refused."""
    within, beyond = NOW + FUTURE, NOW + FUTURE + timedelta(milliseconds=1)
    assert isinstance(read_event(alarm_event(at=within.isoformat()), SETTINGS, NOW), AlarmChanged)
    assert isinstance(read_event(alarm_event(at=beyond.isoformat()), SETTINGS, NOW), Dropped)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-01T12:00:00.000+0000",
        "2026-04-01T12:00:00Z",
        "2026-04-01T21:00:00.000+0900",
        "2026-04-01T12:00:00+00:00",
    ],
)
def test_times_as_they_may_be_written(text: str) -> None:
    """All are noon."""
    assert read_time(text) == NOW


@given(event=ANY_JSON)
def test_anything_at_all_is_answered(event: Any) -> None:
    """Whatever comes is dropped or is none of these events; nothing raises."""
    assert not is_alarm_event(event)
    if isinstance(event, dict):
        assert isinstance(read_event(event, SETTINGS, NOW), Dropped)


@given(detail=ANY_JSON, state=ANY_JSON, name=ANY_JSON, at=ANY_JSON)
def test_anything_inside_an_event_is_answered(detail: Any, state: Any, name: Any, at: Any) -> None:
    """Of the right kind, with whatever inside."""
    inside = {"alarmName": "shop/production/web/degraded", "state": {"value": "ALARM", "timestamp": at}}
    for one in (detail, {"alarmName": name, "state": state}, {**inside, "state": state}, inside):
        event = alarm_event(detail=one)
        assert is_alarm_event(event)
        assert isinstance(read_event(event, SETTINGS, NOW), Dropped | AlarmChanged)
