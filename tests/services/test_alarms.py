"""What is watched of a service, as data: what partial failure looks like, within two minutes (lessons W3, T1, T4)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.naming import alarm_name
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.scaling.capacity import Capacity, ScheduledCapacity
from tests.support import of_type, refused, run_without_cdk, stack, synthesize, vpc

CLUSTER, SERVICE = "shop-cluster", "shop-web"
BALANCER, TARGETS = "app/shop/0123456789abcdef", "targetgroup/web/0123456789abcdef"


def alarms(**changes: Any) -> dict[str, AlarmSpec]:
    """The alarms of a service by fault, but for ``changes``."""
    settings: dict[str, Any] = {
        "cluster": CLUSTER,
        "service": SERVICE,
        "load_balancer": BALANCER,
        "target_groups": (TARGETS,),
        "capacity": Capacity(min_tasks=3, max_tasks=7),
        "start_seconds": 60,
        "deployment_seconds": 160,
        "acts_if": "Released",
    }
    return {alarm.what: alarm for alarm in web_service_alarms("web", **(settings | changes))}


ALARMS = alarms()
NOTICE, FULL = "scaling-cannot-keep-up", "at-maximum"
PAGES = {what: alarm for what, alarm in ALARMS.items() if what not in (NOTICE, FULL)}


def test_eight_faults_are_watched() -> None:
    """Unhealthy targets, too few healthy ones, errors of load balancer and application apart, connections that are
    refused on either side of the load balancer, no more tasks to come, and a lack of CPU."""
    assert {alarm.metric.name for alarm in ALARMS.values()} == {
        "UnHealthyHostCount",
        "HealthyHostCount",
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_Target_5XX_Count",
        "TargetConnectionErrorCount",
        "RejectedConnectionCount",
        "CPUUtilization",
    }
    assert len(ALARMS) == 8


@pytest.mark.parametrize("alarm", PAGES.values(), ids=PAGES)
def test_an_alarm_pages_within_two_minutes_and_tells_what_to_look_at(alarm: AlarmSpec) -> None:
    """One-minute periods, at most two of them, for the component, with a meaning in whole sentences (W3)."""
    assert alarm.metric.period_seconds * alarm.threshold.out_of <= 120
    assert alarm.severity == "page"
    assert alarm.component == "web"
    assert alarm.meaning.endswith(".")
    assert "ook at " in alarm.meaning


@pytest.mark.parametrize(("start_seconds", "minutes"), [(0, 2), (60, 2), (61, 3), (300, 6)])
def test_a_task_that_may_start_slowly_is_no_fault_until_then(start_seconds: int, minutes: int) -> None:
    """A starting target counts as unhealthy, so that alarm waits as long as a start may take, and no longer."""
    made = alarms(start_seconds=start_seconds)
    waits = {what: (alarm.threshold.periods, alarm.threshold.out_of) for what, alarm in made.items()}
    assert waits["unhealthy-targets"] == (minutes, minutes)
    assert waits["too-few-healthy-targets"] == (2, 2)


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_is_quiet_before_the_first_release(alarm: AlarmSpec) -> None:
    """Zero tasks are no fault while nothing is released."""
    assert alarm.acts_if == "Released"


@pytest.mark.parametrize("alarm", PAGES.values(), ids=PAGES)
def test_a_metric_is_one_that_aws_publishes(alarm: AlarmSpec) -> None:
    """Metrics of targets carry both dimensions; the load balancer's own errors and refusals know no target group."""
    assert alarm.metric.namespace == "AWS/ApplicationELB"
    own = {"LoadBalancer": BALANCER}
    of_targets = own | {"TargetGroup": TARGETS}
    of_balancer = ("HTTPCode_ELB_5XX_Count", "RejectedConnectionCount")
    assert dict(alarm.metric.dimensions) == (own if alarm.metric.name in of_balancer else of_targets)


@pytest.mark.parametrize(("target", "threshold"), [(10, 30), (50, 70), (74, 94), (75, 95)], ids=str)
def test_scaling_that_cannot_keep_up_is_a_notice_after_five_minutes(target: int, threshold: int) -> None:
    """CPU well above what scaling aims at means that no task is added any more, or too late; it wakes nobody (T1)."""
    alarm = alarms(capacity=Capacity(target_cpu_percent=target))[NOTICE]
    metric = alarm.metric
    assert (metric.namespace, metric.name, metric.statistic) == ("AWS/ECS", "CPUUtilization", "Average")
    assert dict(metric.dimensions) == {"ClusterName": CLUSTER, "ServiceName": SERVICE}
    assert (alarm.threshold.value, alarm.threshold.comparison) == (threshold, "GreaterThanOrEqualToThreshold")
    assert (metric.period_seconds, alarm.threshold.periods, alarm.threshold.out_of) == (60, 5, 5)
    assert (alarm.severity, alarm.threshold.missing) == ("notice", "notBreaching")
    assert f"the {target} % that scaling aims at" in alarm.meaning
    assert "Look at " in alarm.meaning


def test_being_at_the_maximum_is_a_notice_after_a_quarter_of_an_hour() -> None:
    """So many samples of CPU a minute are so many running tasks: each sends one, and CloudWatch counts them (T1)."""
    alarm = ALARMS[FULL]
    metric = alarm.metric
    assert (metric.namespace, metric.name, metric.statistic) == ("AWS/ECS", "CPUUtilization", "SampleCount")
    assert dict(metric.dimensions) == {"ClusterName": CLUSTER, "ServiceName": SERVICE}
    assert (alarm.threshold.value, alarm.threshold.comparison) == (7, "GreaterThanOrEqualToThreshold")
    assert (metric.period_seconds, alarm.threshold.periods, alarm.threshold.out_of) == (60, 15, 15)
    assert (alarm.severity, alarm.threshold.missing) == ("notice", "notBreaching")
    assert "7 tasks, the maximum" in alarm.meaning


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 15), (840, 15), (841, 16), (1500, 26), (86340, 1440)])
def test_a_deployment_at_twice_the_tasks_is_no_maximum(seconds: int, minutes: int) -> None:
    """Old and new tasks stand side by side for so long, and the number of tasks must be high for longer (T1)."""
    threshold = alarms(deployment_seconds=seconds)[FULL].threshold
    assert (threshold.periods, threshold.out_of) == (minutes, minutes)
    assert 60 * minutes > seconds
    assert 60 * minutes <= 86400  # CloudWatch looks at a day at most


def test_schedules_change_what_is_too_few_and_too_many() -> None:
    """At night two tasks are right, and in the day twenty are the maximum, so neither is a fault then (T1)."""
    schedules = [
        ScheduledCapacity(name=name, schedule=f"cron(0 {hour} * * ? *)", min_tasks=low, max_tasks=high)
        for name, hour, low, high in (("day", 8, 6, 20), ("night", 20, 2, 4))
    ]
    made = alarms(capacity=Capacity(min_tasks=3, max_tasks=7, scheduled=tuple(schedules)))
    assert made["too-few-healthy-targets"].threshold.value == 2
    assert made[FULL].threshold.value == 20


def test_a_fixed_number_of_tasks_is_never_at_its_maximum() -> None:
    """Where nothing scales, the alarm would always be red."""
    assert FULL not in alarms(capacity=Capacity(min_tasks=4, max_tasks=4))


def test_one_unhealthy_target_is_enough() -> None:
    """WebORCA's customers met the one frozen task: the worst moment of each minute counts (W3)."""
    alarm = ALARMS["unhealthy-targets"]
    assert (alarm.metric.statistic, alarm.threshold.value) == ("Maximum", 1)
    assert alarm.threshold.comparison == "GreaterThanOrEqualToThreshold"


def test_no_data_about_healthy_targets_is_a_fault() -> None:
    """When no task can start there is no target to count, so silence is the alarm (Q4)."""
    alarm = ALARMS["too-few-healthy-targets"]
    assert (alarm.metric.statistic, alarm.threshold.value) == ("Minimum", 3)
    assert (alarm.threshold.comparison, alarm.threshold.missing) == ("LessThanThreshold", "breaching")


def test_one_visitor_who_is_turned_away_is_enough() -> None:
    """The load balancer counts only what it could not hold at all, so there is no harmless number of it (W3)."""
    alarm = ALARMS["rejected-connections"]
    assert (alarm.metric.name, alarm.metric.statistic) == ("RejectedConnectionCount", "Sum")
    threshold = alarm.threshold
    assert (threshold.value, threshold.comparison) == (1, "GreaterThanOrEqualToThreshold")
    assert (threshold.periods, threshold.out_of) == (1, 1)
    assert "neighbour" in alarm.meaning


def test_targets_that_refuse_connections_page_unless_one_just_left() -> None:
    """Five a minute for two minutes: a task that ends without leaving refuses for half a minute, and is replaced; when
    ports run out the refusals stay (W1, W3)."""
    alarm = ALARMS["connection-errors"]
    assert (alarm.metric.name, alarm.metric.statistic) == ("TargetConnectionErrorCount", "Sum")
    threshold = alarm.threshold
    assert (threshold.value, threshold.comparison) == (5, "GreaterThanOrEqualToThreshold")
    assert (threshold.periods, threshold.out_of) == (2, 2)


def test_connection_errors_of_both_target_groups_count() -> None:
    """A deployment that shifts traffic changes which of the two serves (T4)."""
    other = "targetgroup/web/fedcba9876543210"
    metric = alarms(target_groups=(TARGETS, other))["connection-errors"].metric
    both = [metric.dimensions["TargetGroup"], *(one["TargetGroup"] for one in metric.also)]
    assert both == [TARGETS, other]
    assert {one["LoadBalancer"] for one in metric.also} == {BALANCER}


def test_two_services_on_one_load_balancer_have_alarms_of_their_own() -> None:
    """Both are told when it turns visitors away, each under its own name; of targets each sees its own (W3)."""
    settings: dict[str, Any] = {"cluster": CLUSTER, "load_balancer": BALANCER, "capacity": Capacity()}
    settings |= {"start_seconds": 60, "deployment_seconds": 160, "acts_if": None}
    found = [
        web_service_alarms(name, service=f"shop-{name}", target_groups=(f"targetgroup/{name}/1",), **settings)
        for name in ("one", "two")
    ]
    names = [alarm_name("shop", "staging", alarm.component, alarm.what) for specs in found for alarm in specs]
    assert len(set(names)) == len(names) == 16
    first, second = ({alarm.what: alarm.metric for alarm in specs} for specs in found)
    assert first["rejected-connections"] == second["rejected-connections"]
    assert first["connection-errors"] != second["connection-errors"]


def test_before_the_metrics_that_saw_the_write_up_are_watched_by_nobody() -> None:
    """Plain CDK's pattern makes no alarm at all, so refused connections are seen by customers first (W3)."""
    scope = stack()
    patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        vpc=vpc(scope),
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry("web"), container_port=8080
        ),
    )
    assert of_type(synthesize(scope), "AWS::CloudWatch::Alarm") == {}


@pytest.mark.parametrize(
    "what", ["load-balancer-errors", "application-errors", "connection-errors", "rejected-connections"]
)
def test_no_errors_are_no_fault(what: str) -> None:
    """Error counts have data only when there are errors, so silence is good."""
    assert (ALARMS[what].metric.statistic, ALARMS[what].threshold.missing) == ("Sum", "notBreaching")


@pytest.mark.parametrize("seconds", [10, 20, 30, 60, 120, 3600])
def test_a_period_that_cloudwatch_knows_is_accepted(seconds: int) -> None:
    """High-resolution periods and whole minutes."""
    metric = Metric(namespace="Moorings", name="X", dimensions={}, statistic="Sum", period_seconds=seconds)
    assert metric.period_seconds == seconds


@pytest.mark.parametrize("seconds", [0, -60, 1, 45, 90])
def test_another_period_is_refused(seconds: int) -> None:
    """CloudWatch would refuse it at deployment."""
    values: dict[str, Any] = {"namespace": "Moorings", "name": "X", "dimensions": {}, "statistic": "Sum"}
    refused(lambda: Metric(**values, period_seconds=seconds), "period_seconds", seconds, "10, 20, 30 or whole minutes")


COUNTED: dict[str, Any] = {"namespace": "Moorings", "name": "A", "dimensions": {"X": "1"}, "statistic": "Sum"}


@pytest.mark.parametrize(
    "more",
    [
        {"plus": tuple("BCDEFGHIJ")},
        {"plus": tuple("BCDE"), "per": tuple("FGHIJ")},
        {"plus": tuple("BCDE"), "also": ({"X": "2"},)},
        {"plus": ("B",), "per": ("A", "B")},
    ],
    ids=("ten names", "ten in two parts", "five names of two", "a share of itself"),
)
def test_an_alarm_may_reckon_with_ten_metrics(more: dict[str, Any]) -> None:
    """CloudWatch takes ten in one alarm, however they are added up or divided."""
    assert Metric(**COUNTED, **more).name == "A"


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({"plus": tuple("BCDEFGHIJK")}, 11),
        ({"plus": tuple("BCDE"), "per": tuple("FGHIJK")}, 11),
        ({"plus": tuple("BC"), "also": ({"X": "2"}, {"X": "3"}, {"X": "4"})}, 12),
        ({"per": tuple("BC"), "also": ({"X": "2"}, {"X": "3"}, {"X": "4"})}, 12),
    ],
    ids=("names", "names and divisors", "names by sets", "divisors by sets"),
)
def test_eleven_metrics_in_an_alarm_are_refused(more: dict[str, Any], count: int) -> None:
    """CloudWatch would refuse it at deployment."""
    refused(lambda: Metric(**COUNTED, **more), "plus, per and also", count, "at most 10 metrics")


def test_a_metric_that_is_counted_twice_is_refused() -> None:
    """A name that is written twice would double its sockets; and a text is no list of names."""
    refused(lambda: Metric(**COUNTED, plus=("B", "A")), "plus", ["A", "B", "A"], "all different")
    refused(lambda: Metric(**COUNTED, per=("B", "B")), "per", ["B", "B"], "all different")
    text: Any = "BC"
    refused(lambda: Metric(**COUNTED, plus=text), "plus", text, "a tuple of str")
    refused(lambda: Metric(**COUNTED, per=text), "per", text, "a tuple of str")


@pytest.mark.parametrize("periods", [0, 3])
def test_more_wrong_periods_than_looked_at_are_refused(periods: int) -> None:
    """Three of two periods can never be wrong, so the alarm would never tell."""
    refused(lambda: Threshold(value=1, periods=periods, out_of=2), "periods", periods, "from 1 to 2")


def test_a_wrong_alarm_fails_before_node_starts() -> None:
    """Alarms are described without loading CDK."""
    code = "from constructs_lib.alarm_spec import Threshold\nThreshold(value=1, periods=2)"
    assert run_without_cdk(code).startswith("periods must be")
