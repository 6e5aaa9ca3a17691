"""Findings about configurations of services that we accept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from stacks.accepted import Accepted
from stacks.config import EnvironmentConfig

_NAG = "AwsSolutions::AwsSolutions-"


def configuration_findings(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What is accepted of the configurations of an environment's services."""
    for service in config.services:
        if service.configuration is None:
            continue
        below = f"{service.name}-configuration"
        yield Accepted(
            "services",
            below,
            f"{_NAG}S1",
            "It holds one object, which one role may write and whose versions are kept; a log of who read it would be "
            "larger than what it watches.",
        )
        if not service.is_worker:
            yield _may(
                below,
                "arn:<partition>:cloudwatch:<region>:<account>:alarm:*",
                "AppConfig reads the state of alarms, which is authorized against all of them, even when it names one.",
            )
        else:
            yield Accepted(
                "services",
                below,
                "Moorings::MOOR-T2c",
                "All alarms of a worker name its ECS service, which waits for this configuration: CloudFormation could "
                "make neither first. It is gradual still, and `aws appconfig stop-deployment --allow-revert` takes it "
                "back.",
            )
        profile = f"application/<{_logical_id(below)}>/configurationprofile/<{_logical_id(below, 'Profile')}>"
        yield _may(
            below,
            f"arn:<partition>:appconfig:<region>:<account>:{profile}/hostedconfigurationversion/*",
            "The versions of this one configuration, which AppConfig numbers as they are made; they are only read.",
        )


def _may(below: str, resource: str, reason: str) -> Accepted:
    return Accepted("services", below, f"{_NAG}IAM5[Resource::{resource}]", reason)


def _logical_id(below: str, part: str = "") -> str:
    """CDK's logical id of a resource of the construct: its path without other characters, and a hash of the path."""
    digest = hashlib.md5(f"{below}/{part or 'Resource'}".encode(), usedforsecurity=False).hexdigest()[:8].upper()
    return f"{re.sub('[^A-Za-z0-9]', '', below + part)}{digest}"
