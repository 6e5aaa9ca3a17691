"""Findings of the checks that we accept, each with its reason. Nothing else is accepted anywhere."""

from __future__ import annotations

from typing import Final, NamedTuple

from aws_cdk import Acknowledgment, Stack, Validations

from stacks.config import EnvironmentConfig, ExistingVpc


class Accepted(NamedTuple):
    """One finding, in one kind of stack."""

    stack: str
    path: str
    """Where in the stack, as construct ids joined by ``/``; empty for the whole stack."""
    id: str
    reason: str


_LOGIN_ON_ANY: Final = (
    "ecr:GetAuthorizationToken takes no resource; the token it gives may do no more than the role. "
    "stacks/gate.py refuses every other statement on '*'."
)

ALWAYS: Final = (
    Accepted("delivery", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _LOGIN_ON_ANY),
    Accepted("services", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _LOGIN_ON_ANY),
    Accepted(
        "delivery",
        "",
        "AwsSolutions::AwsSolutions-CB4",
        "The builds make no artifacts and keep no cache, so nothing is stored that the key would encrypt.",
    ),
    Accepted(
        "services",
        "AccessLogs",
        "AwsSolutions::AwsSolutions-S1",
        "It holds the load balancers' access logs; logging access to the logs would need another bucket, and so on. "
        "It is private, and only the load balancers' log delivery may write to it.",
    ),
    Accepted(
        "network",
        "",
        "CloudFormation-Validate::W3010",
        "Zones are named in stacks/environments.py on purpose: nothing is looked up, and a zone that AWS adds or "
        "reorders never moves a subnet.",
    ),
)


INTERNET_FACING: Final = (
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-EC23",
        "The environment is internet_facing=True: its load balancers are meant to admit everybody, on 80 and 443 only.",
    ),
)

EXISTING_VPC: Final = (
    Accepted(
        "services",
        "ExistingVpc",
        "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
        "Nothing here reads or changes a route table of a VPC that somebody else looks after.",
    ),
)

WITHOUT_INSIGHTS: Final = (
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-ECS4",
        "The environment is container_insights=False, to save its price. Healthy tasks are watched by the load "
        "balancer's own metrics, which are free.",
    ),
)

WITH_SETTINGS: Final = (
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-ECS2",
        "ServiceConfig.environment holds plain settings; a secret goes into `secrets`, which ECS reads from Secrets "
        "Manager or Parameter Store when a task starts.",
    ),
)


def accepted(config: EnvironmentConfig) -> tuple[Accepted, ...]:
    """What is accepted of one environment: no more than its own settings bring with them."""
    return (
        *ALWAYS,
        *(INTERNET_FACING if config.internet_facing else ()),
        *(EXISTING_VPC if isinstance(config.network, ExistingVpc) else ()),
        *(() if config.container_insights else WITHOUT_INSIGHTS),
        *(WITH_SETTINGS if any(service.environment for service in config.services) else ()),
    )


def acknowledge(stack: Stack, config: EnvironmentConfig) -> None:
    """Records the accepted findings of one stack, by its id."""
    for finding in accepted(config):
        if finding.stack == stack.node.id:
            scope = stack.node.find_child(finding.path) if finding.path else stack
            Validations.of(scope).acknowledge(Acknowledgment(id=finding.id, reason=finding.reason))
