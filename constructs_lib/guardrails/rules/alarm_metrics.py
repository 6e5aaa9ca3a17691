"""Which metrics AWS publishes under which names, and whether an alarm on one can ever go off.

CloudWatch takes an alarm on any metric; one that nobody publishes stays without data, and tells nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.guardrails.rules.watchers import listed, look
from constructs_lib.guardrails.templates.node import Node
from constructs_lib.guardrails.templates.values import Reference, Text, as_text

_ZONE: Final = "AvailabilityZone"

_KNOWN_BY: Final = {
    "AWS::EC2::NatGateway": ("Ref", "NatGatewayId"),
    "AWS::ECS::Cluster": ("Ref",),
    "AWS::ECS::Service": ("Name",),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("LoadBalancerFullName",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("TargetGroupFullName",),
}
"""What gives the value that CloudWatch has as dimension."""

_ARNS: Final = ("Ref", "Arn", "ServiceArn", "LoadBalancerArn", "TargetGroupArn")

_FALLING: Final = ("LessThanThreshold", "LessThanOrEqualToThreshold", "LessThanLowerThreshold")
_RISING: Final = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "GreaterThanUpperThreshold")
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric as AWS publishes it (lesson W3).

    Args:
        name: its name.
        namespaces: where it is; several when it is not known what publishes it.
        dimensions: all that it is published by together.
        by_zone: whether it is there for each availability zone too.
        rises: whether more of it is worse.
    """

    name: str
    namespaces: Sequence[str]
    dimensions: Sequence[str]
    by_zone: bool = False
    rises: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an alarm asks CloudWatch for (lesson W3).

    Args:
        namespace: empty where there is none; None when it is not known.
        dimensions: their names; None when they are not known.
        misnamed: what is wrong with a dimension's value, by the dimension.
        operator: how it compares; empty when that is not known, or of what is computed.
    """

    namespace: str | None
    dimensions: Sequence[str] | None
    misnamed: Sequence[tuple[str, str]]
    operator: str

    def fault(self, metric: Metric, dimension: str) -> str:
        """Why it never goes off when it should, in words that follow "watches it, but"; empty when it may."""
        if self.namespace is not None and self.namespace not in metric.namespaces:
            got = f"in {self.namespace[:60]!r}" if self.namespace else "without a Namespace"
            return f"{got}, and CloudWatch has {metric.name} in {' or '.join(metric.namespaces)}"
        names = None if self.dimensions is None else set(self.dimensions) - ({_ZONE} if metric.by_zone else set())
        if names is not None and names != set(metric.dimensions):
            got = " and ".join(sorted(self.dimensions or ()))
            return f"by {got}, and CloudWatch has {metric.name} by {' and '.join(metric.dimensions)}"
        for name, what in self.misnamed:
            return what if name == dimension else f"its {name} is given {what}"
        if self.operator in (_FALLING if metric.rises else _RISING):
            return f"it goes off when {metric.name} {'falls' if metric.rises else 'rises'}"
        return ""

    def doubt(self) -> str:
        """What of it is not known; empty when nothing."""
        if self.namespace is None:
            return "Namespace"
        return "Dimensions" if self.dimensions is None else ""


def asked(metric: Node | None, operator: str) -> Asked:
    """What is asked for by a metric's namespace and dimensions, whatever its name."""
    namespace = look(metric, "Namespace")
    names: list[str] | None = []
    misnamed: list[tuple[str, str]] = []
    for dimension in listed(look(metric, "Dimensions")):
        kind = look(dimension, "Name")
        name = None if kind is None else as_text(kind.value)
        if name is None:
            names = None
            continue
        if names is not None:
            names.append(name)
        wrong = _misnamed(look(dimension, "Value"))
        if wrong:
            misnamed.append((name, wrong))
    return Asked(
        namespace="" if namespace is None else as_text(namespace.value),
        dimensions=names,
        misnamed=misnamed,
        operator=operator,
    )


def operator_of(properties: Node | None) -> str:
    """How an alarm compares; empty where an expression may turn it around."""
    operator = look(properties, "ComparisonOperator")
    if operator is None or any(look(query, "Expression") for query in listed(look(properties, "Metrics"))):
        return ""
    return as_text(operator.value) or ""


def _misnamed(value: Node | None) -> str:
    reference = None if value is None else value.value
    if isinstance(reference, Text) and len(reference.parts) == 1:
        reference = reference.parts[0]
    if value is None or not isinstance(reference, Reference):
        return ""
    resource = value.world.assembly.resource(reference.template, reference.logical_id)
    known_by = _KNOWN_BY.get(resource.type if resource is not None else "", (reference.attribute,))
    if reference.attribute in known_by:
        return ""
    got = "its ARN" if reference.attribute in _ARNS else reference.attribute
    wanted = "its name" if known_by[0] in ("Ref", "Name") else known_by[0]
    return f"by {got}, and CloudWatch knows it by {wanted}"
