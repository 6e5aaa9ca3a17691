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


@pytest.mark.parametrize("metric", ["UnHealthyHostCount", "HealthyHostCount"])
@pytest.mark.parametrize("operator", ["GreaterThanThreshold", "LessThanThreshold"])
def test_either_count_of_hosts_tells(metric: str, operator: str) -> None:
    """Too few healthy targets or any unhealthy one."""
    dimensions = (
        "[{Name: TargetGroup, Value: !GetAtt Targets.TargetGroupFullName},"
        " {Name: LoadBalancer, Value: !GetAtt Balancer.LoadBalancerFullName}]"
    )
    alarm = f"MetricName: {metric}, ComparisonOperator: {operator}, Dimensions: {dimensions}, {ACTIONS}"
    assert said(targets("Port: 80", alarm), "MOOR-W3a") == []


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
    alarm = f"MetricName: UnHealthyHostCount, Dimensions: {dimensions}, {ACTIONS}"
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
