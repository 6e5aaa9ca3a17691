"""What the status page asks of S3 and CloudWatch, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypedDict, cast

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from types_boto3_cloudwatch import CloudWatchClient

_LONGEST: Final = 300


class Body(Protocol):
    """A stream of an answer (lesson T5)."""

    def read(self) -> bytes:
        """All of it."""
        ...


class Head(TypedDict):
    """What S3 says of an object (lesson T5)."""

    ETag: str
    Metadata: Mapping[str, str]


class Object(Head):
    """An object in S3 (lesson T5)."""

    Body: Body


class S3Client(Protocol):
    """The part of boto3's client that is used (lesson T5)."""

    def get_object(self, *, Bucket: str, Key: str, ExpectedBucketOwner: str) -> Object:  # noqa: N803  (AWS's)
        """An object."""
        ...

    def head_object(self, *, Bucket: str, Key: str, ExpectedBucketOwner: str) -> Head:  # noqa: N803
        """An object without its bytes."""
        ...

    def put_object(self, **request: str | bytes | Mapping[str, str]) -> object:
        """Writes one; with ``IfMatch`` or ``IfNoneMatch`` where it is still what it was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS services that the function talks to (lesson T5).

    Args:
        s3: in the page's region.
        cloudwatch: in the services' region.
    """

    s3: S3Client
    cloudwatch: CloudWatchClient


def config() -> Config:
    """How every client calls: a few tries with pauses that grow, and none that hangs: a minute is all there is."""
    from botocore.config import Config

    return Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


def connect(source_region: str, session: Session | None = None) -> Clients:
    """Clients of the function's own region, and of the region of the services."""
    import boto3

    made = session or boto3.session.Session()
    return Clients(
        s3=cast(S3Client, made.client("s3", config=config())),
        cloudwatch=made.client("cloudwatch", region_name=source_region, config=config()),
    )


def failures() -> tuple[type[Exception], ...]:
    """What a call of a client raises when AWS refuses it, or cannot be reached."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def code(error: Exception) -> str:
    """The error's code as the service gives it; for one that no service gave, its class."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def why(error: Exception) -> str:
    """The error in one short line."""
    return f"{code(error)}: {' '.join(str(error).split())}"[:_LONGEST]
