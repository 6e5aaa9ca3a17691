"""W3: partial failures that customers see first."""

from __future__ import annotations

import pytest

from tests.guardrails.support import said

ACTIONS = "AlarmActions: [arn:aws:sns:eu-west-1:123456789012:oncall]"


def targets(properties: str = "", alarm: str = "") -> str:
    """A target group, and an alarm's properties."""
    return f"""
Parameters: {{Kind: {{Type: String}}}}
Resources:
  Targets: {{Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {{{properties}}}}}
  Balancer: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {{Type: network}}}}
  Alarm: {{Type: AWS::CloudWatch::Alarm, Properties: {{{alarm}}}}}
"""


GROUP = "{Name: TargetGroup, Value: !GetAtt Targets.TargetGroupFullName}"
BALANCER = "{Name: LoadBalancer, Value: !GetAtt Balancer.LoadBalancerFullName}"
ZONE = "{Name: AvailabilityZone, Value: eu-west-1a}"
ABOVE, BELOW = "GreaterThanThreshold", "LessThanThreshold"


@pytest.mark.parametrize(
    ("metric", "operator", "watched"),
    [
        ("UnHealthyHostCount", ABOVE, True),
        ("UnHealthyHostCount", BELOW, False),
        ("HealthyHostCount", ABOVE, False),
        ("HealthyHostCount", BELOW, True),
    ],
)
def test_either_count_of_hosts_tells(metric: str, operator: str, watched: bool) -> None:
    """Too few healthy targets or any unhealthy one; the other way round it goes off when all is well."""
    more = f"Namespace: AWS/ApplicationELB, ComparisonOperator: {operator}"
    alarm = f"MetricName: {metric}, {more}, Dimensions: [{GROUP}, {BALANCER}], {ACTIONS}"
    assert said(targets("Port: 80", alarm), "MOOR-W3a") == ([] if watched else [("fail", "Targets", "")])


@pytest.mark.parametrize(
    ("dimensions", "watched"),
    [
        (f"{GROUP}, {BALANCER}", True),
        (f"{GROUP}, {BALANCER}, {ZONE}", True),
        (GROUP, False),
        (f"{GROUP}, {ZONE}", False),
        (f"{GROUP}, {BALANCER}, {{Name: Service, Value: x}}", False),
        (f"{GROUP}, {BALANCER.replace('FullName', 'Name')}", False),
        (f"{GROUP}, {{Name: LoadBalancer, Value: !Ref Kind}}", True),
    ],
)
def test_a_target_groups_metrics_are_there_by_its_balancer(dimensions: str, watched: bool) -> None:
    """By both together, and by their availability zone if wanted; no other combination has data."""
    alarm = f"Namespace: AWS/ApplicationELB, MetricName: UnHealthyHostCount, Dimensions: [{dimensions}], {ACTIONS}"
    assert said(targets("Port: 80", alarm), "MOOR-W3a") == ([] if watched else [("fail", "Targets", "")])


@pytest.mark.parametrize(
    ("protocol", "namespace", "watched"),
    [
        ("Protocol: HTTP", "AWS/ApplicationELB", True),
        ("Protocol: HTTP", "AWS/NetworkELB", False),
        ("Protocol: TCP", "AWS/NetworkELB", True),
        ("Protocol: TCP", "AWS/ApplicationELB", False),
        ("Protocol: !Ref Kind", "AWS/NetworkELB", True),
        ("", "AWS/ELB", False),
    ],
)
def test_the_namespace_is_that_of_the_kind_of_balancer(protocol: str, namespace: str, watched: bool) -> None:
    """The group's protocol tells the kind; where it does not, either may be right."""
    alarm = f"Namespace: {namespace}, MetricName: UnHealthyHostCount, Dimensions: [{GROUP}, {BALANCER}], {ACTIONS}"
    assert said(targets(protocol, alarm), "MOOR-W3a") == ([] if watched else [("fail", "Targets", "")])


@pytest.mark.parametrize(
    ("properties", "status"),
    [("", "fail"), ("TargetType: ip", "fail"), ("TargetType: !Ref Kind", "fail"), ("TargetType: lambda", None)],
)
def test_a_target_group_without_an_alarm_fails(properties: str, status: str | None) -> None:
    """One with a Lambda function has no hosts."""
    assert said(targets(properties), "MOOR-W3a") == ([(status, "Targets", "")] if status else [])


def test_an_alarm_on_the_balancer_is_none_on_its_target_group() -> None:
    """The dimension tells which of them is watched."""
    dimensions = "[{Name: LoadBalancer, Value: !GetAtt Targets.TargetGroupFullName}]"
    alarm = f"Namespace: AWS/ApplicationELB, MetricName: UnHealthyHostCount, Dimensions: {dimensions}, {ACTIONS}"
    assert said(targets("", alarm), "MOOR-W3a") == [("fail", "Targets", "")]


def balancer(properties: str, alarm: str = "") -> str:
    """A load balancer with a listener, and an alarm's dimension."""
    return f"""
Parameters: {{Kind: {{Type: String}}, Default: {{Type: String, Default: network}}}}
Resources:
  Balancer: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {{{properties}}}}}
  Listener: {{Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {{LoadBalancerArn: !Ref Balancer}}}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/ApplicationELB
      MetricName: HTTPCode_ELB_5XX_Count
      {ACTIONS}
      Dimensions: [{alarm}]
"""


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ("", "fail"),
        ("Type: application", "fail"),
        ("Type: network", None),
        ("Type: gateway", None),
        ("Type: !Ref Default", None),
        ("Type: !Ref Kind", "unknown"),
    ],
)
def test_an_application_load_balancer_without_an_alarm_fails(properties: str, status: str | None) -> None:
    """That is the type when none is given; the others answer nothing themselves."""
    assert [one for one, *_ in said(balancer(properties), "MOOR-W3b")] == ([status] if status else [])


def test_a_balancer_of_an_unknown_type_with_an_alarm_passes() -> None:
    """The answer does not need the type."""
    alarm = "{Name: LoadBalancer, Value: !GetAtt Balancer.LoadBalancerFullName}"
    assert said(balancer("Type: !Ref Kind", alarm), "MOOR-W3b") == []


def test_an_alarm_may_name_the_balancer_by_its_listener() -> None:
    """CDK takes the name out of the listener's ARN."""
    part = "!Select [{}, !Split ['/', !Ref Listener]]"
    name = f"!Join ['/', [{part.format(1)}, {part.format(2)}, {part.format(3)}]]"
    assert said(balancer("", f"{{Name: LoadBalancer, Value: {name}}}"), "MOOR-W3b") == []
