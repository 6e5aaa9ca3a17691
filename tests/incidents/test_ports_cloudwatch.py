"""The replay's model of CloudWatch does what AWS describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from tests.incidents.ports_cloudwatch import LATE, MINUTE, turns_red, value
from tests.incidents.ports_day import at

NOON = at(26, 12)


def spec(*, period_seconds: int = 60, statistic: Any = "Maximum", plus: Any = (), **threshold: Any) -> AlarmSpec:
    """An alarm at 10."""
    return AlarmSpec(
        component="web",
        what="test",
        meaning="A test.",
        severity="page",
        metric=Metric(
            namespace="Test", name="a", dimensions={}, statistic=statistic, period_seconds=period_seconds, plus=plus
        ),
        threshold=Threshold(**{"value": 10, "missing_because": "no data", **threshold}),
    )


def red(alarm: AlarmSpec, sent: Mapping[int, Sequence[float]], minutes: int = 12) -> list[int]:
    """After how many minutes the alarm told somebody, without what a sample needs to arrive."""

    def samples(name: str, moment: datetime) -> Sequence[float]:
        return sent.get((moment - NOON) // MINUTE, ()) if name == "a" else ()

    found = turns_red(alarm, samples, begins=NOON, ends=NOON + minutes * MINUTE)
    return [(moment - LATE - NOON) // MINUTE for moment in found]


def test_one_wrong_minute_tells_when_it_is_over() -> None:
    """The sixth minute is wrong, so the alarm turns red at its end; it tells once."""
    assert red(spec(), {5: [3, 10, 4], 6: [12]}) == [6]


def test_below_the_threshold_is_fine() -> None:
    """At the threshold is wrong, just below it is not."""
    assert red(spec(), {5: [9.999]}) == []


def test_three_of_three_need_three_in_a_row() -> None:
    """A gap in between begins anew."""
    many = {1: [10], 2: [10], 3: [0], 4: [10], 5: [10], 6: [10]}
    assert red(spec(periods=3, out_of=3), many) == [7]
    assert red(spec(periods=2, out_of=3), many) == [3]


def test_it_tells_again_after_it_was_fine() -> None:
    """Two times wrong, with a good minute in between, are two messages."""
    assert red(spec(), {1: [10], 2: [1], 3: [10]}) == [2, 4]


@pytest.mark.parametrize(("missing", "expected"), [("notBreaching", [2, 5]), ("ignore", [2]), ("breaching", [1])])
def test_silence_counts_as_the_alarm_says(missing: str, expected: list[int]) -> None:
    """Silence between two wrong minutes is good, nothing at all, or wrong."""
    assert red(spec(missing=missing), {1: [10], 4: [10], 5: [10]}, minutes=6) == expected


def test_a_long_period_slides_by_the_minute() -> None:
    """One value in a period of 30 minutes turns the alarm red at the end of its own minute, and stays in the window."""
    alarm = spec(period_seconds=1800)
    assert red(alarm, {40: [10]}, minutes=90) == [41]
    assert red(alarm, {40: [10], 55: [10], 69: [10]}, minutes=120) == [41]
    assert red(alarm, {40: [10], 71: [10]}, minutes=120) == [41, 72]


def test_less_than_is_the_other_way_round() -> None:
    """An alarm on too few."""
    assert red(spec(comparison="LessThanThreshold"), {0: [10], 1: [11], 2: [9]}) == [3]


@pytest.mark.parametrize(
    ("statistic", "expected"), [("Average", 2.5), ("Maximum", 4), ("Minimum", 1), ("SampleCount", 2), ("Sum", 5)]
)
def test_a_period_is_its_statistic(statistic: str, expected: float) -> None:
    """Of the samples 1 and 4."""
    alarm = spec(statistic=statistic)
    assert value(alarm.metric, lambda _name, _moment: [1, 4], NOON) == expected


def test_metrics_are_added_up_each_with_its_own_statistic() -> None:
    """The maximum of each, added: the fullest task of each state, although they are two."""
    alarm = spec(plus=("b", "c"))
    sent: dict[str, list[float]] = {"a": [1, 5], "b": [7, 2]}
    assert value(alarm.metric, lambda name, _moment: sent.get(name, []), NOON) == 12


def test_late_is_a_few_minutes() -> None:
    """What the model adds to every message."""
    assert timedelta(0) < LATE <= timedelta(minutes=5)
