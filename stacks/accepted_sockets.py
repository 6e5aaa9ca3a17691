"""Findings about the comparison of sockets that we accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.accepted import Accepted, logical_id
from stacks.config import EnvironmentConfig

_CLUSTER: Final = "ClusterEB0386A7"
_REASON: Final = "The revisions of this one service, which ECS numbers as they are made; they are only read."


def socket_findings(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What is accepted of an environment's services whose sockets are compared."""
    for service in config.services:
        if service.socket_metrics is not None and not service.is_worker:
            made = logical_id(f"{service.name}/Service/Service", f"{service.name}Service")
            named = f"<{_CLUSTER}>/<{made}.Name>"
            revisions = f"arn:<partition>:ecs:<region>:<account>:service-revision/{named}/*"
            finding = f"AwsSolutions::AwsSolutions-IAM5[Resource::{revisions}]"
            yield Accepted("services", "SocketComparison", finding, _REASON)
