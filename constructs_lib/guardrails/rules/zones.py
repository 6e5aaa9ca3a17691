"""In how many availability zones something stands, as far as the templates tell."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.guardrails.rule import Fault
from constructs_lib.guardrails.rules.load_balancing import LOAD_BALANCER, is_application, load_balancers, target_groups
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import Reference, Text, Unknown


def one_zone(resource: Node) -> Fault | None:
    """T4d."""
    return _balancer(resource) if resource.resource.type == LOAD_BALANCER else _service(resource)


def _balancer(balancer: Node) -> Fault | None:
    """An Application Load Balancer is refused in one zone, so where its subnets are not known they are in two.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    place = _place(balancer)
    if isinstance(place.value, Unknown | Reference | Text) and is_application(balancer):
        return None
    return _judge("the load balancer", place)


def _service(service: Node) -> Fault | None:
    """Who names two subnets means two zones; that they are not is said only when the templates tell so."""
    place = service.get("Properties", "NetworkConfiguration", "AwsvpcConfiguration", "Subnets")
    if isinstance(place.value, Unknown | Reference | Text) and _shares_zones(service, place):
        return None
    return _judge("the service", place)


def _judge(who: str, place: Node) -> Fault | None:
    subnets = _subnets(place)
    if len(subnets) == 1:
        return Fault(place, f"{who} stands in one subnet")
    if _in_one_zone(subnets):
        return Fault(place, f"{who} stands in {len(subnets)} subnets of one availability zone")
    return None


def _place(balancer: Node) -> Node:
    properties = balancer.get("Properties")
    return properties.get("Subnets") if properties.get("Subnets").given else properties.get("SubnetMappings")


def _subnets(place: Node) -> list[Node]:
    """The subnets, each once."""
    found = {}
    for item in place.sequence():
        subnet = item.get("SubnetId") if isinstance(item.value, dict) else item
        if subnet.value == "" or isinstance(subnet.value, list):
            raise NotKnown(subnet, "it is no subnet")
        if subnet.given:
            found[subnet.identity()] = subnet
    return list(found.values())


def _shares_zones(service: Node, place: Node) -> bool:
    """Whether an Application Load Balancer in front of it has the same subnets."""
    try:
        return any(
            is_application(balancer) and _place(balancer).identity() == place.identity()
            for entry in service.get("Properties", "LoadBalancers").items()
            for target_group in target_groups(entry)
            for balancer in load_balancers(target_group)
        )
    except NotKnown:
        return False


def _in_one_zone(subnets: Sequence[Node]) -> bool:
    zones = {_zone(subnet) for subnet in subnets}
    return len(zones) == 1 and None not in zones


def _zone(subnet: Node) -> str | None:
    """What is the same for subnets of the same zone; None when the templates do not tell the zone."""
    resource = subnet.target()
    if resource is None:
        return None
    properties = Node.of(subnet.world, resource).get("Properties")
    for key in ("AvailabilityZone", "AvailabilityZoneId"):
        if properties.get(key).given:
            return f"{key} {properties.get(key).identity()}"
    return None
