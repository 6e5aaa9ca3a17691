"""Where everything stands: a VPC of its own, or one that exists."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib.network.policy import NetworkPolicy
from constructs_lib.network.vpc import ServiceNetwork
from constructs_lib.observability.notification.topics import Topics
from stacks.alarms import watch
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig, ExistingVpc


class NetworkStack(EnvironmentStack):
    """An environment's own VPC, with its alarms."""

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, policy: NetworkPolicy, topics: Topics
    ) -> None:
        super().__init__(scope, id, config=config, description="network")
        network = ServiceNetwork(self, "Network", features=config.features, policy=policy)
        self.vpc: ec2.IVpc = network.vpc
        self.alarms = network.alarms
        watch(self, config, network.alarms, topics)


def existing_vpc(scope: Construct, vpc: ExistingVpc, config: EnvironmentConfig) -> ec2.IVpc:
    """A VPC that somebody else looks after, without looking anything up."""
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "ExistingVpc",
        vpc_id=vpc.vpc_id,
        availability_zones=list(config.availability_zones),
        private_subnet_ids=list(vpc.private_subnet_ids),
        public_subnet_ids=list(vpc.public_subnet_ids),
    )
