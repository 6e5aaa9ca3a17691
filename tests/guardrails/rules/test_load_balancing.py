"""Which load balancers and services belong to a target group, as T3a and T3d see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import said

BALANCER = {
    "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "Properties": {"LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "120"}]},
}
TARGETS = {
    "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "Properties": {
        "Protocol": "HTTP",
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "90"}],
    },
}
FORWARD = {"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}
FAILS = [("fail", "Targets", "Properties/TargetGroupAttributes/0/Value")]


def listener(action: object = None, balancer: object = None) -> dict[str, Any]:
    """A listener that sends to the target group."""
    properties = {"LoadBalancerArn": balancer or {"Ref": "Balancer"}, "DefaultActions": [action or FORWARD]}
    return {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}


def rule(listener: object, actions: object = None) -> dict[str, Any]:
    """A listener's rule that sends to the target group."""
    properties = {"ListenerArn": listener, "Actions": actions or [FORWARD]}
    return {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": properties}


def judged(resources: dict[str, Any], **sections: object) -> list[tuple[str, str, str]]:
    """What T3a says of the target group with a drain of 90 s and the balancer of 120 s, and of what is beside them."""
    whole = {"Balancer": BALANCER, "Targets": TARGETS, **resources}
    return said(json.dumps({"Resources": whole, **sections}), "MOOR-T3a")


ELSEWHERE = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@pytest.mark.parametrize(
    "resources",
    [
        {"Listener": listener()},
        {"Listener": listener({"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": {"Ref": "Targets"}}]}})},
        {"Listener": listener({"TargetGroupArn": {"Fn::Sub": "${Targets}"}})},
        {"Listener": listener({"TargetGroupArn": {"Fn::GetAtt": ["Targets", "TargetGroupArn"]}})},
        {"Listener": listener(balancer={"Fn::GetAtt": "Balancer.LoadBalancerArn"})},
        {"Listener": listener(ELSEWHERE), "Rule": rule({"Ref": "Listener"})},
        {"Listener": listener(ELSEWHERE), "Rule": rule({"Fn::GetAtt": ["Listener", "ListenerArn"]})},
        {"Far": listener(balancer={"Ref": "Nowhere"}), "Listener": listener()},
    ],
    ids=["default", "weighted", "sub", "attribute", "balancer", "rule", "rule-attribute", "known-and-unknown"],
)
def test_each_way_to_send_is_found(resources: dict[str, Any]) -> None:
    """A listener's default, a weighted target group, a rule; a certain fault is told whatever else is not known."""
    assert judged(resources) == FAILS


@pytest.mark.parametrize(
    "resources",
    [
        {},
        {"Listener": listener(ELSEWHERE)},
        {"Listener": listener({"TargetGroupArn": {"Ref": "Other"}}), "Other": TARGETS | {"Properties": {}}},
    ],
    ids=["no-listener", "fixed-response", "another-group"],
)
def test_who_sends_nothing_is_not_asked(resources: dict[str, Any]) -> None:
    """A load balancer that does not send to the target group says nothing about its drain."""
    assert judged(resources) == []


@pytest.mark.parametrize(
    "resources",
    [
        {"Listener": listener(balancer={"Fn::ImportValue": "shared-balancer"})},
        {"Listener": listener(balancer={"Fn::GetAtt": ["Found", "Arn"]}), "Found": {"Type": "Custom::LookUp"}},
        {"Rule": rule({"Fn::ImportValue": "shared-listener"})},
        {"Rule": rule("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/1/2")},
    ],
    ids=["imported-balancer", "looked-up-balancer", "imported-listener", "arn"],
)
def test_a_load_balancer_that_is_elsewhere_is_unknown(resources: dict[str, Any]) -> None:
    """Its idle timeout stands in a template that was not given."""
    assert [status for status, _, _ in judged(resources)] == ["unknown"]


def test_a_listener_counts_where_it_exists() -> None:
    """A listener under a condition sends in the worlds in which the condition holds."""
    sections = {
        "Parameters": {"Public": {"Type": "String", "Default": "yes", "AllowedValues": ["yes"]}},
        "Conditions": {"IsPublic": {"Fn::Equals": [{"Ref": "Public"}, "yes"]}, "Never": {"Fn::Equals": ["a", "b"]}},
    }
    assert judged({"Listener": listener() | {"Condition": "IsPublic"}}, **sections) == FAILS
    assert judged({"Listener": listener() | {"Condition": "Never"}}, **sections) == []


@pytest.mark.parametrize("otherwise", [ELSEWHERE, {"Type": "forward", "TargetGroupArn": {"Ref": "Other"}}])
def test_a_branch_that_does_not_send_does_not_count(otherwise: object) -> None:
    """A forward in a branch that never holds is none."""
    action = {"Fn::If": ["Never", FORWARD, otherwise]}
    sections = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
    other = {"Type": TARGETS["Type"], "Properties": {"Protocol": "HTTP"}}
    assert judged({"Listener": listener(action), "Other": other}, **sections) == []


def test_exports_and_nested_stacks_are_followed() -> None:
    """The listener of another template of the assembly leads to its load balancer."""
    network = {
        "Resources": {"Balancer": BALANCER, "Listener": listener(ELSEWHERE)},
        "Outputs": {"Arn": {"Value": {"Ref": "Listener"}, "Export": {"Name": "shop-listener"}}},
    }
    service = {"Resources": {"Targets": TARGETS, "Rule": rule({"Fn::ImportValue": "shop-listener"})}}
    assert said({"network.json": json.dumps(network), "service.json": json.dumps(service)}, "MOOR-T3a") == FAILS
    stack = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "child.json", "Parameters": {"Listener": {"Ref": "Listener"}}},
    }
    parent = {"Resources": {"Balancer": BALANCER, "Listener": listener(ELSEWHERE), "Child": stack}}
    child = {
        "Parameters": {"Listener": {"Type": "String"}},
        "Resources": {"Targets": TARGETS, "Rule": rule({"Ref": "Listener"})},
    }
    assert said({"parent.json": json.dumps(parent), "child.json": json.dumps(child)}, "MOOR-T3a") == FAILS


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([], []),
        ([{"Key": "stickiness.enabled", "Value": "false"}], []),
        ([{"Key": {"Ref": "Key"}, "Value": "1"}], ["unknown"]),
        ({"Ref": "Attributes"}, ["unknown"]),
        (
            [
                {"Key": {"Ref": "Key"}, "Value": "1"},
                {"Key": "deregistration_delay.timeout_seconds", "Value": 5},
            ],
            ["fail"],
        ),
        ([{"Key": "deregistration_delay.timeout_seconds", "Value": {"Ref": "Drain"}}], ["fail"]),
        ([{"Key": "deregistration_delay.timeout_seconds", "Value": {"Ref": "Key"}}], ["unknown"]),
        ([{"Key": "deregistration_delay.timeout_seconds", "Value": "soon"}], ["unknown"]),
    ],
)
def test_attributes_have_defaults(attributes: object, expected: list[str]) -> None:
    """An attribute that is not set is AWS's 300 s; one that is hidden may be anything."""
    targets = {"Type": TARGETS["Type"], "Properties": {"Protocol": "HTTP", "TargetGroupAttributes": attributes}}
    parameters = {
        "Key": {"Type": "String"},
        "Attributes": {"Type": "String"},
        "Drain": {"Type": "Number", "Default": 30},
    }
    found = judged({"Targets": targets, "Listener": listener()}, Parameters=parameters)
    assert [status for status, _, _ in found] == expected
