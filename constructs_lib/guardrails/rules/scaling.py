"""T1: auto scaling with room above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarms import Watched, unwatched
from constructs_lib.guardrails.rules.ecs import SERVICE
from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event, Named
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import named_in, referring
from constructs_lib.guardrails.templates.values import Text, Unknown, as_text
from constructs_lib.guardrails.templates.world import World

SCALABLE_TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY: Final = "AWS::ApplicationAutoScaling::ScalingPolicy"

MOST_UTILIZATION: Final = 75
"""In percent: a third more load than that still fits."""

_UTILIZATION: Final = {
    "ECSServiceAverageCPUUtilization": "CPU",
    "ECSServiceAverageMemoryUtilization": "memory",
    "CPUUtilization": "CPU",
    "MemoryUtilization": "memory",
}
_AT_MAXIMUM: Final = ("RunningTaskCount", "DesiredTaskCount", "CPUUtilization", "MemoryUtilization")

_WHY: Final = (
    "Twilio, February 2021: an internal service was overloaded, as its auto scaling and its number of servers were too"
    " small, and many products went down with it."
)

_Key: TypeAlias = tuple[str, str]


def no_headroom(target: Node) -> Fault | None:
    """T1a."""
    properties = target.get("Properties")
    if not _is_ecs(properties):
        return None
    unknown: NotKnown | None = None
    for judge in (_narrow, _hot):
        try:
            fault = judge(target, properties)
        except NotKnown as error:
            unknown = unknown or error
            continue
        if fault is not None:
            return fault
    if unknown is not None:
        raise unknown
    return None


def silent_maximum(target: Node) -> Fault | None:
    """T1b."""
    properties = target.get("Properties")
    if not _is_ecs(properties):
        return None
    try:
        lack = _no_alarm(target, properties)
    except NotKnown:
        if heard(target, [_scaled_to_maximum(properties)]):
            return None
        raise
    if lack is None or heard(target, [_scaled_to_maximum(properties)]):
        return None
    return Fault(target, f"nobody hears when this service has all its tasks: {lack}")


def _no_alarm(target: Node, properties: Node) -> str | None:
    services = _services(properties)
    if services:
        name = Node.of(target.world, services[0]).get("Properties", "ServiceName")
        return unwatched(target, _wanted(services, name.identity() if name.given else "", as_text(name.value)))
    identifier = properties.get("ResourceId")
    try:
        lack = unwatched(target, _wanted((), *_last_part(identifier)))
    except NotKnown as unknown:
        raise NotKnown(identifier, unknown.why) from None
    if lack is not None:
        raise NotKnown(identifier, "the service that is scaled is not in the templates")
    return None


def _is_ecs(properties: Node) -> bool:
    """The namespace is part of the dimension, which is always given."""
    namespace = properties.get("ServiceNamespace").text()
    return (namespace or properties.get("ScalableDimension").text() or "").split(":", 1)[0] == "ecs"


def _narrow(target: Node, properties: Node) -> Fault | None:
    del target
    most = properties.get("MaxCapacity")
    highest, lowest = most.number(), properties.get("MinCapacity").number()
    if highest is None or lowest is None or highest > lowest or highest == 0:  # at 0 the service is switched off
        return None
    return Fault(most, f"MaxCapacity {highest:g} is not above MinCapacity {lowest:g}, so that nothing scales")


def _hot(target: Node, properties: Node) -> Fault | None:
    unknown: NotKnown | None = None
    for policy in _policies_of(target, properties):
        try:
            fault = _too_hot(target, policy)
        except NotKnown as error:
            unknown = NotKnown(target, f"of policy {policy.logical_id!r}, {error.why}")
            continue
        if fault is not None:
            return fault
    if unknown is not None:
        raise unknown
    return None


def _too_hot(target: Node, policy: Resource) -> Fault | None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html"""
    tracking = Node.of(target.world, policy).get("Properties", "TargetTrackingScalingPolicyConfiguration")
    metric = tracking.get("PredefinedMetricSpecification", "PredefinedMetricType").text()
    custom = tracking.get("CustomizedMetricSpecification")
    if metric is None and custom.get("Namespace").text() == "AWS/ECS":
        metric = custom.get("MetricName").text()
    aim = tracking.get("TargetValue").number() if metric in _UTILIZATION else None
    if metric is None or aim is None or aim <= MOST_UTILIZATION:
        return None
    what = f"policy {policy.logical_id!r} aims at {aim:g} % of {_UTILIZATION[metric]}"
    return Fault(target, f"{what}, above {MOST_UTILIZATION}: that leaves no room while new tasks start")


def _policies_of(target: Node, properties: Node) -> Sequence[Resource]:
    """By the target's id, or by what is scaled."""
    assembly = target.world.assembly
    found = referring(assembly, target.resource, SCALING_POLICY)
    index = assembly.remember(_policies)
    found += [policy for key in _keys(properties) for policy in index.get(key, ())]
    return [policy for policy in dict.fromkeys(found) if target.world.exists(policy)]


def _policies(assembly: Assembly) -> Mapping[_Key, Sequence[Resource]]:
    """The scaling policies by what they scale."""
    world = World(assembly)
    found: dict[_Key, list[Resource]] = {}
    for policy in assembly.of_type(SCALING_POLICY):
        try:
            keys = list(_keys(Node.of(world, policy).get("Properties")))
        except NotKnown:
            continue
        for key in keys:
            found.setdefault(key, []).append(policy)
    return found


def _keys(properties: Node) -> Iterator[_Key]:
    """A resource id, and the services that it names."""
    identifier = properties.get("ResourceId")
    if identifier.given:
        yield "", identifier.identity()
    for service in _services(properties):
        yield str(service.template.number), service.logical_id


def _services(properties: Node) -> list[Resource]:
    raw = properties.value.get("ResourceId") if isinstance(properties.value, dict) else None
    named = named_in(properties.world.assembly, properties.template, raw)
    return [resource for resource in named if resource.type == SERVICE]


def _wanted(services: Sequence[Resource], value: str, known: str | None) -> Watched:
    return Watched(
        metrics=_AT_MAXIMUM,
        dimension="ServiceName",
        resources=services,
        value=value,
        known=known is not None,
        rising=True,
    )


def _last_part(identifier: Node) -> tuple[str, str | None]:
    """The identity of the service's name, and the name itself if that is known."""
    value = identifier.value
    part = value.parts[-1] if isinstance(value, Text) else value
    if isinstance(part, Unknown):
        return part.key, None
    text = as_text(part)
    return ("", None) if text is None else (text.rsplit("/", 1)[-1],) * 2


def _scaled_to_maximum(properties: Node) -> Event:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/monitoring-eventbridge.html"""
    named = Named(resources=_services(properties), name=properties.get("ResourceId"))
    return {
        "source": "aws.application-autoscaling",
        "detail-type": "Application Auto Scaling Scaling Activity State Change",
        "detail": {
            "resourceId": named,
            "serviceNamespace": "ecs",
            "scalableDimension": "ecs:service:DesiredCount",
            "statusCode": "Successful",
            "scaledToMax": "true",
            "direction": "scale-out",
        },
    }


RULES: Final = (
    Rule(
        id="MOOR-T1a",
        severity="warning",
        types=(SCALABLE_TARGET,),
        title="auto scaling has room above its minimum, and starts before a service is full",
        why=_WHY,
        fix=f"Set MaxCapacity above MinCapacity, and TargetValue for CPU and memory to {MOST_UTILIZATION} or less.",
        judge=no_headroom,
    ),
    Rule(
        id="MOOR-T1b",
        severity="warning",
        types=(SCALABLE_TARGET,),
        title="an alarm tells when auto scaling is at its maximum",
        why=_WHY,
        fix="Add an AWS::CloudWatch::Alarm with AlarmActions on RunningTaskCount at MaxCapacity, or on CPUUtilization"
        " above the policy's TargetValue, with the ServiceName and ClusterName of the service.",
        judge=silent_maximum,
    ),
)
