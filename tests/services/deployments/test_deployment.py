"""Deployments in the template, beside what plain CDK makes; and with a plain ``ecs.FargateService`` (lesson T4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.guardrails.check import check
from constructs_lib.services.deployments.deployment import apply_deployment, deployment_alarms, deployment_configuration
from constructs_lib.services.deployments.deployment_policy import (
    DeploymentPolicy,
    DeploymentStrategy,
    default_threshold,
)
from constructs_lib.services.deployments.traffic_shift import both_groups, shift_traffic
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, ReleasedDigest
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.traffic.ingress import OwnLoadBalancer, SharedListener
from tests.guardrails.support import findings
from tests.services.conftest import CERTIFICATE, CHECK, PARAMETER, parts
from tests.support import (
    DIGEST,
    FLAG_SETS,
    Template,
    listed,
    of_type,
    only,
    refused,
    stack,
    statements,
    synthesize,
    vpc,
)

ROLLING, BLUE_GREEN, CANARY, LINEAR = DeploymentStrategy
SERVICE = "AWS::ECS::Service"
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def web(scope: Stack, strategy: DeploymentStrategy, id: str = "Web", **changes: Any) -> FargateWebService:
    """A service that deploys by a strategy."""
    cluster, repository = parts(scope)
    values: dict[str, Any] = {"image": FixedDigest(DIGEST), "health_check": CHECK, **changes}
    policy = DeploymentPolicy(strategy=strategy)
    return FargateWebService(scope, id, cluster=cluster, repository=repository, deployment=policy, **values)


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest) -> Mapping[str, Template]:
    """A service for each strategy, and one whose digest comes from a parameter, synthesized once for each flag set."""
    app = App(context=request.param)
    for strategy in DeploymentStrategy:
        web(stack(app, strategy.value.replace("_", "-")), strategy)
    released = ReleasedDigest(PARAMETER)
    https = OwnLoadBalancer(certificate_arn=CERTIFICATE)
    web(stack(app, "Released"), BLUE_GREEN, image=released, capacity=Capacity(min_tasks=9, max_tasks=20), ingress=https)
    return {one.stack_name.replace("-", "_"): one.template for one in app.synth().stacks}


def configuration(template: Template) -> dict[str, Any]:
    """The service's own, without the alarms, which have tests of their own."""
    found = dict(only(template, SERVICE)["DeploymentConfiguration"])
    assert found.pop("Alarms")["Rollback"] is True
    assert (found.pop("MinimumHealthyPercent"), found.pop("MaximumPercent")) == (100, 200)
    return found


def test_before_the_breaker_waits_for_half_of_what_scaling_has_made() -> None:
    """Plain CDK can turn the breaker on and not say when: at noon, with 60 tasks, that is after 30 (T4)."""
    scope = stack()
    cluster, _ = parts(scope)
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("web", image=ecs.ContainerImage.from_registry("web"))
    breaker = ecs.DeploymentCircuitBreaker(rollback=True)
    ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task, circuit_breaker=breaker)
    found = only(synthesize(scope), SERVICE)["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert found == {"Enable": True, "Rollback": True}
    assert default_threshold(60) == 30


def test_before_our_rule_finds_a_pattern_without_breaker(pattern: Template) -> None:
    """The pattern of plain CDK starts a broken release again and again; MOOR-T4b says so (T4)."""
    assert [one.rule for one in findings(json.dumps(pattern), "MOOR-T4b")] == ["MOOR-T4b"]


def test_after_a_rolling_deployment_goes_back_after_three_failures(made: Mapping[str, Template]) -> None:
    """The limit is a number, whatever scaling has made, and a healthy task does not start the count anew (T4)."""
    assert configuration(made["ROLLING"]) == {
        "Strategy": "ROLLING",
        "DeploymentCircuitBreaker": {
            "Enable": True,
            "Rollback": True,
            "ResetOnHealthyTask": False,
            "ThresholdConfiguration": {"Type": "COUNT", "Value": 3},
        },
    }


@pytest.mark.parametrize(
    ("strategy", "more"),
    [
        ("BLUE_GREEN", {}),
        ("CANARY", {"CanaryConfiguration": {"CanaryPercent": 10, "CanaryBakeTimeInMinutes": 10}}),
        ("LINEAR", {"LinearConfiguration": {"StepPercent": 20, "StepBakeTimeInMinutes": 5}}),
    ],
)
def test_the_others_shift_bake_and_promise_no_breaker(
    made: Mapping[str, Template], strategy: str, more: dict[str, Any]
) -> None:
    """The API reference has the circuit breaker for rolling deployments only, so it is not in the template (T4)."""
    assert configuration(made[strategy]) == {"Strategy": strategy, "BakeTimeInMinutes": 10, **more}
    assert only(made[strategy], SERVICE)["AvailabilityZoneRebalancing"] == "ENABLED"
    assert only(made[strategy], SERVICE).get("DeploymentController", {"Type": "ECS"}) == {"Type": "ECS"}


def test_rolling_has_one_target_group_and_no_rule(made: Mapping[str, Template]) -> None:
    """Nothing of the other strategies is there unless it is asked for (T4)."""
    template = made["ROLLING"]
    assert len(of_type(template, GROUP)) == 1
    assert not of_type(template, RULE)
    (balancer,) = only(template, SERVICE)["LoadBalancers"]
    assert "AdvancedConfiguration" not in balancer
    assert "elasticloadbalancing" not in json.dumps(of_type(template, "AWS::IAM::Role"))


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR", "Released"])
def test_two_groups_stand_behind_one_rule(made: Mapping[str, Template], strategy: str) -> None:
    """The rule for every path leads to both groups from the beginning, 1 to 0; ECS is told of it (T4)."""
    template = made[strategy]
    (balancer,) = only(template, SERVICE)["LoadBalancers"]
    first, second = balancer["TargetGroupArn"]["Ref"], balancer["AdvancedConfiguration"]["AlternateTargetGroupArn"]
    assert {first, second["Ref"]} == set(of_type(template, GROUP))
    assert first != second["Ref"]
    one, other = (of_type(template, GROUP)[key] for key in (first, second["Ref"]))
    assert one == other, "tasks must be healthy by the same check in both"
    ((name, rule),) = of_type(template, RULE).items()
    assert balancer["AdvancedConfiguration"]["ProductionListenerRule"] == {"Ref": name}
    (action,) = rule["Actions"]
    assert action["Type"] == "forward"
    assert action["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": {"Ref": first}, "Weight": 1},
        {"TargetGroupArn": second, "Weight": 0},
    ]
    (condition,) = rule["Conditions"]
    assert (condition["Field"], condition["PathPatternConfig"]["Values"]) == ("path-pattern", ["/*"])
    listener = of_type(template, "AWS::ElasticLoadBalancingV2::Listener")[rule["ListenerArn"]["Ref"]]
    assert listener["Port"] == (443 if strategy == "Released" else 80), "the one that passes requests on"
    (service,) = (value for value in template["Resources"].values() if value["Type"] == SERVICE)
    assert name in service["DependsOn"]


def test_a_zero_before_the_first_release_does_not_reach_the_breaker_or_the_rule(made: Mapping[str, Template]) -> None:
    """A release changes neither: CloudFormation would set the rule back to the first group (T4, Q3)."""
    template = made["Released"]
    assert "Fn::If" not in json.dumps(only(template, SERVICE)["DeploymentConfiguration"])
    assert "Fn::If" not in json.dumps(of_type(template, RULE))
    assert "Fn::If" not in json.dumps(of_type(template, GROUP))


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_the_role_that_ecs_shifts_with_can_do_nothing_else(made: Mapping[str, Template], strategy: str) -> None:
    """It changes one rule and the targets of two groups; only descriptions are on `*`, because they take none (T4)."""
    template = made[strategy]
    (balancer,) = only(template, SERVICE)["LoadBalancers"]
    role = balancer["AdvancedConfiguration"]["RoleArn"]["Fn::GetAtt"][0]
    (rule,) = of_type(template, RULE)
    may: dict[str, Any] = {}
    for statement in statements(template, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            may[action.removeprefix("elasticloadbalancing:")] = statement["Resource"]
    for action in ("RegisterTargets", "DeregisterTargets"):
        may[action] = {one["Ref"] for one in may[action]}
    both = {balancer["TargetGroupArn"]["Ref"], balancer["AdvancedConfiguration"]["AlternateTargetGroupArn"]["Ref"]}
    assert may == {
        **dict.fromkeys(("DescribeListeners", "DescribeRules", "DescribeTargetGroups", "DescribeTargetHealth"), "*"),
        **dict.fromkeys(("RegisterTargets", "DeregisterTargets"), both),
        "ModifyRule": {"Ref": rule},
    }
    properties = template["Resources"][role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "ecs.amazonaws.com"}


def test_before_cdk_gives_ecs_every_load_balancer_of_the_account() -> None:
    """CDK's own role has AWS's managed policy, for all target groups, listeners and rules (T4)."""
    scope = stack()
    service, groups, rule = plain(scope)
    target = ecs.AlternateTarget(
        "Alternate",
        alternate_target_group=groups[1],
        production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(rule),
    )
    groups[0].add_target(service.load_balancer_target(container_name="web", alternate_target=target))
    assert "AmazonECSInfrastructureRolePolicyForLoadBalancers" in json.dumps(synthesize(scope))


def plain(
    scope: Stack,
) -> tuple[ecs.FargateService, list[elbv2.ApplicationTargetGroup], elbv2.ApplicationListenerRule]:
    """A service, two target groups and a rule, as anybody's stack has them."""
    network = vpc(scope)
    cluster = ecs.Cluster(scope, "Cluster", vpc=network)
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container(
        "web",
        image=ecs.ContainerImage.from_registry("web"),
        port_mappings=[ecs.PortMapping(container_port=8080)],
    )
    service = ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task, min_healthy_percent=100)
    groups = [
        elbv2.ApplicationTargetGroup(scope, name, vpc=network, port=8080, target_type=elbv2.TargetType.IP)
        for name in ("Blue", "Green")
    ]
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=network)
    listener = balancer.add_listener("Listener", port=80, open=False, default_target_groups=[groups[0]])
    rule = elbv2.ApplicationListenerRule(
        scope,
        "Rule",
        listener=listener,
        priority=1,
        conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
        action=both_groups(groups[0], groups[1]),
    )
    return service, groups, rule


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_each_part_works_with_a_plain_service(flags: dict[str, Any]) -> None:
    """Policy, alarms and shift on an `ecs.FargateService` of somebody else (T4)."""
    app = App(context=flags)
    scope = stack(app)
    service, groups, rule = plain(scope)
    policy = DeploymentPolicy(strategy=LINEAR, step_percent=12.5, step_minutes=2, bake_minutes=30)
    apply_deployment(service, policy, min_tasks=4)
    alarms = deployment_alarms(
        scope, load_balancer="app/a/1", target_groups=[one.target_group_full_name for one in groups], shared=False
    )
    service.enable_deployment_alarms(alarms.alarm_names, behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM)
    shift_traffic(scope, service, container="web", target_group=groups[0], alternate=groups[1], rule=rule)
    made = app.synth().get_stack_by_name(scope.stack_name)
    found = only(made.template, SERVICE)
    assert found["DeploymentConfiguration"]["Strategy"] == "LINEAR"
    assert found["DeploymentConfiguration"]["BakeTimeInMinutes"] == 30
    assert found["DeploymentConfiguration"]["LinearConfiguration"] == {"StepPercent": 12.5, "StepBakeTimeInMinutes": 2}
    assert len(found["DeploymentConfiguration"]["Alarms"]["AlarmNames"]) == 3
    assert found["LoadBalancers"][0]["AdvancedConfiguration"]["ProductionListenerRule"]
    assert not [one for one in made.messages if "CircuitBreaker" in str(one.entry.data)], "CDK's warning is answered"


@pytest.mark.parametrize("groups", ["targetgroup/web/1", []])
def test_alarms_of_no_target_group_are_refused(groups: Any) -> None:
    """A text would be taken for a list of its letters, and the alarms would never see a value (T4)."""
    scope = stack()
    refused(
        lambda: deployment_alarms(scope, load_balancer="app/a/1", target_groups=groups, shared=False),
        "target_groups",
        groups,
        "a list of one or two full names",
    )


def test_a_plain_service_rolls_by_the_policy() -> None:
    """The breaker's limit comes without any argument of CDK's service (T4)."""
    scope = stack()
    service, _, _ = plain(scope)
    apply_deployment(service, DeploymentPolicy(), min_tasks=11)
    breaker = only(synthesize(scope), SERVICE)["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert (breaker["Enable"], breaker["Rollback"], breaker["ThresholdConfiguration"]["Value"]) == (True, True, 6)


def test_a_rolling_deployment_bakes_by_its_alarms() -> None:
    """Without a number ECS takes a time of its own from the alarms, and CloudFormation waits three hours at most."""
    assert "BakeTimeInMinutes" not in deployment_configuration(DeploymentPolicy(), 2)


def test_a_shared_listener_shifts_by_its_rule() -> None:
    """The service's own rule leads to both groups; the neighbours' rules are not touched, nor can they be (T4)."""
    scope = stack()
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=vpc(stack(name="Other")))
    listener = balancer.add_listener(
        "Listener", port=80, open=False, default_action=elbv2.ListenerAction.fixed_response(404)
    )
    shared = SharedListener(
        load_balancer=balancer,
        listener=listener,
        priority=7,
        conditions=[elbv2.ListenerCondition.path_patterns(["/one/*"])],
    )
    web(scope, CANARY, ingress=shared)
    template = synthesize(scope)
    ((name, rule),) = of_type(template, RULE).items()
    assert (rule["Priority"], rule["Conditions"][0]["PathPatternConfig"]["Values"]) == (7, ["/one/*"])
    assert [one["Weight"] for one in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]] == [1, 0]
    (used,) = only(template, SERVICE)["LoadBalancers"]
    assert used["AdvancedConfiguration"]["ProductionListenerRule"] == {"Ref": name}


@pytest.mark.parametrize("strategy", [BLUE_GREEN, CANARY, LINEAR])
def test_scaling_by_requests_is_refused_beside_two_groups(strategy: DeploymentStrategy) -> None:
    """The metric belongs to one group; after a swap scaling would see no requests and take tasks away (T1, T4)."""
    scope = stack()
    capacity = Capacity(target_requests_per_minute=1000)
    refused(lambda: web(scope, strategy, capacity=capacity), "strategy", strategy.value, "scaled by requests")
    assert not scope.node.try_find_child("Web")
    web(stack(), ROLLING, capacity=capacity)


def test_the_service_tells_what_a_release_must_know() -> None:
    """The second group and the role by which ECS shifts; a rolling service has neither (T4)."""
    shifting, rolling = web(stack(), BLUE_GREEN), web(stack(), ROLLING)
    assert shifting.alternate_target_group is not None
    assert shifting.traffic_role is not None
    assert (rolling.alternate_target_group, rolling.traffic_role) == (None, None)


@pytest.mark.parametrize("strategy", ["ROLLING", "BLUE_GREEN", "CANARY", "LINEAR"])
def test_after_our_rules_on_fail_over_find_nothing(made: Mapping[str, Template], strategy: str) -> None:
    """Breaker, healthy percent, alarms and health checks stand as the rules of T4 ask (T4)."""
    assert [one.rule for one in findings(json.dumps(made[strategy]), "MOOR-T4")] == []


def test_what_rules_ask_of_a_target_group_is_answered_at_both(tmp_path: Path) -> None:
    """The drain is shorter than the load balancer's idle time-out at both, and the budget says why at both (T3, Q8)."""
    app = App(outdir=str(tmp_path / "cdk.out"))
    web(stack(app, "Shifting"), LINEAR)
    app.synth()
    report = check([tmp_path / "cdk.out"])
    assert [one.message for one in report.findings if one.rule.startswith(("MOOR-T3", "MOOR-Q8"))] == []
    assert report.accepted == 3


def test_three_resources_more_than_rolling(made: Mapping[str, Template]) -> None:
    """A second group, a rule and a role: of 500 in a stack this is what a service costs more (T4)."""
    assert len(made["CANARY"]["Resources"]) - len(made["ROLLING"]["Resources"]) == 3
