"""T3: timeouts are one budget, in order from the inside to the outside."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import SERVICE, TASK_DEFINITION, containers, name_of
from constructs_lib.guardrails.rules.load_balancing import (
    TARGET_GROUP,
    calls_functions,
    drain_of,
    idle_timeout_of,
    load_balancers,
    seconds,
    services_running,
    speaks_http,
    target_groups,
)  # fmt: skip
from constructs_lib.guardrails.rules.service_connect import PER_REQUEST_SECONDS, knows_requests, ports
from constructs_lib.guardrails.templates.node import Node

_WHY: Final = "Twilio, February 2021: requests waited too long for a service that was overloaded, and waiting piled up"

_STOP: Final = 30.0
_LONGEST_STOP: Final = 120.0
"""On Fargate. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""


def short_drain(target_group: Node) -> Fault | None:
    """T3a."""
    if not speaks_http(target_group):
        return None
    for balancer in load_balancers(target_group):
        drain, idle = drain_of(target_group), idle_timeout_of(balancer)
        if drain.seconds < idle.seconds:
            outer = f"{balancer.resource.logical_id} waits {idle}"
            return Fault(drain.node, f"a target that leaves has {drain} for the requests under way, and {outer}")
    return None


def long_request(port: Node) -> Fault | None:
    """T3b. Between TCP ports nothing is known of requests, and no timeout can be set."""
    timeout = port.get("Timeout", "PerRequestTimeoutSeconds")
    limit = seconds(timeout, PER_REQUEST_SECONDS)
    if limit.seconds <= 0:
        return Fault(timeout, "a request through Service Connect has no timeout")
    service = Node.of(port.world, port.resource)
    for entry in service.get("Properties", "LoadBalancers").items():
        for target_group in target_groups(entry):
            if not speaks_http(target_group):
                continue
            for balancer in load_balancers(target_group):
                idle = idle_timeout_of(balancer)
                if limit.seconds >= idle.seconds and (timeout.given or knows_requests(port)):
                    outer = f"{balancer.resource.logical_id} gives up after {idle}"
                    return Fault(timeout, f"a request through Service Connect may take {limit}, and {outer}")
    return None


def slow_check(target_group: Node) -> Fault | None:
    """T3c. All defaults together are in order."""
    properties = target_group.get("Properties")
    timeout, interval = properties.get("HealthCheckTimeoutSeconds"), properties.get("HealthCheckIntervalSeconds")
    if not (timeout.given or interval.given) or calls_functions(target_group):
        return None
    waits = seconds(timeout, 0 if timeout.given else _check_timeout(properties))
    every = seconds(interval, 0 if interval.given else _check_interval(properties))
    if waits.seconds < every.seconds:
        return None
    return Fault(timeout if timeout.given else interval, f"a health check waits {waits} and is made every {every}")


def _check_timeout(properties: Node) -> float:
    """The default of a health check's timeout.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/health-checks.html
    """
    if properties.get("Protocol").text() in ("HTTP", "HTTPS", "GENEVE"):
        return 5
    return 6 if properties.get("HealthCheckProtocol").text() == "HTTP" else 10


def _check_interval(properties: Node) -> float:
    """The default of a health check's interval; the same pages."""
    return 10 if properties.get("Protocol").text() == "GENEVE" else 30


def short_stop(container: Node) -> Fault | None:
    """T3d. The scheduler drains first; who stops a task by hand, or takes back a Spot task, does not wait.

    Where no StopTimeout is written, the drain must be one that Fargate's longest can cover. By default it is 300 s, and
    whoever chose neither would be told of what nobody chose.
    """
    for service in services_running(Node.of(container.world, container.resource)):
        for entry in service.get("Properties", "LoadBalancers").items():
            if not _is_named(container, entry.get("ContainerName")):
                continue
            for target_group in target_groups(entry):
                stop, drain = seconds(container.get("StopTimeout"), _STOP), drain_of(target_group)
                chosen = stop.node.given or drain.seconds <= _LONGEST_STOP
                if chosen and stop.seconds < drain.seconds:
                    return Fault(stop.node, f"{name_of(container)} is killed after {stop}, and drained for {drain}")
    return None


def _is_named(container: Node, name: Node) -> bool:
    """Whether a name is the container's, which no other container of its task definition has."""
    own = container.get("Name")
    if own.identity() == name.identity():
        return True
    others = containers(Node.of(container.world, container.resource))
    if any(other.get("Name").identity() == name.identity() for other in others):
        return False
    return own.text() == name.text()


RULES: Final = (
    Rule(
        id="MOOR-T3a",
        severity="warning",
        types=(TARGET_GROUP,),
        title="a target that leaves may finish what the load balancer still waits for",
        why=f"{_WHY}; a drain that is shorter than the wait cuts requests off at every deployment.",
        fix="Set deregistration_delay.timeout_seconds to the load balancer's idle_timeout.timeout_seconds or more.",
        judge=short_drain,
    ),
    Rule(
        id="MOOR-T3b",
        severity="warning",
        types=(SERVICE,),
        title="a request between services ends before the caller's load balancer gives up",
        why=f"{_WHY}; an inner timeout that is longer than the outer one works for callers who have gone.",
        fix="Set Timeout.PerRequestTimeoutSeconds above 0 and below the load balancer's idle_timeout.timeout_seconds.",
        subjects=ports,
        judge=long_request,
    ),
    Rule(
        id="MOOR-T3c",
        severity="warning",
        types=(TARGET_GROUP,),
        title="a health check is over before the next one is made",
        why=f"{_WHY}; checks that overlap add load to the target that is slow, and tell late that it is.",
        fix="Set HealthCheckTimeoutSeconds below HealthCheckIntervalSeconds, such as 5 and 10.",
        judge=slow_check,
    ),
    Rule(
        id="MOOR-T3d",
        severity="notice",
        types=(TASK_DEFINITION,),
        title="a container that is stopped has as long as its target group drains",
        why=f"{_WHY}; ECS drains before it stops a task, but StopTask and Spot do not wait for the drain.",
        fix="Set StopTimeout to the drain's seconds, at most 120 on Fargate; bring a longer drain down to 120.",
        subjects=containers,
        judge=short_stop,
    ),
)
