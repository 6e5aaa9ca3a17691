"""Findings about the comparison of sockets that we accept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from stacks.accepted import Accepted
from stacks.config import EnvironmentConfig

_CLUSTER: Final = "ClusterEB0386A7"
_REASON: Final = "The revisions of this one service, which ECS numbers as they are made; they are only read."


def socket_findings(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What is accepted of an environment's services whose sockets are compared."""
    for service in config.services:
        if service.socket_metrics is not None and not service.is_worker:
            named = f"<{_CLUSTER}>/<{_logical_id(service.name)}.Name>"
            revisions = f"arn:<partition>:ecs:<region>:<account>:service-revision/{named}/*"
            finding = f"AwsSolutions::AwsSolutions-IAM5[Resource::{revisions}]"
            yield Accepted("services", "SocketComparison", finding, _REASON)


def _logical_id(service: str) -> str:
    """CDK's logical id of a service: its path without other characters, and a hash of the path."""
    digest = hashlib.md5(f"{service}/Service/Service".encode(), usedforsecurity=False).hexdigest()[:8].upper()
    return f"{re.sub('[^A-Za-z0-9]', '', service)}Service{digest}"
