"""Services whose sockets are counted."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.sockets.socket_comparison import ComparedService, SocketComparison
from constructs_lib.services.sockets.socket_metrics import SocketSource
from constructs_lib.services.sockets.watch_sockets import watch_sockets
from stacks.config import EnvironmentConfig, ServiceConfig


def socket_alarms_of(
    service: ServiceConfig, config: EnvironmentConfig, made: FargateWebService | FargateWorker
) -> tuple[AlarmSpec, ...]:
    """Puts the agent beside a service's tasks, if its config says so; gives back what to watch."""
    if service.socket_metrics is None:
        return ()
    return watch_sockets(
        made.task,
        service.socket_metrics,
        SocketSource(application=config.application, environment=config.name, service=service.name),
        tasks=config.size_of(service).capacity.lowest_min_tasks,
        acts_if=made.release.condition_id,
    )


def compare_sockets(
    scope: Construct,
    config: EnvironmentConfig,
    services: Mapping[str, FargateWebService | FargateWorker],
    settings: Mapping[str, DeliverySettings],
) -> tuple[AlarmSpec, ...]:
    """Compares the sockets of web services that are counted with those before their last release; what to watch."""
    compared = [
        ComparedService(
            service=one.name,
            cluster=settings[one.name].cluster,
            ecs_service=settings[one.name].ecs_service,
            target_groups=made.target_group_full_names,
            load_balancer=made.load_balancer_full_name,
        )
        for one in config.services
        if one.socket_metrics is not None and isinstance(made := services[one.name], FargateWebService)
    ]
    if not compared:
        return ()
    return SocketComparison(
        scope,
        "SocketComparison",
        application=config.application,
        environment=config.name,
        services=compared,
        change=config.release.sockets,
    ).alarms
