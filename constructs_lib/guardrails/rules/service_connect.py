"""W2 and T3 for Service Connect: its proxy stands between every two services, with logs and time-outs of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import SERVICE, containers
from constructs_lib.guardrails.rules.load_balancing import first_fault, seconds
from constructs_lib.guardrails.rules.logs import holds_little, waits
from constructs_lib.guardrails.templates.node import Node, NotKnown

_PROXY: Final = "the Service Connect proxy"
PER_REQUEST_SECONDS: Final = 15.0
"""The default. https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_ecs.ServiceConnectService.html"""


def ports(service: Node) -> Iterable[Node]:
    """The ports that a service offers through Service Connect."""
    connect = service.get("Properties", "ServiceConnectConfiguration")
    return () if connect.get("Enabled").truth() is False else connect.get("Services").items()


def knows_requests(port: Node) -> bool:
    """Whether the port's protocol is one of requests; TCP is the default.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
    """
    arn = Node.of(port.world, port.resource).get("Properties", "TaskDefinition")
    found = arn.target()
    if found is None:
        raise NotKnown(arn, "its task definition is not in these templates")
    name = port.get("PortName").text()
    for container in containers(Node.of(port.world, found)):
        for mapping in container.get("PortMappings").items():
            if mapping.get("Name").text() == name:
                return mapping.get("AppProtocol").text() not in (None, "tcp")
    return False


def proxies(service: Node) -> Iterable[Node]:
    """The proxy's log configuration; without one it sends its logs nowhere, and waits for nothing."""
    connect = service.get("Properties", "ServiceConnectConfiguration")
    configuration = connect.get("LogConfiguration")
    return (configuration,) if configuration.given and connect.get("Enabled").truth() is not False else ()


def waiting_proxy(configuration: Node) -> Fault | None:
    """W2e. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceConnectConfiguration.html"""
    return first_fault(lambda: waits(configuration, _PROXY), lambda: holds_little(configuration, _PROXY))


def unchosen_timeouts(port: Node) -> Fault | None:
    """T3e. A port without an alias is one that nobody calls by Service Connect."""
    if not port.get("ClientAliases").items():
        return None
    return first_fault(lambda: _no_idle(port), lambda: _no_per_request(port), lambda: _upside_down(port))


def _no_idle(port: Node) -> Fault | None:
    """By default 5 minutes, and an hour for TCP; 0 is a choice too.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TimeoutConfiguration.html
    """
    idle = port.get("Timeout", "IdleTimeoutSeconds")
    return None if idle.given else Fault(idle, "the idle timeout of a port of Service Connect is not chosen")


def _no_per_request(port: Node) -> Fault | None:
    """There is none to choose for TCP."""
    limit = port.get("Timeout", "PerRequestTimeoutSeconds")
    if limit.given or not knows_requests(port):
        return None
    return Fault(limit, "the timeout of a request through Service Connect is not chosen")


def _upside_down(port: Node) -> Fault | None:
    """The connection closes when the idle timeout is reached, whatever the request still may take (same page)."""
    node = port.get("Timeout", "IdleTimeoutSeconds")
    limit, idle = seconds(port.get("Timeout", "PerRequestTimeoutSeconds"), 0), seconds(node, 0)
    if not 0 < idle.seconds < limit.seconds:
        return None
    return Fault(node, f"a request through Service Connect may take {limit}, and its connection is closed after {idle}")


RULES: Final = (
    Rule(
        id="MOOR-W2e",
        severity="error",
        types=(SERVICE,),
        title="the Service Connect proxy does not wait for its logs to be delivered",
        why="WebORCA, March 2025: CloudWatch Logs could not be reached, and containers that wait for their logs stopped"
        " serving; every request between services goes through this proxy.",
        fix="Set mode non-blocking and max-buffer-size, such as 25m, in the Options of the LogConfiguration of"
        " ServiceConnectConfiguration.",
        subjects=proxies,
        judge=waiting_proxy,
    ),
    Rule(
        id="MOOR-T3e",
        severity="notice",
        types=(SERVICE,),
        title="the timeouts of a port of Service Connect are chosen, and in order",
        why="Twilio, February 2021: requests waited too long for a service that was overloaded, and waiting piled up;"
        " a timeout that nobody chose fits no budget.",
        fix="Set Timeout.PerRequestTimeoutSeconds (not for TCP) and Timeout.IdleTimeoutSeconds, the second no smaller.",
        subjects=ports,
        judge=unchosen_timeouts,
    ),
)
