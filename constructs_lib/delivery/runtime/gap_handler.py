"""Measures how far services are behind, and writes it as metrics. Gather, decide, tell (lesson Q5).

Each service is one line, in CloudWatch's embedded metric format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
Of a service that could not be read there is a line that says why, and no metric: a gap that nobody knows is not 0. The
last line counts those services.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from .gap import NOT_RELEASED, Gap, UpstreamRelease, measure
from .gap_settings import GapSettings, Place, Service

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_ecr import ECRClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

NAMESPACE: Final = "Moorings"
BUILDS_BEHIND: Final = "BuildsBehind"
DAYS_BEHIND: Final = "DaysBehind"
GAPS_UNKNOWN: Final = "GapsUnknown"

_LONGEST: Final = 300  # characters of an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What reads one environment (lesson Q5).

    Args:
        ecr: its images.
        ssm: its release parameters and ledger.
    """

    ecr: ECRClient
    ssm: SSMClient


Connect = Callable[[Place], Clients]
"""Gives the clients for an environment; may fail as any call to AWS does."""


def main(_event: object, _context: object) -> dict[str, int]:
    """What Lambda calls."""
    return handle(GapSettings.from_environment(os.environ), connect, clock=lambda: datetime.now(UTC))


def handle(settings: GapSettings, connect: Connect, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Measures each service and writes its line; what is no failure of AWS's is raised."""
    from botocore.exceptions import BotoCoreError, ClientError

    failures = (BotoCoreError, ClientError, UnreadableLedgerError)
    unknown = 0
    clients: tuple[Clients, Clients] | None = None
    for service in settings.services:
        try:
            clients = clients or (connect(settings.here), connect(settings.upstream))
            gap = read(settings, service, *clients, now=clock())
        except failures as error:
            unknown += 1
            why = " ".join(str(error).split())[:_LONGEST]
            print(json.dumps({"message": "the gap could not be read", "service": service.name, "why": why}))
        else:
            print(_line(settings, service, gap, at=clock()))
    names = {"Application": settings.application, "Environment": settings.here.environment}
    print(_metrics(names, {GAPS_UNKNOWN: unknown}, {GAPS_UNKNOWN: "Count"}, at=clock()))
    return {"measured": len(settings.services) - unknown, "unknown": unknown}


def read(settings: GapSettings, service: Service, here: Clients, upstream: Clients, *, now: datetime) -> Gap:
    """The gap of one service, read from AWS. What AWS refuses is raised.

    Raises:
        UnreadableLedgerError: an entry of the ledger is none.
    """
    running = here.ssm.get_parameter(Name=settings.release_parameter(service))["Parameter"]["Value"]
    return measure(
        running=running,
        own_tags=_own_tags(here.ecr, settings.here.account, service.repository, running),
        images=_images(upstream.ecr, settings.upstream.account, service.upstream_repository),
        releases=list(_releases(upstream.ssm, settings.upstream_ledger(service))),
        environment=settings.here.environment,
        now=now,
    )


class UnreadableLedgerError(Exception):
    """An entry of the ledger is not what a release writes (lesson Q5)."""


def connect(place: Place, sts: STSClient | None = None) -> Clients:
    """Clients for an environment; those of another account act as its reader role."""
    import boto3
    from botocore.config import Config

    how = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
    session = boto3.session.Session()
    if place.reader_role:
        asked = (sts or session.client("sts", config=how)).assume_role(
            RoleArn=place.reader_role, RoleSessionName="moorings-gap"
        )
        session = _session(asked["Credentials"])
    return Clients(
        ecr=session.client("ecr", region_name=place.region, config=how),
        ssm=session.client("ssm", region_name=place.region, config=how),
    )


def _session(credentials: CredentialsTypeDef) -> Session:
    import boto3

    return boto3.session.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def _own_tags(ecr: ECRClient, account: str, repository: str, digest: str) -> Sequence[str]:
    """The tags of what runs; none when it is gone, which the guard tells of."""
    from botocore.exceptions import ClientError

    if digest == NOT_RELEASED:
        return ()
    try:
        found = ecr.describe_images(registryId=account, repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ImageNotFoundException":
            return ()
        raise
    return [tag for detail in found["imageDetails"] for tag in detail.get("imageTags", ())]


def _images(ecr: ECRClient, account: str, repository: str) -> dict[str, list[str]]:
    pages = ecr.get_paginator("describe_images").paginate(
        registryId=account,
        repositoryName=repository,
        filter={"tagStatus": "TAGGED"},
        PaginationConfig={"PageSize": 1000},
    )
    return {
        detail["imageDigest"]: list(detail.get("imageTags", ())) for page in pages for detail in page["imageDetails"]
    }


def _releases(ssm: SSMClient, path: str) -> Iterator[UpstreamRelease]:
    for page in ssm.get_paginator("get_parameters_by_path").paginate(Path=path):
        for parameter in page["Parameters"]:
            yield release(parameter["Name"], parameter["Value"])


def release(name: str, text: str) -> UpstreamRelease:
    """What the gap needs of an entry, as ``constructs_lib.delivery.ledger`` writes it; a test writes and reads one.

    Raises:
        UnreadableLedgerError: it is no entry.
    """
    try:
        entry: Mapping[str, object] = json.loads(text)
        return UpstreamRelease(
            digest=str(entry["digest"]),
            build_tag=str(entry.get("build_tag", "")),
            successful=entry["state"] == "successful" and entry["action"] != "restart",
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableLedgerError(f"{name} must be an entry of the ledger, got {text[:80]!r}") from error


def _line(settings: GapSettings, service: Service, gap: Gap, *, at: datetime) -> str:
    names = {
        "Application": settings.application,
        "Environment": settings.here.environment,
        "Service": service.name,
    }
    told = {"message": "gap", "running": gap.running, "newest": gap.newest, "ran": gap.ran, "known": gap.known}
    values = {BUILDS_BEHIND: gap.builds, DAYS_BEHIND: round(gap.days, 3)}
    return _metrics({**names, **told}, values, {BUILDS_BEHIND: "Count", DAYS_BEHIND: "None"}, at=at, names=tuple(names))


def _metrics(
    told: Mapping[str, object],
    values: Mapping[str, float],
    units: Mapping[str, str],
    *,
    at: datetime,
    names: tuple[str, ...] = ("Application", "Environment"),
) -> str:
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names)],
        "Metrics": [{"Name": name, "Unit": units[name]} for name in values],
    }
    meta = {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [described]}
    return json.dumps({"_aws": meta, **told, **values})
