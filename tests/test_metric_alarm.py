"""One metric, a sum, a share with a floor and a percentile, as CloudWatch takes them (lesson W3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from constructs_lib.alarm_spec import Metric, Threshold
from constructs_lib.metric_alarm import metric_alarm
from tests import alarm_math
from tests.support import of_type, refused, stack, synthesize

OVER = Threshold(value=0.05, missing_because="no errors are no fault")
PARTS: dict[str, Any] = {"namespace": "AWS/ApplicationELB", "dimensions": {"LoadBalancer": "a"}, "statistic": "Sum"}


def rendered(metric: Metric, threshold: Threshold = OVER) -> dict[str, Any]:
    """The alarm on a metric."""
    scope = stack()
    metric_alarm(scope, "Alarm", metric=metric, threshold=threshold, description="why")
    (alarm,) = of_type(synthesize(scope), "AWS::CloudWatch::Alarm").values()
    return alarm


def expression(metric: Metric) -> str:
    """What the alarm reckons."""
    return str(rendered(metric)["Metrics"][-1]["Expression"])


def test_a_share_of_too_few_is_no_share() -> None:
    """Four errors of four requests are 0, five of a hundred are 5 % (W3)."""
    share = Metric(name="Errors", per=("Requests",), at_least=5, **PARTS)
    assert expression(share) == "IF((m0)>=5,(m0)/(m1),0)"
    alarm = rendered(share)
    for errors, requests, expected in ((4, 4, False), (5, 100, True), (5, 101, False), (5, 5, True), (0, 100, False)):
        counted: dict[str, float] = {"Errors": errors, "Requests": requests}
        assert alarm_math.red(alarm, _found(counted)) is expected


def _found(counted: Mapping[str, float]) -> alarm_math.Values:
    return lambda name, _: counted.get(name)


@pytest.mark.parametrize("values", [{}, {"Requests": 100}], ids=("no request", "no error"))
def test_a_minute_without_errors_is_no_fault(values: dict[str, float]) -> None:
    """CloudWatch has no value then, or 0; neither is red."""
    alarm = rendered(Metric(name="Errors", per=("Requests",), at_least=5, **PARTS))
    assert not alarm_math.red(alarm, _found(values))


def test_errors_without_a_request_count_are_seen_where_they_count_as_requests() -> None:
    """A load balancer without targets counts no request, so its 503 must be among what they are a share of (W3)."""
    alone = rendered(Metric(name="Errors", per=("Requests",), at_least=5, **PARTS))
    both = rendered(Metric(name="Errors", per=("Requests", "Errors"), at_least=5, **PARTS))

    def only_errors(name: str, _: object) -> float | None:
        return 100 if name == "Errors" else None

    assert not alarm_math.red(alone, only_errors)
    assert alarm_math.red(both, only_errors)


def test_a_metric_on_both_sides_is_asked_for_once() -> None:
    """CloudWatch charges each metric of an alarm."""
    both = Metric(name="A", plus=("B",), per=("C", "A"), also=({"LoadBalancer": "b"},), at_least=2.5, **PARTS)
    assert expression(both) == "IF((m0+m1+m2+m3)>=2.5,(m0+m1+m2+m3)/(m4+m5+m0+m1),0)"
    queries = [query["MetricStat"]["Metric"] for query in rendered(both)["Metrics"][:-1]]
    assert [(one["MetricName"], one["Dimensions"][0]["Value"]) for one in queries] == [
        (name, balancer) for name in "ABC" for balancer in "ab"
    ]


def test_a_sum_and_a_share_without_a_floor_stay_as_they_are() -> None:
    """A floor is asked for."""
    assert expression(Metric(name="A", plus=("B",), **PARTS)) == "m0+m1"
    assert expression(Metric(name="A", per=("B", "C"), **PARTS)) == "(m0)/(m1+m2)"


def test_a_floor_without_a_share_is_refused() -> None:
    """A count has a threshold of its own."""
    refused(lambda: Metric(name="A", at_least=5, **PARTS), "at_least", 5, "given beside per")


def test_a_percentile_is_judged_however_few_samples_there_are() -> None:
    """With ``ignore`` a service of less than a thousand requests a minute would keep its state for ever (W3)."""
    alarm = rendered(Metric(name="Time", **PARTS | {"statistic": "p99"}))
    assert (alarm["ExtendedStatistic"], alarm["EvaluateLowSampleCountPercentile"]) == ("p99", "evaluate")
    assert "Statistic" not in alarm
    plain = rendered(Metric(name="Time", **PARTS | {"statistic": "Average"}))
    assert plain["Statistic"] == "Average"
    assert not {"ExtendedStatistic", "EvaluateLowSampleCountPercentile"} & set(plain)


def test_percentiles_of_two_target_groups_are_added() -> None:
    """An upper bound: in the middle of a shift both have requests."""
    both = Metric(name="Time", also=({"LoadBalancer": "b"},), **PARTS | {"statistic": "p99"})
    alarm = rendered(both)
    assert [query["MetricStat"]["Stat"] for query in alarm["Metrics"][:-1]] == ["p99", "p99"]
    assert not {"ExtendedStatistic", "EvaluateLowSampleCountPercentile", "Statistic"} & set(alarm)


@pytest.mark.parametrize(("minutes", "warm"), [(0, None), (1, 1), (2880, 2880)])
def test_what_must_start_first_is_not_judged_meanwhile(minutes: int, warm: int | None) -> None:
    """For the whole time: what starts sends data already, and they are not good ones."""
    alarm = rendered(Metric(name="A", **PARTS), Threshold(value=1, missing_because="none", warm_up_minutes=minutes))
    expected = warm and {"WarmUpPeriodDurationInMinutes": warm, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}
    assert alarm.get("WarmUpConfiguration") == expected


@pytest.mark.parametrize("minutes", [-1, 2881])
def test_a_warm_up_that_cloudwatch_does_not_take_is_refused(minutes: int) -> None:
    """Two days at most."""
    refused(
        lambda: Threshold(value=1, missing_because="none", warm_up_minutes=minutes),
        "warm_up_minutes",
        minutes,
        "from 0 to 2880",
    )
