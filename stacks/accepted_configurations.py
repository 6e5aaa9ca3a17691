"""Findings about configurations of services that we accept."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.accepted import Accepted, logical_id
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
        made, profiled = logical_id(f"{below}/Resource", below), logical_id(f"{below}/Profile", f"{below}Profile")
        profile = f"application/<{made}>/configurationprofile/<{profiled}>"
        yield _may(
            below,
            f"arn:<partition>:appconfig:<region>:<account>:{profile}/hostedconfigurationversion/*",
            "The versions of this one configuration, which AppConfig numbers as they are made; they are only read.",
        )


def _may(below: str, resource: str, reason: str) -> Accepted:
    return Accepted("services", below, f"{_NAG}IAM5[Resource::{resource}]", reason)
