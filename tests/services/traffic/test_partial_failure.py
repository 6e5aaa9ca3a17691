"""WebORCA, March 2025: customers met every outage before monitoring did, because only some of them failed (lesson W3).

What the load balancer would count is put through a small model of CloudWatch's arithmetic (``tests/alarm_math.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import ReleasedDigest
from constructs_lib.services.scaling.capacity import Capacity
from tests import alarm_math
from tests.services.conftest import CHECK, PARAMETER
from tests.support import FLAG_SETS, Template, of_type, references, stack, synthesize, vpc

T5XX, ELB5XX, E503, E504 = (
    *("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"),
    *("HTTPCode_ELB_503_Count", "HTTPCode_ELB_504_Count"),
)
QUIET: Mapping[str, float] = {"RequestCount": 3000, "HealthyHostCount": 30, "UnHealthyHostCount": 0}
"""A minute in which all is well."""

FAULTS: dict[str, tuple[dict[str, float | None], set[str]]] = {
    "all is well": ({}, set()),
    "one task of thirty hangs and passes its check": (
        {ELB5XX: 100, E504: 100},
        {"load-balancer-errors", "gateway-timeouts", "some-requests-fail", "degraded"},
    ),
    "one task of thirty answers errors": ({T5XX: 100}, {"application-errors", "some-requests-fail", "degraded"}),
    "an accident": ({T5XX: 4, ELB5XX: 4, E504: 4}, set()),
    "a little of everything": ({T5XX: 30, ELB5XX: 10, E503: 10}, {"some-requests-fail"}),
    "the database is down": (
        {T5XX: 2900},
        {"application-errors", "most-requests-fail", "some-requests-fail", "degraded", "outage"},
    ),
    "no target is there": (
        {"RequestCount": None, "HealthyHostCount": None, "UnHealthyHostCount": None, ELB5XX: 3000, E503: 3000},
        {"load-balancer-errors", "too-few-healthy-targets", "no-healthy-targets", "most-requests-fail"}
        | {"some-requests-fail", "degraded", "outage"},
    ),
    "every request waits in vain": (
        {ELB5XX: 3000, E504: 3000},
        {"load-balancer-errors", "gateway-timeouts", "most-requests-fail", "some-requests-fail", "degraded", "outage"},
    ),
    "one task leaves": ({"UnHealthyHostCount": 1}, {"unhealthy-targets-1", "unhealthy-targets-2", "degraded"}),
    "what it calls hangs": ({"TargetResponseTime": 15.2}, {"slow-responses", "degraded"}),
}


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """A service of thirty tasks with its alarms, in a stack whose zones only CloudFormation knows."""
    scope = stack(App(context=request.param))
    cluster = ecs.Cluster(scope, "Cluster", vpc=ec2.Vpc(scope, "Vpc", max_azs=2))
    web = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=ecr.Repository(scope, "Images"),
        image=ReleasedDigest(PARAMETER),
        health_check=CHECK,
        capacity=Capacity(min_tasks=6, max_tasks=30),
    )
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=web.alarms, topics=topics)
    return synthesize(scope)


def red(template: Template, measured: Mapping[str, float | None], *, released: bool = True) -> set[str]:
    """Which alarms are red when minutes like this one last, the component's own among them."""

    def values(name: str, _dimensions: Mapping[str, Any]) -> float | None:
        return (dict(QUIET) | dict(measured)).get(name)

    alarms = alarm_math.by_name(template)
    found = {name for name, one in alarms.items() if alarm_math.red(one, values, released=released)}
    for one in of_type(template, "AWS::CloudWatch::CompositeAlarm").values():
        if found & {name.rpartition("/")[2] for name in re.findall(r'ALARM\("([^"]+)"\)', one["AlarmRule"])}:
            found.add(one["AlarmName"].rpartition("/")[2])
    return found


def test_before_a_plain_service_sees_nothing() -> None:
    """Plain CDK's pattern makes no alarm, so whoever meets the fault is who tells of it (W3)."""
    scope = stack()
    patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        vpc=vpc(scope),
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry("web"), container_port=8080
        ),
    )
    template = synthesize(scope)
    assert all(red(template, measured) == set() for measured, _ in FAULTS.values())


@pytest.mark.parametrize("fault", FAULTS)
def test_after_what_only_some_meet_is_seen(template: Template, fault: str) -> None:
    """Each fault has the alarms that say what it is; what users notice is in the component's (W3, T5)."""
    measured, expected = FAULTS[fault]
    assert red(template, measured) - {"at-maximum", "scaling-cannot-keep-up"} == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_red_before_the_first_release(template: Template, fault: str) -> None:
    """A service without a release has no tasks, and whoever visits it gets 503: no fault, on no page (W3, T5)."""
    assert red(template, FAULTS[fault][0], released=False) == set()


@pytest.mark.parametrize(("minute", "told"), [(4, True), (1, True), (0.9, False)])
def test_a_quiet_service_whose_requests_all_fail_is_noticed(template: Template, minute: float, told: bool) -> None:
    """Below five errors a minute no share pages; five in five minutes are a notice, when that lasts (W3).

    An alarm on periods of a minute would never reach its floor.
    """
    few = alarm_math.by_name(template)["some-requests-fail"]
    periods = {query["MetricStat"]["Period"] for query in few["Metrics"] if "MetricStat" in query}
    assert periods == {300}
    sums = {"RequestCount": 5 * minute, T5XX: 5 * minute}
    assert alarm_math.red(few, lambda name, _: sums.get(name)) is told
    paged = {"RequestCount": minute, T5XX: minute, "HealthyHostCount": 30, "UnHealthyHostCount": 0}
    assert "application-errors" not in red(template, paged)


def test_a_zone_that_only_cloudformation_knows_has_its_alarm(template: Template) -> None:
    """A stack for any account knows how many zones there are, and not their names."""
    alarms = alarm_math.by_name(template)
    for number in (0, 1):
        found = {row["Name"]: row["Value"] for row in alarms[f"unhealthy-targets-{number + 1}"]["Dimensions"]}
        assert found["AvailabilityZone"] == {"Fn::Select": [number, {"Fn::GetAZs": ""}]}


def test_missing_targets_are_a_fault_once_scaling_may_start_them(template: Template) -> None:
    """A first release deploys at zero tasks; its alarms on targets wait for scaling, and seven minutes more (W3).

    Until then whoever comes, a scanner mostly, gets 503: no more a fault than the missing targets.
    """
    (target,) = of_type(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    waits = {
        one["Properties"]["AlarmName"].rpartition("/")[2]: one
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Alarm" and "DependsOn" in one
    }
    assert set(waits) == {
        *("too-few-healthy-targets", "no-healthy-targets"),
        *("load-balancer-errors", "most-requests-fail"),
    }
    for one in waits.values():
        assert one["DependsOn"] == [target]
        warm = alarm_math.decided(one["Properties"]["WarmUpConfiguration"])
        assert warm == {"WarmUpPeriodDurationInMinutes": 7, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}


def test_what_takes_a_configuration_back_does_not_wait_for_the_tasks(template: Template) -> None:
    """Tasks may wait for a configuration, and its deployment for this alarm: it must not wait for them (T2)."""
    (alarm,) = (
        one
        for one in template["Resources"].values()
        if str(one.get("Properties", {}).get("AlarmName")).endswith("/application-errors")
    )
    assert "DependsOn" not in alarm
    kinds = {template["Resources"][name]["Type"] for name in references(alarm["Properties"])}
    assert kinds == {"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup"}
