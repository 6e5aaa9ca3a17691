"""What releases of a service must know of it, and the task that they run first."""

from __future__ import annotations

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib.delivery.settings import BeforeRelease, DeliverySettings
from constructs_lib.iam_policy import Arns
from constructs_lib.naming import release_role_name, repository_name, stack_name
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.one_off_task import FargateOneOffTask
from constructs_lib.services.task.container_settings import ContainerSettings
from stacks.config import EnvironmentConfig, ServiceConfig
from stacks.landscape import Neighbours
from stacks.upstream import upstream_of


def before_release(
    scope: Construct,
    service: ServiceConfig,
    config: EnvironmentConfig,
    repository: ecr.IRepository,
    told: ContainerSettings,
) -> BeforeRelease | None:
    """Makes the task that a release of the service runs first; what release commands must know of it."""
    if service.before_release is None:
        return None
    made = FargateOneOffTask(
        scope,
        f"{service.name}-before-release",
        component=f"{service.name}-before-release",
        repository=repository,
        task=service.before_release,
        size=config.size_of(service).task,
        settings=told,
        log_delivery=service.log_delivery,
    )
    return BeforeRelease(family=made.family, container=made.component, minutes=made.timeout_minutes, roles=made.roles)


def settings_of(
    service: ServiceConfig,
    config: EnvironmentConfig,
    neighbours: Neighbours,
    here: Arns,
    cluster_name: str,
    made: FargateWebService | FargateWorker,
    first: BeforeRelease | None,
) -> DeliverySettings:
    """What release commands must know of a service.

    Args:
        service: the service.
        config: its environment.
        neighbours: what comes before it.
        here: the account and region.
        cluster_name: ECS's name of the cluster.
        made: the service's construct.
        first: the task that a release runs first, if any.
    """
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
