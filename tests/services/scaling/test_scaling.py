"""A capacity on any Fargate service: limits, targets, schedules, and what our rules say of it (lessons T1, T4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.guardrails.check import check
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, ReleasedDigest
from constructs_lib.services.scaling.capacity import Capacity, Peak, ScheduledCapacity
from constructs_lib.services.scaling.scaling import check_zones, scale
from constructs_lib.services.traffic.ingress import SharedListener
from tests.services.conftest import CHECK, PARAMETER, parts
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, references, refused, stack, synthesize, vpc

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
LISTENER_ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
BALANCER_ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188"

FULL = Capacity(
    min_tasks=4,
    max_tasks=9,
    target_cpu_percent=45,
    target_memory_percent=70,
    target_requests_per_minute=720,
    scale_out_cooldown_seconds=30,
    scale_in_cooldown_seconds=600,
    scheduled=(
        ScheduledCapacity(name="day", schedule="cron(0 8 ? * MON-FRI *)", time_zone="Europe/Dublin", min_tasks=6,
                          max_tasks=20),
        ScheduledCapacity(name="night", schedule="cron(30 20 * * ? *)", min_tasks=2, max_tasks=5),
    ),
)  # fmt: skip


def plain(scope: Stack, network: ec2.IVpc | None = None) -> ecs.FargateService:
    """A service of somebody else, in plain CDK."""
    cluster = ecs.Cluster(scope, "Cluster", vpc=network or vpc(scope))
    task = ecs.FargateTaskDefinition(scope, "Task")
    image = ecs.ContainerImage.from_registry(f"busybox@{DIGEST}")
    task.add_container("web", image=image, port_mappings=[ecs.PortMapping(container_port=8080)])
    return ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task)


def behind(scope: Stack, service: ecs.FargateService) -> elbv2.ApplicationTargetGroup:
    """A load balancer of theirs before it."""
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=service.cluster.vpc)
    return balancer.add_listener("Http", port=80, open=False).add_targets("Web", port=80, targets=[service])


@pytest.fixture(scope="module", params=FLAG_SETS)
def alone(request: pytest.FixtureRequest) -> Template:
    """A plain service that is scaled by a capacity with everything set."""
    scope = stack(App(context=request.param))
    service = plain(scope)
    scale(service, FULL, target_group=behind(scope, service))
    return synthesize(scope)


def tracking(template: Template) -> dict[str, dict[str, Any]]:
    """What each policy tracks, by AWS's name of the metric."""
    found = {}
    for policy in of_type(template, POLICY).values():
        configuration = policy["TargetTrackingScalingPolicyConfiguration"]
        found[configuration["PredefinedMetricSpecification"]["PredefinedMetricType"]] = configuration
    return found


def test_a_plain_service_gets_all_of_a_capacity(alone: Template) -> None:
    """Limits, three targets and both cool-downs, on a service that is none of ours (T1)."""
    target = only(alone, TARGET)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (4, 9)
    policies = tracking(alone)
    assert {name: one["TargetValue"] for name, one in policies.items()} == {
        "ECSServiceAverageCPUUtilization": 45,
        "ECSServiceAverageMemoryUtilization": 70,
        "ALBRequestCountPerTarget": 720,
    }
    assert {(one["ScaleOutCooldown"], one["ScaleInCooldown"]) for one in policies.values()} == {(30, 600)}
    assert not any(one.get("DisableScaleIn") for one in policies.values())


def test_requests_are_those_of_the_services_own_target_group(alone: Template) -> None:
    """The label is the load balancer's name and the target group's, and no other policy has one (T1)."""
    policies = tracking(alone)
    label = policies["ALBRequestCountPerTarget"]["PredefinedMetricSpecification"]["ResourceLabel"]["Fn::Join"]
    (listener,) = of_type(alone, "AWS::ElasticLoadBalancingV2::Listener")
    (targets,) = of_type(alone, "AWS::ElasticLoadBalancingV2::TargetGroup")
    part = {"Fn::Split": ["/", {"Ref": listener}]}
    name = [{"Fn::Select": [number, part]} for number in (1, 2, 3)]  # of …:listener/app/<name>/<id>/<listener>
    full_name = {"Fn::GetAtt": [targets, "TargetGroupFullName"]}
    assert label == ["", [name[0], "/", name[1], "/", name[2], "/", full_name]]
    assert [metric for metric, one in policies.items() if "ResourceLabel" in one["PredefinedMetricSpecification"]] == [
        "ALBRequestCountPerTarget"
    ]


def test_requests_are_tracked_after_the_load_balancer_knows_the_target_group(alone: Template) -> None:
    """AWS refuses the label of a target group that no service is behind: the policy waits for the service (T1)."""
    (policy,) = (one for one in of_type(alone, POLICY).values() if "Requests" in one["PolicyName"])
    (target,), (service,) = of_type(alone, TARGET), of_type(alone, "AWS::ECS::Service")
    (listener,) = of_type(alone, "AWS::ElasticLoadBalancingV2::Listener")
    assert policy["ScalingTargetId"] == {"Ref": target}
    assert service in references(only(alone, TARGET)["ResourceId"]["Fn::Join"][1])
    assert listener in alone["Resources"][service]["DependsOn"]


def test_schedules_set_other_limits(alone: Template) -> None:
    """Each with its clock's time zone, as AWS takes it (T1)."""
    assert only(alone, TARGET)["ScheduledActions"] == [
        {
            "ScheduledActionName": "day",
            "Schedule": "cron(0 8 ? * MON-FRI *)",
            "Timezone": "Europe/Dublin",
            "ScalableTargetAction": {"MinCapacity": 6, "MaxCapacity": 20},
        },
        {
            "ScheduledActionName": "night",
            "Schedule": "cron(30 20 * * ? *)",
            "Timezone": "UTC",
            "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 5},
        },
    ]


def test_by_default_only_cpu_is_tracked_and_the_number_of_tasks_does_not_flap() -> None:
    """No target on memory, which a Python process does not give back; tasks come within a minute and go after five."""
    scope = stack()
    scale(plain(scope), Capacity())
    template = synthesize(scope)
    ((name, one),) = tracking(template).items()
    assert (name, one["TargetValue"]) == ("ECSServiceAverageCPUUtilization", 50)
    assert (one["ScaleOutCooldown"], one["ScaleInCooldown"]) == (60, 300)
    assert "ScheduledActions" not in only(template, TARGET)


def test_requests_without_a_target_group_are_refused() -> None:
    """A service without a load balancer has no requests to count."""
    service = plain(stack())
    refused(lambda: scale(service, FULL), "target_group", None, "given for a target on requests")


def zoned(scope: Stack, zones: int) -> ec2.IVpc:
    """A VPC of somebody else over so many zones."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=[f"eu-west-1{letter}" for letter in "abcdef"[:zones]],
        private_subnet_ids=[f"subnet-{number}" for number in range(zones)],
    )


@pytest.mark.parametrize(("zones", "counted", "fits"), [(2, 2, True), (3, 2, True), (3, 3, True), (2, 3, False)])
def test_a_peak_counts_on_no_more_zones_than_there_are(zones: int, counted: int, fits: bool) -> None:
    """With two zones the loss of one takes half of the tasks, whatever was computed for three (T1)."""
    scope = stack()
    service = plain(scope, zoned(scope, zones))
    capacity = replace(
        Capacity.for_peak(requests_per_second=90, per_task=30, az_count=counted), target_requests_per_minute=None
    )
    if fits:
        scale(service, capacity)
        assert only(synthesize(scope), TARGET)["MinCapacity"] == capacity.min_tasks
    else:
        refused(lambda: scale(service, capacity), "az_count", 3, "at most 2, the zones of the VPC")


def test_zones_that_are_not_known_yet_are_trusted() -> None:
    """A list that comes from another stack's output cannot be counted."""
    peak = Peak(requests_per_second=90, per_task=30, az_count=3)
    check_zones(peak, ["#{Token[TOKEN.1]}"])
    refused(lambda: check_zones(peak, ["a", "a", "b"]), "az_count", 3, "at most 2")


def released(scope: Stack, **changes: Any) -> FargateWebService:
    """Our service, whose digest comes from a parameter."""
    cluster, repository = parts(scope)
    values: dict[str, Any] = {"image": ReleasedDigest(PARAMETER), "health_check": CHECK, "capacity": FULL, **changes}
    return FargateWebService(scope, "Web", cluster=cluster, repository=repository, **values)


def chosen(value: Any) -> Iterator[list[Any]]:
    """All choices that a part of a template makes."""
    if isinstance(value, list):
        for item in value:
            yield from chosen(item)
    elif isinstance(value, dict):
        if "Fn::If" in value:
            yield value["Fn::If"]
        for item in value.values():
            yield from chosen(item)


def test_no_schedule_starts_a_task_before_the_first_release() -> None:
    """The limits of every schedule are zero until then, as the target's own are (Q3, T1)."""
    scope = stack()
    released(scope)
    target = only(synthesize(scope), TARGET)
    (condition,) = {choice[0] for choice in chosen(target)}
    limits = [target, *(action["ScalableTargetAction"] for action in target["ScheduledActions"])]
    assert [(limit["MinCapacity"], limit["MaxCapacity"]) for limit in limits] == [
        ({"Fn::If": [condition, low, 0]}, {"Fn::If": [condition, high, 0]}) for low, high in ((4, 9), (6, 20), (2, 5))
    ]


@pytest.mark.parametrize("strategy", [s for s in DeploymentStrategy if s is not DeploymentStrategy.ROLLING])
def test_requests_are_tracked_only_where_one_target_group_has_them_all(strategy: DeploymentStrategy) -> None:
    """Deployments change which of two target groups has the requests; AWS does not support the metric then (T1)."""
    refused(
        lambda: released(stack(), deployment=DeploymentPolicy(strategy=strategy)), "strategy", strategy.value, "ROLLING"
    )


def test_requests_on_a_listener_of_somebody_else_can_be_tracked() -> None:
    """The load balancer's part of the label is then read from the listener's ARN (T1)."""
    scope = stack()
    network = vpc(scope)
    group = ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-0123456789abcdef0")
    cluster = ecs.Cluster(scope, "Cluster", vpc=network)
    FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=ecr.Repository(scope, "Images"),
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        capacity=Capacity(target_requests_per_minute=600),
        ingress=SharedListener(
            load_balancer=elbv2.ApplicationLoadBalancer.from_application_load_balancer_attributes(
                scope, "Balancer", load_balancer_arn=BALANCER_ARN, security_group_id="sg-0123456789abcdef0", vpc=network
            ),
            listener=elbv2.ApplicationListener.from_application_listener_attributes(
                scope, "Listener", listener_arn=LISTENER_ARN, security_group=group
            ),
            priority=1,
            conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
        ),
    )
    template = synthesize(scope)
    specification = tracking(template)["ALBRequestCountPerTarget"]["PredefinedMetricSpecification"]
    (targets,) = of_type(template, "AWS::ElasticLoadBalancingV2::TargetGroup")
    full_name = {"Fn::GetAtt": [targets, "TargetGroupFullName"]}
    assert specification["ResourceLabel"] == {"Fn::Join": ["", ["app/shop/50dc6c495c0c9188/", full_name]]}


@pytest.fixture(scope="module", params=FLAG_SETS)
def findings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What our rules say of one service, scaled as people write it and by a capacity; by stack."""
    app = App(context=request.param, outdir=str(tmp_path_factory.mktemp("scaled") / "cdk.out"))
    before = stack(app, "Before")
    cluster, repository = parts(before)
    pattern = patterns.ApplicationLoadBalancedFargateService(
        before,
        "Web",
        cluster=cluster,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_ecr_repository(repository), container_port=8080
        ),
    )
    scaling = pattern.service.auto_scale_task_count(max_capacity=10)
    scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=90)
    after = stack(app, "After")
    capacity = Capacity.for_peak(requests_per_second=60, per_task=30, az_count=2, scheduled=FULL.scheduled)
    service = released(after, capacity=capacity)
    topics = NotificationTopics(after, "Topics")
    Alarms(after, "Alarms", application="shop", environment="staging", specs=service.alarms, topics=topics)
    app.synth()
    report = check([Path(app.outdir)])
    assert report.problems == ()
    return {
        name: sorted({one.rule for one in report.findings if Path(one.file).name.startswith(name)})
        for name in ("Before", "After")
    }


def test_before_scaling_starts_late_from_one_task_and_tells_nobody(findings: Mapping[str, list[str]]) -> None:
    """A target of 90 % leaves no room, nobody hears of the maximum, and one task is left; our rules say so (T1, T4)."""
    assert {"MOOR-T1a", "MOOR-T1b", "MOOR-T4e"} <= set(findings["Before"])


def test_after_our_rules_find_nothing_about_capacity(findings: Mapping[str, list[str]]) -> None:
    """Room above the minimum, two zones' worth of tasks, and alarms at the maximum (T1, T4)."""
    assert [rule for rule in findings["After"] if rule.startswith(("MOOR-T1", "MOOR-T4e"))] == []
