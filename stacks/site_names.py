"""The names by which visitors find a service."""

from __future__ import annotations

from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.traffic.unavailable_page_distribution import UnavailablePageDistribution
from stacks.domain import Domain
from stacks.service_config import ServiceConfig


def name_site(scope: Construct, service: ServiceConfig, domain: Domain, made: FargateWebService) -> None:
    """Makes the site's name lead to the service, through CloudFront when there is a certificate for it."""
    name = f"{service.subdomain}.{domain.name}" if service.subdomain else domain.name
    target: route53.IAliasRecordTarget = targets.LoadBalancerTarget(made.load_balancer)
    if domain.edge_certificate_arn:
        edge = UnavailablePageDistribution(
            scope,
            f"{service.name}-edge",
            load_balancer=made.load_balancer,
            listener=made.listener,
            page=domain.unavailable_page,
            domain_names=(name,),
            certificate_arn=domain.edge_certificate_arn,
            timeouts=service.timeouts,
        )
        target = targets.CloudFrontTarget(edge.distribution)
    if domain.hosted_zone_id:
        _record(scope, service, domain, domain.hosted_zone_id, name, target)


def _record(
    scope: Construct,
    service: ServiceConfig,
    domain: Domain,
    zone_id: str,
    name: str,
    target: route53.IAliasRecordTarget,
) -> None:
    zone = route53.HostedZone.from_hosted_zone_attributes(
        scope, f"{service.name}-zone", hosted_zone_id=zone_id, zone_name=domain.name
    )
    route53.ARecord(
        scope,
        f"{service.name}-record",
        zone=zone,
        record_name=name,
        target=route53.RecordTarget.from_alias(target),
    )
