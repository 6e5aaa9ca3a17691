"""The clients, and how lists are read: in pages, in batches, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient

AT_ONCE: Final = 4
"""How many calls are under way at a time."""

TRIES: Final = 8
"""How often a call is made at most. Several clients share ECS's request rates, so fewer would leave gaps in a large
account; more would take a call that hangs past the time that the function has."""

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS services that the guard talks to (lesson Q2).

    Args:
        dynamodb: its memory.
        ecr: the images.
        ecs: what runs.
        events: rules that start tasks.
        scheduler: schedules that do.
        ssm: release parameters.
        stepfunctions: state machines that start tasks.
    """

    dynamodb: DynamoDBClient
    ecr: ECRClient
    ecs: ECSClient
    events: EventBridgeClient
    scheduler: EventBridgeSchedulerClient
    ssm: SSMClient
    stepfunctions: SFNClient


def config() -> Config:
    """How every client calls: it tries several times, with pauses that grow and vary, and waits long for none."""
    from botocore.config import Config

    return Config(
        connect_timeout=3,
        read_timeout=10,
        max_pool_connections=AT_ONCE,
        retries={"mode": "standard", "total_max_attempts": TRIES},
    )


def connect(session: Session | None = None) -> Clients:
    """Clients of a session, each with :func:`config`."""
    import boto3

    made, how = session or boto3.session.Session(), config()
    return Clients(
        dynamodb=made.client("dynamodb", config=how),
        ecr=made.client("ecr", config=how),
        ecs=made.client("ecs", config=how),
        events=made.client("events", config=how),
        scheduler=made.client("scheduler", config=how),
        ssm=made.client("ssm", config=how),
        stepfunctions=made.client("stepfunctions", config=how),
    )


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in lists of at most ``size``."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def at_once(function: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    """``function`` of each item, several at a time, in order."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(function, items))
