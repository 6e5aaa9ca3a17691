"""A VPC with private subnets, NAT gateways by choice, and endpoints that follow from use (lessons W1, T4)."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid
from constructs_lib.network.alarms import gateway_alarms
from constructs_lib.network.policy import Feature, NatGateways, NetworkPolicy

_DEFAULT_POLICY = NetworkPolicy()


class ServiceNetwork(Construct):
    """A VPC over all availability zones of its stack (lessons W1, T4).

    Public subnets hold load balancers and NAT gateways, private ones hold tasks. Traffic to S3 takes the free gateway
    endpoint. Rejected traffic is logged. The default security group is left as AWS makes it, and nothing uses it.

    Args:
        features: what the services use; it decides the endpoints.
        policy: addresses, NAT gateways and endpoints.

    Attributes:
        vpc: the VPC.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`; nothing without NAT gateways.

    Raises:
        ValueError: the stack names fewer than two availability zones.
    """

    def __init__(
        self, scope: Construct, id: str, *, features: Iterable[Feature], policy: NetworkPolicy = _DEFAULT_POLICY
    ) -> None:
        endpoints = policy.interface_endpoints(features)
        zones = (scope if isinstance(scope, Stack) else Stack.of(scope)).availability_zones
        if len(zones) < 2:
            raise invalid("the stack's availability zones", zones, "at least two", "one zone is no reserve (lesson T4)")
        super().__init__(scope, id)
        private = (
            ec2.SubnetType.PRIVATE_ISOLATED
            if policy.nat_gateways is NatGateways.NONE
            else ec2.SubnetType.PRIVATE_WITH_EGRESS
        )
        gateways = None if policy.nat_gateways is NatGateways.NONE else ec2.NatProvider.gateway()
        self.vpc = ec2.Vpc(
            self,
            "Resource",
            ip_addresses=ec2.IpAddresses.cidr(policy.cidr),
            max_azs=len(zones),
            nat_gateways=policy.nat_gateways.count(len(zones)),
            nat_gateway_provider=gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="private", subnet_type=private),
            ],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
            flow_logs={"Rejected": self._rejected_traffic()},
            # CDK's way to empty the default group is a Lambda in Node; nothing of ours is in that group.
            restrict_default_security_group=False,
        )
        made = gateways.configured_gateways if gateways else ()
        self.alarms: tuple[AlarmSpec, ...] = gateway_alarms(gateway.gateway_id for gateway in made)
        if endpoints:
            self._add_endpoints(endpoints, policy.cidr, private)

    def _rejected_traffic(self) -> ec2.FlowLogOptions:
        log_group = logs.LogGroup(
            self,
            "FlowLogs",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        return ec2.FlowLogOptions(
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _add_endpoints(self, names: Iterable[str], cidr: str, subnets: ec2.SubnetType) -> None:
        group = ec2.SecurityGroup(
            self, "EndpointAccess", vpc=self.vpc, description="Endpoints of AWS services", allow_all_outbound=False
        )
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "HTTPS from this VPC")
        for name in names:
            self.vpc.add_interface_endpoint(
                name,
                service=ec2.InterfaceVpcEndpointAwsService(name),
                security_groups=[group],
                open=False,
                subnets=ec2.SubnetSelection(subnet_type=subnets),
            )
