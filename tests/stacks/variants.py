"""Environments that use what the app's own do not: synthesized and judged in a process of their own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from constructs_lib.delivery.policy import DockerHubLogin, GitHubSource, PullThroughCache, Sbom
from constructs_lib.delivery.window import MaintenanceWindow
from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
from constructs_lib.observability.notification.targets import (
    EmailTarget,
    EventBusTarget,
    HttpsTarget,
    SlackTarget,
    TeamsTarget,
)
from constructs_lib.observability.status_page.policy import StatusComponent, StatusDomain, StatusPagePolicy
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.policy import TaskSize, WritablePath
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.traffic.unavailable_page import UnavailablePage
from stacks import gate
from stacks.config import EnvironmentConfig, ExistingVpc, ServiceConfig
from stacks.domain import Domain
from stacks.environments import ENVIRONMENTS
from stacks.node import use_wheel_node
from stacks.releases import BuildSettings, PipelineSettings, ReleasePolicy
from stacks.scheduled import ScheduledTaskConfig
from stacks.status_config import StatusPageConfig

_UUID = "01234567-89ab-cdef-0123-456789abcdef"
_AGENT = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/ecr-public/cloudwatch-agent/cloudwatch-agent@sha256:{'c' * 64}"
EVERY_TARGET = (
    EmailTarget(address="ops@example.com"),
    HttpsTarget(url="https://alarms.example.com/shop", severities=("page",)),
    HttpsTarget(secret="ops/on-call"),
    SlackTarget(workspace="T0123456789", channel="C0123456789", severities=("notice",)),
    TeamsTarget(tenant=_UUID, team=_UUID, channel="19%3ab6ef35dc342d56ba5654e6fc6d25a071%40thread.tacv2"),
    EventBusTarget(bus_arn="arn:aws:events:eu-west-1:444455556666:event-bus/operations"),
)
_SUBNETS = tuple(f"subnet-0123456789abcdef{number}" for number in range(4))
_CONNECTION = "arn:aws:codeconnections:eu-west-1:111122223333:connection/01234567-0123-0123-0123-0123456789ab"


def variants() -> tuple[EnvironmentConfig, ...]:
    """A public one with a domain and two services, one in an existing VPC, one without a way to the internet, and one
    behind CloudFront."""
    staging, production = ENVIRONMENTS
    (web,) = staging.services
    api = replace(web, name="api", subdomain="api", environment=(("LEVEL", "info"),), secrets=("DATABASE_URL",))
    return (
        replace(
            production,
            name="public",
            internet_facing=True,
            notify=EVERY_TARGET,
            services=(web, api),
            source=GitHubSource(owner="acme", repository="shop", connection_arn=_CONNECTION),
            build=BuildSettings(
                docker_hub=DockerHubLogin(secret_name="docker-hub"),
                sbom=Sbom(generator=f"docker/buildkit-syft-scanner@sha256:{'0' * 64}", bucket_name="acme-sboms"),
            ),
            domain=Domain(
                name="shop.example.com",
                certificate_arn="arn:aws:acm:eu-west-1:111122223333:certificate/0123",
                hosted_zone_id="Z0123456789ABCDEFGHIJ",
            ),
        ),
        replace(
            staging,
            name="existing",
            services=(replace(staging.services[0], before_release=OneOffTask(command=("migrate",))),),
            network=ExistingVpc(
                vpc_id="vpc-0123456789abcdef0",
                private_subnet_ids=_SUBNETS[:2],
                public_subnet_ids=_SUBNETS[2:],
                admitted_cidrs=("10.9.0.0/16",),
            ),
        ),
        replace(
            staging,
            name="closed",
            account="111122223333",
            container_insights=True,
            log_resource_policy=False,
            build=BuildSettings(docker_hub=PullThroughCache(prefix="docker-hub")),
            network=NetworkPolicy(nat_gateways=NatGateways.NONE, endpoints=Endpoints.PRIVATE),
            services=(
                replace(
                    web,
                    deployment=DeploymentPolicy(strategy=DeploymentStrategy.LINEAR),
                    socket_metrics=SocketMetrics(image=_AGENT),
                ),
            ),
        ),
        replace(
            staging,
            name="edge",
            internet_facing=True,
            domain=Domain(
                name="edge.example.com",
                certificate_arn="arn:aws:acm:eu-west-1:111122223333:certificate/0123",
                hosted_zone_id="Z0123456789ABCDEFGHIJ",
                edge_certificate_arn="arn:aws:acm:us-east-1:111122223333:certificate/4567",
                unavailable_page=UnavailablePage(title="Shop closed", sentence="We are mending it."),
            ),
        ),
    )


def two_accounts() -> tuple[EnvironmentConfig, ...]:
    """Staging builds by a pipeline, production of another account and region promotes by one, and a third environment
    builds for itself what staging ran."""
    staging, production = ENVIRONMENTS
    (web,) = staging.services
    services = (web, replace(web, name="api", subdomain="api"))
    source = GitHubSource(owner="acme", repository="shop", connection_arn=_CONNECTION)
    return (
        replace(staging, account="111122223333", services=services, source=source, code_pipeline=PipelineSettings()),
        replace(
            production,
            account="444455556666",
            region="eu-central-1",
            availability_zones=("eu-central-1a", "eu-central-1b", "eu-central-1c"),
            services=services,
            release=ReleasePolicy(
                window=MaintenanceWindow(opens="0 22 * * MON-FRI", minutes=240, time_zone="Asia/Tokyo"),
                outside_window="wait",
                scan_threshold="high",
                steady_minutes=30,
            ),
            code_pipeline=PipelineSettings(approval=False, execution_mode="QUEUED"),
            notify=(EmailTarget(address="ops@example.com"),),
            status_page=elsewhere(),
        ),
        replace(
            production,
            name="canary",
            account="111122223333",
            services=services,
            source=replace(source, branch="canary", connection_arn=None),
            upstream="staging",
        ),
    )


def elsewhere() -> StatusPageConfig:
    """A status page in another region, with an address of its own."""
    domain = StatusDomain(
        name="status.example.org",
        certificate_arn="arn:aws:acm:us-east-1:444455556666:certificate/0123",
        hosted_zone_id="Z0123456789ABCDEFGHIJ",
    )
    components = (StatusComponent(name="web", en="Website", ja="ウェブサイト"), StatusComponent(name="api", en="API"))
    page = StatusPagePolicy(en="Shop status", components=components, domain=domain)
    return StatusPageConfig(page=page, region="us-west-2")


def workers() -> tuple[EnvironmentConfig, ...]:
    """A worker and a service with tasks by the clock, in an application whose third service is a worker alone; and an
    environment that has nothing but workers."""
    staging, production = ENVIRONMENTS
    nightly = ScheduledTaskConfig(
        name="nightly",
        schedule=Schedule.cron("0 3 * * ? *", time_zone="Asia/Tokyo"),
        command=("python3", "-m", "shop.nightly"),
        size=TaskSize(cpu=1024, memory_mib=2048),
    )
    often = ScheduledTaskConfig(name="tidy", schedule=Schedule.rate(15, "minutes"), command=("tidy",))
    mailer = ServiceConfig(
        name="mailer",
        health_check=ContainerCheck.of("python3", "-m", "mailer.alive"),
        environment=(("LEVEL", "info"),),
        secrets=("SMTP_PASSWORD",),
        socket_metrics=SocketMetrics(image=_AGENT, destinations=2),
        writable_paths=(WritablePath(path="/tmp"),),
        scheduled_tasks=(often,),
    )
    web = replace(staging.services[0], scheduled_tasks=(nightly, often))
    return (
        replace(staging, services=(web, mailer)),
        replace(production, services=(web, mailer)),
        replace(staging, name="silent", services=(mailer,)),
    )


def plain_http() -> tuple[EnvironmentConfig, ...]:
    """One that answers the internet without a certificate."""
    return (replace(ENVIRONMENTS[0], internet_facing=True),)


def main(which: str, folder: Path) -> None:
    """Prints every finding, one a line."""
    use_wheel_node()
    from stacks.application import application

    application(
        {"variants": variants, "two-accounts": two_accounts, "workers": workers, "plain-http": plain_http}[which](),
        outdir=str(folder),
    ).synth()
    for check in (gate.validation_findings, gate.missing_context, gate.wildcards, gate.lint):
        sys.stdout.writelines(f"{finding}\n" for finding in check(folder))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
