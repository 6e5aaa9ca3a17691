"""The services themselves, with their alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.delivery_settings import DeliverySettingsParameter
from constructs_lib.delivery.release_role import ReleaseRole
from constructs_lib.delivery.release_schedules import ReleasedSchedule
from constructs_lib.delivery.settings import BeforeRelease, DeliverySettings
from constructs_lib.iam_policy import Arns
from constructs_lib.naming import (
    release_parameter_name,
    release_role_name,
    repository_name,
    secret_parameter_name,
    stack_name,
)
from constructs_lib.observability.alarms import Alarms
from constructs_lib.places import arns_of
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.one_off_task import FargateOneOffTask
from constructs_lib.services.policy import ReleasedDigest
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.traffic.ingress import AccessLogsBucket, OwnLoadBalancer
from constructs_lib.services.traffic.unavailable_page_distribution import UnavailablePageDistribution
from stacks.base import EnvironmentStack
from stacks.calls import call_settings, offer_of
from stacks.config import EnvironmentConfig, ExistingVpc, ServiceConfig
from stacks.configurations import configure
from stacks.connections import connect_services
from stacks.domain import Domain
from stacks.landscape import Neighbours
from stacks.network import existing_vpc
from stacks.sockets import compare_sockets, socket_alarms_of
from stacks.upstream import upstream_of
from stacks.workers import scheduled_tasks


class ServicesStack(EnvironmentStack):
    """A cluster, a service or worker for each image, what is watched of them, and who may release them.

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
        ingress = self._ingress(config) if config.has_web else None
        alarms: list[AlarmSpec] = []
        released: list[ecs.FargateService] = []
        traffic_roles: list[iam.IRole] = []
        schedules: list[ReleasedSchedule] = []
        services: dict[str, FargateWebService | FargateWorker] = {}
        self.settings: dict[str, DeliverySettings] = {}
        here, cluster_name = arns_of(self), cluster.cluster_name
        for service in config.services:
            told = self._told(service, config)
            made = self._service(service, config, cluster, repositories[service.name], ingress, told)
            services[service.name] = made
            alarms.extend(made.alarms)
            alarms.extend(socket_alarms_of(service, config, made))
            released.append(made.service)
            first = self._before_release(service, config, repositories[service.name], told)
            settings = _settings(service, config, neighbours, here, cluster_name, made, first)
            DeliverySettingsParameter(self, f"{service.name}-delivery", settings=settings)
            self.settings[service.name] = settings
            scheduled = scheduled_tasks(
                self,
                service,
                made=made,
                cluster=cluster,
                repository=repositories[service.name],
                size=config.size_of(service).task,
                settings=told,
            )
            for task in scheduled:
                alarms.extend(task.alarms)
                schedules.append(task.released)
            if isinstance(made, FargateWebService) and made.traffic_role:
                traffic_roles.append(made.traffic_role)
            if config.domain and isinstance(made, FargateWebService):
                self._name(service, config.domain, made)
        alarms.extend(connect_services(self, config.services, services, cluster=cluster_name))
        alarms.extend(compare_sockets(self, config, services, cluster=cluster_name))
        Alarms(self, "Alarms", application=config.application, environment=config.name, specs=alarms, topic=topic)
        configure(self, config, services, topic)
        ReleaseRole(
            self,
            "ReleaseRole",
            application=config.application,
            environment=config.name,
            services=released,
            schedules=schedules,
            traffic_roles=traffic_roles,
            stacks_read=[
                stack_name(config.application, config.name, stack)
                for stack in ("observability", *(() if isinstance(config.network, ExistingVpc) else ("network",)))
            ],
        )
        if config.internet_facing and ingress and not config.domain:
            Annotations.of(self).add_warning_v2(
                "moorings:plain-http",
                f"{config.name} answers the internet over plain HTTP; give it a domain with a certificate",
            )

    def _ingress(self, config: EnvironmentConfig) -> OwnLoadBalancer:
        return OwnLoadBalancer(
            internet_facing=config.internet_facing,
            admitted_cidrs=_admitted(config),
            certificate_arn=config.domain.certificate_arn if config.domain else None,
            access_logs=AccessLogsBucket(self, "AccessLogs").bucket,
        )

    def _service(
        self,
        service: ServiceConfig,
        config: EnvironmentConfig,
        cluster: ecs.ICluster,
        repository: ecr.IRepository,
        ingress: OwnLoadBalancer | None,
        told: ContainerSettings,
    ) -> FargateWebService | FargateWorker:
        image = ReleasedDigest(release_parameter_name(config.application, config.name, service.name))
        size, check = config.size_of(service), service.health_check
        told = replace(
            told.with_environment(call_settings(service, config.services)), offers=offer_of(service, config.services)
        )
        if isinstance(check, ContainerCheck):
            return FargateWorker(
                self,
                service.name,
                cluster=cluster,
                repository=repository,
                image=image,
                health_check=check,
                size=size.task,
                # The environment's size may be for a peak of requests, which a worker does not get.
                capacity=replace(size.capacity, target_requests_per_minute=None, peak=None),
                deployment=service.deployment,
                log_delivery=service.log_delivery,
                settings=told,
            )
        assert ingress is not None, "one is made wherever anybody can connect to a service"
        return FargateWebService(
            self,
            service.name,
            cluster=cluster,
            repository=repository,
            image=image,
            health_check=check,
            size=size.task,
            capacity=size.capacity,
            timeouts=service.timeouts,
            log_delivery=service.log_delivery,
            ingress=ingress,
            settings=told,
            deployment=service.deployment,
        )

    def _before_release(
        self, service: ServiceConfig, config: EnvironmentConfig, repository: ecr.IRepository, told: ContainerSettings
    ) -> BeforeRelease | None:
        """Makes the task that a release of the service runs first; what release commands must know of it."""
        if service.before_release is None:
            return None
        made = FargateOneOffTask(
            self,
            f"{service.name}-before-release",
            component=f"{service.name}-before-release",
            repository=repository,
            task=service.before_release,
            size=config.size_of(service).task,
            settings=told,
            log_delivery=service.log_delivery,
        )
        return BeforeRelease(
            family=made.family, container=made.component, minutes=made.timeout_minutes, roles=made.roles
        )

    def _told(self, service: ServiceConfig, config: EnvironmentConfig) -> ContainerSettings:
        """What the service's own container is told, and the one that runs before a release."""
        return ContainerSettings(
            environment=dict(service.environment),
            secrets={setting: self._secret(config, service, setting) for setting in service.secrets},
            writable_paths=service.writable_paths,
        )

    def _secret(self, config: EnvironmentConfig, service: ServiceConfig, setting: str) -> ecs.Secret:
        name = secret_parameter_name(config.application, config.name, service.name, setting)
        parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
            self, f"{service.name}-{setting}", parameter_name=name
        )
        return ecs.Secret.from_ssm_parameter(parameter)

    def _name(self, service: ServiceConfig, domain: Domain, made: FargateWebService) -> None:
        """Makes the site's name lead to the service, through CloudFront when there is a certificate for it."""
        name = f"{service.subdomain}.{domain.name}" if service.subdomain else domain.name
        target: route53.IAliasRecordTarget = targets.LoadBalancerTarget(made.load_balancer)
        if domain.edge_certificate_arn:
            edge = UnavailablePageDistribution(
                self,
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
            self._record(service, domain, domain.hosted_zone_id, name, target)

    def _record(
        self, service: ServiceConfig, domain: Domain, zone_id: str, name: str, target: route53.IAliasRecordTarget
    ) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, f"{service.name}-zone", hosted_zone_id=zone_id, zone_name=domain.name
        )
        route53.ARecord(
            self,
            f"{service.name}-record",
            zone=zone,
            record_name=name,
            target=route53.RecordTarget.from_alias(target),
        )


def _settings(
    service: ServiceConfig,
    config: EnvironmentConfig,
    neighbours: Neighbours,
    here: Arns,
    cluster_name: str,
    made: FargateWebService | FargateWorker,
    first: BeforeRelease | None,
) -> DeliverySettings:
    names = (config.application, config.name)
    size, policy = config.size_of(service), config.release
    alternate = made.alternate_target_group if isinstance(made, FargateWebService) else None
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
        target_group=made.target_group.target_group_arn if isinstance(made, FargateWebService) else "",
        repository=repository_name(*names, service.name),
        platform="linux/arm64" if size.task.architecture == "arm64" else "linux/amd64",
        steady_minutes=policy.steady_minutes,
        window=policy.window.to_text() if policy.window else "",
        outside_window=policy.outside_window,
        scan_threshold=policy.scan_threshold,
        upstream=upstream_of(config, neighbours.before, service.name, here),
        before_release=first,
        alternate_target_group=alternate.target_group_arn if alternate else "",
        deployment_minutes=service.deployment.minutes,
    )


def _admitted(config: EnvironmentConfig) -> tuple[str, ...]:
    """Who may connect to an internal load balancer: the environment's own VPC, or what an existing one says."""
    if config.internet_facing:
        return ()
    network = config.network
    return network.admitted_cidrs if isinstance(network, ExistingVpc) else (network.cidr,)
