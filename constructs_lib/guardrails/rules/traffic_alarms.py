"""W3: partial failures that customers see first."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarm_metrics import Metric
from constructs_lib.guardrails.rules.alarms import Watched, unwatched
from constructs_lib.guardrails.rules.watchers import look
from constructs_lib.guardrails.templates.node import Node
from constructs_lib.guardrails.templates.references import referring

TARGET_GROUP: Final = "AWS::ElasticLoadBalancingV2::TargetGroup"
LOAD_BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER: Final = "AWS::ElasticLoadBalancingV2::Listener"

_APPLICATION: Final = "AWS/ApplicationELB"
_NETWORK: Final = "AWS/NetworkELB"
_GATEWAY: Final = "AWS/GatewayELB"
_NAMESPACES: Final = {"HTTP": _APPLICATION, "HTTPS": _APPLICATION, "GENEVE": _GATEWAY} | dict.fromkeys(
    ("TCP", "UDP", "TLS", "TCP_UDP", "QUIC", "TCP_QUIC"), _NETWORK
)
"""By a target group's protocol, which tells the kind of its load balancer.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
"""

_ELB_5XX: Final = tuple(f"HTTPCode_ELB_{code}_Count" for code in ("5XX", "500", "502", "503", "504"))
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""

_WHY: Final = (
    "WebORCA, March 2025: customers reported every outage before the monitoring did, and as only some clients failed,"
    " support could not reproduce it."
)


def unwatched_targets(group: Node) -> Fault | None:
    """W3a. A Lambda function as target has no health unless somebody asks for it."""
    if group.get("Properties", "TargetType").value == "lambda":
        return None
    wanted = Watched(metrics=_hosts(group), dimension="TargetGroup", resources=(group.resource,))
    lack = unwatched(group, wanted)
    return None if lack is None else Fault(group, f"nobody hears when targets of this group are unhealthy: {lack}")


def _hosts(group: Node) -> list[Metric]:
    protocol = look(group, "Properties", "Protocol")
    known = _NAMESPACES.get(str(protocol.value)) if protocol is not None else None
    return [
        Metric(
            name=name,
            namespaces=(_APPLICATION, _NETWORK, _GATEWAY) if known is None else (known,),
            dimensions=("TargetGroup", "LoadBalancer"),
            by_zone=True,
            rises=rises,
        )
        for name, rises in (("UnHealthyHostCount", True), ("HealthyHostCount", False))
    ]


def unwatched_errors(balancer: Node) -> Fault | None:
    """W3b. The type is ``application`` when none is given."""
    kind = balancer.get("Properties", "Type")
    if kind.value in ("network", "gateway"):
        return None
    listeners = referring(balancer.world.assembly, balancer.resource, LISTENER)  # its name is part of their ARNs
    metrics = [
        Metric(name=name, namespaces=(_APPLICATION,), dimensions=("LoadBalancer",), by_zone=True) for name in _ELB_5XX
    ]
    wanted = Watched(metrics=metrics, dimension="LoadBalancer", resources=(balancer.resource, *listeners))
    lack = unwatched(balancer, wanted)
    if lack is None or kind.text() not in (None, "application"):
        return None
    return Fault(balancer, f"nobody hears when this load balancer answers with 5xx: {lack}")


RULES: Final = (
    Rule(
        id="MOOR-W3a",
        severity="warning",
        types=(TARGET_GROUP,),
        title="an alarm tells when a target of a target group is unhealthy",
        why=_WHY,
        fix="Add an AWS::CloudWatch::Alarm with AlarmActions on UnHealthyHostCount with TargetGroup"
        " !GetAtt <group>.TargetGroupFullName and LoadBalancer !GetAtt <load balancer>.LoadBalancerFullName.",
        judge=unwatched_targets,
    ),
    Rule(
        id="MOOR-W3b",
        severity="warning",
        types=(LOAD_BALANCER,),
        title="an alarm tells when an Application Load Balancer itself answers with 5xx",
        why=_WHY,
        fix="Add an AWS::CloudWatch::Alarm with AlarmActions on HTTPCode_ELB_5XX_Count with LoadBalancer"
        " !GetAtt <load balancer>.LoadBalancerFullName.",
        judge=unwatched_errors,
    ),
)
