"""W1: ports that run out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarm_metrics import Metric
from constructs_lib.guardrails.rules.alarms import Watched, unwatched
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION, containers, name_of
from constructs_lib.guardrails.templates.node import Node, NotKnown

NAT_GATEWAY: Final = "AWS::EC2::NatGateway"

_RANGE: Final = "net.ipv4.ip_local_port_range"
_LOWEST: Final = 1024
_HIGHEST: Final = 65535
_KERNEL: Final = 60999 - 32768 + 1
"""What the kernel gives by itself: https://docs.kernel.org/networking/ip-sysctl.html"""

_TWO_PORTS: Final = re.compile(r"\s*([0-9]{1,9})\s+([0-9]{1,9})\s*")
_PORTS: Final = re.compile(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?")

_WHY: Final = (
    "WebORCA, March 2025: a library opened more connections than before, the ports ran out the next morning,"
    " and it took 32 hours to suspect it."
)


def unwatched_gateway(gateway: Node) -> Fault | None:
    """W1a. https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html"""
    metric = Metric(name="ErrorPortAllocation", namespaces=("AWS/NATGateway",), dimensions=("NatGatewayId",))
    wanted = Watched(metrics=(metric,), dimension="NatGatewayId", resources=(gateway.resource,))
    lack = unwatched(gateway, wanted)
    return None if lack is None else Fault(gateway, f"nobody hears when this NAT gateway has no port left: {lack}")


def port_ranges(task_definition: Node) -> Iterable[Node]:
    """The system controls of all containers, as they apply to the network of the whole task."""
    for container in containers(task_definition):
        yield from container.get("SystemControls").items()


def unsafe_range(control: Node) -> Fault | None:
    """W1b."""
    if control.get("Namespace").text() != _RANGE:
        return None
    value = control.get("Value")
    text = value.text() or ""
    match = _TWO_PORTS.fullmatch(text)
    if match is None:
        return Fault(value, f"the value of {_RANGE} must be two ports with a space between them, got {text[:40]!r}")
    low, high = int(match[1]), int(match[2])
    if not _LOWEST <= low <= high <= _HIGHEST:
        return Fault(
            value, f"the ports of {_RANGE} must lie within {_LOWEST} to {_HIGHEST}, the lower first, got {text!r}"
        )
    if high - low + 1 < _KERNEL:
        count = f"{high - low + 1:,} ports, fewer than the {_KERNEL:,} that the kernel gives by itself"
        return Fault(value, f"the range {text!r} leaves {count}")
    return _taken(value, low, high)


def _taken(value: Node, low: int, high: int) -> Fault | None:
    """A port in the range on which a container listens: an outgoing connection may have it before."""
    unknown: NotKnown | None = None
    for container, port in _listening(value):
        try:
            ports = _ports(port)
        except NotKnown as error:
            unknown = error
            continue
        if ports is not None and ports[0] <= high and ports[1] >= low:
            taken = f"port {max(ports[0], low)}, on which {name_of(container)} listens"
            return Fault(value, f"the range {value.text()!r} of local ports holds {taken}")
    if unknown is not None:
        raise unknown
    return None


def _listening(value: Node) -> Iterator[tuple[Node, Node]]:
    """The port mappings of the containers that share the network of the one with this value.

    With ``bridge`` each container has its own, else the task has one:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking.html
    """
    task_definition = Node.of(value.world, value.resource)
    shared = _is_shared(task_definition)
    for container in containers(task_definition):
        if shared or value.place[: len(container.place)] == container.place:
            for mapping in container.get("PortMappings").items():
                yield container, mapping


def _is_shared(task_definition: Node) -> bool:
    properties = task_definition.get("Properties")
    mode = properties.get("NetworkMode")
    if mode.given:
        return mode.text() != "bridge"
    return any(item.text() == "FARGATE" for item in properties.get("RequiresCompatibilities").items())


def _ports(mapping: Node) -> tuple[int, int] | None:
    for key in ("ContainerPort", "ContainerPortRange"):
        port = mapping.get(key)
        match = _PORTS.fullmatch(port.text() or "")
        if match is not None:
            return int(match[1]), int(match[2] or match[1])
    return None


RULES: Final = (
    Rule(
        id="MOOR-W1a",
        severity="warning",
        types=(NAT_GATEWAY,),
        title="an alarm tells when a NAT gateway has no port left",
        why=f"{_WHY} A NAT gateway has 55,000 connections for each destination and IP address.",
        fix="Add an AWS::CloudWatch::Alarm with AlarmActions on ErrorPortAllocation of this NatGatewayId.",
        judge=unwatched_gateway,
    ),
    Rule(
        id="MOOR-W1b",
        severity="error",
        types=(TASK_DEFINITION,),
        title="a range of local ports is no narrower than the kernel's, and above the ports that containers listen on",
        why=f"{_WHY} A range that is set must widen what there is, and leave the ports of the containers to them.",
        fix="Set net.ipv4.ip_local_port_range to a wide range above all ContainerPorts, such as '10240 65535'.",
        subjects=port_ranges,
        judge=unsafe_range,
    ),
)
