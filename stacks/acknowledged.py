"""Findings of the checks that we accept, each with its reason. Nothing else is accepted anywhere."""

from __future__ import annotations

from typing import Final

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from constructs_lib.checks import is_token
from stacks.accepted import Accepted
from stacks.accepted_configurations import configuration_findings
from stacks.accepted_messages import message_findings
from stacks.accepted_releases import release_findings
from stacks.accepted_schedules import schedule_findings
from stacks.accepted_sockets import socket_findings
from stacks.accepted_status import status_findings
from stacks.config import EnvironmentConfig, ExistingVpc
from stacks.landscape import Neighbours

_LOGIN_ON_ANY: Final = (
    "ecr:GetAuthorizationToken takes no resource; the token it gives may do no more than the role. "
    "stacks/gate.py refuses every other statement on '*'."
)

_NO_RESOURCE: Final = (
    "Actions that take no resource. stacks/gate.py names each with its reason and refuses every other statement on '*'."
)

_NOTHING_STORED: Final = (
    "The projects make no artifacts and keep no cache, so nothing is stored that the key would encrypt."
)

_GUARD_READS: Final = (
    ("ecs", "service/*"),
    ("ecs", "service-deployment/*"),
    ("ecs", "service-revision/*"),
    ("ecs", "task/*"),
    ("events", "rule/*"),
    ("scheduler", "schedule/*"),
    ("states", "stateMachine:*"),
)
"""An image is unused only if nothing of the account uses it, so the guard must see all of these."""

GUARD: Final = (
    Accepted(
        "retention",
        "Guard",
        "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
        "Lists that take no resource; they only read. stacks/gate.py names each and refuses every other one.",
    ),
    *(
        Accepted(
            "retention",
            "Guard",
            f"AwsSolutions::AwsSolutions-IAM5[Resource::arn:<partition>:{service}:<region>:<account>:{resource}]",
            "The guard reads, in its own account and region, everything that could refer to an image; it may change "
            "none of it.",
        )
        for service, resource in _GUARD_READS
    ),
    Accepted(
        "retention",
        "Guard",
        "AwsSolutions::AwsSolutions-SQS3",
        "A wake-up that failed is worth nothing: the next one does the same, and an alarm tells when scans stop.",
    ),
    Accepted(
        "retention",
        "Guard",
        "AwsSolutions::AwsSolutions-DDB3",
        "The table holds since when images are out of use. If it is lost, each keeps its pin for a day more.",
    ),
)

ALWAYS: Final = (
    *GUARD,
    Accepted("delivery", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _LOGIN_ON_ANY),
    Accepted("services", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", f"{_LOGIN_ON_ANY} {_NO_RESOURCE}"),
    Accepted("delivery", "", "AwsSolutions::AwsSolutions-CB4", _NOTHING_STORED),
    Accepted("release", "", "AwsSolutions::AwsSolutions-CB4", _NOTHING_STORED),
    Accepted("release", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _NO_RESOURCE),
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-ECS2",
        "Plain settings: a service's time-outs (TimeoutBudget), which its application reads, what its agent counts "
        "(SocketMetrics), and ServiceConfig.environment. A secret goes into `secrets`, which ECS reads from Secrets "
        "Manager or Parameter Store when a task starts.",
    ),
    Accepted(
        "network",
        "",
        "CloudFormation-Validate::W3010",
        "Zones are named in stacks/environments.py on purpose: nothing is looked up, and a zone that AWS adds or "
        "reorders never moves a subnet.",
    ),
)


WITH_LOAD_BALANCERS: Final = (
    Accepted(
        "services",
        "AccessLogs",
        "AwsSolutions::AwsSolutions-S1",
        "It holds the load balancers' access logs; logging access to the logs would need another bucket, and so on. "
        "It is private, and only the load balancers' log delivery may write to it.",
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

EDGE: Final = (
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-CFR1",
        "The environment is internet_facing=True: its services are meant to answer everybody, whatever the country.",
    ),
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-CFR2",
        "CloudFront is there for its error page and filters nothing, as the load balancers filter nothing; a web ACL "
        "has its own price and rules, which an owner must choose.",
    ),
    Accepted(
        "services",
        "",
        "AwsSolutions::AwsSolutions-CFR3",
        "CloudFront caches nothing but the page, so every request reaches a load balancer, whose access logs are kept; "
        "what does not reach it is in CloudFront's own error metrics.",
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
        "The environment does not ask for container_insights, some 3 USD a month for each service. No alarm and no "
        "dashboard needs it: tasks are watched by free metrics of the load balancer and of ECS.",
    ),
)


def accepted(config: EnvironmentConfig, neighbours: Neighbours) -> tuple[Accepted, ...]:
    """What is accepted of one environment: no more than its own settings bring with them."""
    return (
        *ALWAYS,
        *(WITH_LOAD_BALANCERS if config.has_web else ()),
        *(INTERNET_FACING if config.internet_facing else ()),
        *(EDGE if config.has_edge else ()),
        *(EXISTING_VPC if isinstance(config.network, ExistingVpc) else ()),
        *(() if config.container_insights else WITHOUT_INSIGHTS),
        *schedule_findings(config),
        *configuration_findings(config),
        *socket_findings(config),
        *release_findings(config, neighbours),
        *message_findings(config),
        *status_findings(config),
    )


def acknowledge(stack: Stack, config: EnvironmentConfig, neighbours: Neighbours) -> None:
    """Records the accepted findings of one stack, by its id."""
    for finding in accepted(config, neighbours):
        if finding.stack == stack.node.id:
            scope: IConstruct = stack.node.find_child(finding.construct) if finding.construct else stack
            acknowledgment = Acknowledgment(id=_placed(finding.id, stack, config), reason=finding.reason)
            Validations.of(scope).acknowledge(acknowledgment)


def _placed(text: str, stack: Stack, config: EnvironmentConfig) -> str:
    text = text.replace("<partition>", _shown(stack.partition, "Partition"))
    return text.replace("<region>", config.region).replace("<account>", config.account or "<AWS::AccountId>")


def _shown(value: str, pseudo_parameter: str) -> str:
    """As cdk-nag writes a value that only CloudFormation knows."""
    return f"<AWS::{pseudo_parameter}>" if is_token(value) else value
