"""Connects the services that call each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.traffic.service_connect import call_alarms
from constructs_lib.services.traffic.service_connect_rendering import allow_call, call_namespace, connect_service
from stacks.calls import connected, offer_of
from stacks.service_config import ServiceConfig


def connect_services(
    scope: Construct,
    services: Sequence[ServiceConfig],
    made: Mapping[str, FargateWebService | FargateWorker],
    *,
    settings: Mapping[str, DeliverySettings],
) -> list[AlarmSpec]:
    """Connects exactly the pairs that ``ServiceConfig.calls`` names; gives back what to watch of them.

    Args:
        services: the environment's services; where none calls another, nothing is made.
        made: their constructs, by name.
        settings: what is known of each, by name; CDK is not asked for ECS's names again.
    """
    members = connected(services)
    if not members:
        return []
    namespace = call_namespace(scope)
    offers = {service.name: offer for service in members if (offer := offer_of(service, services))}
    for service in members:
        one = made[service.name]
        connect_service(
            one,
            "Proxy",
            service=one.service,
            size=one.task.size,
            namespace=namespace,
            offers=offers.get(service.name),
            log_delivery=service.log_delivery,
        )
    alarms: list[AlarmSpec] = []
    for service in members:
        caller = made[service.name]
        for name in service.calls:
            allow_call(caller.service, made[name].service, offers[name])
            alarms += call_alarms(
                service.name,
                callee=offers[name],
                cluster=settings[service.name].cluster,
                service=settings[service.name].ecs_service,
                acts_if=caller.release.condition_id,
            )
    return alarms
