"""Every alarm on a target group sees both, and the idle one neither pages nor hides a fault (lessons T4, W3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, ReleasedDigest
from tests import alarm_math
from tests.services.conftest import CHECK, PARAMETER, parts
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, stack, synthesize

ALARM = "AWS::CloudWatch::Alarm"
HEALTHY, UNHEALTHY, ERRORS = "HealthyHostCount", "UnHealthyHostCount", "HTTPCode_Target_5XX_Count"
REFUSED = "TargetConnectionErrorCount"


def service(app: App, name: str, strategy: DeploymentStrategy, image: FixedDigest | ReleasedDigest) -> None:
    """A service with its alarms, in a stack of its own."""
    scope = stack(app, name.replace("_", "-"))
    cluster, repository = parts(scope)
    web = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=image,
        health_check=CHECK,
        deployment=DeploymentPolicy(strategy=strategy),
    )
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=web.alarms, topics=topics)


@pytest.fixture(scope="module", params=FLAG_SETS)
def templates(request: pytest.FixtureRequest) -> Mapping[str, Template]:
    """Services of all strategies with their alarms."""
    app = App(context=request.param)
    for strategy in DeploymentStrategy:
        service(app, strategy.value, strategy, FixedDigest(DIGEST))
    service(app, "Released", DeploymentStrategy.BLUE_GREEN, ReleasedDigest(PARAMETER))
    return {one.stack_name.replace("-", "_"): one.template for one in app.synth().stacks}


def groups(template: Template) -> tuple[str, str]:
    """The logical ids of the first target group and of the alternate one."""
    (balancer,) = only(template, "AWS::ECS::Service")["LoadBalancers"]
    return balancer["TargetGroupArn"]["Ref"], balancer["AdvancedConfiguration"]["AlternateTargetGroupArn"]["Ref"]


def watched(alarm: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The metric and target group of each series of an alarm; a series of the load balancer has no group."""
    series = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query] or [alarm]
    found = []
    for one in series:
        dimensions = {row["Name"]: row["Value"] for row in one["Dimensions"]}
        group = dimensions.get("TargetGroup")
        found.append((one["MetricName"], group["Fn::GetAtt"][0] if group else None))
    return found


def red(alarm: Mapping[str, Any], values: Mapping[str, float]) -> bool:
    """Whether a minute with these values, by target group, is breaching; a group without a value is not in them.

    There were 20 requests in each group that has a value, so that five errors are more than any share.
    """

    def found(name: str, dimensions: Mapping[str, Any]) -> float | None:
        value = values.get(dimensions["TargetGroup"]["Fn::GetAtt"][0])
        return 20 if name == "RequestCount" and value is not None else value

    return alarm_math.red(alarm, found)


def alarms(template: Template, metric: str) -> list[dict[str, Any]]:
    """All alarms on a metric of target groups."""
    found = of_type(template, ALARM).values()
    return [one for one in found if any(name == metric and group for name, group in watched(one))]


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, Any]]:
    """Alarms as plain CDK makes them, on the first of two groups of the same service."""
    scope = stack()
    cluster, repository = parts(scope)
    web = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        deployment=DeploymentPolicy(strategy=DeploymentStrategy.BLUE_GREEN),
    )
    metrics = web.target_group.metrics
    cloudwatch.Alarm(
        scope,
        "PlainHealthy",
        metric=metrics.healthy_host_count(statistic="Minimum"),
        threshold=2,
        evaluation_periods=2,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    cloudwatch.Alarm(
        scope,
        "PlainErrors",
        metric=metrics.custom(ERRORS, statistic="Sum"),
        threshold=5,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    template = synthesize(scope)
    first, second = groups(template)
    by_name = {key: value for key, value in of_type(template, ALARM).items() if key.startswith("Plain")}
    (healthy,) = (value for key, value in by_name.items() if key.startswith("PlainHealthy"))
    (errors,) = (value for key, value in by_name.items() if key.startswith("PlainErrors"))
    return {"healthy": healthy, "errors": errors, "groups": {"first": first, "second": second}}


def test_before_the_idle_group_pages_and_hides_errors(plain: dict[str, dict[str, Any]]) -> None:
    """After the first swap an alarm on the first group pages though all is well, and sees no error any more (T4)."""
    second = plain["groups"]["second"]
    assert red(plain["healthy"], {second: 2}), "two healthy targets, and a page"
    assert red(plain["healthy"], {plain["groups"]["first"]: 0, second: 2})
    assert not red(plain["errors"], {second: 1000}), "a thousand errors, and silence"


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR", "Released"])
def test_after_every_alarm_on_targets_sees_both_groups(templates: Mapping[str, Template], strategy: str) -> None:
    """Each alarm that names a target group names both, with one metric, period and statistic (T4)."""
    template = templates[strategy]
    both = list(groups(template))
    on_targets = [one for one in of_type(template, ALARM).values() if any(group for _, group in watched(one))]
    assert len(on_targets) == 9, "two for deployments, seven that page: of two zones one on unhealthy targets each"
    for alarm in on_targets:
        names = list(dict.fromkeys(name for name, _ in watched(alarm)))
        assert watched(alarm) == [(name, group) for name in names for group in both]
        assert len(names) == 1 or names == [ERRORS, "RequestCount"]
        stats = [(query["MetricStat"]["Period"], query["MetricStat"]["Stat"]) for query in alarm["Metrics"][:-1]]
        assert len(set(stats)) == 1
        assert stats[0][0] == 60
        assert not {"MetricName", "Namespace", "Dimensions", "Statistic", "Period"} & set(alarm)


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
@pytest.mark.parametrize("serving", [0, 1])
def test_after_the_idle_group_neither_pages_nor_hides(
    templates: Mapping[str, Template], strategy: str, serving: int
) -> None:
    """Whichever group serves: the other's silence or zero is no fault, and the serving one's errors are seen (T4)."""
    template = templates[strategy]
    both = groups(template)
    active, idle = both[serving], both[1 - serving]
    few, none = alarms(template, HEALTHY)
    for quiet in ({}, {idle: 0}):
        assert red(none, {active: 0, **quiet})
        assert not red(none, {active: 1, **quiet})
        assert not red(few, {active: 2, **quiet})
        assert red(few, {active: 1, **quiet})
        for ill in alarms(template, UNHEALTHY):
            assert red(ill, {active: 1, **quiet})
            assert not red(ill, {active: 0, **quiet})
        for metric in (ERRORS, REFUSED):
            found = alarms(template, metric)
            assert len(found) == 2, "one for deployments, one that pages"
            assert all(red(alarm, {active: 5, **quiet}) for alarm in found)
            assert not any(red(alarm, {active: 4, **quiet}) for alarm in found)


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_after_no_target_in_any_group_is_a_fault(templates: Mapping[str, Template], strategy: str) -> None:
    """When no task can start there is nothing to count in either group, and that pages (Q4, T4)."""
    few, none = alarms(templates[strategy], HEALTHY)
    first, second = groups(templates[strategy])
    for alarm in (few, none):
        assert red(alarm, {})
        assert red(alarm, {first: 0, second: 0})
    assert red(few, {first: 1, second: 0})
    assert not red(few, {first: 1, second: 1}), "a step of a canary: one task in each serves"


def test_errors_of_both_groups_count_together(templates: Mapping[str, Template]) -> None:
    """In the middle of a shift three errors here and two there are five (T4)."""
    first, second = groups(templates["LINEAR"])
    for alarm in alarms(templates["LINEAR"], ERRORS):
        assert red(alarm, {first: 3, second: 2})
        assert not red(alarm, {first: 2, second: 2})


@pytest.mark.parametrize("strategy", [one.value for one in DeploymentStrategy])
def test_deployment_alarms_are_metric_alarms_without_a_circle(templates: Mapping[str, Template], strategy: str) -> None:
    """ECS takes metric alarms; they name groups and load balancer and not the service, and page nobody (T4)."""
    template = templates[strategy]
    ((key, found),) = of_type(template, "AWS::ECS::Service").items()
    names = found["DeploymentConfiguration"]["Alarms"]["AlarmNames"]
    assert len(names) == 3
    for name in names:
        alarm = template["Resources"][name["Ref"]]
        assert alarm["Type"] == ALARM
        assert key not in json.dumps(alarm)
        assert not {"AlarmActions", "OKActions", "AlarmName"} & set(alarm["Properties"])
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
        assert (alarm["Properties"]["Threshold"], alarm["Properties"]["EvaluationPeriods"]) == (5, 1)


def test_rolling_keeps_its_single_metrics(templates: Mapping[str, Template]) -> None:
    """With one group there is nothing to add up, and a sum costs an alarm's price for each metric: only shares do."""
    several = [one["Metrics"] for one in of_type(templates["ROLLING"], ALARM).values() if "Metrics" in one]
    assert [len(one) - 1 for one in several] == [2, 2, 2, 4, 4]
    assert all("/" in one[-1]["Expression"] for one in several)


def test_before_the_first_release_a_sum_is_quiet_too(templates: Mapping[str, Template]) -> None:
    """Missing data is no fault while nothing is released, also of two groups (Q3)."""
    for few in alarms(templates["Released"], HEALTHY):
        condition, released, not_yet = few["TreatMissingData"]["Fn::If"]
        assert (released, not_yet) == ("breaching", "notBreaching")
        assert few["ActionsEnabled"]["Fn::If"] == [condition, True, False]
        assert few["Threshold"]["Fn::If"][::2] == [condition, -1]


def test_an_alarm_outlasts_a_deployment_that_doubles_the_tasks() -> None:
    """Old and new tasks run side by side while a deployment bakes, so their number says nothing until then (T1)."""
    scope = stack()
    cluster, repository = parts(scope)

    def minutes(policy: DeploymentPolicy, id: str) -> int:
        web = FargateWebService(
            scope,
            id,
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=CHECK,
            deployment=policy,
        )
        (alarm,) = (one for one in web.alarms if one.what == "at-maximum")
        return alarm.threshold.out_of

    blue_green = DeploymentStrategy.BLUE_GREEN
    short = minutes(DeploymentPolicy(strategy=blue_green, bake_minutes=60), "Short")
    assert short > 60
    longest = DeploymentPolicy(strategy=DeploymentStrategy.CANARY, step_minutes=1440, bake_minutes=540)
    assert minutes(longest, "Long") == 1440, "CloudWatch looks at a day at most"
