"""W2e and T3e: the proxy of Service Connect, its logs and its time-outs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ecs as ecs

from tests.guardrails.support import findings, said
from tests.support import DIGEST, stack, synthesize, vpc

HEAD = {
    "Parameters": {
        "Open": {"Type": "String"},
        "Switch": {"Type": "String"},
        "Blocking": {"Type": "String", "Default": "blocking"},
        "Idle": {"Type": "Number", "Default": 10},
    },
    "Conditions": {"Maybe": {"Fn::Equals": [{"Ref": "Switch"}, "x"]}},
}
CONNECT = "Properties/ServiceConnectConfiguration"
OPTIONS = f"{CONNECT}/LogConfiguration/Options"
TIMEOUT = f"{CONNECT}/Services/0/Timeout"


def judged(rule: str, connect: object, protocol: object = "http", task: object = None) -> list[tuple[str, str]]:
    """What a rule says of a service with a Service Connect configuration, as (status, path)."""
    port = {"ContainerPort": 80, "Name": "api"} | ({} if protocol is None else {"AppProtocol": protocol})
    definition = {"ContainerDefinitions": [{"Name": "web", "PortMappings": [port]}]}
    resources = {
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": definition},
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "TaskDefinition": {"Ref": "Task"} if task is None else task,
                "ServiceConnectConfiguration": connect,
            },
        },
    }
    return [(status, path) for status, _, path in said(json.dumps(HEAD | {"Resources": resources}), rule)]


def logs(driver: object = "awslogs", **options: object) -> dict[str, Any]:
    """A proxy's log configuration."""
    named = {key.replace("_", "-"): value for key, value in options.items()}
    return {"Enabled": True, "LogConfiguration": {"LogDriver": driver, "Options": named}}


@pytest.mark.parametrize(
    ("connect", "expected"),
    [
        (logs(mode="non-blocking", max_buffer_size="25m"), []),
        (logs(mode="non-blocking", max_buffer_size="1m"), []),
        (logs(), [("fail", f"{OPTIONS}/mode")]),
        (logs(mode="blocking"), [("fail", f"{OPTIONS}/mode")]),
        (logs(mode={"Ref": "Blocking"}), [("fail", f"{OPTIONS}/mode")]),
        (logs(mode="non-blocking"), [("fail", f"{OPTIONS}/max-buffer-size")]),
        (logs(mode="non-blocking", max_buffer_size="1023k"), [("fail", f"{OPTIONS}/max-buffer-size")]),
        (logs(mode="non-blocking", max_buffer_size="much"), [("fail", f"{OPTIONS}/max-buffer-size")]),
        (logs(mode={"Ref": "Open"}, max_buffer_size="25m"), [("unknown", f"{OPTIONS}/mode")]),
        (logs(mode="non-blocking", max_buffer_size={"Ref": "Open"}), [("unknown", f"{OPTIONS}/max-buffer-size")]),
        (logs(mode={"Fn::If": ["Maybe", "blocking", "non-blocking"]}, max_buffer_size="25m"),
         [("fail", f"{OPTIONS}/mode/Fn::If/1")]),
        (logs("awsfirelens"), []),
        (logs("awsfirelens", mode="blocking"), [("fail", f"{OPTIONS}/mode")]),
        (logs("json-file"), []),
        (logs({"Ref": "Open"}), [("unknown", f"{CONNECT}/LogConfiguration/LogDriver")]),
        (logs() | {"Enabled": False}, []),
        (logs() | {"Enabled": {"Ref": "Open"}}, [("unknown", f"{CONNECT}/Enabled")]),
        ({"Enabled": True}, []),
        ({"Ref": "Open"}, [("unknown", CONNECT)]),
        ({"Ref": "AWS::NoValue"}, []),
    ],
)  # fmt: skip
def test_w2e_the_proxy_does_not_wait_for_its_logs(connect: object, expected: list[tuple[str, str]]) -> None:
    """As for a container: the mode is non-blocking and the buffer chosen; without a configuration it logs nowhere."""
    assert judged("MOOR-W2e", connect) == expected


def served(**timeout: object) -> dict[str, Any]:
    """A port with an alias and timeouts."""
    given = {f"{key}TimeoutSeconds": value for key, value in timeout.items()}
    port = {"PortName": "api", "ClientAliases": [{"Port": 80}]} | ({"Timeout": given} if given else {})
    return {"Enabled": True, "Services": [port]}


@pytest.mark.parametrize(
    ("connect", "protocol", "expected"),
    [
        (served(PerRequest=15, Idle=60), "http", []),
        (served(PerRequest=15, Idle=15), "http", []),
        (served(PerRequest=16, Idle=15), "http", [("fail", f"{TIMEOUT}/IdleTimeoutSeconds")]),
        (served(PerRequest="16", Idle={"Ref": "Idle"}), "http2", [("fail", f"{TIMEOUT}/IdleTimeoutSeconds")]),
        (served(PerRequest=15, Idle=0), "http", []),
        (served(PerRequest=0, Idle=60), "http", []),
        (served(), "http", [("fail", f"{TIMEOUT}/IdleTimeoutSeconds")]),
        (served(), None, [("fail", f"{TIMEOUT}/IdleTimeoutSeconds")]),
        (served(PerRequest=15), "grpc", [("fail", f"{TIMEOUT}/IdleTimeoutSeconds")]),
        (served(Idle=60), "http", [("fail", f"{TIMEOUT}/PerRequestTimeoutSeconds")]),
        (served(Idle=60), "grpc", [("fail", f"{TIMEOUT}/PerRequestTimeoutSeconds")]),
        (served(Idle=60), None, []),
        (served(Idle=60), "tcp", []),
        (served(Idle=60), {"Ref": "Open"}, [("unknown", "")]),
        (served(PerRequest={"Ref": "Open"}, Idle=60), "http", [("unknown", f"{TIMEOUT}/PerRequestTimeoutSeconds")]),
        (served(PerRequest={"Ref": "Open"}), "http", [("fail", f"{TIMEOUT}/IdleTimeoutSeconds")]),
        (served() | {"Enabled": False}, "http", []),
        ({"Enabled": True, "Services": [{"PortName": "api"}]}, "http", []),
        ({"Enabled": True}, "http", []),
        ({"Enabled": True, "Services": {"Ref": "Open"}}, "http", [("unknown", f"{CONNECT}/Services")]),
    ],
)  # fmt: skip
def test_t3e_timeouts_are_chosen_and_in_order(
    connect: object, protocol: object, expected: list[tuple[str, str]]
) -> None:
    """Idle for every port, per request where there are requests, the first no shorter; 0 is a choice, told by T3b."""
    assert judged("MOOR-T3e", connect, protocol) == expected


def test_t3e_a_task_definition_of_elsewhere() -> None:
    """Its port may be one of requests or not; where one is given it is known."""
    assert [one for one, _ in judged("MOOR-T3e", served(Idle=60), task="shop:7")] == ["unknown"]
    assert judged("MOOR-T3e", served(Idle=60, PerRequest=15), task="shop:7") == []


def test_before_plain_cdk_leaves_both_open_and_after_they_are_chosen() -> None:
    """A service of plain CDK with Service Connect and logs: a proxy that waits, and AWS's own timeouts."""
    scope = stack(App(), "Connect")
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    cluster.add_default_cloud_map_namespace(name="shop")
    task = ecs.FargateTaskDefinition(scope, "Task")
    image = ecs.ContainerImage.from_registry(f"public.ecr.aws/docker/library/nginx@{DIGEST}")
    ports = [ecs.PortMapping(container_port=80, name="http", app_protocol=ecs.AppProtocol.http)]  # type: ignore[arg-type]
    task.add_container("web", image=image, port_mappings=ports)
    offered = [ecs.ServiceConnectService(port_mapping_name="http")]
    connect = ecs.ServiceConnectProps(services=offered, log_driver=ecs.LogDrivers.aws_logs(stream_prefix="proxy"))
    ecs.FargateService(scope, "Web", cluster=cluster, task_definition=task, service_connect_configuration=connect)
    template = json.dumps(synthesize(scope))
    assert [(one.rule, one.status) for one in findings(template) if one.rule in ("MOOR-W2e", "MOOR-T3e")] == [
        ("MOOR-T3e", "fail"),
        ("MOOR-W2e", "fail"),
    ]
