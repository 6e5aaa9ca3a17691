"""T3: each timeout against the next one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.rules.test_load_balancing import BALANCER, listener
from tests.guardrails.support import said

DRAIN = "deregistration_delay.timeout_seconds"
IDLE = "idle_timeout.timeout_seconds"
PARAMETERS = {"Open": {"Type": "String"}, "Ten": {"Type": "Number", "Default": 10}}


def targets(drain: object = None, **properties: object) -> dict[str, Any]:
    """A target group for HTTP."""
    attributes = {} if drain is None else {"TargetGroupAttributes": [{"Key": DRAIN, "Value": drain}]}
    return {
        "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Properties": {"Protocol": "HTTP"} | attributes | properties,
    }


def balancer(idle: object) -> dict[str, Any]:
    """A load balancer with an idle timeout."""
    return BALANCER | {"Properties": {"LoadBalancerAttributes": [{"Key": IDLE, "Value": idle}]}}


def statuses(rule: str, resources: dict[str, Any]) -> list[str]:
    """What a rule says of a template."""
    return [status for status, _, _ in said(json.dumps({"Parameters": PARAMETERS, "Resources": resources}), rule)]


@pytest.mark.parametrize(
    ("target_group", "idle", "expected"),
    [
        (targets("60"), "60", []),
        (targets("59"), "60", ["fail"]),
        (targets(), "300", []),
        (targets(), "301", ["fail"]),
        (targets("59"), None, ["fail"]),
        (targets("60"), None, []),
        (targets("59", Protocol="HTTPS"), "60", ["fail"]),
        (targets("59", ProtocolVersion="GRPC"), "60", ["fail"]),
        (targets("59", Protocol="TCP"), "60", []),
        (targets("59", TargetType="lambda"), "60", []),
        (targets("59"), {"Ref": "Open"}, ["unknown"]),
        (targets("9"), {"Ref": "Ten"}, ["fail"]),
    ],
)
def test_t3a_drain_and_idle(target_group: dict[str, Any], idle: object, expected: list[str]) -> None:
    """A drain may not be shorter than the idle timeout; the defaults are 300 s and 60 s."""
    front = {"Type": BALANCER["Type"]} if idle is None else balancer(idle)
    resources = {"Balancer": front, "Listener": listener(), "Targets": target_group}
    assert statuses("MOOR-T3a", resources) == expected


def connected(timeout: object, protocol: str | None = "http", **properties: object) -> dict[str, Any]:
    """A service that offers a port through Service Connect, and its task definition."""
    mapping = {"Name": "api", "ContainerPort": 8080} | ({} if protocol is None else {"AppProtocol": protocol})
    port = {"PortName": "api"} | ({} if timeout is None else {"Timeout": {"PerRequestTimeoutSeconds": timeout}})
    connect = {"Enabled": True, "Services": [port]}
    service = {
        "TaskDefinition": {"Ref": "Task"},
        "ServiceConnectConfiguration": connect,
        "LoadBalancers": [{"ContainerName": "api", "TargetGroupArn": {"Ref": "Targets"}}],
    }
    container = {"Name": "api", "PortMappings": [mapping]}
    return {
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}},
        "Service": {"Type": "AWS::ECS::Service", "Properties": service | properties},
        "Targets": targets(),
        "Listener": listener(),
    }


@pytest.mark.parametrize(
    ("timeout", "idle", "expected"),
    [
        (0, "60", ["fail"]),
        (1, "60", []),
        (59, "60", []),
        (60, "60", ["fail"]),
        ({"Ref": "Ten"}, "10", ["fail"]),
        ({"Ref": "Open"}, "60", ["unknown"]),
        (59, {"Ref": "Open"}, ["unknown"]),
        (None, "16", []),
        (None, "15", ["fail"]),
    ],
)
def test_t3b_request_and_idle(timeout: object, idle: object, expected: list[str]) -> None:
    """A request between services ends before the load balancer gives up; its default is 15 s."""
    assert statuses("MOOR-T3b", {"Balancer": balancer(idle)} | connected(timeout)) == expected


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (connected(None, "http2"), ["fail"]),
        (connected(None, "tcp"), []),
        (connected(None, None), []),
        (connected(None, TaskDefinition={"Ref": "Open"}), ["unknown"]),
        (connected(60, TaskDefinition={"Ref": "Open"}), ["fail"]),
        (connected(0, LoadBalancers=[]), ["fail"]),
        (connected(90, LoadBalancers=[]), []),
        (connected(90, LoadBalancers=[{"TargetGroupArn": {"Ref": "Open"}}]), ["unknown"]),
        (connected(90, ServiceConnectConfiguration={"Enabled": True}), []),
        (connected(90) | {"Targets": targets(Protocol="TCP")}, []),
    ],
    ids=["http2", "tcp", "no-protocol", "no-task", "given", "none", "alone", "elsewhere", "client-only", "network"],
)
def test_t3b_asks_only_what_it_needs(resources: dict[str, Any], expected: list[str]) -> None:
    """Between TCP ports there are no requests, and without a load balancer only "none" is a fault."""
    assert statuses("MOOR-T3b", {"Balancer": balancer("15")} | resources) == expected


def test_t3b_reads_the_protocol_of_its_port() -> None:
    """Of the port that is offered, not of another one of the task."""
    resources = {"Balancer": balancer("15")} | connected(None, "tcp")
    mappings = resources["Task"]["Properties"]["ContainerDefinitions"][0]["PortMappings"]
    mappings.insert(0, {"Name": "other", "ContainerPort": 9090, "AppProtocol": "http"})
    assert statuses("MOOR-T3b", resources) == []
    mappings.pop()
    assert statuses("MOOR-T3b", resources) == []


def test_t3b_is_off_with_service_connect() -> None:
    """What is not enabled times nothing."""
    resources = connected(0)
    resources["Service"]["Properties"]["ServiceConnectConfiguration"]["Enabled"] = False
    assert statuses("MOOR-T3b", {"Balancer": balancer("15")} | resources) == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, []),
        ({"Protocol": {"Ref": "Open"}}, []),
        ({"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 9}, []),
        ({"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 10}, ["HealthCheckTimeoutSeconds"]),
        ({"HealthCheckTimeoutSeconds": 30}, ["HealthCheckTimeoutSeconds"]),
        ({"HealthCheckTimeoutSeconds": 29}, []),
        ({"HealthCheckIntervalSeconds": 5}, ["HealthCheckIntervalSeconds"]),
        ({"HealthCheckIntervalSeconds": 6}, []),
        ({"Protocol": "TCP", "HealthCheckIntervalSeconds": 10}, ["HealthCheckIntervalSeconds"]),
        ({"Protocol": "TCP", "HealthCheckIntervalSeconds": 11}, []),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP", "HealthCheckIntervalSeconds": 7}, []),
        ({"Protocol": "GENEVE", "HealthCheckTimeoutSeconds": 10}, ["HealthCheckTimeoutSeconds"]),
        ({"TargetType": "lambda", "HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 35}, []),
        (
            {"HealthCheckIntervalSeconds": {"Ref": "Ten"}, "HealthCheckTimeoutSeconds": 10},
            ["HealthCheckTimeoutSeconds"],
        ),
        ({"HealthCheckIntervalSeconds": {"Ref": "Open"}}, ["unknown HealthCheckIntervalSeconds"]),
    ],
)
def test_t3c_check_and_interval(properties: dict[str, object], expected: list[str]) -> None:
    """A check is over before the next; the defaults are 5 of 30 s for HTTP, 10 of 30 s for TCP."""
    template = {"Parameters": PARAMETERS, "Resources": {"Targets": targets(**properties)}}
    found = said(json.dumps(template), "MOOR-T3c")
    want = [name if " " in name else f"fail {name}" for name in expected]
    assert [f"{status} {path.removeprefix('Properties/')}" for status, _, path in found] == want


def stopped(stop: object, drain: object, **entry: object) -> dict[str, Any]:
    """A service with one target group, whose task has a second container that gets no requests."""
    container = {"Name": "web"} | ({} if stop is None else {"StopTimeout": stop})
    load_balancer = {"ContainerName": "web", "TargetGroupArn": {"Ref": "Targets"}} | entry
    task = {"ContainerDefinitions": [container, {"Name": "sidecar", "StopTimeout": 2}]}
    service = {"TaskDefinition": {"Ref": "Task"}, "LoadBalancers": [load_balancer]}
    return {
        "Targets": targets(drain, Protocol="TCP"),
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": task},
        "Service": {"Type": "AWS::ECS::Service", "Properties": service},
    }


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (stopped(60, "60"), []),
        (stopped(59, "60"), ["fail"]),
        (stopped(None, "30"), []),
        (stopped(None, "31"), ["fail"]),
        (stopped(None, "120"), ["fail"]),
        (stopped(None, "121"), []),
        (stopped(None, None), []),
        (stopped({"Ref": "AWS::NoValue"}, {"Ref": "AWS::NoValue"}), []),
        (stopped(30, None), ["fail"]),
        (stopped(30, "121"), ["fail"]),
        (stopped(300, None), []),
        (stopped(None, {"Ref": "Open"}), ["unknown"]),
        (stopped({"Ref": "Open"}, "60"), ["unknown"]),
        (stopped({"Ref": "Ten"}, "11"), ["fail"]),
        (stopped(2, "60", ContainerName="sidecar"), ["fail"]),
        (stopped(59, "60", TargetGroupArn={"Ref": "Open"}), ["unknown"]),
        (stopped(59, "60", TargetGroupArn={"Fn::GetAtt": ["Task", "Arn"]}), ["unknown"]),
        (
            stopped(59, "60", TargetGroupArn="", AdvancedConfiguration={"AlternateTargetGroupArn": {"Ref": "Targets"}}),
            ["fail"],
        ),
    ],
)
def test_t3d_stop_and_drain(resources: dict[str, Any], expected: list[str]) -> None:
    """A container that gets requests is not killed before its drain ends, if somebody chose one of the two.

    A stop that nobody chose (30 s) is compared with drains that Fargate's longest stop, 120 s, can be as long as.
    """
    assert statuses("MOOR-T3d", resources) == expected


def test_t3d_judges_the_container_that_gets_requests() -> None:
    """By its name, be that a parameter; another container of the task may stop at once."""
    resources = stopped(59, "60")
    place = "Properties/ContainerDefinitions/0/StopTimeout"
    assert said(json.dumps({"Resources": resources}), "MOOR-T3d") == [("fail", "Task", place)]
    resources["Task"]["Properties"]["ContainerDefinitions"][0]["Name"] = {"Ref": "Open"}
    assert statuses("MOOR-T3d", resources) == ["unknown"]
    resources["Service"]["Properties"]["LoadBalancers"][0]["ContainerName"] = {"Ref": "Open"}
    assert statuses("MOOR-T3d", resources) == ["fail"]
    del resources["Service"]
    assert statuses("MOOR-T3d", resources) == []


def test_t3d_only_of_services_that_run_it() -> None:
    """A service that a condition leaves out, or one that runs another task in the end, sends it nothing."""
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    resources = stopped(59, "60")
    resources["Service"]["Condition"] = "Never"
    assert said(json.dumps({"Conditions": conditions, "Resources": resources}), "MOOR-T3d") == []
    del resources["Service"]["Condition"]
    resources["Other"] = {"Type": "AWS::ECS::TaskDefinition"}
    resources["Service"]["Properties"]["TaskDefinition"] = {"Fn::If": ["Never", {"Ref": "Task"}, {"Ref": "Other"}]}
    assert said(json.dumps({"Conditions": conditions, "Resources": resources}), "MOOR-T3d") == []
