"""W1: ports that run out."""

from __future__ import annotations

import pytest

from tests.guardrails.support import findings, said

VALUE = "Properties/ContainerDefinitions/0/SystemControls/0/Value"


def task(value: str, ports: str = "[]", mode: str = "NetworkMode: awsvpc", sidecar: str = "[]") -> str:
    """A task that sets its range of local ports."""
    return f"""
Parameters:
  Range: {{Type: String, Default: 1024 65535}}
  Port: {{Type: Number}}
  Given: {{Type: Number, Default: 8080}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      {mode}
      ContainerDefinitions:
        - Name: web
          PortMappings: {ports}
          SystemControls: [{{Namespace: net.ipv4.ip_local_port_range, Value: {value}}}]
        - Name: sidecar
          PortMappings: {sidecar}
"""


@pytest.mark.parametrize(
    "value",
    [
        "'10240'",
        "10240-65535",
        "'10240,65535'",
        "10240 65535 1",
        "''",
        "low high",
        "1023 65535",
        "1024 65536",
        "60999 32768",
        "32769 60999",
        "'" + "9" * 5000 + " 65535'",
    ],
)
def test_a_range_that_is_none_or_too_narrow_fails(value: str) -> None:
    """It is no two ports, leaves 1024 to 65535, is upside down, or has a port less than the kernel gives."""
    assert said(task(value), "MOOR-W1b") == [("fail", "Task", VALUE)]


@pytest.mark.parametrize("value", ["1024 65535", "32768 60999", "32769 61000", "' 10240\t65535 '"])
def test_a_range_as_wide_as_the_kernels_passes(value: str) -> None:
    """At the edges of what is allowed, and with any white space."""
    assert said(task(value), "MOOR-W1b") == []


def test_a_control_without_a_value_fails_where_it_is_missing() -> None:
    """The place is that of the value."""
    assert said(task("!Ref AWS::NoValue"), "MOOR-W1b") == [("fail", "Task", VALUE)]


@pytest.mark.parametrize(
    ("ports", "status"),
    [
        ("[{ContainerPort: 10239}]", None),
        ("[{ContainerPort: 10240}]", "fail"),
        ("[{ContainerPort: 60000}]", "fail"),
        ("[{ContainerPort: 60001}]", None),
        ("[{ContainerPort: '10240'}]", "fail"),
        ("[{ContainerPort: 80}, {ContainerPort: 20000}]", "fail"),
        ("[{ContainerPortRange: 9000-10239}]", None),
        ("[{ContainerPortRange: 9000-10240}]", "fail"),
        ("[{ContainerPort: !Ref Given}]", None),
        ("[{ContainerPort: !Ref Port}]", "unknown"),
        ("[{ContainerPort: !Ref Port}, {ContainerPort: 20000}]", "fail"),
        ("[{HostPort: 20000}, 7, {ContainerPort: [1]}]", "unknown"),
    ],
)
def test_a_port_in_the_range_on_which_a_container_listens_fails(ports: str, status: str | None) -> None:
    """Whoever connects out may get it first; a port that is not known leaves it open, unless another is in."""
    assert [one.status for one in findings(task("10240 60000", ports), "MOOR-W1b")] == ([status] if status else [])


def test_a_container_with_its_own_network_is_judged_by_its_own_ports() -> None:
    """Its own port is in the range, whatever the others listen on."""
    assert said(task("10240 65535", "[{ContainerPort: 20000}]", "NetworkMode: bridge"), "MOOR-W1b") == [
        ("fail", "Task", VALUE)
    ]


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("NetworkMode: awsvpc", "fail"),
        ("RequiresCompatibilities: [FARGATE]", "fail"),
        ("NetworkMode: bridge", None),
        ("RequiresCompatibilities: [EC2]", None),
        ("NetworkMode: !Ref Mode", "unknown"),
    ],
)
def test_the_ports_of_the_other_containers_count_where_the_network_is_shared(mode: str, status: str | None) -> None:
    """With bridge, which is the default on EC2, each container has its own."""
    template = task("10240 65535", mode=mode, sidecar="[{ContainerPort: 15000}]")
    template = template.replace("Parameters:", "Parameters:\n  Mode: {Type: String}")
    found = findings(template, "MOOR-W1b")
    assert [one.status for one in found] == ([status] if status else [])
    assert all("'sidecar'" in one.message for one in found if one.status == "fail")


@pytest.mark.parametrize(("value", "status"), [("!Ref Range", "fail"), ("!Sub '${Port} 65535'", "unknown")])
def test_the_range_is_understood_through_functions(value: str, status: str) -> None:
    """A default is a value; what only the caller knows is unknown."""
    assert [one.status for one in findings(task(value, "[{ContainerPort: 8080}]"), "MOOR-W1b")] == [status]


def test_other_controls_and_none_are_not_judged() -> None:
    """The kernel's own range is left alone."""
    template = task("1 2").replace("net.ipv4.ip_local_port_range", "net.ipv4.tcp_keepalive_time")
    assert said(template, "MOOR-W1b") == []


def gateway(alarm: str = "") -> str:
    """A NAT gateway, and an alarm's dimensions."""
    return f"""
Resources:
  Nat: {{Type: AWS::EC2::NatGateway, Properties: {{SubnetId: subnet-1}}}}
  Other: {{Type: AWS::EC2::NatGateway, Condition: Never, Properties: {{SubnetId: subnet-1}}}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/NATGateway
      MetricName: ErrorPortAllocation
      AlarmActions: [arn:aws:sns:eu-west-1:123456789012:oncall]
      Dimensions: [{alarm}]
Conditions: {{Never: !Equals [a, b]}}
"""


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        ("", [("fail", "Nat", "")]),
        ("{Name: NatGatewayId, Value: !Ref Nat}", []),
        ("{Name: NatGatewayId, Value: !GetAtt Nat.NatGatewayId}", []),
        ("{Name: NatGatewayId, Value: !Ref Other}", [("fail", "Nat", "")]),
        ("{Name: NatGateway, Value: !Ref Nat}", [("fail", "Nat", "")]),
        ("{Name: NatGatewayId, Value: !Ref Nat}, {Name: Zone, Value: a}", [("fail", "Nat", "")]),
        ("{Name: NatGatewayId, Value: nat-0123456789abcdef0}", [("unknown", "Nat", "")]),
    ],
)
def test_a_nat_gateway_wants_an_alarm_on_its_own_failures(alarm: str, expected: list[tuple[str, str, str]]) -> None:
    """Another gateway's alarm is none; an id that is written out may be this one's."""
    assert said(gateway(alarm), "MOOR-W1a") == expected


def test_an_alarm_on_another_metric_of_the_gateway_is_none() -> None:
    """Packets that are dropped are not ports that are gone."""
    template = gateway("{Name: NatGatewayId, Value: !Ref Nat}").replace("ErrorPortAllocation", "PacketsDropCount")
    assert said(template, "MOOR-W1a") == [("fail", "Nat", "")]


@pytest.mark.parametrize(
    ("old", "new"),
    [("AWS/NATGateway", "AWS/EC2"), ("MetricName:", "ComparisonOperator: LessThanThreshold\n      MetricName:")],
)
def test_an_alarm_on_the_gateway_must_be_able_to_go_off(old: str, new: str) -> None:
    """The metric is in one namespace, and rises when ports run out."""
    template = gateway("{Name: NatGatewayId, Value: !Ref Nat}").replace(old, new)
    assert said(template, "MOOR-W1a") == [("fail", "Nat", "")]
