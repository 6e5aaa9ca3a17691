"""What is watched of a network, as data (lesson W1). Standard library only.

AWS's own reading of both metrics:
https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold

COMPONENT: Final = "network"
"""What the alarms speak for."""

DROPPED_SHARE: Final = 0.0001
"""0.01 % of the traffic: beyond it, AWS says, look at its Health Dashboard."""

_DROPPED_PERIODS: Final = 3


def gateway_alarms(gateway_ids: Iterable[str]) -> tuple[AlarmSpec, ...]:
    """For each NAT gateway a page when it has no port left, and a notice when it drops packets. The metrics are free.

    Args:
        gateway_ids: the NAT gateways; the values may be Tokens.
    """
    return tuple(spec for number, gateway in enumerate(gateway_ids, start=1) for spec in _of(gateway, number))


def _of(gateway_id: str, number: int) -> Iterator[AlarmSpec]:
    on_gateway = {"NatGatewayId": gateway_id}
    # A port that could not be had is a connection that failed, so one is enough.
    yield AlarmSpec(
        component=COMPONENT,
        what=f"nat-ports-{number}",
        meaning="A NAT gateway had no port left for a destination, so new connections to it fail. Look at what was "
        "released last, at connections that are opened and not reused, and at the gateway's ActiveConnectionCount.",
        severity="page",
        metric=Metric(namespace="AWS/NATGateway", name="ErrorPortAllocation", dimensions=on_gateway, statistic="Sum"),
        threshold=Threshold(value=1, missing_because="no connection was asked for, so none was refused"),
        runbook="nat-ports",
        slower_because="nothing sooner: AWS counts ports by the minute; what users feel of it pages by itself",
    )
    # A share of the traffic, as AWS reckons it, and for a quarter of an hour: TCP mends a lost packet, and of little
    # traffic one packet is a large share. What it does to visitors pages by itself.
    yield AlarmSpec(
        component=COMPONENT,
        what=f"nat-drops-{number}",
        meaning="A NAT gateway has dropped 0.01 % of its packets or more for 15 minutes, so connections through it "
        "are slow or fail. Look at the AWS Health Dashboard, and at the gateway's bytes and packets beside its limits.",
        severity="notice",
        metric=Metric(
            namespace="AWS/NATGateway",
            name="PacketsDropCount",
            dimensions=on_gateway,
            statistic="Sum",
            period_seconds=300,
            per=("PacketsInFromSource", "PacketsInFromDestination"),
        ),
        threshold=Threshold(
            value=DROPPED_SHARE,
            periods=_DROPPED_PERIODS,
            out_of=_DROPPED_PERIODS,
            missing_because="without a packet there is no share of packets",
        ),
        runbook="nat-drops",
    )
