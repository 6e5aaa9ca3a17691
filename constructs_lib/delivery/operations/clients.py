"""The AWS services that a release talks to, and how it calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS services that a release talks to (lessons W4, Q5).

    Args:
        cloudformation: the services' stack.
        cloudwatch: the state of deployment alarms.
        ecr: the images.
        ecs: what runs.
        elbv2: whether targets are healthy.
        ssm: settings, release parameter and ledger.
        sts: who calls.
    """

    cloudformation: CloudFormationClient
    cloudwatch: CloudWatchClient
    ecr: ECRClient
    ecs: ECSClient
    elbv2: ElasticLoadBalancingv2Client
    ssm: SSMClient
    sts: STSClient


def config() -> Config:
    """How every client calls: several tries with pauses that grow, and no call that hangs for long."""
    from botocore.config import Config

    return Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})


def connect(session: Session) -> Clients:
    """Clients of a session, each with :func:`config`."""
    how = config()
    return Clients(
        cloudformation=session.client("cloudformation", config=how),
        cloudwatch=session.client("cloudwatch", config=how),
        ecr=session.client("ecr", config=how),
        ecs=session.client("ecs", config=how),
        elbv2=session.client("elbv2", config=how),
        ssm=session.client("ssm", config=how),
        sts=session.client("sts", config=how),
    )
