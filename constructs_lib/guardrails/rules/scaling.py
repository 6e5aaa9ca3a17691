"""T1: auto scaling with room above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarm_metrics import Metric
from constructs_lib.guardrails.rules.alarms import Watched, unwatched
from constructs_lib.guardrails.rules.ecs import SERVICE
from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event, Named
from constructs_lib.guardrails.templates.assembly import Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import named_in
from constructs_lib.guardrails.templates.values import Text, Unknown, as_text

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
_AT_MAXIMUM: Final = {
    "RunningTaskCount": "ECS/ContainerInsights",
    "DesiredTaskCount": "ECS/ContainerInsights",
    "CPUUtilization": "AWS/ECS",
    "MemoryUtilization": "AWS/ECS",
}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
"""

_WHY: Final = (
    "Twilio, February 2021: an internal service was overloaded, as its auto scaling and its number of servers were too"
    " small, and many products went down with it."
)


def no_headroom(resource: Node) -> Fault | None:
    """T1a. A target that cannot scale, or a policy that lets it scale late."""
    properties = resource.get("Properties")
    if resource.resource.type == SCALING_POLICY:
        return _too_hot(resource, properties)
    return _narrow(properties) if _is_ecs(properties) else None


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
    return Fault(target, f"nobody hears when this service is at its maximum of tasks: {lack}")


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


def _narrow(properties: Node) -> Fault | None:
    most = properties.get("MaxCapacity")
    highest, lowest = most.number(), properties.get("MinCapacity").number()
    if highest is None or lowest is None or highest > lowest or highest == 0:  # at 0 the service is switched off
        return None
    return Fault(most, f"MaxCapacity {highest:g} is not above MinCapacity {lowest:g}, so that nothing scales")


def _too_hot(policy: Node, properties: Node) -> Fault | None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html"""
    tracking = properties.get("TargetTrackingScalingPolicyConfiguration")
    aim = tracking.get("TargetValue")
    if not aim.given or _leaves_room(aim) or not _may_be_ecs(properties):
        return None
    metric = tracking.get("PredefinedMetricSpecification", "PredefinedMetricType").text()
    custom = tracking.get("CustomizedMetricSpecification")
    if metric is None and custom.get("Namespace").text() == "AWS/ECS":
        metric = custom.get("MetricName").text()
    if metric not in _UTILIZATION:
        return None
    number = aim.number()
    if number is None or number <= MOST_UTILIZATION:
        return None
    what = f"policy {policy.resource.logical_id!r} aims at {number:g} % of {_UTILIZATION[metric]}"
    return Fault(aim, f"{what}, above {MOST_UTILIZATION}: that leaves no room while new tasks start")


def _leaves_room(aim: Node) -> bool:
    try:
        return (aim.number() or 0) <= MOST_UTILIZATION
    except NotKnown:
        return False


def _may_be_ecs(properties: Node) -> bool:
    """Whether a policy may scale a service of ECS; most name only the target, or what is scaled."""
    target = properties.get("ScalingTargetId").target()
    if target is not None and target.type == SCALABLE_TARGET:
        return _is_ecs(Node.of(properties.world, target).get("Properties"))
    return not any(properties.get(key).given for key in ("ServiceNamespace", "ScalableDimension")) or _is_ecs(
        properties
    )


def _services(properties: Node) -> list[Resource]:
    raw = properties.value.get("ResourceId") if isinstance(properties.value, dict) else None
    named = named_in(properties.world.assembly, properties.template, raw)
    return [resource for resource in named if resource.type == SERVICE]


def _wanted(services: Sequence[Resource], value: str, known: str | None) -> Watched:
    return Watched(
        metrics=[
            Metric(name=name, namespaces=(namespace,), dimensions=("ClusterName", "ServiceName"))
            for name, namespace in _AT_MAXIMUM.items()
        ],
        dimension="ServiceName",
        resources=services,
        value=value,
        known=known is not None,
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
        types=(SCALABLE_TARGET, SCALING_POLICY),
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
