"""T4f: how soon a target group gives a target up."""

from __future__ import annotations

import json

import pytest

from tests.guardrails.support import findings, said

INTERVAL, TIMEOUT = "Properties/HealthCheckIntervalSeconds", "Properties/HealthCheckTimeoutSeconds"


def check(interval: object = None, failures: object = None, timeout: object = None) -> dict[str, object]:
    """A target group's health check."""
    names = ("HealthCheckIntervalSeconds", "UnhealthyThresholdCount", "HealthCheckTimeoutSeconds")
    values = zip(names, (interval, failures, timeout), strict=True)
    return {name: value for name, value in values if value is not None}


def judged(properties: dict[str, object]) -> list[tuple[str, str]]:
    """What the rule says of a target group, HTTP unless it is told otherwise."""
    targets = {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"Protocol": "HTTP"} | properties}
    template = {
        "Parameters": {"Open": {"Type": "String"}, "Slow": {"Type": "Number", "Default": "90"}},
        "Conditions": {"Careful": {"Fn::Equals": [{"Ref": "Open"}, "yes"]}},
        "Resources": {"Targets": targets},
    }
    return [(status, path) for status, _, path in said(json.dumps(template), "MOOR-T4f")]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (check(), []),
        (check(interval=5), []),
        (check(interval=5, failures=2), []),
        (check(interval=4.5, failures=2), [("fail", INTERVAL)]),
        (check(interval=20, failures=3), []),
        (check(interval=61, failures=1), [("fail", INTERVAL)]),
        (check(interval=31), [("fail", INTERVAL)]),
        (check(failures=3), [("fail", INTERVAL)]),
        (check(timeout=2), []),
        (check(timeout=1), [("fail", TIMEOUT)]),
        (check(interval={"Ref": "Slow"}), [("fail", INTERVAL)]),
        (check(interval={"Ref": "Open"}), [("unknown", INTERVAL)]),
        (check(interval=30, failures={"Fn::If": ["Careful", 5, 2]}), [("fail", INTERVAL)]),
        (check(interval={"Ref": "Open"}, timeout=1), [("fail", TIMEOUT)]),
        (check(timeout={"Ref": "Open"}, interval=90), [("fail", INTERVAL)]),
    ],
)
def test_neither_nervous_nor_sleepy(properties: dict[str, object], expected: list[tuple[str, str]]) -> None:
    """10 to 60 s until a target is given up, and 2 s or more for each check; the defaults are 30 s and 2 checks."""
    assert judged(properties) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Protocol": "HTTPS"}, True),
        ({"ProtocolVersion": "GRPC"}, True),
        ({"Protocol": "TCP"}, False),
        ({"Protocol": "TCP", "HealthCheckProtocol": "TCP"}, False),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP"}, True),
        ({"TargetType": "lambda"}, False),
        ({"TargetType": "lambda", "HealthCheckProtocol": "HTTP"}, False),
    ],
)
def test_judges_checks_by_http(properties: dict[str, object], expected: bool) -> None:
    """Of any target group that is checked by requests, but not of functions, nor where a connection is enough."""
    assert bool(judged(properties | check(interval=90))) is expected


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        (check(30, 5), "gets requests for 150 s, after 5 failed checks 30 s apart"),
        (check(4, 2), "is given up in 8 s, after 2 failed checks 4 s apart"),
    ],
)
def test_says_how_long(properties: dict[str, object], words: str) -> None:
    """The message has the time that results, which nobody wrote down."""
    targets = {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"Protocol": "HTTP"} | properties}
    (finding,) = findings(json.dumps({"Resources": {"Targets": targets}}), "MOOR-T4f")
    assert words in finding.message
