"""How many tasks serve a peak with one zone lost, and what else a capacity refuses (lessons T1, T4)."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.guardrails.rules import scaling as rules
from constructs_lib.services.scaling.capacity import MOST_UTILIZATION, Capacity, Peak, ScheduledCapacity, tasks_left
from constructs_lib.services.schedules.schedule import Schedule
from tests.support import TOKEN, refused, run_without_cdk

ZONES = st.integers(2, 6)
LOADS = st.integers(1, 20_000)
PER_TASK = st.integers(1, 500)


def opening(**changes: Any) -> ScheduledCapacity:
    """More tasks for the working day, but for ``changes``."""
    values: dict[str, Any] = {
        "name": "opening",
        "schedule": "cron(0 8 ? * MON-FRI *)",
        "time_zone": "Europe/Dublin",
        "min_tasks": 6,
        "max_tasks": 20,
        **changes,
    }
    return ScheduledCapacity(**values)


def lost_at_most(tasks: int, zones: int) -> int:
    """Counted by hand: tasks are dealt out to the zones one after the other, and the fullest is lost."""
    dealt = [0] * zones
    for task in range(tasks):
        dealt[task % zones] += 1
    return max(dealt)


@given(st.integers(0, 300), ZONES)
def test_a_lost_zone_takes_what_the_fullest_has(tasks: int, zones: int) -> None:
    """`tasks_left` is what dealing the tasks out and emptying the fullest zone leaves (T1)."""
    assert tasks_left(tasks, zones) == tasks - lost_at_most(tasks, zones)


@given(LOADS, PER_TASK, ZONES)
def test_the_minimum_is_the_smallest_that_bears_the_loss_of_a_zone(load: int, per_task: int, zones: int) -> None:
    """By trying 1, 2, 3 … tasks: the first of which a lost zone leaves enough, and at least one a zone (T1)."""
    need = -(-load // per_task)
    if need > 2000:
        return
    first = next(n for n in range(1, 3 * need + 10) if n - lost_at_most(n, zones) >= need)
    assert Peak(requests_per_second=load, per_task=per_task, az_count=zones).min_tasks == max(first, zones)


@given(LOADS, PER_TASK, ZONES)
def test_above_the_peak_too_the_loss_of_a_zone_fits(load: int, per_task: int, zones: int) -> None:
    """However many tasks scaling makes, those that are left never have more than one task serves well (T1)."""
    try:
        peak = Peak(requests_per_second=load, per_task=per_task, az_count=zones)
    except ValueError:
        return
    for tasks in range(peak.min_tasks, min(peak.min_tasks + 40, 5001)):
        at_target = Fraction(tasks * peak.requests_per_minute, 60)
        assert at_target / tasks_left(tasks, zones) <= per_task


@given(st.integers(1, 300), ZONES)
def test_the_target_wastes_nothing(need: int, zones: int) -> None:
    """One more request for each task and minute, and some number of tasks above the minimum would not bear it (T1)."""
    peak = Peak(requests_per_second=need * 100, per_task=100, az_count=zones)
    above = range(peak.min_tasks, peak.min_tasks + zones + 1)
    assert any(Fraction(tasks * (peak.requests_per_minute + 1), 60) / tasks_left(tasks, zones) > 100 for tasks in above)


@given(LOADS, PER_TASK, ZONES)
def test_twice_the_peak_fits_below_the_maximum(load: int, per_task: int, zones: int) -> None:
    """The default maximum leaves room for twice the peak at scaling's own target, or is the quota (T1)."""
    try:
        capacity = Capacity.for_peak(requests_per_second=load, per_task=per_task, az_count=zones)
    except ValueError:
        return
    assert capacity.target_requests_per_minute is not None
    wanted = math.ceil(Fraction(2 * load * 60, capacity.target_requests_per_minute))
    assert wanted <= capacity.max_tasks or capacity.max_tasks == 5000
    assert capacity.max_tasks == min(3 * capacity.min_tasks, 5000)
    twice = Peak(requests_per_second=min(2 * load, 2500 * per_task), per_task=per_task, az_count=zones)
    assert twice.min_tasks <= capacity.max_tasks or capacity.max_tasks == 5000


@pytest.mark.parametrize(
    ("load", "per_task", "zones", "need", "tasks", "target"),
    [
        (1000, 80, 3, 13, 20, 3054),  # 13 + 7; the worst above is 22 tasks, 14 left: 80 * 60 * 14/22 is 3054
        (60, 30, 3, 2, 3, 900),  # worst 4, 2 left
        (30, 30, 2, 1, 2, 600),  # worst 3, 1 left
        (31, 30, 2, 2, 4, 720),  # worst 5, 2 left
        (100, 100, 6, 1, 6, 4285),  # worst 7, 5 left
        (0.5, 0.1, 2, 5, 10, 2),  # worst 11, 5 left: 6 * 5/11
        (0.3, 0.1, 2, 3, 6, 2),
        (0.7, 0.1, 2, 7, 14, 2),
        (1.1, 0.1, 2, 11, 22, 2),
    ],
)
def test_the_arithmetic_by_hand(load: float, per_task: float, zones: int, need: int, tasks: int, target: int) -> None:
    """Some peaks, counted on paper; decimals are counted as they are written."""
    peak = Peak(requests_per_second=load, per_task=per_task, az_count=zones)
    assert (peak.tasks_needed, peak.min_tasks, peak.requests_per_minute) == (need, tasks, target)
    capacity = Capacity.for_peak(requests_per_second=load, per_task=per_task, az_count=zones)
    assert (capacity.min_tasks, capacity.max_tasks) == (tasks, 3 * tasks)
    assert (capacity.target_requests_per_minute, capacity.peak) == (target, peak)
    assert (capacity.target_cpu_percent, capacity.target_memory_percent) == (50, None)


def test_before_capacity_by_the_peak_alone_falls_short_when_a_zone_is_lost() -> None:
    """1000 requests at 80 a task are 13 tasks, as one would guess; a lost zone of three leaves 8, which serve 640."""
    assert math.ceil(1000 / 80) == 13
    assert tasks_left(13, 3) * 80 == 640


def test_after_the_peak_is_served_with_a_zone_lost_before_scaling_does_anything() -> None:
    """20 tasks run at all times, and the 13 that are left serve 1040 requests a second (T1)."""
    capacity = Capacity.for_peak(requests_per_second=1000, per_task=80, az_count=3)
    assert tasks_left(capacity.min_tasks, 3) * 80 == 1040


def test_everything_of_a_peak_can_be_changed_but_what_it_needs() -> None:
    """The maximum and the targets are the owner's; fewer tasks than the peak takes are refused (T1)."""
    made = Capacity.for_peak(
        requests_per_second=1000, per_task=80, az_count=3, max_tasks=25, target_cpu_percent=60, scheduled=(opening(),)
    )
    assert (made.max_tasks, made.target_cpu_percent, made.scheduled) == (25, 60, (opening(),))
    assert replace(made, min_tasks=21, target_requests_per_minute=4800).min_tasks == 21
    assert replace(made, target_requests_per_minute=None).target_requests_per_minute is None
    fix = refused(lambda: replace(made, min_tasks=19), "min_tasks", 19, "at least 20 for this peak")
    assert "must leave 13" in fix
    refused(lambda: replace(made, target_requests_per_minute=4801), "target_requests_per_minute", 4801, "at most 4800")


@given(
    minimum=st.integers(-1, 12) | st.integers(4998, 5002),
    maximum=st.integers(-1, 12) | st.integers(4998, 5002),
    cpu=st.integers(0, 100),
)
def test_capacity_is_at_least_two_tasks_with_headroom(minimum: int, maximum: int, cpu: int) -> None:
    """Two tasks at least, the maximum not below them, and CPU left for a lost zone: all else is refused (T1, T4)."""
    if 2 <= minimum <= maximum <= 5000 and 10 <= cpu <= 75:
        Capacity(min_tasks=minimum, max_tasks=maximum, target_cpu_percent=cpu)
    else:
        with pytest.raises(ValueError, match=" must be "):
            Capacity(min_tasks=minimum, max_tasks=maximum, target_cpu_percent=cpu)


NUMBERS = st.integers(-5, 200) | st.none()


@given(st.fixed_dictionaries({}, optional={
    "min_tasks": st.integers(0, 30), "max_tasks": st.integers(0, 60), "target_cpu_percent": st.integers(0, 100),
    "target_memory_percent": NUMBERS, "target_requests_per_minute": NUMBERS,
    "scale_out_cooldown_seconds": st.integers(-1, 400), "scale_in_cooldown_seconds": st.integers(50, 400),
    "peak": st.none() | st.builds(Peak, requests_per_second=st.integers(1, 900), per_task=st.just(50), az_count=ZONES),
    "scheduled": st.lists(
        st.builds(opening, min_tasks=st.just(2), max_tasks=st.integers(2, 9), name=st.sampled_from(["a", "b"])),
        max_size=2,
    ).map(tuple),
}))  # fmt: skip
def test_no_capacity_can_be_made_that_a_lost_zone_ends(values: dict[str, Any]) -> None:
    """Whatever is asked for: at least two tasks at any hour, enough for a known peak, and no flapping (T1)."""
    capacity = None
    with suppress(ValueError):
        capacity = Capacity(**values)
    if capacity is None:
        return
    peak = capacity.peak
    assert tasks_left(capacity.lowest_min_tasks, 2) >= 1
    if peak is not None:
        assert tasks_left(capacity.min_tasks, peak.az_count) * peak.per_task >= peak.requests_per_second
    assert capacity.min_tasks <= capacity.max_tasks <= capacity.highest_max_tasks
    assert capacity.scale_in_cooldown_seconds >= max(60, capacity.scale_out_cooldown_seconds)
    for percent in (capacity.target_cpu_percent, capacity.target_memory_percent):
        assert percent is None or 10 <= percent <= 75
    assert len({one.name for one in capacity.scheduled}) == len(capacity.scheduled)


def test_limits_at_any_hour_are_known() -> None:
    """An alarm on too few tasks must know the lowest minimum, one on the maximum the highest."""
    night = opening(name="night", min_tasks=2, max_tasks=4)
    capacity = Capacity(min_tasks=4, max_tasks=12, scheduled=(opening(), night))
    assert (capacity.lowest_min_tasks, capacity.highest_max_tasks) == (2, 20)
    assert (Capacity().lowest_min_tasks, Capacity().highest_max_tasks) == (2, 10)


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (Capacity(), True),
        (Capacity(min_tasks=4, max_tasks=4), False),
        (Capacity(min_tasks=4, max_tasks=4, scheduled=(opening(),)), True),
        (Capacity(min_tasks=4, max_tasks=12, scheduled=(opening(min_tasks=12, max_tasks=12),)), False),
    ],
)
def test_a_fixed_number_of_tasks_is_no_maximum_to_be_told_of(capacity: Capacity, expected: bool) -> None:
    """Where the most tasks are also the fewest, being there says nothing."""
    assert capacity.always_scales is expected


def test_its_bounds_are_those_of_our_own_rule() -> None:
    """A capacity that is accepted here is no finding of MOOR-T1a."""
    assert MOST_UTILIZATION == rules.MOST_UTILIZATION


PEAK = {"requests_per_second": 100, "per_task": 10, "az_count": 2}


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"requests_per_second": 0}, "requests_per_second", "a number above 0"),
        ({"requests_per_second": -1.5}, "requests_per_second", "a number above 0"),
        ({"requests_per_second": True}, "requests_per_second", "a number"),
        ({"requests_per_second": "100"}, "requests_per_second", "a number"),
        ({"requests_per_second": math.inf}, "requests_per_second", "a number"),
        ({"requests_per_second": math.nan}, "requests_per_second", "a number"),
        ({"requests_per_second": TOKEN}, "requests_per_second", "not a Token"),
        ({"requests_per_second": -1.8881545897087e289}, "requests_per_second", "not a Token"),
        ({"requests_per_second": 25_010}, "requests_per_second", "what at most 5000 tasks serve"),
        ({"per_task": 0}, "per_task", "a number of 0.1 or more"),
        ({"per_task": 0.09}, "per_task", "a number of 0.1 or more"),
        ({"az_count": 1}, "az_count", "from 2 to 6"),
        ({"az_count": 7}, "az_count", "from 2 to 6"),
        ({"az_count": 2.0}, "az_count", "a whole number"),
    ],
)
def test_a_wrong_peak_is_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """One sentence, with what to measure or to change; by either way of writing it."""
    refused(lambda: Peak(**PEAK | changes), what, changes[what], allowed)
    refused(lambda: Capacity.for_peak(**PEAK | changes), what, changes[what], allowed)


def test_the_largest_peak_is_accepted() -> None:
    """5000 tasks are a service's quota, and the maximum is not above it."""
    capacity = Capacity.for_peak(requests_per_second=25_000, per_task=10, az_count=2)
    assert (capacity.min_tasks, capacity.max_tasks) == (5000, 5000)
    assert Peak(requests_per_second=0.1, per_task=0.1, az_count=6).requests_per_minute == 4
    assert Peak(requests_per_second=1e9, per_task=1e9, az_count=2).min_tasks == 2
    refused(lambda: Peak(requests_per_second=1, per_task=1e9 + 1, az_count=2), "per_task", 1e9 + 1, "a number of 0.1")


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"min_tasks": 1}, "min_tasks", 1, "from 2 to 5000"),
        ({"min_tasks": 5, "max_tasks": 4}, "max_tasks", 4, "at least min_tasks (5)"),
        ({"min_tasks": 5001, "max_tasks": 5001}, "min_tasks", 5001, "from 2 to 5000"),
        ({"max_tasks": 5001}, "max_tasks", 5001, "from 2 to 5000"),
        ({"target_requests_per_minute": 10**9 + 1}, "target_requests_per_minute", 10**9 + 1, "to 1000000000"),
        ({"target_cpu_percent": 76}, "target_cpu_percent", 76, "from 10 to 75"),
        ({"target_memory_percent": 9}, "target_memory_percent", 9, "from 10 to 75"),
        ({"target_requests_per_minute": 0}, "target_requests_per_minute", 0, "from 1 to"),
        ({"scale_out_cooldown_seconds": -1}, "scale_out_cooldown_seconds", -1, "from 0 to 3600"),
        ({"scale_in_cooldown_seconds": 59}, "scale_in_cooldown_seconds", 59, "from 60 to 3600"),
        ({"scale_in_cooldown_seconds": 3601}, "scale_in_cooldown_seconds", 3601, "from 60 to 3600"),
        (
            {"scale_out_cooldown_seconds": 301},
            "scale_in_cooldown_seconds",
            300,
            "at least scale_out_cooldown_seconds (301)",
        ),
        ({"scheduled": (opening(), opening())}, "scheduled", ["opening"] * 2, "of different names"),
        ({"scheduled": [opening()]}, "scheduled", [opening()], "a tuple of ScheduledCapacity"),
    ],
)
def test_a_wrong_capacity_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """Numbers that Application Auto Scaling would refuse, and those that would let the number of tasks flap."""
    refused(lambda: Capacity(**changes), what, value, allowed)


def test_cool_downs_of_one_length_are_accepted() -> None:
    """Neither way is then faster than the other."""
    assert Capacity(scale_out_cooldown_seconds=300).scale_in_cooldown_seconds == 300
    assert Capacity(scale_out_cooldown_seconds=0, scale_in_cooldown_seconds=60).scale_out_cooldown_seconds == 0


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"name": "Opening Hour"}, "name", "Opening Hour", "lower-case"),
        ({"schedule": "0 8 * * 1-5"}, "schedule", "0 8 * * 1-5", "'cron(…)'"),
        ({"schedule": "rate(1 day)"}, "schedule", "rate(1 day)", "'cron(…)'"),
        ({"schedule": None}, "schedule", None, "'cron(…)'"),
        ({"schedule": "cron(0 8 * * 1-5)"}, "fields", "0 8 * * 1-5", "six fields"),
        ({"schedule": "cron(0 8 * * MON-FRI *)"}, "day of month and day of week", "* MON-FRI", "'?' in one of them"),
        ({"schedule": "cron(0 24 ? * MON *)"}, "hour", "24", "from 0 to 23"),
        ({"time_zone": "Dublin"}, "time_zone", "Dublin", "an IANA time zone"),
        ({"min_tasks": 1}, "min_tasks", 1, "from 2 to 5000"),
        ({"max_tasks": 5}, "max_tasks", 5, "at least min_tasks (6)"),
    ],
)
def test_a_wrong_schedule_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """It would fail at deployment, or never act."""
    refused(lambda: opening(**changes), what, value, allowed)


def test_a_schedule_is_what_aws_takes() -> None:
    """Its own check is that of scheduled tasks, whose cron is the same."""
    assert opening().schedule == Schedule.cron("0 8 ? * MON-FRI *", time_zone="Europe/Dublin").expression
    assert opening(time_zone="UTC").time_zone == "UTC"


def test_a_wrong_peak_fails_before_node_starts() -> None:
    """Capacities are described without loading CDK."""
    code = (
        "from constructs_lib.services.scaling.capacity import Peak\nPeak(requests_per_second=1, per_task=1, az_count=1)"
    )
    assert run_without_cdk(code).startswith("az_count must be")
