"""What leaves a private subnet which way, and what that costs (lesson W1). Standard library only.

A NAT gateway holds 55,000 connections per destination and address. Calls to AWS's own services should not take them,
so each feature that a service uses names the endpoints that carry its traffic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias

from constructs_lib.checks import invalid, ipv4_block

Feature: TypeAlias = Literal["images", "logs", "parameters", "secrets", "exec", "metrics", "configuration"]

ENDPOINTS_OF: Final[dict[Feature, tuple[str, ...]]] = {
    "images": ("ecr.api", "ecr.dkr"),
    "logs": ("logs",),
    "parameters": ("ssm",),
    "secrets": ("secretsmanager",),
    "exec": ("ssmmessages",),
    "metrics": ("monitoring",),
    "configuration": ("appconfigdata",),
}
"""Interface endpoints that each feature of a service needs."""

HOURS_PER_MONTH: Final = 730
INTERFACE_ENDPOINT_USD_PER_HOUR: Final = 0.01
"""For each endpoint and availability zone; 0.01 USD per GB comes on top.

Source: us-east-1, https://aws.amazon.com/privatelink/pricing/
"""

NAT_GATEWAY_USD_PER_HOUR: Final = 0.045 + 0.005
"""For each NAT gateway and its public address; 0.045 USD per GB comes on top.

Source: us-east-1, https://aws.amazon.com/vpc/pricing/
"""


class NatGateways(Enum):
    """How private subnets reach the internet (lessons W1, T4)."""

    NONE = "none"
    """Not at all: only AWS services with an endpoint can be reached."""
    ONE = "one"
    """Through one zone; its loss cuts off the others. The cheaper choice."""
    PER_ZONE = "per-zone"
    """Each zone through its own, so that no zone depends on another (lesson T4)."""

    def count(self, zones: int) -> int:
        """How many NAT gateways that is for a number of availability zones."""
        return {NatGateways.NONE: 0, NatGateways.ONE: 1, NatGateways.PER_ZONE: zones}[self]


class Endpoints(Enum):
    """How traffic to AWS services leaves the VPC (lesson W1)."""

    GATEWAY_ONLY = "gateway-only"
    """S3 by its free gateway endpoint, everything else through the NAT gateway. The cheaper choice for small teams."""
    PRIVATE = "private"
    """An interface endpoint for each service that the features need, in each zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy:
    """Addresses, NAT gateways and endpoints of a VPC of one's own (lesson W1).

    Args:
        cidr: the VPC's addresses, a /16 to /22 block; ``10.0.0.0/16`` by default.
        nat_gateways: one for each zone by default.
        endpoints: private by default.

    Raises:
        ValueError: no such block, or neither NAT gateway nor private endpoints: then a task could not even start.
    """

    cidr: str = "10.0.0.0/16"
    nat_gateways: NatGateways = NatGateways.PER_ZONE
    endpoints: Endpoints = Endpoints.PRIVATE

    def __post_init__(self) -> None:
        for what, value, kind in (
            ("nat_gateways", self.nat_gateways, NatGateways),
            ("endpoints", self.endpoints, Endpoints),
        ):
            if not isinstance(value, kind):
                allowed = ", ".join(str(member) for member in kind)
                raise invalid(what, value, f"one of {allowed}", "choose one by its name")
        ipv4_block("cidr", self.cidr, largest=16, smallest=22)
        if self.nat_gateways is NatGateways.NONE and self.endpoints is not Endpoints.PRIVATE:
            raise invalid(
                "endpoints",
                self.endpoints.value,
                "'private' where there is no NAT gateway",
                "tasks could reach neither ECR nor CloudWatch Logs; use Endpoints.PRIVATE",
            )

    def interface_endpoints(self, features: Iterable[Feature]) -> tuple[str, ...]:
        """The interface endpoints for these features, by AWS's short service names, sorted."""
        wanted = set(features)
        unknown = sorted(wanted - set(ENDPOINTS_OF))
        if unknown:
            raise invalid("features", unknown, f"among {', '.join(ENDPOINTS_OF)}", "name what the services use")
        if self.endpoints is Endpoints.GATEWAY_ONLY:
            return ()
        if self.nat_gateways is NatGateways.NONE and not {"images", "logs"} <= wanted:
            raise invalid(
                "features",
                sorted(wanted),
                "with 'images' and 'logs' where there is no NAT gateway",
                "a task could neither pull its image nor open its log stream; add them",
            )
        return tuple(sorted({endpoint for feature in wanted for endpoint in ENDPOINTS_OF[feature]}))

    def usd_per_month(self, features: Iterable[Feature], *, zones: int) -> float:
        """The standing price, without traffic, in USD a month (us-east-1)."""
        endpoints = len(self.interface_endpoints(features)) * zones * INTERFACE_ENDPOINT_USD_PER_HOUR
        gateways = self.nat_gateways.count(zones) * NAT_GATEWAY_USD_PER_HOUR
        return round((endpoints + gateways) * HOURS_PER_MONTH, 2)
