"""W1c: connections that a load balancer cannot take or cannot make."""

from __future__ import annotations

import json

import pytest
from aws_cdk import App
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns

from tests.guardrails.support import findings, said
from tests.support import DIGEST, stack, synthesize, vpc

ACTIONS = "AlarmActions: [arn:aws:sns:eu-west-1:123456789012:oncall]"
BALANCER = "{Name: LoadBalancer, Value: !GetAtt Balancer.LoadBalancerFullName}"
GROUP = "{Name: TargetGroup, Value: !GetAtt Targets.TargetGroupFullName}"
ZONE = "{Name: AvailabilityZone, Value: eu-west-1a}"
FAIL = [("fail", "Balancer", "")]


def web(
    *,
    balancer: str = "",
    alarm: str = "",
    group: str = "!Ref Targets",
    sender: str = "!Ref Targets",
    service: str = "AWS::ECS::Service",
    more: str = "",
) -> str:
    """A service behind a load balancer, and an alarm's properties."""
    return f"""
Parameters: {{Kind: {{Type: String}}, Other: {{Type: String}}}}
Conditions: {{Never: !Equals [a, b], Maybe: !Equals [!Ref Other, x]}}
Resources:
  Balancer: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {{{balancer}}}}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {{LoadBalancerArn: !Ref Balancer, DefaultActions: [{{Type: forward, TargetGroupArn: {sender}}}]}}
  Targets: {{Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {{Port: 80, Protocol: HTTP}}}}
  Service:
    Type: {service}
    {more}
    Properties: {{LoadBalancers: [{{ContainerName: web, ContainerPort: 80, TargetGroupArn: {group}}}]}}
  Alarm: {{Type: AWS::CloudWatch::Alarm, Properties: {{{alarm}}}}}
"""


def alarm(metric: str, dimensions: str = BALANCER, *, actions: str = ACTIONS, more: str = "") -> str:
    """An alarm on a metric of the load balancer."""
    return f"Namespace: AWS/ApplicationELB, MetricName: {metric}, Dimensions: [{dimensions}], {more}{actions}"


@pytest.mark.parametrize(
    ("properties", "watched"),
    [
        (alarm("RejectedConnectionCount"), True),
        (alarm("RejectedConnectionCount", f"{BALANCER}, {ZONE}"), True),
        (alarm("TargetConnectionErrorCount"), True),
        (alarm("TargetConnectionErrorCount", f"{BALANCER}, {GROUP}"), True),
        (alarm("TargetConnectionErrorCount", f"{BALANCER}, {GROUP}, {ZONE}"), True),
        (alarm("RejectedConnectionCount", f"{BALANCER}, {GROUP}"), False),
        (alarm("TargetConnectionErrorCount", GROUP), False),
        (alarm("TargetConnectionErrorCount", more="ComparisonOperator: LessThanThreshold, "), False),
        (alarm("TargetConnectionErrorCount", actions="ActionsEnabled: true"), False),
        (alarm("ActiveConnectionCount"), False),
        (alarm("HTTPCode_ELB_5XX_Count"), False),
        (alarm("RejectedConnectionCount").replace("AWS/ApplicationELB", "AWS/NetworkELB"), False),
        ("", False),
    ],
)
def test_either_count_of_connections_tells(properties: str, watched: bool) -> None:
    """Refused visitors by the load balancer, refused connections by it or by one of its target groups."""
    assert said(web(alarm=properties), "MOOR-W1c") == ([] if watched else FAIL)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("", "fail"), ("Type: application", "fail"), ("Type: network", None), ("Type: !Ref Kind", "unknown")],
)
def test_only_an_application_load_balancer_has_these_counts(kind: str, status: str | None) -> None:
    """It is the type when none is given."""
    assert [one for one, *_ in said(web(balancer=kind), "MOOR-W1c")] == ([status] if status else [])


def test_a_load_balancer_of_an_unknown_type_with_an_alarm_passes() -> None:
    """The answer does not need the type."""
    template = web(balancer="Type: !Ref Kind", alarm=alarm("RejectedConnectionCount"))
    assert said(template, "MOOR-W1c") == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"group": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/1"}, []),
        ({"group": "!Ref Other"}, []),
        ({"sender": "!Ref Other"}, []),
        ({"service": "AWS::Lambda::Function"}, []),
        ({"more": "Condition: Never"}, []),
        ({"service": "AWS::ECS::TaskSet"}, FAIL),
        ({"group": "!If [Maybe, !Ref Targets, !Ref 'AWS::NoValue']"}, FAIL),
        ({"sender": "!If [Maybe, !Ref Targets, !Ref Other]"}, FAIL),
    ],
)
def test_only_a_load_balancer_that_sends_to_a_service_is_judged(
    change: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    """Others have alarms of other kinds, and whose they are this template does not tell; any branch counts."""
    assert [one[:3] for one in said(web(**change), "MOOR-W1c")] == expected


def test_the_service_may_be_in_another_template_behind_a_rule() -> None:
    """Exports, imports and a listener's rule are followed; the alarm may stand there too."""
    front = """
Resources:
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {LoadBalancerArn: !Ref Balancer, DefaultActions: [{Type: fixed-response}]}
Outputs:
  Listener: {Value: !Ref Listener, Export: {Name: listener}}
  Name: {Value: !GetAtt Balancer.LoadBalancerFullName, Export: {Name: balancer}}
"""
    service = """
Resources:
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !ImportValue listener
      Actions: [{Type: forward, ForwardConfig: {TargetGroups: [{TargetGroupArn: !Ref Targets}]}}]
  Targets: {Type: AWS::ElasticLoadBalancingV2::TargetGroup}
  Service: {Type: AWS::ECS::Service, Properties: {LoadBalancers: [{TargetGroupArn: !Ref Targets}]}}
"""
    assert said({"front.yaml": front, "service.yaml": service}, "MOOR-W1c") == FAIL
    watched = alarm("TargetConnectionErrorCount", "{Name: LoadBalancer, Value: !ImportValue balancer}")
    service += f"  Alarm: {{Type: AWS::CloudWatch::Alarm, Properties: {{{watched}}}}}\n"
    assert said({"front.yaml": front, "service.yaml": service}, "MOOR-W1c") == []


def test_an_alarm_under_a_condition_that_nothing_decides_is_unknown() -> None:
    """It may be there or not."""
    template = web(alarm=alarm("RejectedConnectionCount")).replace(
        "Alarm: {Type: AWS::CloudWatch::Alarm,", "Alarm: {Type: AWS::CloudWatch::Alarm, Condition: Maybe,"
    )
    assert [one.status for one in findings(template, "MOOR-W1c")] == ["unknown"]


def test_before_the_pattern_of_cdk_has_no_alarm_on_connections() -> None:
    """Nor any other; the rule names the load balancer."""
    scope = stack(App(), "Before")
    patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        vpc=vpc(scope),
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry(f"public.ecr.aws/docker/library/nginx@{DIGEST}")
        ),
    )
    template = json.dumps(synthesize(scope))
    assert [(one.status, one.logical_id[:5]) for one in findings(template, "MOOR-W1c")] == [("fail", "WebLB")]
