"""The dashboard of an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Stack

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import evidence_log_name
from constructs_lib.observability.dashboard.contents import DashboardService
from constructs_lib.observability.dashboard.dashboard import EnvironmentDashboard
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from stacks.config import EnvironmentConfig, ServiceConfig


def show(
    stack: Stack,
    config: EnvironmentConfig,
    services: Mapping[str, FargateWebService | FargateWorker],
    settings: Mapping[str, DeliverySettings],
    alarms: Sequence[AlarmSpec],
) -> None:
    """Makes it in the services' stack, which knows what AWS called them; call it when all alarms are known.

    Args:
        stack: the services' stack.
        config: the environment.
        services: the services' constructs, by name.
        settings: what ECS calls the services, by name.
        alarms: the environment's alarms.
    """
    if not config.dashboard:
        return
    EnvironmentDashboard(
        stack,
        "Dashboard",
        application=config.application,
        environment=config.name,
        services=[_shown(one, config, services[one.name], settings[one.name]) for one in config.services],
        alarms=alarms,
        evidence_log=evidence_log_name(config.application, config.name),
    )


def _shown(
    service: ServiceConfig,
    config: EnvironmentConfig,
    made: FargateWebService | FargateWorker,
    settings: DeliverySettings,
) -> DashboardService:
    return DashboardService(
        component=service.name,
        cluster=settings.cluster,
        service=settings.ecs_service,
        load_balancer=made.load_balancer_full_name if isinstance(made, FargateWebService) else None,
        target_groups=made.target_group_full_names if isinstance(made, FargateWebService) else (),
        zones=config.availability_zones,
        sockets=service.socket_metrics is not None,
    )
