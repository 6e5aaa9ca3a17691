"""What is watched of a service, as data: what partial failure looks like, within two minutes (lessons W3, T1, T4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.naming import alarm_name
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.scaling.capacity import Capacity, ScheduledCapacity
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.request_alarms import error_share
from constructs_lib.services.traffic.target_alarms import unhealthy_minutes
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.support import of_type, refused, run_without_cdk, stack, synthesize, vpc

CLUSTER, SERVICE = "shop-cluster", "shop-web"
BALANCER, TARGETS = "app/shop/0123456789abcdef", "targetgroup/web/0123456789abcdef"


BALANCED = Balanced(load_balancer=BALANCER, target_groups=(TARGETS,))
ZONES = ("eu-west-1a", "eu-west-1b")


def alarms(*, start_seconds: int = 60, **changes: Any) -> dict[str, AlarmSpec]:
    """The alarms of a service by fault, but for ``changes``."""
    settings: dict[str, Any] = {
        "cluster": CLUSTER,
        "service": SERVICE,
        "balanced": BALANCED,
        "zones": ZONES,
        "capacity": Capacity(min_tasks=3, max_tasks=7),
        "check": HealthCheck.http("/healthz", port=8080, program="curl", start_seconds=start_seconds),
        "timeouts": TimeoutBudget(),
        "deployment_seconds": 160,
        "acts_if": "Released",
        "after": "Scaling",
    }
    return {alarm.what: alarm for alarm in web_service_alarms("web", **(settings | changes))}


ALARMS = alarms()
NOTICE, FULL, FEW = "scaling-cannot-keep-up", "at-maximum", "some-requests-fail"
PAGES = {what: alarm for what, alarm in ALARMS.items() if what not in (NOTICE, FULL, FEW)}
SHARES = ("load-balancer-errors", "gateway-timeouts", "application-errors", "most-requests-fail", "some-requests-fail")


def test_these_faults_are_watched() -> None:
    """Each with its severity and what users notice of it meanwhile (W3, T5)."""
    assert {what: (alarm.severity, alarm.felt) for what, alarm in ALARMS.items()} == {
        "unhealthy-targets-1": ("page", "degraded"),
        "unhealthy-targets-2": ("page", "degraded"),
        "too-few-healthy-targets": ("page", "degraded"),
        "no-healthy-targets": ("page", "outage"),
        "connection-errors": ("page", "degraded"),
        "load-balancer-errors": ("page", "degraded"),
        "gateway-timeouts": ("page", "degraded"),
        "application-errors": ("page", "degraded"),
        "most-requests-fail": ("page", "outage"),
        "some-requests-fail": ("notice", None),
        "slow-responses": ("page", "degraded"),
        "rejected-connections": ("page", "degraded"),
        "at-maximum": ("notice", None),
        "scaling-cannot-keep-up": ("notice", None),
    }


@pytest.mark.parametrize("alarm", PAGES.values(), ids=PAGES)
def test_an_alarm_pages_within_two_minutes_and_tells_what_to_look_at(alarm: AlarmSpec) -> None:
    """One-minute periods, at most two of them, for the component, with a meaning in whole sentences (W3). Slowness
    needs five: in a quiet minute the slowest of a hundred is one request. Unhealthy targets need three: one that starts
    is unhealthy for a minute, which touches two."""
    assert alarm.metric.period_seconds == 60
    most = {"slow-responses": 5, "unhealthy-targets-1": 3, "unhealthy-targets-2": 3}
    assert alarm.threshold.out_of <= most.get(alarm.what, 2)
    assert alarm.component == "web"
    assert alarm.meaning.endswith(".")
    assert "ook " in alarm.meaning
    assert alarm.threshold.missing_because


@pytest.mark.parametrize(("start_seconds", "minutes"), [(0, 2), (60, 3), (61, 4), (300, 7)])
def test_a_task_that_may_start_slowly_is_no_fault_until_then(start_seconds: int, minutes: int) -> None:
    """A starting target counts as unhealthy, so that alarm waits for a minute more than a start may touch."""
    made = alarms(start_seconds=start_seconds)
    waits = {what: (alarm.threshold.periods, alarm.threshold.out_of) for what, alarm in made.items()}
    assert waits["unhealthy-targets-1"] == waits["unhealthy-targets-2"] == (minutes, minutes)
    assert waits["too-few-healthy-targets"] == (2, 2)


def minutes_touched(begins: float, ends: float) -> int:
    """In how many one-minute periods something that lasts from one moment to another is seen."""
    return int(ends // 60) - int(begins // 60) + 1


@given(
    start_seconds=st.integers(0, 300),
    begins=st.floats(min_value=0, max_value=60, exclude_max=True),
    part=st.floats(min_value=0, max_value=1),
)
def test_no_start_is_ever_a_fault_wherever_in_a_minute_it_begins(
    start_seconds: int, begins: float, part: float
) -> None:
    """Unhealthy for as long as a start may take, or less: it touches fewer minutes than the alarm asks for (W3)."""
    check = HealthCheck.http("/healthz", port=8080, program="curl", start_seconds=start_seconds)
    assert minutes_touched(begins, begins + part * start_seconds) < unhealthy_minutes(check)


@given(
    start_seconds=st.integers(0, 300),
    interval=st.integers(5, 60),
    unhealthy_after=st.integers(2, 10),
    healthy_after=st.integers(2, 10),
    first=st.floats(min_value=0, max_value=1, exclude_max=True),
    part=st.floats(min_value=0, max_value=1),
    offset=st.floats(min_value=0, max_value=60, exclude_max=True),
)
def test_a_start_with_its_checks_played_is_no_fault(
    start_seconds: int,
    interval: int,
    unhealthy_after: int,
    healthy_after: int,
    first: float,
    part: float,
    offset: float,
) -> None:
    """So many bad checks make it unhealthy and so many good ones healthy again, whatever their numbers and moments."""
    check = HealthCheck.http(
        "/healthz",
        port=8080,
        program="curl",
        start_seconds=start_seconds,
        interval_seconds=interval,
        timeout_seconds=2,
        unhealthy_after=unhealthy_after,
        healthy_after=healthy_after,
    )
    ready, bad, good, unhealthy = part * start_seconds, 0, 0, -1.0
    for number in range(1000):
        at = interval * (first + number)
        bad, good = (bad + 1, 0) if at < ready else (0, good + 1)
        if bad >= unhealthy_after and unhealthy < 0:
            unhealthy = at
        if good >= (healthy_after if unhealthy >= 0 else 1):
            break
    if unhealthy >= 0:
        assert minutes_touched(offset + unhealthy, offset + at) < unhealthy_minutes(check)


@pytest.mark.parametrize(
    ("healthy_after", "unhealthy_after", "minutes"), [(2, 3, 3), (3, 3, 4), (10, 3, 5), (2, 10, 3), (10, 2, 5)]
)
def test_more_good_checks_than_bad_ones_are_waited_for(healthy_after: int, unhealthy_after: int, minutes: int) -> None:
    """A target that has failed while it started is healthy again only after them: of ten and three, 80 s longer."""
    check = HealthCheck.http(
        "/healthz", port=8080, program="curl", healthy_after=healthy_after, unhealthy_after=unhealthy_after
    )
    assert unhealthy_minutes(check) == minutes


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_is_quiet_before_the_first_release(alarm: AlarmSpec) -> None:
    """Zero tasks are no fault while nothing is released."""
    assert alarm.acts_if == "Released"


@pytest.mark.parametrize(("start_seconds", "minutes"), [(0, 6), (60, 7), (300, 11)])
def test_the_first_tasks_may_take_their_time(start_seconds: int, minutes: int) -> None:
    """Five minutes to be placed and pulled, 25 s of checks and the start itself, in which visitors get 503.

    What the application answers does not wait: a configuration's first deployment watches it, and tasks wait for that.
    """
    made = alarms(start_seconds=start_seconds)
    waiting = {what for what, alarm in made.items() if alarm.threshold.warm_up_minutes}
    assert waiting == {
        *("too-few-healthy-targets", "no-healthy-targets"),
        *("load-balancer-errors", "most-requests-fail"),
    }
    assert {what for what, alarm in made.items() if alarm.after == "Scaling"} == waiting
    assert {made[what].threshold.warm_up_minutes for what in waiting} == {minutes}


@pytest.mark.parametrize("alarm", PAGES.values(), ids=PAGES)
def test_a_metric_is_one_that_aws_publishes(alarm: AlarmSpec) -> None:
    """Metrics of targets carry both dimensions, of one zone three; what the load balancer says of itself has one."""
    assert alarm.metric.namespace == "AWS/ApplicationELB"
    own = {"LoadBalancer": BALANCER}
    of_targets = own | {"TargetGroup": TARGETS}
    zone = {"unhealthy-targets-1": "eu-west-1a", "unhealthy-targets-2": "eu-west-1b"}.get(alarm.what)
    if alarm.what in ("load-balancer-errors", "gateway-timeouts", "rejected-connections", "most-requests-fail"):
        assert dict(alarm.metric.dimensions) == own
    else:
        assert dict(alarm.metric.dimensions) == of_targets | ({"AvailabilityZone": zone} if zone else {})


def test_each_zone_has_an_alarm_on_unhealthy_targets() -> None:
    """A person sees at once whether one zone is ill or all; they share a runbook (W3)."""
    made = alarms(zones=("a", "b", "c"))
    found = [made[f"unhealthy-targets-{number}"] for number in (1, 2, 3)]
    assert [alarm.metric.dimensions["AvailabilityZone"] for alarm in found] == ["a", "b", "c"]
    assert [f"counted in {zone}," in alarm.meaning for zone, alarm in zip("abc", found, strict=True)] == [True] * 3
    assert {alarm.runbook for alarm in found} == {"unhealthy-targets"}


@pytest.mark.parametrize("zones", [(), ("#{Token[TOKEN.7]}",)], ids=("none", "a list that is not known"))
def test_zones_that_are_not_known_have_one_alarm(zones: tuple[str, ...]) -> None:
    """Nobody knows how many there are, so all are counted together."""
    made = alarms(zones=zones)
    assert "AvailabilityZone" not in made["unhealthy-targets"].metric.dimensions
    assert "counted in" not in made["unhealthy-targets"].meaning
    assert not any(what.startswith("unhealthy-targets-") for what in made)


def test_zones_whose_names_only_aws_knows_have_one_each() -> None:
    """An environment-agnostic stack knows how many zones it has, and not what they are called."""
    tokens = ("${Token[TOKEN.7]}", "${Token[TOKEN.8]}")
    made = alarms(zones=tokens)
    assert [made[f"unhealthy-targets-{n}"].metric.dimensions["AvailabilityZone"] for n in (1, 2)] == list(tokens)


@pytest.mark.parametrize(
    ("tasks", "share"), [(2, 0.05), (10, 0.05), (11, 0.0455), (30, 0.0167), (100, 0.005), (200, 0.005)]
)
def test_one_task_that_fails_alone_is_told(tasks: int, share: float) -> None:
    """It has one request of as many as there are tasks: half of that is the share from which on errors page (W3)."""
    capacity = Capacity(min_tasks=2, max_tasks=tasks)
    assert error_share(capacity) == share <= 1 / tasks
    made = alarms(capacity=capacity)
    for what in ("load-balancer-errors", "gateway-timeouts", "application-errors"):
        assert made[what].threshold.value == share
        assert f"{100 * share:.3g} % of the requests" in made[what].meaning


@pytest.mark.parametrize("tasks", [101, 201, 1000, 5000])
def test_half_a_percent_is_the_least_that_pages(tasks: int) -> None:
    """A thousandth of errors is an ordinary day of a large service: a component that is always red hides the rest."""
    made = alarms(capacity=Capacity(min_tasks=2, max_tasks=tasks))
    for what in ("load-balancer-errors", "gateway-timeouts", "application-errors"):
        assert made[what].threshold.value == 0.005


@pytest.mark.parametrize(("tasks", "share"), [(2, 0.01), (30, 0.01), (50, 0.005), (100, 0.0025), (1000, 0.0025)])
def test_what_lasts_is_told_before_it_pages(tasks: int, share: float) -> None:
    """A notice of fewer errors than page, however many tasks there are: else nobody would ever get it (W3)."""
    made = alarms(capacity=Capacity(min_tasks=2, max_tasks=tasks))
    few, page = made["some-requests-fail"], made["application-errors"]
    assert few.threshold.value == share < page.threshold.value
    assert f"{100 * share:.3g} % of the requests" in few.meaning


def test_errors_are_shares_with_a_floor() -> None:
    """Five errors a minute at least; the load balancer's own are among what they are a share of (W3)."""
    of = {what: (ALARMS[what].metric.name, ALARMS[what].metric.plus, ALARMS[what].metric.per) for what in SHARES}
    everything = ("HTTPCode_Target_5XX_Count", ("HTTPCode_ELB_5XX_Count",), ("RequestCount", "HTTPCode_ELB_503_Count"))
    assert of == {
        "load-balancer-errors": ("HTTPCode_ELB_5XX_Count", (), ("RequestCount", "HTTPCode_ELB_5XX_Count")),
        "gateway-timeouts": ("HTTPCode_ELB_504_Count", (), ("RequestCount", "HTTPCode_ELB_504_Count")),
        "application-errors": ("HTTPCode_Target_5XX_Count", (), ("RequestCount",)),
        "most-requests-fail": everything,
        "some-requests-fail": everything,
    }
    assert {ALARMS[what].metric.at_least for what in SHARES} == {5}
    assert {ALARMS[what].threshold.comparison for what in SHARES} == {"GreaterThanOrEqualToThreshold"}
    assert ALARMS["most-requests-fail"].threshold.value == 0.5
    assert {what for what in SHARES if ALARMS[what].metric.period_seconds != 60} == {"some-requests-fail"}
    few = ALARMS["some-requests-fail"]
    assert few.metric.period_seconds == 300
    assert (few.threshold.value, few.threshold.periods, few.threshold.out_of) == (0.01, 3, 3)
    assert "For 15 minutes 1 % of the requests or more" in few.meaning
    assert "at least 5 in five minutes" in few.meaning


def test_a_neighbours_fault_is_not_said_to_be_felt_here() -> None:
    """Behind a shared load balancer its own errors page by themselves, and what fails is counted at the targets."""
    made = alarms(balanced=replace(BALANCED, shared=True))
    for what in ("load-balancer-errors", "gateway-timeouts", "rejected-connections"):
        assert (made[what].severity, made[what].felt) == ("page", None)
    for what in ("application-errors", "most-requests-fail", "some-requests-fail", "slow-responses"):
        assert made[what].metric.dimensions["TargetGroup"] == TARGETS
        assert made[what].metric.period_seconds == (300 if what == "some-requests-fail" else 60)
    assert made["most-requests-fail"].felt == "outage"
    assert made["most-requests-fail"].metric.plus == ()


def test_slow_is_as_long_as_the_application_waits_for_anything() -> None:
    """The limit is a number of the service's own time-outs: one of a hundred waits until it is cut off (T3)."""
    alarm = alarms(timeouts=TimeoutBudget(upstream_seconds=4))["slow-responses"]
    assert (alarm.metric.name, alarm.metric.statistic) == ("TargetResponseTime", "p99")
    assert (alarm.threshold.value, alarm.threshold.periods, alarm.threshold.out_of) == (4, 5, 5)
    assert "4 s or more" in alarm.meaning


def test_nothing_healthy_is_an_outage() -> None:
    """No node of the load balancer finds a healthy target, or there is none to find (T5, Q4)."""
    alarm = ALARMS["no-healthy-targets"]
    assert (alarm.metric.name, alarm.metric.statistic, alarm.threshold.value) == ("HealthyHostCount", "Maximum", 1)
    assert (alarm.threshold.comparison, alarm.threshold.missing) == ("LessThanThreshold", "breaching")
    assert (alarm.threshold.periods, alarm.threshold.out_of) == (2, 2)


def test_how_long_a_fault_lasts_before_it_shows() -> None:
    """Three bad checks for a target, the idle timeout for a hanging request, its own time for a slow one (T3, T4)."""
    slow = {what: alarm.fault_seconds for what, alarm in ALARMS.items() if alarm.fault_seconds}
    assert slow == {
        **dict.fromkeys(("unhealthy-targets-1", "unhealthy-targets-2"), 35),
        **dict.fromkeys(("too-few-healthy-targets", "no-healthy-targets"), 35),
        "gateway-timeouts": 60,
        "slow-responses": 15,
    }


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
    alarm = ALARMS["unhealthy-targets-1"]
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
    metric = alarms(balanced=replace(BALANCED, target_groups=(TARGETS, other)))["connection-errors"].metric
    both = [metric.dimensions["TargetGroup"], *(one["TargetGroup"] for one in metric.also)]
    assert both == [TARGETS, other]
    assert {one["LoadBalancer"] for one in metric.also} == {BALANCER}


def test_two_services_on_one_load_balancer_have_alarms_of_their_own() -> None:
    """Both are told when it turns visitors away, each under its own name; of targets each sees its own (W3)."""
    found = [
        tuple(alarms(balanced=replace(BALANCED, target_groups=(f"targetgroup/{name}/1",), shared=True)).values())
        for name in ("one", "two")
    ]
    found = [tuple(replace(alarm, component=name) for alarm in specs) for name, specs in zip("ab", found, strict=True)]
    names = [alarm_name("shop", "staging", alarm.component, alarm.what) for specs in found for alarm in specs]
    assert len(set(names)) == len(names) == 28
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


@pytest.mark.parametrize("what", [*SHARES, "connection-errors", "rejected-connections"])
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
    refused(
        lambda: Threshold(value=1, missing_because="no request", periods=periods, out_of=2),
        "periods",
        periods,
        "from 1 to 2",
    )


def test_a_wrong_alarm_fails_before_node_starts() -> None:
    """Alarms are described without loading CDK."""
    code = (
        "from constructs_lib.alarm_spec import Threshold\nThreshold(value=1, missing_because='no request', periods=2)"
    )
    assert run_without_cdk(code).startswith("periods must be")
