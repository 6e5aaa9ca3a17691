"""Too many resources are refused before CDK starts: CloudFormation takes 500 in a stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import ContainerCheck
from stacks.application import application
from stacks.config import EnvironmentConfig, ServiceConfig, ServiceSize
from stacks.domain import Domain
from stacks.environments import ENVIRONMENTS
from stacks.resources import resources
from stacks.scheduled import ScheduledTaskConfig
from stacks.service_config import ServiceConfiguration
from tests.support import DIGEST, refused

STAGING = ENVIRONMENTS[0]
(WEB,) = STAGING.services
DOMAIN = Domain(name="shop.example.com", certificate_arn="arn:aws:acm:eu-west-1:111122223333:certificate/0123")
ZONE = replace(DOMAIN, hosted_zone_id="Z0123456789ABCDEFGHIJ")
EDGE = replace(ZONE, edge_certificate_arn="arn:aws:acm:us-east-1:111122223333:certificate/4567")
NIGHTLY = ScheduledTaskConfig(name="nightly", schedule=Schedule.cron("0 3 * * ? *"), command=("report",))


def tasks(count: int) -> tuple[ScheduledTaskConfig, ...]:
    """So many scheduled tasks."""
    return tuple(replace(NIGHTLY, name=f"n-{number}") for number in range(count))


def with_web(**changes: object) -> EnvironmentConfig:
    """Staging with one web service."""
    return replace(STAGING, services=(replace(WEB, **changes),))  # type: ignore[arg-type]


AGENT = f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}"
PRIVATE_AGENT = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/ecr-public/cloudwatch-agent/cloudwatch-agent@{DIGEST}"
CONFIGURATION = ServiceConfiguration(
    schema='{"type": "object"}', content="{}", agent_image=f"public.ecr.aws/aws-appconfig/aws-appconfig-agent@{DIGEST}"
)
WORKER = ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"))
EVERYTHING = replace(
    STAGING,
    internet_facing=True,
    domain=EDGE,
    services=(
        replace(WEB, scheduled_tasks=tasks(9), before_release=OneOffTask(command=("migrate",))),
        replace(
            WEB,
            name="api",
            subdomain="api",
            secrets=("TOKEN",),
            deployment=DeploymentPolicy(strategy=DeploymentStrategy.CANARY),
            size=ServiceSize(capacity=Capacity(target_memory_percent=70)),
        ),
        replace(WORKER, scheduled_tasks=tasks(1), size=ServiceSize(capacity=Capacity(target_memory_percent=70))),
    ),
)


@pytest.mark.parametrize(
    "config",
    [
        STAGING,
        ENVIRONMENTS[1],
        replace(STAGING, services=(WORKER,)),
        replace(STAGING, domain=DOMAIN),
        replace(STAGING, domain=ZONE),
        with_web(deployment=DeploymentPolicy(strategy=DeploymentStrategy.BLUE_GREEN)),
        with_web(size=ServiceSize(capacity=Capacity(target_requests_per_minute=100))),
        with_web(socket_metrics=SocketMetrics(image=AGENT)),
        replace(STAGING, services=(replace(WORKER, socket_metrics=SocketMetrics(image=PRIVATE_AGENT)),)),
        with_web(configuration=CONFIGURATION),
        with_web(configuration=CONFIGURATION, socket_metrics=SocketMetrics(image=AGENT)),
        replace(STAGING, services=(replace(WORKER, configuration=CONFIGURATION),)),
        EVERYTHING,
    ],
    ids=(
        *("staging", "production", "worker", "https", "record", "shifting", "requests"),
        *("sockets", "sockets of a worker"),
        *("configuration", "configuration and sockets", "configuration of a worker", "everything"),
    ),
)
def test_the_count_is_that_of_the_template(config: EnvironmentConfig, tmp_path: Path) -> None:
    """What is counted before CDK starts is what the services' stack has, whatever its services use."""
    assembly = application([replace(config, source=STAGING.source)], checked=False, outdir=str(tmp_path)).synth()
    (stage,) = (nested.nested_assembly for nested in assembly.nested_assemblies)
    (stack,) = (stack for stack in stage.stacks if stack.stack_name.endswith("--services"))
    zones = len(config.availability_zones)
    assert resources(config.services, config.size, config.domain, zones=zones) == len(stack.template["Resources"])


def test_a_stack_that_is_too_large_is_refused_with_its_count() -> None:
    """One web service in two zones and its stack are 41 resources, 38 scheduled tasks 456 and five policies: 502."""
    many = tasks(38)
    refused(
        lambda: with_web(scheduled_tasks=many),
        "services",
        "1 with 502 resources",
        "at most 500 resources in a stack",
    )
    assert len(with_web(scheduled_tasks=tasks(37)).services[0].scheduled_tasks) == 37


@pytest.mark.parametrize(
    ("zones", "domain", "most", "count"),
    [
        (2, None, 14, 531),  # 6 for the stack, and 35 for each
        (3, None, 13, 510),  # 36
        (2, ZONE, 13, 524),  # 37
        (3, ZONE, 13, 538),  # 38, and the last of them is the 500th resource
        (2, EDGE, 12, 513),  # 39
        (3, EDGE, 12, 526),  # 40
    ],
    ids=("two zones", "three zones", "a domain", "a domain in three zones", "CloudFront", "CloudFront in three zones"),
)
def test_so_many_web_services_have_room(zones: int, domain: Domain | None, most: int, count: int) -> None:
    """A service has an alarm on unhealthy targets for each zone, so three zones take more room than two."""
    many = tuple(
        replace(WEB, name=f"s-{number}", subdomain=f"s-{number}" if domain else WEB.subdomain)
        for number in range(most + 1)
    )
    named = tuple(f"eu-west-1{letter}" for letter in "abc"[:zones])
    config = replace(STAGING, availability_zones=named, internet_facing=domain is EDGE, domain=domain)
    assert len(replace(config, services=many[:most]).services) == most
    refused(lambda: replace(config, services=many), "services", f"{most + 1} with {count} resources", "at most 500")


def test_what_a_service_uses_takes_room_from_the_others() -> None:
    """Thirteen web services have room, unless each has more than a load balancer."""
    many = tuple(replace(WEB, name=f"s-{number}", subdomain=f"s-{number}") for number in range(13))
    assert replace(STAGING, domain=ZONE, services=many).services == many
    refused(
        lambda: replace(
            STAGING,
            internet_facing=True,
            domain=EDGE,
            services=tuple(replace(one, before_release=OneOffTask(command=("migrate",))) for one in many),
        ),
        "services",
        "13 with 578 resources",
        "at most 500 resources",
    )
