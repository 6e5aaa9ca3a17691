"""W1: connections that a load balancer cannot take or cannot make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarm_metrics import Metric
from constructs_lib.guardrails.rules.alarms import Watched, unwatched
from constructs_lib.guardrails.rules.ecs import SERVICE, TASK_SET
from constructs_lib.guardrails.rules.load_balancing import (
    LISTENER,
    LISTENER_RULE,
    LOAD_BALANCER,
    TARGET_GROUP,
    is_application,
)  # fmt: skip
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node
from constructs_lib.guardrails.templates.references import ResourceKey, named_in, referring
from constructs_lib.guardrails.templates.values import mapping

_METRICS: Final = tuple(
    Metric(name=name, namespaces=("AWS/ApplicationELB",), dimensions=dimensions, by_zone=True)
    for name, dimensions in (
        ("RejectedConnectionCount", ("LoadBalancer",)),
        ("TargetConnectionErrorCount", ("LoadBalancer",)),
        ("TargetConnectionErrorCount", ("LoadBalancer", "TargetGroup")),
    )
)
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""


def unwatched_connections(balancer: Node) -> Fault | None:
    """W1c. Only a load balancer that is seen to send to a service of ECS is judged."""
    world, resource = balancer.world, balancer.resource
    services = world.assembly.remember(_services_behind).get((resource.template.number, resource.logical_id), ())
    if not any(map(world.exists, services)):
        return None
    listeners = referring(world.assembly, resource, LISTENER)  # its name is part of their ARNs
    lack = unwatched(balancer, Watched(metrics=_METRICS, dimension="LoadBalancer", resources=(resource, *listeners)))
    if lack is None or not is_application(balancer):
        return None
    return Fault(
        balancer, f"nobody hears when this load balancer refuses connections or targets refuse its own: {lack}"
    )


def _services_behind(assembly: Assembly) -> Mapping[ResourceKey, Sequence[Resource]]:
    """The services to which each load balancer sends, through listeners and their rules, in any branch."""
    found: dict[ResourceKey, list[Resource]] = {}
    balancers = assembly.remember(_balancers_of_groups)
    for service in assembly.of_type(SERVICE, TASK_SET):
        for group in _named(assembly, service, "LoadBalancers", TARGET_GROUP):
            for key in balancers.get((group.template.number, group.logical_id), ()):
                found.setdefault(key, []).append(service)
    return found


def _balancers_of_groups(assembly: Assembly) -> Mapping[ResourceKey, Sequence[ResourceKey]]:
    found: dict[ResourceKey, list[ResourceKey]] = {}
    for kind, actions in ((LISTENER, "DefaultActions"), (LISTENER_RULE, "Actions")):
        for sender in assembly.of_type(kind):
            listeners = [sender] if kind == LISTENER else _named(assembly, sender, "ListenerArn", LISTENER)
            keys = {
                (balancer.template.number, balancer.logical_id)
                for listener in listeners
                for balancer in _named(assembly, listener, "LoadBalancerArn", LOAD_BALANCER)
            }
            for group in _named(assembly, sender, actions, TARGET_GROUP):
                found.setdefault((group.template.number, group.logical_id), []).extend(sorted(keys))
    return found


def _named(assembly: Assembly, resource: Resource, key: str, kind: str) -> list[Resource]:
    """The resources of a type that a property names."""
    raw = mapping(resource.body.get("Properties")).get(key)
    return [other for other in named_in(assembly, resource.template, raw) if other.type == kind]


RULES: Final = (
    Rule(
        id="MOOR-W1c",
        severity="warning",
        types=(LOAD_BALANCER,),
        title="an alarm tells when a load balancer of a service refuses connections, or cannot make its own",
        why="WebORCA, March 2025: a library opened more connections than before, the ports ran out the next"
        " morning, and it took 32 hours to suspect it.",
        fix="Add an AWS::CloudWatch::Alarm with AlarmActions on TargetConnectionErrorCount or RejectedConnectionCount"
        " with LoadBalancer !GetAtt <load balancer>.LoadBalancerFullName.",
        judge=unwatched_connections,
    ),
)
