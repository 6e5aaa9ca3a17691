"""From a fault to its page: reckoned by hand, by properties, and against a fault that is played (lesson W3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.observability.detection.detection_budget import DetectionBudget, Wait, check, part_is_enough
from constructs_lib.observability.detection.timings import (
    COMPOSITE,
    DELIVERY,
    EVALUATION,
    FAST_EVALUATION,
    PUBLICATION,
    TIMINGS,
    Timing,
)
from tests.support import refused, run_without_cdk

PERIODS = st.sampled_from([10, 20, 30, 60, 120, 300, 3600])
STATISTICS = st.sampled_from(["Average", "Maximum", "Minimum", "SampleCount", "Sum", "p99"])


def spec(
    statistic: Any = "Sum",
    *,
    period: int = 60,
    value: float = 5,
    comparison: Any = "GreaterThanOrEqualToThreshold",
    periods: int = 1,
    out_of: int | None = None,
    missing: Any = "notBreaching",
    per: tuple[str, ...] = (),
    **others: Any,
) -> AlarmSpec:
    """A page of a web service."""
    return AlarmSpec(
        **{
            "component": "web",
            "what": "errors",
            "meaning": "The application answers 5xx.",
            "severity": "page",
            "metric": Metric(
                namespace="N", name="M", dimensions={}, statistic=statistic, period_seconds=period, per=per
            ),
            "threshold": Threshold(
                value=value,
                comparison=comparison,
                periods=periods,
                out_of=periods if out_of is None else out_of,
                missing=missing,
                missing_because="no request, no error",
            ),
            **others,
        }
    )


def terms(of: AlarmSpec) -> dict[str, tuple[int, int]]:
    """Usual and worst seconds by term, without those that take no time."""
    return {name: (wait.usual, wait.worst) for name, wait in DetectionBudget.of(of).waits.items() if wait.worst}


def seconds(of: AlarmSpec) -> tuple[int, int]:
    """Usual and worst seconds."""
    budget = DetectionBudget.of(of)
    return budget.usual_seconds, budget.worst_seconds


def test_the_numbers_are_these() -> None:
    """A change of one of them changes every promise, so they stand here too; AWS documents three of six."""
    assert [one.seconds for one in (PUBLICATION, EVALUATION, FAST_EVALUATION, COMPOSITE, DELIVERY)] == [
        60,
        60,
        10,
        5,
        5,
    ]
    assert {one.step.split(":")[0].split(" ")[0] for one in TIMINGS if not one.documented} == {
        "publication",
        "composite",
        "delivery",
    }
    assert all(one.source for one in TIMINGS)


def test_one_minute_of_errors() -> None:
    """Errors that go on: the rest of a minute, CloudWatch's reading and judging, and the way; 190 s, usually 100."""
    assert terms(spec(felt="degraded")) == {
        "periods": (30, 60),
        "publication": (30, 60),
        "evaluation": (30, 60),
        "composite": (5, 5),
        "delivery": (5, 5),
    }
    assert seconds(spec(felt="degraded")) == (100, 190)


def test_two_minutes_of_errors() -> None:
    """A second minute is a minute more: 250 s, usually 160."""
    assert seconds(spec(periods=2, felt="degraded")) == (160, 250)
    assert seconds(spec(periods=2, out_of=5, felt="degraded")) == (160, 250)


def test_an_alarm_that_pages_by_itself_waits_for_no_composite() -> None:
    """Without ``felt`` no alarm of the component stands between."""
    assert seconds(spec()) == (95, 185)


def test_an_unhealthy_target() -> None:
    """Three checks of 10 s and the last time-out of 5 come first: 35 s, then three minutes: 345 s, usually 255."""
    found = spec("Maximum", value=1, periods=3, fault_seconds=35, felt="degraded")
    assert terms(found)["fault"] == (35, 35)
    assert seconds(found) == (255, 345)


def test_a_mean_waits_for_a_whole_period() -> None:
    """The minute in which a fault begins has good values too: up to a minute more, half of it usually."""
    assert terms(spec("p99", periods=3)) == {
        "alignment": (30, 60),
        "periods": (180, 180),
        "publication": (30, 60),
        "evaluation": (30, 60),
        "delivery": (5, 5),
    }
    assert seconds(spec("p99", periods=3)) == (275, 365)


def test_a_minimum_that_falls_too_low_shows_at_once_but_silence_does_not() -> None:
    """Fewer healthy targets are seen in a part of a minute; that nothing is told at all, in whole ones only."""
    low = spec("Minimum", value=2, comparison="LessThanThreshold", periods=2)
    assert seconds(low) == (155, 245)
    assert seconds(replace(low, threshold=replace(low.threshold, missing="breaching"))) == (155, 305)
    silent = spec("Minimum", value=0, comparison="LessThanThreshold", period=300, missing="breaching")
    assert terms(silent) | {"alignment": (0, 60), "periods": (30, 300)} == terms(silent)


def test_the_window_slides_so_a_long_period_is_not_waited_for() -> None:
    """One value beyond the threshold decides half an hour within its first minute; a sum may need all of it."""
    assert seconds(spec("Maximum", value=1.5, period=1800)) == (95, 185)
    assert seconds(spec("Sum", value=1, period=300)) == (95, 185)
    assert seconds(spec("Sum", value=5, period=300)) == (30 + 30 + 5 + 150, 60 + 60 + 5 + 300)
    assert terms(spec("Average", period=300))["alignment"] == (30, 60)


def test_only_an_alarm_on_seconds_is_certain_within_two_minutes() -> None:
    """A metric of one's own each ten seconds: 85 s at worst. Of AWS's own metrics no alarm is."""
    assert seconds(spec(period=10)) == (45, 85)
    assert terms(spec("Average", period=20))["alignment"] == (10, 20)
    check([spec(period=10)])


@pytest.mark.parametrize(
    ("statistic", "comparison", "enough"),
    [
        ("Sum", "GreaterThanOrEqualToThreshold", True),
        ("SampleCount", "GreaterThanOrEqualToThreshold", True),
        ("Maximum", "GreaterThanOrEqualToThreshold", True),
        ("Minimum", "LessThanThreshold", True),
        ("Minimum", "GreaterThanOrEqualToThreshold", False),
        ("Average", "GreaterThanOrEqualToThreshold", False),
        ("p99", "GreaterThanOrEqualToThreshold", False),
        ("Sum", "LessThanThreshold", False),
        ("SampleCount", "LessThanThreshold", False),
        ("Maximum", "LessThanThreshold", False),
        ("Average", "LessThanThreshold", False),
    ],
)
def test_when_a_part_of_a_period_is_enough(statistic: str, comparison: str, enough: bool) -> None:
    """What only grows stays above a threshold, and what only falls stays below it."""
    assert part_is_enough(spec(statistic, comparison=comparison)) is enough


def test_a_share_that_is_too_small_needs_a_whole_period() -> None:
    """A share of errors grows while they last; a share that fell too low may be that of the first requests."""
    share = spec(value=0.05, per=("RequestCount",))
    assert part_is_enough(share)
    assert seconds(share) == (95, 185)
    assert part_is_enough(spec(value=0.5, per=("RequestCount",)))
    assert not part_is_enough(spec(value=0.51, per=("RequestCount",)))
    assert not part_is_enough(spec("Minimum", value=0.3, comparison="LessThanThreshold", per=("RequestCount",)))
    assert seconds(spec("Maximum", period=300, value=0.5, per=("RequestCount",))) == (65 + 150, 125 + 300)


READINGS = st.lists(st.integers(min_value=0, max_value=20), min_size=2, max_size=12)
VALUE_OF: dict[str, Callable[[list[int]], int]] = {"Sum": sum, "SampleCount": len, "Maximum": max, "Minimum": min}


@given(
    readings=READINGS, cut=st.integers(min_value=1, max_value=11), threshold=st.integers(1, 20), statistic=STATISTICS
)
def test_a_part_that_is_wrong_stays_wrong(readings: list[int], cut: int, threshold: int, statistic: str) -> None:
    """Where a part is said to be enough, no later value of the period takes it back."""
    for comparison in ("GreaterThanOrEqualToThreshold", "LessThanThreshold"):
        if statistic in VALUE_OF and part_is_enough(spec(statistic, comparison=comparison)):
            value = VALUE_OF[statistic]

            def wrong(of: list[int], value: Callable[[list[int]], int] = value, comparison: str = comparison) -> bool:
                return (value(of) >= threshold) == (comparison == "GreaterThanOrEqualToThreshold")

            assert wrong(readings) or not wrong(readings[:cut])


@given(
    begins=st.floats(min_value=0, max_value=60, exclude_max=True),
    threshold=st.integers(1, 50),
    times=st.floats(min_value=2, max_value=100),
    periods=st.integers(1, 5),
)
def test_errors_of_twice_the_threshold_are_seen_in_their_periods(
    begins: float, threshold: int, times: float, periods: int
) -> None:
    """Errors that come evenly, played: n minutes are wrong within the time that the budget gives to periods."""
    gap = 60 / (times * threshold)  # the nth error since any moment comes n gaps after it at the latest
    reached = [max(begins, 60 * minute) + gap * threshold for minute in range(2 * periods + 2)]
    seen = first_in_a_row(
        [at if at <= 60 * (minute + 1) + 1e-9 else None for minute, at in enumerate(reached)], periods
    )
    assert seen - begins <= DetectionBudget.of(spec(value=threshold, periods=periods)).periods.worst + 1e-6


@given(
    begins=st.floats(min_value=0, max_value=60, exclude_max=True),
    threshold=st.floats(min_value=0.001, max_value=0.5),
    times=st.floats(min_value=2, max_value=100),
    periods=st.integers(1, 5),
)
def test_a_share_of_twice_the_threshold_is_seen_in_its_periods(
    begins: float, threshold: float, times: float, periods: int
) -> None:
    """The same of a share: the minute in which it begins has good requests too, and is wrong once it is diluted no
    more than by half."""
    failing = min(1.0, times * threshold)
    # In the first minute, failing * (t - begins) of t seconds' requests; in later ones from their start on.
    first = begins / (1 - threshold / failing)
    reached = [first if first <= 60 + 1e-9 else None, *(60.0 * minute for minute in range(1, 2 * periods + 2))]
    seen = first_in_a_row(reached, periods)
    share = spec(value=threshold, periods=periods, per=("RequestCount",))
    assert seen - begins <= DetectionBudget.of(share).periods.worst + 1e-6


def first_in_a_row(reached: list[float | None], periods: int) -> float:
    """When so many periods in a row have been wrong, by when each of them was; ``None`` if it was not."""
    row = 0
    for at in reached:
        row = 0 if at is None else row + 1
        if at is not None and row == periods:
            return at
    raise AssertionError("it was never seen")


@given(
    statistic=STATISTICS,
    period=PERIODS,
    periods=st.integers(1, 10),
    fault=st.integers(0, 3600),
    missing=st.sampled_from(["breaching", "notBreaching", "ignore"]),
    comparison=st.sampled_from(["GreaterThanOrEqualToThreshold", "LessThanThreshold"]),
    felt=st.sampled_from([None, "degraded", "outage"]),
)
def test_budgets_grow_with_what_they_wait_for(
    statistic: str, period: int, periods: int, fault: int, missing: str, comparison: str, felt: str | None
) -> None:
    """A longer fault, a period more and a longer one never make a page earlier, and worst is never below usual."""
    one = spec(
        statistic,
        period=period,
        periods=periods,
        missing=missing,
        comparison=comparison,
        fault_seconds=fault,
        felt=felt,
    )
    usual, worst = seconds(one)
    assert usual <= worst
    assert seconds(replace(one, fault_seconds=fault + 7)) == (usual + 7, worst + 7)
    more = seconds(replace(one, threshold=replace(one.threshold, periods=periods + 1, out_of=periods + 1)))
    assert more == (usual + period, worst + period)
    twice = seconds(replace(one, metric=replace(one.metric, period_seconds=period * (60 if period < 60 else 2))))
    assert twice >= (usual, worst)
    for wait in DetectionBudget.of(one).waits.values():
        assert 0 <= wait.usual <= wait.worst


def test_the_arithmetic_can_be_read() -> None:
    """The sentence adds up what takes time, and nothing else."""
    assert DetectionBudget.of(spec(fault_seconds=35, felt="degraded")).sentence == (
        "fault 35 + periods 60 + publication 60 + evaluation 60 + composite 5 + delivery 5 = 225 s at worst, "
        "135 s usually"
    )


def test_a_slower_page_needs_a_reason() -> None:
    """What may come more than 120 s after the fault says what stands in; the refusal shows its arithmetic."""
    sentence = refused(
        lambda: check([spec(period=10), spec(what="late")]), "slower_because of web/late", None, "periods 60"
    )
    assert "or make it a notice" in sentence
    check([spec(slower_because="ECS's events tell sooner")])
    check([spec(severity="notice", period=3600)])


def test_the_limit_is_two_minutes() -> None:
    """Of an alarm on seconds, 35 s of fault are 120 s to its page, and one more is too many."""
    check([spec(period=10, fault_seconds=35)])
    refused(lambda: check([spec(period=10, fault_seconds=36)]), "slower_because of web/errors", None, "121 s")


def test_wrong_waits_are_refused() -> None:
    """Nothing takes less than no time, or longer usually than at worst."""
    refused(lambda: Wait(usual=2, worst=1), "usual", 2, "from 0 to 1")
    refused(lambda: Wait(usual=0, worst=-1), "worst", -1, "from 0")
    refused(lambda: Timing(step="s", seconds=-1, documented=True, source="x"), "seconds", -1, "from 0")


def test_a_slow_page_is_refused_before_node_starts() -> None:
    """The check needs neither CDK nor its Node program."""
    printed = run_without_cdk(
        "from constructs_lib.network.alarms import gateway_alarms\n"
        "from dataclasses import replace\n"
        "from constructs_lib.observability.detection.detection_budget import check\n"
        "check([replace(one, slower_because=None) for one in gateway_alarms(['nat-1'])])"
    )
    assert printed.startswith("slower_because of network/nat-ports-1 must be a sentence")
