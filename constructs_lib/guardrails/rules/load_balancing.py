"""What several rules look up about load balancers, and about the services behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from constructs_lib.guardrails.rule import Fault
from constructs_lib.guardrails.rules.ecs import SERVICE, TASK_SET
from constructs_lib.guardrails.templates.assembly import Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import referring
from constructs_lib.guardrails.templates.values import Reference, Text

LOAD_BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"
TARGET_GROUP: Final = "AWS::ElasticLoadBalancingV2::TargetGroup"
LISTENER: Final = "AWS::ElasticLoadBalancingV2::Listener"
LISTENER_RULE: Final = "AWS::ElasticLoadBalancingV2::ListenerRule"

_ACTIONS: Final = {LISTENER: "DefaultActions", LISTENER_RULE: "Actions"}
_HTTP: Final = ("HTTP", "HTTPS")


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of seconds, and where it stands or would stand (lesson T3).

    Args:
        node: the place.
        seconds: the number, which may be AWS's default.
    """

    node: Node
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


def seconds(node: Node, default: float) -> Setting:
    """A property that is a number of seconds."""
    number = node.number()
    return Setting(node, default if number is None else number)


def drain_of(target_group: Node) -> Setting:
    """How long a target that leaves may finish its requests.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """
    return _attribute(target_group, "TargetGroupAttributes", "deregistration_delay.timeout_seconds", 300)


def idle_timeout_of(balancer: Node) -> Setting:
    """How long an Application Load Balancer keeps a connection on which nothing moves.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    """
    return _attribute(balancer, "LoadBalancerAttributes", "idle_timeout.timeout_seconds", 60)


def is_application(balancer: Node) -> bool:
    """Whether it is an Application Load Balancer, which is the default."""
    return balancer.get("Properties", "Type").text() in (None, "application")


def calls_functions(target_group: Node) -> bool:
    """Whether its target is a Lambda function, which has neither a drain nor a stop."""
    return target_group.get("Properties", "TargetType").text() == "lambda"


def speaks_http(target_group: Node) -> bool:
    """Whether it belongs to an Application Load Balancer, and to something that can drain."""
    return target_group.get("Properties", "Protocol").text() in _HTTP and not calls_functions(target_group)


def checks_by_http(target_group: Node) -> bool:
    """Whether its health checks are requests; by default so for an Application Load Balancer only.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    protocol = target_group.get("Properties", "HealthCheckProtocol").text()
    return speaks_http(target_group) if protocol is None else protocol in _HTTP and not calls_functions(target_group)


def load_balancers(target_group: Node) -> Iterator[Node]:
    """The load balancers that send to a target group, through listeners and their rules.

    Raises:
        NotKnown: after the known ones, when there is one that is not in the assembly.
    """
    world, missing = target_group.world, None
    for resource in referring(world.assembly, target_group.resource, LISTENER, LISTENER_RULE):
        if not world.exists(resource):
            continue
        sender = Node.of(world, resource)
        try:
            if not _forwards(sender, target_group.resource):
                continue
            listener = sender if resource.type == LISTENER else _other(sender, "ListenerArn", LISTENER)
            balancer = _other(listener, "LoadBalancerArn", LOAD_BALANCER)
        except NotKnown as unknown:
            missing = unknown
        else:
            yield balancer
    if missing is not None:
        raise missing


def target_groups(entry: Node) -> Iterator[Node]:
    """The target groups of one entry of a service's ``LoadBalancers``.

    Raises:
        NotKnown: after the known ones, when there is one that is not in the assembly.
    """
    missing = None
    for keys in (("TargetGroupArn",), ("AdvancedConfiguration", "AlternateTargetGroupArn")):
        arn = entry.get(*keys)
        found = arn.target()
        if found is not None and found.type == TARGET_GROUP:
            yield Node.of(entry.world, found)
        elif arn.given:
            missing = NotKnown(arn, "its target group is not in these templates")
    if missing is not None:
        raise missing


def services_running(task_definition: Node) -> Iterator[Node]:
    """The services that run a task definition, and the task sets of services."""
    world = task_definition.world
    for resource in referring(world.assembly, task_definition.resource, SERVICE, TASK_SET):
        service = Node.of(world, resource)
        if world.exists(resource) and means(service.get("Properties", "TaskDefinition"), task_definition.resource):
            yield service


def means(value: Node, resource: Resource) -> bool:
    """Whether a value is, or has in it, a reference to a resource."""
    parts = value.value.parts if isinstance(value.value, Text) else (value.value,)
    key = resource.template.number, resource.logical_id
    return any(isinstance(part, Reference) and (part.template, part.logical_id) == key for part in parts)


def first_fault(*judgements: Callable[[], Fault | None]) -> Fault | None:
    """The first fault that is certain, whatever of the others is not known.

    Raises:
        NotKnown: none is certain, and one is not known.
    """
    missing = None
    for judgement in judgements:
        try:
            fault = judgement()
        except NotKnown as unknown:
            missing = unknown
        else:
            if fault is not None:
                return fault
    if missing is not None:
        raise missing
    return None


def _attribute(resource: Node, attributes: str, key: str, default: float) -> Setting:
    holder = resource.get("Properties", attributes)
    missing = None
    for entry in holder.items():
        try:
            if entry.get("Key").text() == key:
                return seconds(entry.get("Value"), default)
        except NotKnown as unknown:
            missing = unknown
    if missing is not None:
        raise missing
    return Setting(holder, default)


def _forwards(sender: Node, target_group: Resource) -> bool:
    for action in sender.get("Properties", _ACTIONS[sender.resource.type]).items():
        weighted = [one.get("TargetGroupArn") for one in action.get("ForwardConfig", "TargetGroups").items()]
        if any(means(arn, target_group) for arn in (action.get("TargetGroupArn"), *weighted)):
            return True
    return False


def _other(holder: Node, key: str, kind: str) -> Node:
    """The resource of a type that a property refers to."""
    node = holder.get("Properties", key)
    found = node.target()
    if found is None or found.type != kind:
        raise NotKnown(node, f"the {key} of {holder.resource.logical_id} is not in these templates")
    return Node.of(holder.world, found)
