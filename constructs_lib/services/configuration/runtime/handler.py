"""Copies the configuration that is in force for tasks that start while AppConfig is down (lesson T2).

Gather, decide, write, tell. The copy is read first, AppConfig after that, and the copy is written only where it is
still the one that was read: so of two runs at once the one that asked AppConfig earlier cannot write over what the
other has found. Nothing is compared by its version, for a deployment may be taken back to an older one.

When AppConfig does not answer, the copy stays as it is and its age grows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from .clients import AppConfigClient, Clients, DeploymentSummary, S3Client, connect
from .copies import Copy, Deployment, UnreadableError, content_of, in_force, minutes_since
from .settings import CopySettings

NAMESPACE: Final = "Moorings"
COPY_AGE: Final = "CopyAgeMinutes"

_LONGEST: Final = 300  # characters of an error
_OVERTAKEN: Final = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
"""S3's answers when the object is not the one that was read
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is in the bucket (lesson T2).

    Args:
        etag: S3's tag of the object; ``None``: there is none.
        copy: the copy; ``None``: there is none that can be read.
    """

    etag: str | None
    copy: Copy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What AppConfig says (lesson T2).

    Args:
        copy: the configuration in force; ``None``: none was ever deployed to the end.
        due: when the first deployment was to be complete.
    """

    copy: Copy | None
    due: datetime | None


def main(_event: object, _context: object) -> dict[str, str]:
    """What Lambda calls."""
    return handle(CopySettings.from_environment(os.environ), connect(), clock=lambda: datetime.now(UTC))


def handle(settings: CopySettings, clients: Clients, *, clock: Callable[[], datetime]) -> dict[str, str]:
    """Writes the copy or leaves it, and tells how old it is; what is no failure of AWS's is raised."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stored = read_copy(clients.s3, settings, now=clock())
    except (BotoCoreError, ClientError) as error:
        _say("the copy could not be read, so nobody knows how old it is", error)
        return {"outcome": "unknown", "version": "unknown"}
    try:
        source = read_source(clients.appconfig, settings, now=clock())
    except (BotoCoreError, ClientError, UnreadableError) as error:
        _say("the configuration could not be read, so its copy stays as it is", error)
        source = Source(copy=None, due=None)
    try:
        outcome, copy = _bring(clients.s3, settings, stored, source.copy, clock)
    except (BotoCoreError, ClientError) as error:
        _say("the copy could not be written, so it stays as it is", error)
        outcome, copy = "kept", stored.copy
    since = copy.confirmed_at if copy else source.due
    version = copy.version if copy else "none"
    if since is not None:
        _tell(settings, minutes_since(since, clock()), at=clock(), outcome=outcome, version=version)
    return {"outcome": outcome, "version": version}


def read_copy(s3: S3Client, settings: CopySettings, *, now: datetime) -> Stored:
    """The copy as it is now; one that cannot be read counts as none, and is written over."""
    from botocore.exceptions import ClientError

    try:
        found = s3.get_object(Bucket=settings.bucket, Key=settings.key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return Stored(etag=None, copy=None)
        raise
    try:
        copy = Copy.from_json(found["Body"].read(), now)
    except UnreadableError as error:
        _say("the copy cannot be read", error)
        copy = None
    return Stored(etag=found["ETag"], copy=copy)


def read_source(appconfig: AppConfigClient, settings: CopySettings, *, now: datetime) -> Source:
    """The configuration in force. What AppConfig refuses is raised.

    Raises:
        UnreadableError: the version in force is no JSON object.
    """
    due: datetime | None = None
    pages = appconfig.get_paginator("list_deployments").paginate(
        ApplicationId=settings.application_id, EnvironmentId=settings.environment_id
    )
    for page in pages:  # the newest first
        ours = [_deployment(one) for one in page["Items"] if _is_ours(one, settings)]
        due = min([one.due_at for one in ours if one.due_at] + ([due] if due else []), default=None)
        found = in_force(ours)
        if found is not None:
            return Source(copy=_read_version(appconfig, settings, found.version, now), due=due)
    return Source(copy=None, due=due)


def _bring(
    s3: S3Client, settings: CopySettings, stored: Stored, good: Copy | None, clock: Callable[[], datetime]
) -> tuple[str, Copy | None]:
    """What was done, and the copy that is there now."""
    if good is None:
        return "kept", stored.copy
    if not write_copy(s3, settings, good, over=stored.etag):
        return "overtaken", read_copy(s3, settings, now=clock()).copy
    return ("confirmed" if stored.copy is not None and _same(stored.copy, good) else "written"), good


def write_copy(s3: S3Client, settings: CopySettings, copy: Copy, *, over: str | None) -> bool:
    """Writes the copy where the object is still the one with the tag ``over``, or where there is still none."""
    from botocore.exceptions import ClientError

    condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}
    try:
        s3.put_object(
            Bucket=settings.bucket,
            Key=settings.key,
            Body=copy.to_json(),
            ContentType="application/json",
            **condition,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _OVERTAKEN:
            return False
        raise
    return True


def _read_version(appconfig: AppConfigClient, settings: CopySettings, version: str, now: datetime) -> Copy:
    if not version.isdecimal():
        raise UnreadableError(f"version {version[:40]!r} is not of AppConfig's own store")
    found = appconfig.get_hosted_configuration_version(
        ApplicationId=settings.application_id,
        ConfigurationProfileId=settings.profile_id,
        VersionNumber=int(version),
    )
    return Copy(version=version, confirmed_at=now, content=content_of(found["Content"].read()))


def _is_ours(one: DeploymentSummary, settings: CopySettings) -> bool:
    """An environment may have deployments of other profiles; botocore did not always give their ids."""
    if "ConfigurationProfileId" in one:
        return one["ConfigurationProfileId"] == settings.profile_id
    return one.get("ConfigurationName") == settings.profile


def _deployment(one: DeploymentSummary) -> Deployment:
    minutes = one.get("DeploymentDurationInMinutes", 0) + one.get("FinalBakeTimeInMinutes", 0)
    started = one.get("StartedAt")
    return Deployment(
        number=one["DeploymentNumber"],
        state=one["State"],
        version=one["ConfigurationVersion"],
        due_at=started + timedelta(minutes=minutes) if started else None,
    )


def _same(one: Copy, other: Copy) -> bool:
    return (one.version, one.content) == (other.version, other.content)


def _say(message: str, error: Exception) -> None:
    print(json.dumps({"message": message, "why": " ".join(str(error).split())[:_LONGEST]}))


def _tell(settings: CopySettings, age: float, *, at: datetime, outcome: str, version: str) -> None:
    """One line in CloudWatch's embedded metric format
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
    """
    names = {
        "Application": settings.application,
        "Environment": settings.environment,
        "Configuration": settings.profile,
    }
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names)],
        "Metrics": [{"Name": COPY_AGE, "Unit": "None"}],
    }
    meta = {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [described]}
    print(json.dumps({"_aws": meta, **names, COPY_AGE: round(age, 3), "outcome": outcome, "version": version}))
