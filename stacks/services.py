"""The services themselves, with their alarms."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.delivery_settings import DeliverySettingsParameter
from constructs_lib.delivery.permissions import Arns
from constructs_lib.delivery.places import arns_of
from constructs_lib.delivery.release_role import ReleaseRole
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import (
    release_parameter_name,
    release_role_name,
    repository_name,
    secret_parameter_name,
    stack_name,
)
from constructs_lib.observability.alarms import Alarms
from constructs_lib.services.container_settings import ContainerSettings
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.ingress import AccessLogsBucket, OwnLoadBalancer
from constructs_lib.services.policy import ReleasedDigest
from stacks.base import EnvironmentStack
from stacks.config import Domain, EnvironmentConfig, ExistingVpc, ServiceConfig
from stacks.landscape import Neighbours
from stacks.network import existing_vpc
from stacks.upstream import upstream_of


class ServicesStack(EnvironmentStack):
    """A cluster, a service behind a load balancer for each image, what is watched of them, and who may release them.

    Attributes:
        settings: what release commands must know of each service.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        neighbours: Neighbours,
        vpc: ec2.IVpc | None,
        repositories: Mapping[str, ecr.IRepository],
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id, config=config, description="services and their alarms")
        if isinstance(config.network, ExistingVpc):
            vpc = existing_vpc(self, config.network, config)
        insights = ecs.ContainerInsights.ENABLED if config.container_insights else ecs.ContainerInsights.DISABLED
        cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights_v2=insights)
        ingress = OwnLoadBalancer(
            internet_facing=config.internet_facing,
            admitted_cidrs=_admitted(config),
            certificate_arn=config.domain.certificate_arn if config.domain else None,
            access_logs=AccessLogsBucket(self, "AccessLogs").bucket,
        )
        alarms: list[AlarmSpec] = []
        released: list[ecs.FargateService] = []
        self.settings: dict[str, DeliverySettings] = {}
        here, cluster_name = arns_of(self), cluster.cluster_name
        for service in config.services:
            made = self._service(service, config, cluster, repositories[service.name], ingress)
            alarms.extend(made.alarms)
            released.append(made.service)
            settings = _settings(service, config, neighbours, here, cluster_name, made)
            DeliverySettingsParameter(self, f"{service.name}-delivery", settings=settings)
            self.settings[service.name] = settings
            if config.domain and config.domain.hosted_zone_id:
                self._record(service, config.domain, config.domain.hosted_zone_id, made)
        Alarms(self, "Alarms", application=config.application, environment=config.name, specs=alarms, topic=topic)
        ReleaseRole(
            self,
            "ReleaseRole",
            application=config.application,
            environment=config.name,
            services=released,
            stacks_read=[
                stack_name(config.application, config.name, stack)
                for stack in ("observability", *(() if isinstance(config.network, ExistingVpc) else ("network",)))
            ],
        )
        if config.internet_facing and not config.domain:
            Annotations.of(self).add_warning_v2(
                "moorings:plain-http",
                f"{config.name} answers the internet over plain HTTP; give it a domain with a certificate",
            )

    def _service(
        self,
        service: ServiceConfig,
        config: EnvironmentConfig,
        cluster: ecs.ICluster,
        repository: ecr.IRepository,
        ingress: OwnLoadBalancer,
    ) -> FargateWebService:
        size = service.size or config.size
        return FargateWebService(
            self,
            service.name,
            cluster=cluster,
            repository=repository,
            image=ReleasedDigest(release_parameter_name(config.application, config.name, service.name)),
            health_check=service.health_check,
            size=size.task,
            capacity=size.capacity,
            ingress=ingress,
            settings=ContainerSettings(
                environment=dict(service.environment),
                secrets={setting: self._secret(config, service, setting) for setting in service.secrets},
                writable_paths=service.writable_paths,
            ),
        )

    def _secret(self, config: EnvironmentConfig, service: ServiceConfig, setting: str) -> ecs.Secret:
        name = secret_parameter_name(config.application, config.name, service.name, setting)
        parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
            self, f"{service.name}-{setting}", parameter_name=name
        )
        return ecs.Secret.from_ssm_parameter(parameter)

    def _record(self, service: ServiceConfig, domain: Domain, zone_id: str, made: FargateWebService) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, f"{service.name}-zone", hosted_zone_id=zone_id, zone_name=domain.name
        )
        route53.ARecord(
            self,
            f"{service.name}-record",
            zone=zone,
            record_name=f"{service.subdomain}.{domain.name}" if service.subdomain else domain.name,
            target=route53.RecordTarget.from_alias(targets.LoadBalancerTarget(made.load_balancer)),
        )


def _settings(
    service: ServiceConfig,
    config: EnvironmentConfig,
    neighbours: Neighbours,
    here: Arns,
    cluster_name: str,
    made: FargateWebService,
) -> DeliverySettings:
    names = (config.application, config.name)
    size, policy = service.size or config.size, config.release
    return DeliverySettings(
        application=config.application,
        environment=config.name,
        service=service.name,
        account=here.account,
        region=here.region,
        stack=stack_name(*names, "services"),
        role=here.role(release_role_name(*names)),
        cluster=cluster_name,
        ecs_service=made.service.service_name,
        target_group=made.target_group.target_group_arn,
        repository=repository_name(*names, service.name),
        platform="linux/arm64" if size.task.architecture == "arm64" else "linux/amd64",
        steady_minutes=policy.steady_minutes,
        window=policy.window.to_text() if policy.window else "",
        outside_window=policy.outside_window,
        scan_threshold=policy.scan_threshold,
        upstream=upstream_of(config, neighbours.before, service.name, here),
    )


def _admitted(config: EnvironmentConfig) -> tuple[str, ...]:
    """Who may connect to an internal load balancer: the environment's own VPC, or what an existing one says."""
    if config.internet_facing:
        return ()
    network = config.network
    return network.admitted_cidrs if isinstance(network, ExistingVpc) else (network.cidr,)
