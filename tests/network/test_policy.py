"""What leaves a private subnet which way, and what that costs (lessons W1, T4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.network.policy import ENDPOINTS_OF, Endpoints, Feature, NatGateways, NetworkPolicy
from tests.support import TOKEN, refused, run_without_cdk

FEATURES = st.sets(st.sampled_from(sorted(ENDPOINTS_OF)))

# The endpoint of each service, from the table of services in the PrivateLink guide, and what ECS on Fargate needs.
NEEDED = {
    "images": {"ecr.api", "ecr.dkr"},
    "logs": {"logs"},
    "parameters": {"ssm"},
    "secrets": {"secretsmanager"},
    "exec": {"ssmmessages"},
    "metrics": {"monitoring"},
    "configuration": {"appconfigdata"},
}


@given(features=FEATURES)
def test_endpoints_follow_from_the_features(features: set[Feature]) -> None:
    """Each feature brings the endpoints of its own services, once, in a stable order, and no others (W1)."""
    made = NetworkPolicy().interface_endpoints(features)
    assert set(made) == set().union(*(NEEDED[feature] for feature in features))
    assert list(made) == sorted(set(made))


@given(features=FEATURES)
def test_the_cheaper_choice_has_no_priced_endpoint(features: set[Feature]) -> None:
    """With the free gateway endpoint alone, everything else takes the NAT gateway."""
    assert NetworkPolicy(endpoints=Endpoints.GATEWAY_ONLY).interface_endpoints(features) == ()


@given(zones=st.integers(2, 6))
def test_gateways_are_none_one_or_one_for_each_zone(zones: int) -> None:
    """With one in each zone, no zone depends on another (T4)."""
    assert [choice.count(zones) for choice in NatGateways] == [0, 1, zones]
    assert NetworkPolicy().nat_gateways is NatGateways.PER_ZONE


@pytest.mark.parametrize(
    ("policy", "zones", "price"),
    [
        # 0.045 USD an hour and 0.005 for the public address, 730 hours a month.
        (NetworkPolicy(nat_gateways=NatGateways.ONE, endpoints=Endpoints.GATEWAY_ONLY), 2, 36.50),
        (NetworkPolicy(endpoints=Endpoints.GATEWAY_ONLY), 3, 109.50),
        # Three endpoints (ecr.api, ecr.dkr, logs) in each zone, 0.01 USD an hour each.
        (NetworkPolicy(nat_gateways=NatGateways.NONE), 2, 43.80),
        (NetworkPolicy(), 3, 175.20),
    ],
)
def test_the_standing_price_is_the_sum_of_its_parts(policy: NetworkPolicy, zones: int, price: float) -> None:
    """The price that the documentation shows is AWS's, worked out here by hand for us-east-1."""
    assert policy.usd_per_month(("images", "logs"), zones=zones) == pytest.approx(price)


@pytest.mark.parametrize("endpoints", Endpoints)
def test_a_mistyped_feature_is_refused_in_every_environment(endpoints: Endpoints) -> None:
    """A typing error shows in staging already, though only production makes endpoints."""
    wrong: Any = ("images", "secret")
    policy = NetworkPolicy(endpoints=endpoints)
    refused(lambda: policy.interface_endpoints(wrong), "features", ["secret"], "images, logs, parameters, secrets")


@pytest.mark.parametrize("features", [(), ("images",), ("logs",), ("secrets", "exec")])
def test_without_gateway_the_endpoints_of_a_start_are_needed(features: tuple[Feature, ...]) -> None:
    """No NAT gateway and no way to ECR or CloudWatch Logs: no task could start."""
    policy = NetworkPolicy(nat_gateways=NatGateways.NONE)
    refused(lambda: policy.interface_endpoints(features), "features", sorted(features), "'images' and 'logs'")


def test_neither_gateway_nor_endpoints_is_refused() -> None:
    """A network without any way out is refused as soon as it is described."""
    refused(
        lambda: NetworkPolicy(nat_gateways=NatGateways.NONE, endpoints=Endpoints.GATEWAY_ONLY),
        "endpoints",
        "gateway-only",
        "'private' where there is no NAT gateway",
    )


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "172.16.0.0/20", "192.168.4.0/22"])
def test_a_block_of_a_vpc_is_accepted(cidr: str) -> None:
    """From /16 to /22: AWS's largest, and one that still has room for two subnets in each zone."""
    assert NetworkPolicy(cidr=cidr).cidr == cidr


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0/15", "10.0.0.0/23", "10.0.0.1/16", "10.0.0.0", "10.0.0.0/255.255.0.0", "::/16", "vpc", TOKEN, ""]
)
def test_a_block_of_no_vpc_is_refused(cidr: str) -> None:
    """Too large, too small, with host bits, in another notation, or not known yet."""
    refused(lambda: NetworkPolicy(cidr=cidr), "cidr", cidr, "")


def test_a_wrong_network_fails_before_node_starts() -> None:
    """A network is described without loading CDK."""
    code = "from constructs_lib.network.policy import NetworkPolicy\nNetworkPolicy(cidr='10.0.0.0/8')"
    assert run_without_cdk(code).startswith("cidr must be")
