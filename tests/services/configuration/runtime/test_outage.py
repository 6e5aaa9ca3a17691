"""Incident T in small: the source is down for hours, and a task starts in the middle (lesson T2)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from constructs_lib.services.configuration.alarms import copy_alarm
from tests.services.configuration.runtime.world import START, World

ALARM = copy_alarm(component="web", application="shop", environment="staging", profile="web", notice_after_minutes=30)


def told_at(readings: dict[datetime, float | None]) -> list[datetime]:
    """When CloudWatch would tell, as the alarm is written: three readings in a row that are over, or missing."""
    threshold = ALARM.threshold
    assert (threshold.periods, threshold.out_of, threshold.missing) == (3, 3, "breaching")
    wrong, found = 0, []
    for at, age in readings.items():
        wrong = wrong + 1 if age is None or age >= threshold.value else 0
        if wrong == 3:
            found.append(at)
    return found


def test_after_four_hours_without_appconfig_a_new_task_has_the_last_good_copy(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """AppConfig is down from 10:10 to 14:10, while a deployment is under way.

    A task that starts at 12:10 finds the configuration that was in force, and how old it is. Somebody is told 30 to 35
    minutes after the copy was last confirmed, once. What was under way is copied only when it is complete.
    """
    world.appconfig.deploy('{"limit": 5}')
    under_way = world.appconfig.deploy('{"limit": 9}', state="DEPLOYING")
    readings: dict[datetime, float | None] = {}
    seen: dict[datetime, dict[str, Any]] = {}
    for _ in range(60):
        outage = START + timedelta(minutes=10) <= world.now < START + timedelta(hours=4, minutes=10)
        world.appconfig.down = ("InternalServerException", 503) if outage else None
        if world.now == START + timedelta(hours=4, minutes=20):
            world.appconfig.becomes(under_way, "COMPLETE")
        world.run()
        ages = [json.loads(line)["CopyAgeMinutes"] for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        readings[world.now] = ages[0] if ages else None
        seen[world.now] = world.copy
        world.later(5)

    in_the_middle = seen[START + timedelta(hours=2, minutes=10)]
    assert in_the_middle == {
        "version": "1",
        "confirmed_at": (START + timedelta(minutes=5)).isoformat(),
        "content": {"limit": 5},
    }
    assert readings[START + timedelta(hours=2, minutes=10)] == 125
    assert told_at(readings) == [START + timedelta(minutes=35)]
    assert seen[START + timedelta(hours=4, minutes=15)]["content"] == {"limit": 5}
    assert seen[START + timedelta(hours=4, minutes=20)]["content"] == {"limit": 9}


def test_a_function_that_does_not_run_is_told_too() -> None:
    """Nothing is published, so nobody knows: three missing readings, a quarter of an hour."""
    readings: dict[datetime, float | None] = {START + timedelta(minutes=5 * step): None for step in range(6)}
    assert told_at(readings) == [START + timedelta(minutes=10)]


def test_one_run_that_is_lost_tells_nobody() -> None:
    """A late run is no fault."""
    readings = {START + timedelta(minutes=5 * step): None if step % 3 == 0 else 0.0 for step in range(9)}
    assert told_at(readings) == []
