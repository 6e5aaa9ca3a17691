"""The services themselves, with their alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.delivery_settings import DeliverySettingsParameter
from constructs_lib.delivery.release_role import ReleaseRole
from constructs_lib.delivery.release_schedules import ReleasedSchedule
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import (
    release_parameter_name,
    stack_name,
)
from constructs_lib.observability.detection.table import printed
from constructs_lib.observability.notification.topics import Topics
from constructs_lib.places import arns_of
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.policy import ReleasedDigest
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.traffic.ingress import AccessLogsBucket, OwnLoadBalancer
from stacks.alarms import watch
from stacks.base import EnvironmentStack
from stacks.calls import call_settings, offer_of
from stacks.config import EnvironmentConfig, ExistingVpc, ServiceConfig
from stacks.configurations import configure
from stacks.connections import connect_services
from stacks.dashboards import show
from stacks.landscape import Neighbours
from stacks.network import existing_vpc
from stacks.release_settings import before_release, settings_of
from stacks.site_names import name_site
from stacks.sockets import compare_sockets, socket_alarms_of
from stacks.told import told
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
        topics: Topics,
        rollouts: Construct | None,
        elsewhere: Sequence[AlarmSpec],
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
            said = told(self, service, config)
            made = self._service(service, config, cluster, repositories[service.name], ingress, said)
            services[service.name] = made
            alarms.extend((*made.alarms, *socket_alarms_of(service, config, made)))
            released.append(made.service)
            first = before_release(self, service, config, repositories[service.name], said)
            settings = settings_of(service, config, neighbours, here, cluster_name, made, first)
            DeliverySettingsParameter(self, f"{service.name}-delivery", settings=settings)
            self.settings[service.name] = settings
            scheduled = scheduled_tasks(
                self,
                service,
                made=made,
                cluster=cluster,
                repository=repositories[service.name],
                size=config.size_of(service).task,
                settings=said,
            )
            for task in scheduled:
                alarms.extend(task.alarms)
                schedules.append(task.released)
            if isinstance(made, FargateWebService) and made.traffic_role:
                traffic_roles.append(made.traffic_role)
            if config.domain and isinstance(made, FargateWebService):
                name_site(self, service, config.domain, made)
        alarms.extend(connect_services(self, config.services, services, settings=self.settings))
        alarms.extend(compare_sockets(self, config, services, self.settings))
        watched = watch(self, config, alarms, topics)
        more = configure(self, config, services, topics, rollouts, list(zip(alarms, watched.alarms, strict=True)))
        every = [*alarms, *more, *elsewhere]
        show(self, config, services, self.settings, every)
        Annotations.of(self).add_info_v2("moorings:detection", printed(config.name, every))
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
        said: ContainerSettings,
    ) -> FargateWebService | FargateWorker:
        image = ReleasedDigest(release_parameter_name(config.application, config.name, service.name))
        size, check = config.size_of(service), service.health_check
        said = replace(
            said.with_environment(call_settings(service, config.services)), offers=offer_of(service, config.services)
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
                settings=said,
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
            settings=said,
            deployment=service.deployment,
        )


def _admitted(config: EnvironmentConfig) -> tuple[str, ...]:
    """Who may connect to an internal load balancer: the environment's own VPC, or what an existing one says."""
    if config.internet_facing:
        return ()
    network = config.network
    return network.admitted_cidrs if isinstance(network, ExistingVpc) else (network.cidr,)
