"""When an event needs a scan of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from constructs_lib.images.runtime.wakeups import DELAY, GAP, SETTLED, covered, newest, seconds_to_wait

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def messages(*bodies: str) -> dict[str, object]:
    """What Lambda is given for messages of a queue."""
    return {"Records": [{"body": body} for body in bodies]}


def test_the_newest_event_counts() -> None:
    """One scan must cover all messages of the invocation."""
    assert newest(messages('"2026-11-01T12:00:05Z"', '"2026-11-01T12:00:09Z"', '"2026-11-01T12:00:01Z"')) == at(9)


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": "?"}])
def test_an_invocation_without_messages_has_no_time(event: dict[str, object]) -> None:
    """A person who invokes the function wants a scan."""
    assert newest(event) is None
    assert not covered(newest(event), at(0))


@pytest.mark.parametrize("body", ["", "12", "null", '"yesterday"', '{"time": 1}'])
def test_a_message_that_cannot_be_read_costs_a_scan(body: str) -> None:
    """What is not understood is never taken for covered."""
    assert not covered(newest(messages(body)), datetime(2100, 1, 1, tzinfo=UTC))
    assert not covered(newest({"Records": [{}]}), datetime(2100, 1, 1, tzinfo=UTC))


def test_a_scan_covers_only_what_had_settled_when_it_began() -> None:
    """AWS's listings may lag behind its events."""
    assert covered(at(0), at(0) + SETTLED)
    assert not covered(at(0.001), at(0) + SETTLED)
    assert not covered(at(0), None)


def test_two_scans_begin_apart() -> None:
    """The second waits for the rest of the gap, and a clock that was wrong makes nobody wait."""
    assert seconds_to_wait(at(10), at(0)) == GAP.total_seconds() - 10
    assert seconds_to_wait(at(100), at(0)) == 0
    assert seconds_to_wait(at(0), None) == 0
    assert seconds_to_wait(at(0), at(3600)) == 0


def test_a_minute_of_events_costs_two_scans() -> None:
    """A scan begins when the first message of the minute comes out of the queue, the other covers the minute's end."""
    first = NOON + DELAY
    second = first + GAP
    assert covered(at(60), second)
    assert covered(NOON, first)
    uncovered_longest = first - SETTLED
    assert second - uncovered_longest <= timedelta(seconds=40)


def test_the_message_is_the_events_time_as_eventbridge_writes_it() -> None:
    """``InputPath`` ``$.time`` gives a JSON text."""
    assert newest(messages(json.dumps("2026-11-01T12:00:00Z"))) == NOON
