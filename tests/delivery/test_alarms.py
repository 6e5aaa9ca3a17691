"""What is watched of the gap: when somebody is told, and when not (lesson Q5)."""

from __future__ import annotations

import pytest

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery import alarms
from constructs_lib.delivery.alarms import GapThreshold, gap_alarms
from constructs_lib.delivery.runtime import gap_handler
from constructs_lib.images.policy import RetentionPolicy
from tests.support import refused, run_without_cdk

NAMES = {"Application": "shop", "Environment": "production"}


def of(threshold: GapThreshold) -> dict[tuple[str, str], AlarmSpec]:
    """The alarms of two services, by component and fault."""
    specs = gap_alarms(
        application="shop",
        environment="production",
        upstream="staging",
        services=["web", "worker"],
        threshold=threshold,
    )
    assert all(spec.severity == "notice" for spec in specs)
    return {(spec.component, spec.what): spec for spec in specs}


def test_each_service_is_watched_for_builds_and_days() -> None:
    """Two notices each, and one for all of them when nobody can tell."""
    assert list(of(GapThreshold())) == [
        ("web", "builds-behind"),
        ("web", "days-behind"),
        ("worker", "builds-behind"),
        ("worker", "days-behind"),
        ("delivery", "gap-unknown"),
    ]


@pytest.mark.parametrize(
    ("what", "metric", "value"), [("builds-behind", "BuildsBehind", 7), ("days-behind", "DaysBehind", 3)]
)
def test_a_gap_is_told_when_it_is_measured_and_stays_told(what: str, metric: str, value: int) -> None:
    """One measurement is enough; an hour without one changes nothing."""
    spec = of(GapThreshold(builds=7, days=3))["worker", what]
    assert (spec.metric.namespace, spec.metric.name) == ("Moorings", metric)
    assert spec.metric.dimensions == {**NAMES, "Service": "worker"}
    assert (spec.metric.statistic, spec.metric.period_seconds) == ("Maximum", 3600)
    threshold = spec.threshold
    assert (threshold.value, threshold.comparison) == (value, "GreaterThanOrEqualToThreshold")
    assert (threshold.periods, threshold.out_of, threshold.missing) == (1, 1, "ignore")


def test_six_hours_without_a_measurement_are_told() -> None:
    """Silence and failure both count: else a role that is gone would keep the gap's alarms green for good."""
    spec = of(GapThreshold())["delivery", "gap-unknown"]
    assert (spec.metric.namespace, spec.metric.name, spec.metric.dimensions) == ("Moorings", "GapsUnknown", NAMES)
    assert (spec.metric.statistic, spec.metric.period_seconds) == ("Maximum", 3600)
    assert (spec.threshold.value, spec.threshold.comparison) == (1, "GreaterThanOrEqualToThreshold")
    assert (spec.threshold.periods, spec.threshold.out_of, spec.threshold.missing) == (6, 6, "breaching")


def test_the_alarms_watch_what_the_function_writes() -> None:
    """The asset cannot import the names, so they are compared here."""
    watched = {spec.metric.name for spec in of(GapThreshold()).values()}
    assert watched == {gap_handler.BUILDS_BEHIND, gap_handler.DAYS_BEHIND, gap_handler.GAPS_UNKNOWN}
    assert alarms.NAMESPACE == gap_handler.NAMESPACE


def test_the_defaults_can_be_reached() -> None:
    """A repository forgets a build after 30 days by default: who waits longer for an alarm may wait in vain."""
    threshold = GapThreshold()
    assert (threshold.builds, threshold.days) == (20, 14)
    assert threshold.days < RetentionPolicy().keep_days


def test_every_alarm_names_both_environments_and_where_to_look() -> None:
    """Whoever reads it need not guess which gap is meant."""
    for spec in of(GapThreshold(builds=7, days=3)).values():
        assert "production" in spec.meaning
        assert "staging" in spec.meaning
        assert "moorings" in spec.meaning or "log" in spec.meaning
    assert "7 builds" in of(GapThreshold(builds=7))["web", "builds-behind"].meaning
    assert "3 days" in of(GapThreshold(days=3))["web", "days-behind"].meaning


@pytest.mark.parametrize(
    ("what", "value", "allowed"),
    [
        ("builds", 0, "1 to 1000"),
        ("builds", 1001, "1 to 1000"),
        ("days", 0, "1 to 365"),
        ("days", 366, "1 to 365"),
    ],
)
def test_a_threshold_out_of_its_range_is_refused(what: str, value: int, allowed: str) -> None:
    """0 would be met at all times."""
    refused(lambda: GapThreshold(**{what: value}), what, value, allowed)


def test_a_wrong_threshold_fails_before_cdk_starts() -> None:
    """It is plain data."""
    assert "days must be" in run_without_cdk(
        "from constructs_lib.delivery.alarms import GapThreshold; GapThreshold(days=0)"
    )
