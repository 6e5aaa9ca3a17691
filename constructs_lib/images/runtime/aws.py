"""The clients, and how lists are read: in pages, in batches, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient

AT_ONCE: Final = 8
"""How many calls are under way at a time."""

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


def connect(session: Session | None = None) -> Clients:
    """Clients that try eight times, with pauses that grow and vary, and give up long before the function must end."""
    import boto3
    from botocore.config import Config

    made = session or boto3.session.Session()
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        max_pool_connections=AT_ONCE,
        retries={"mode": "standard", "total_max_attempts": 8},
    )
    return Clients(
        dynamodb=made.client("dynamodb", config=config),
        ecr=made.client("ecr", config=config),
        ecs=made.client("ecs", config=config),
        events=made.client("events", config=config),
        scheduler=made.client("scheduler", config=config),
        ssm=made.client("ssm", config=config),
        stepfunctions=made.client("stepfunctions", config=config),
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
