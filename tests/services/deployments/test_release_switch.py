"""Zero tasks before the first release, and never a desired count after it (lesson Q3)."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, ReleasedDigest
from constructs_lib.services.scaling.capacity import Capacity
from tests.services.conftest import CHECK, PARAMETER, Templates, parts
from tests.support import DIGEST, Template, of_type, only, stack, synthesize

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SERVICE = "AWS::ECS::Service"


def condition(web: Template) -> str:
    """The logical id of the condition that is true after the first release."""
    (name,) = web["Conditions"]
    return str(name)


def resolved(value: Any, released: bool) -> Any:
    """What CloudFormation makes of an Fn::If on the release; ``None`` for a property that it leaves out."""
    if isinstance(value, dict) and "Fn::If" in value:
        _, yes, no = value["Fn::If"]
        chosen = yes if released else no
        return None if chosen == {"Ref": "AWS::NoValue"} else chosen
    return value


def test_before_a_deployment_undoes_scaling(pattern: Template) -> None:
    """Plain CDK writes the desired count, so every update sets back what scaling has done."""
    assert only(pattern, SERVICE)["DesiredCount"] == 2


def test_the_switch_is_the_value_of_the_parameter(web: Template) -> None:
    """The condition compares what the SSM parameter of that name holds with the word for "not released"."""
    (parameter,) = (name for name in web["Parameters"] if name != "BootstrapVersion")
    assert web["Parameters"][parameter]["Default"] == PARAMETER
    assert web["Conditions"][condition(web)] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, "none"]}]}


def test_every_choice_hangs_on_that_switch(web: Template) -> None:
    """Tasks, scaling and image change together: each Fn::If of the template names the one condition."""

    def conditions(value: Any) -> list[str]:
        if isinstance(value, list):
            return [name for item in value for name in conditions(item)]
        if not isinstance(value, dict):
            return []
        own = [value["Fn::If"][0]] if "Fn::If" in value else []
        return own + [name for item in value.values() for name in conditions(item)]

    assert conditions([web["Resources"], web["Outputs"]]) == [condition(web)] * 5


def test_before_the_first_release_nothing_runs(web: Template) -> None:
    """Service and scaling stand at zero, so an empty account deploys without an image."""
    target = only(web, TARGET)
    assert resolved(only(web, SERVICE)["DesiredCount"], released=False) == 0
    assert resolved(target["MinCapacity"], released=False) == 0
    assert resolved(target["MaxCapacity"], released=False) == 0


def test_after_a_release_scaling_alone_decides(web: Template) -> None:
    """The template holds no desired count any more, so a deployment never undoes scaling; the limits are capacity's."""
    target = only(web, TARGET)
    assert "Fn::If" in only(web, SERVICE)["DesiredCount"]
    assert resolved(only(web, SERVICE)["DesiredCount"], released=True) is None
    assert (resolved(target["MinCapacity"], released=True), resolved(target["MaxCapacity"], released=True)) == (2, 10)


def test_an_output_says_whether_something_runs(web: Template) -> None:
    """Who deploys reads that nothing is released yet, or the digest."""
    (output,) = web["Outputs"].values()
    assert "no release yet" in resolved(output["Value"], released=False)
    assert set(resolved(output["Value"], released=True)) == {"Ref"}


def test_a_digest_in_code_has_no_switch(templates: Templates) -> None:
    """With a fixed digest there is neither condition nor desired count; the limits are plain numbers."""
    for name in ("Fixed", "Shared", "Inside"):
        template = templates[name]
        assert "Conditions" not in template
        assert all("DesiredCount" not in service for service in of_type(template, SERVICE).values())
    target = only(templates["Fixed"], TARGET)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 7)


def test_scaling_follows_cpu(web: Template, templates: Templates) -> None:
    """Average CPU is what saturates, and its target leaves headroom (T1)."""
    for template, target in ((web, 50), (templates["Fixed"], 40)):
        tracking = only(template, "AWS::ApplicationAutoScaling::ScalingPolicy")[
            "TargetTrackingScalingPolicyConfiguration"
        ]
        assert tracking["PredefinedMetricSpecification"] == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        assert tracking["TargetValue"] == target


def test_two_alarms_watch_the_service_that_is_scaled() -> None:
    """They name it: CPU well above what scaling aims at, and as many running tasks as it may have (T1)."""
    scope = stack()
    cluster, repository = parts(scope)
    service = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        capacity=Capacity(target_cpu_percent=40),
    )
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=service.alarms, topics=topics)
    template = synthesize(scope)
    alarms = {
        one["Statistic"]: one
        for one in of_type(template, "AWS::CloudWatch::Alarm").values()
        if one.get("Namespace") == "AWS/ECS"
    }
    (cluster_id,), (service_id,) = of_type(template, "AWS::ECS::Cluster"), of_type(template, SERVICE)
    for alarm in alarms.values():
        assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == {
            "ClusterName": {"Ref": cluster_id},
            "ServiceName": {"Fn::GetAtt": [service_id, "Name"]},
        }
    assert {name: (one["MetricName"], one["Threshold"]) for name, one in alarms.items()} == {
        "Average": ("CPUUtilization", 60),
        "SampleCount": ("CPUUtilization", 10),
    }


@pytest.mark.parametrize("image", [ReleasedDigest(PARAMETER), FixedDigest(DIGEST)], ids=["released", "fixed"])
def test_paging_alarms_wait_for_the_release(image: ReleasedDigest | FixedDigest) -> None:
    """They tell nobody while the service stands at zero tasks, and always when the digest is in code (W3)."""
    scope = stack()
    cluster, repository = parts(scope)
    service = FargateWebService(scope, "Web", cluster=cluster, repository=repository, image=image, health_check=CHECK)
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=service.alarms, topics=topics)
    template = synthesize(scope)
    paging = [alarm for alarm in of_type(template, "AWS::CloudWatch::Alarm").values() if "AlarmName" in alarm]
    expected: Any = True
    if isinstance(image, ReleasedDigest):
        expected = {"Fn::If": [condition(template), True, False]}
    assert [alarm["ActionsEnabled"] for alarm in paging] == [expected] * 14
