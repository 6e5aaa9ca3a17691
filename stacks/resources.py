"""How many resources the services' stack has: CloudFormation takes 500. Pure Python, as ``stacks/config.py``.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.checks import invalid
from stacks.calls import connected
from stacks.domain import Domain
from stacks.service_config import ServiceConfig, ServiceSize

RESOURCES_AT_MOST: Final = 500

_STACK: Final = 6
_ACCESS_LOGS: Final = 2
"""Of the six, when nobody can connect to any service."""

_WEB: Final = 33
"""Of them 13 alarms and two composite ones; and for each availability zone an alarm more, on unhealthy targets."""

_WORKER: Final = 16
_HTTPS: Final = 1
_RECORD: Final = 1
_EDGE: Final = 2
_SHIFTED_TRAFFIC: Final = 3
_TARGET: Final = 1
_SCHEDULED_TASK: Final = 12
_SCHEDULES_A_POLICY: Final = 8
"""The release role has one policy for each eight of them."""

_BEFORE_RELEASE: Final = 5
_SOCKETS: Final = 5
"""A log group, the task role's policy and three alarms."""

_COMPARISON: Final = 6
"""Of an environment with a web service whose sockets are counted: a function with its log group, role, schedule and
permission, and an alarm on its silence; and an alarm for each such service."""

_CONFIGURATION: Final = 13
"""Three of AppConfig's (the others are in a stack of their own), a bucket with its policy, five for the function that
copies, an alarm, a log group of the agent, and the task role's policy, which is there already beside an agent that
counts sockets."""

_TAKEN_BACK: Final = 1
_NAMESPACE: Final = 1
_PROXY: Final = 1
_CALL: Final = 3


def resources(services: Sequence[ServiceConfig], size: ServiceSize, domain: Domain | None, *, zones: int) -> int:
    """The resources of a services' stack.

    Args:
        services: the environment's services.
        size: the size of those that have none of their own.
        domain: the environment's domain, if any.
        zones: how many availability zones it has.
    """
    unused = _ACCESS_LOGS if all(service.is_worker for service in services) else 0
    policies = -(-sum(len(service.scheduled_tasks) for service in services) // _SCHEDULES_A_POLICY)
    return (
        _STACK
        - unused
        + policies
        + _calls(services)
        + _comparison(services)
        + sum(_of(service, service.size or size, domain, zones) for service in services)
    )


def _calls(services: Sequence[ServiceConfig]) -> int:
    """A namespace, a log group of each proxy, and of each call a rule of a security group and two alarms."""
    calls = sum(len(service.calls) for service in services)
    return _NAMESPACE + _PROXY * len(connected(services)) + _CALL * calls if calls else 0


def _comparison(services: Sequence[ServiceConfig]) -> int:
    compared = sum(1 for service in services if service.socket_metrics and not service.is_worker)
    return _COMPARISON + compared if compared else 0


def check_resources(services: Sequence[ServiceConfig], size: ServiceSize, domain: Domain | None, *, zones: int) -> None:
    """Refuses what CloudFormation would refuse in the middle of a deployment.

    Raises:
        ValueError: more than 500 resources.
    """
    count = resources(services, size, domain, zones=zones)
    if count > RESOURCES_AT_MOST:
        raise invalid(
            "services",
            f"{len(services)} with {count} resources",
            f"at most {RESOURCES_AT_MOST} resources in a stack, which CloudFormation takes",
            "put some into an application of their own",
        )


def _configuration(service: ServiceConfig) -> int:
    return _CONFIGURATION + (0 if service.is_worker else _TAKEN_BACK) - (1 if service.socket_metrics else 0)


def _of(service: ServiceConfig, size: ServiceSize, domain: Domain | None, zones: int) -> int:
    count = _SCHEDULED_TASK * len(service.scheduled_tasks)
    count += _BEFORE_RELEASE if service.before_release else 0
    count += _SOCKETS if service.socket_metrics else 0
    count += _configuration(service) if service.configuration else 0
    count += _TARGET if size.capacity.target_memory_percent is not None else 0
    if service.is_worker:
        return count + _WORKER
    count += _TARGET if size.capacity.target_requests_per_minute is not None else 0
    count += _SHIFTED_TRAFFIC if service.deployment.shifts_traffic else 0
    if domain is not None:
        count += _HTTPS + (_RECORD if domain.hosted_zone_id else 0) + (_EDGE if domain.edge_certificate_arn else 0)
    return count + _WEB + zones
