"""What is watched of a network, as data (lesson W1). Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold

COMPONENT: Final = "network"
"""What the alarms speak for."""


def gateway_alarms(gateway_ids: Iterable[str]) -> tuple[AlarmSpec, ...]:
    """A page for each NAT gateway that has no port left. The metric is free.

    A port that could not be had is a connection that failed, so one is enough
    (https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html).

    Args:
        gateway_ids: the NAT gateways; the values may be Tokens.
    """
    return tuple(
        AlarmSpec(
            component=COMPONENT,
            what=f"nat-ports-{number}",
            meaning="A NAT gateway had no port left for a destination, so new connections to it fail. Look at what was "
            "released last, at connections that are opened and not reused, and at the gateway's ActiveConnectionCount.",
            severity="page",
            metric=Metric(
                namespace="AWS/NATGateway",
                name="ErrorPortAllocation",
                dimensions={"NatGatewayId": gateway_id},
                statistic="Sum",
            ),
            threshold=Threshold(value=1),
        )
        for number, gateway_id in enumerate(gateway_ids, start=1)
    )
