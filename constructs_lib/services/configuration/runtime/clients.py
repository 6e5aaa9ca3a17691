"""What the function asks of AppConfig and S3, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NotRequired, Protocol, TypedDict, cast

if TYPE_CHECKING:
    from boto3.session import Session


class Body(Protocol):
    """A stream of an answer (lesson T2)."""

    def read(self) -> bytes:
        """All of it."""
        ...


class DeploymentSummary(TypedDict):
    """AppConfig's summary of a deployment (lesson T2)."""

    DeploymentNumber: int
    State: str
    ConfigurationVersion: str
    ConfigurationProfileId: NotRequired[str]
    ConfigurationName: NotRequired[str]
    StartedAt: NotRequired[datetime]
    DeploymentDurationInMinutes: NotRequired[int]
    FinalBakeTimeInMinutes: NotRequired[int]


class DeploymentPage(TypedDict):
    """One page of deployments (lesson T2)."""

    Items: list[DeploymentSummary]


class HostedVersion(TypedDict):
    """One version of a configuration (lesson T2)."""

    Content: Body


class Object(TypedDict):
    """An object in S3 (lesson T2)."""

    Body: Body
    ETag: str


class DeploymentPaginator(Protocol):
    """Gives all pages of deployments (lesson T2)."""

    def paginate(self, *, ApplicationId: str, EnvironmentId: str) -> Iterable[DeploymentPage]:  # noqa: N803  (AWS's)
        """The pages, the newest deployments first."""
        ...


class AppConfigClient(Protocol):
    """The part of boto3's client that is used (lesson T2)."""

    def get_paginator(self, operation_name: Literal["list_deployments"]) -> DeploymentPaginator:
        """Of the deployments."""
        ...

    def get_hosted_configuration_version(
        self,
        *,
        ApplicationId: str,  # noqa: N803
        ConfigurationProfileId: str,  # noqa: N803
        VersionNumber: int,  # noqa: N803
    ) -> HostedVersion:
        """One version."""
        ...


class S3Client(Protocol):
    """The part of boto3's client that is used (lesson T2)."""

    def get_object(self, *, Bucket: str, Key: str) -> Object:  # noqa: N803
        """An object."""
        ...

    def put_object(self, **request: str | bytes) -> object:
        """Writes one; with ``IfMatch`` or ``IfNoneMatch`` where it is still what it was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The AWS services that the function talks to (lesson T2).

    Args:
        appconfig: the configuration.
        s3: its copy.
    """

    appconfig: AppConfigClient
    s3: S3Client


def connect(session: Session | None = None) -> Clients:
    """Clients that end before the function does: four calls, three tries each, 13 seconds a try."""
    import boto3
    from botocore.config import Config

    made = session or boto3.session.Session()
    how = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    return Clients(
        appconfig=cast(AppConfigClient, made.client("appconfig", config=how)),
        s3=cast(S3Client, made.client("s3", config=how)),
    )
