"""Which services call each other: what could not work is refused. Pure Python, as ``stacks/config.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from constructs_lib.checks import invalid
from constructs_lib.services.configuration.policy import client_settings
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.service_connect import ServiceConnect, check_call, check_proxy
from stacks.service_config import ServiceConfig, ServiceSize

_USUAL_PORT = 10_000


def offer_of(service: ServiceConfig, services: Sequence[ServiceConfig]) -> ServiceConnect | None:
    """What a service offers to those that call it: its own name, port and time-outs; nothing when none does."""
    return _offered(service) if service.name in _called(services) else None


def connected(services: Sequence[ServiceConfig]) -> tuple[ServiceConfig, ...]:
    """Services that call, or are called: each of their tasks has a proxy."""
    called = _called(services)
    return tuple(service for service in services if service.calls or service.name in called)


def call_settings(service: ServiceConfig, services: Sequence[ServiceConfig]) -> dict[str, str]:
    """What the service's own container is told of those that it calls."""
    found: dict[str, str] = {}
    for one in services:
        if one.name in service.calls:
            found |= _offered(one).environment()
    return found


def check_calls(services: Sequence[ServiceConfig], size: ServiceSize) -> None:
    """Refuses calls of what is not there or cannot be called, in a circle, or with time-outs out of order (lesson T3).

    Args:
        services: the environment's services, of different names.
        size: the size of those that have none of their own.

    Raises:
        ValueError: such a call, a task without room for a proxy, or a setting that a call sets.
    """
    by_name = {service.name: service for service in services}
    for service in services:
        for name in service.calls:
            _check_one(service, name, by_name)
    _check_circles(by_name)
    for service in services:
        if not service.is_worker:  # a worker has no time-outs of its own, and waits until its proxy gives up
            for name in service.calls:
                check_call(service.timeouts, by_name[name].timeouts, names=(service.name, name))
    for service in connected(services):
        agents = [agent for agent in (service.socket_metrics, service.configuration) if agent is not None]
        check_proxy((service.size or size).task, service.log_delivery, containers=1 + len(agents))
        _check_settings(service, services)


def _offered(service: ServiceConfig) -> ServiceConnect:
    check = service.health_check
    assert isinstance(check, HealthCheck), "a worker is not called"
    return ServiceConnect(
        name=service.name,
        container_port=check.port,
        timeouts=service.timeouts,
        ingress_port=_USUAL_PORT + 1 if check.port == _USUAL_PORT else _USUAL_PORT,
    )


def _called(services: Sequence[ServiceConfig]) -> set[str]:
    return {name for service in services for name in service.calls}


def _check_settings(service: ServiceConfig, services: Sequence[ServiceConfig]) -> None:
    """A call sets its settings alone: neither the service's own ones are lost, nor those of its configuration."""
    given = {*dict(service.environment), *service.secrets}
    taken = set(client_settings("", "")) if service.configuration is not None else set()
    for one in services:
        if one.name not in service.calls:
            continue
        for setting in _offered(one).environment():
            if setting in given:
                raise invalid("environment and secrets", setting, "without it", "a call sets it; name yours otherwise")
            if setting in taken:
                fix = f"{service.name} has a configuration, which sets {setting} too"
                raise invalid(f"calls of {service.name}", one.name, "of a service with another name", fix)


def _check_one(caller: ServiceConfig, name: str, services: Mapping[str, ServiceConfig]) -> None:
    what = f"calls of {caller.name}"
    if caller.calls.count(name) > 1:
        raise invalid(what, caller.calls, "all different", f"name {name!r} once")
    if name == caller.name:
        raise invalid(what, name, "of other services", "a task that asks its own service waits for itself")
    if name not in services:
        fix = "other environments and applications are reached by their load balancers"
        raise invalid(what, name, f"services of the same environment ({', '.join(services)})", fix)
    if services[name].is_worker:
        raise invalid(what, name, "of services that listen", "nobody connects to a worker; give it work by a queue")


def _check_circles(services: Mapping[str, ServiceConfig]) -> None:
    """In a circle each service would have to be deployed after all others, and wait longer than itself."""
    try:
        TopologicalSorter({name: service.calls for name, service in services.items()}).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        fix = "no order of deployments suits it; put what both need into a third, or let one answer by a queue"
        raise invalid("calls", circle, "without a way back to where they begin", fix) from None
