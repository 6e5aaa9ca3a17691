"""Before and after: an alarm on a dead target, made by plain CDK and by us (lesson W3)."""

from __future__ import annotations

from dataclasses import replace

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.detection.detection_budget import DetectionBudget
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.task.health_check import HealthCheck
from scripts.alarms import every_alarm
from tests.observability.detection.test_detection_budget import spec
from tests.support import of_type, only, refused, stack, synthesize, vpc

CHECK_SECONDS = HealthCheck.http("/healthz", port=8080, program="python3").out_of_rotation_seconds


def test_before_a_page_may_come_a_quarter_of_an_hour_late_and_nobody_is_told_so() -> None:
    """Plain CDK's metric has periods of five minutes; three of them are 820 s at worst, and the alarm says nothing."""
    scope = stack()
    somewhere = vpc(scope)
    targets = elbv2.ApplicationTargetGroup(scope, "Targets", vpc=somewhere, port=8080, target_type=elbv2.TargetType.IP)
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=somewhere)
    balancer.add_listener("Http", port=80, default_target_groups=[targets])
    cloudwatch.Alarm(
        scope,
        "Unhealthy",
        metric=targets.metrics.unhealthy_host_count(statistic="Maximum"),
        threshold=1,
        evaluation_periods=3,
    )
    alarm = only(synthesize(scope), "AWS::CloudWatch::Alarm")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (300, 3, "Maximum")
    assert "AlarmDescription" not in alarm
    assert "AlarmActions" not in alarm
    plain = spec("Maximum", value=1, period=300, periods=3, fault_seconds=CHECK_SECONDS)
    assert DetectionBudget.of(plain).worst_seconds == 35 + 660 + 60 + 60 + 5 == 820


def test_after_it_comes_within_six_minutes_and_says_what_tells_sooner() -> None:
    """Ours: 345 s at worst, 255 usually, with what stands in and a runbook; without a reason it is not made."""
    ours = next(one for one in every_alarm() if one.what == "unhealthy-targets-1")
    budget = DetectionBudget.of(ours)
    assert (budget.usual_seconds, budget.worst_seconds) == (255, 345)
    scope = stack()
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=[ours], topics=topics)
    (alarm,) = of_type(synthesize(scope), "AWS::CloudWatch::Alarm").values()
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 3)
    assert alarm["AlarmDescription"].endswith(" Runbook: docs/runbooks/unhealthy-targets.md")
    silent = replace(ours, slower_because=None)
    refused(
        lambda: Alarms(stack(), "Alarms", application="shop", environment="staging", specs=[silent], topics=topics),
        "slower_because of web/unhealthy-targets-1",
        None,
        "345 s at worst",
    )
