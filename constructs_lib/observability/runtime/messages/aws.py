"""The clients, and what counts as AWS not answering."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_logs import CloudWatchLogsClient


class Publisher(Protocol):
    """SNS, as far as messages need it (lesson W5)."""

    def publish(self, *, TopicArn: str, Subject: str, Message: str, MessageStructure: str) -> object:  # noqa: N803
        """Publishes one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS services that messages need (lesson W5).

    Args:
        cloudwatch: whether an alarm is red.
        dynamodb: what was told.
        logs: what happened before.
        sns: where messages go.
    """

    cloudwatch: CloudWatchClient
    dynamodb: DynamoDBClient
    logs: CloudWatchLogsClient
    sns: Publisher


def config(*, read_seconds: float, tries: int) -> Config:
    """How a client calls."""
    from botocore.config import Config

    return Config(
        connect_timeout=1, read_timeout=read_seconds, retries={"mode": "standard", "total_max_attempts": tries}
    )


def connect(session: Session | None = None) -> Clients:
    """Clients of a session. Only publishing waits and tries again: a message goes out without what the others know."""
    import boto3

    made = session or boto3.session.Session()
    quick, once, patient = (
        config(read_seconds=2, tries=2),
        config(read_seconds=1, tries=1),
        config(read_seconds=5, tries=3),
    )
    return Clients(
        cloudwatch=made.client("cloudwatch", config=quick),
        dynamodb=made.client("dynamodb", config=quick),
        logs=made.client("logs", config=once),
        sns=cast(Publisher, made.client("sns", config=patient)),
    )


def failures() -> tuple[type[Exception], ...]:
    """What a call raises when AWS does not answer, or refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def log(message: str, **values: object) -> None:
    """One line of JSON into the function's log; nothing that somebody outside wrote belongs there."""
    print(json.dumps({"message": message, **values}))
