"""Reads deployments from ECS and samples from CloudWatch. What AWS refuses is raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from .comparison import COMPARED_FOR, LOOKS_BACK, PERIOD, Sample
from .history import Deployment

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import ServiceDeploymentBriefTypeDef

    from .settings import Service, Settings

KNOWN_FOR: Final = timedelta(days=30)
"""So far back deployments are listed; ECS keeps 90 days
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/view-service-deployment.html)."""

TIME_WAIT: Final = "SocketsTimeWait"
"""Of the metrics of sockets the one that no response time explains."""

_REVISIONS_A_CALL: Final = 20
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What reads (lesson W1).

    Args:
        ecs: deployments and the images that they brought.
        cloudwatch: sockets, requests and response times.
    """

    ecs: ECSClient
    cloudwatch: CloudWatchClient


class UnreadableMetricsError(Exception):
    """CloudWatch answered with less than it was asked for (lesson W1)."""


def connect() -> Clients:
    """Clients that try several times, and wait long for none."""
    import boto3
    from botocore.config import Config

    how = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
    session = boto3.session.Session()
    return Clients(ecs=session.client("ecs", config=how), cloudwatch=session.client("cloudwatch", config=how))


def deployments(ecs: ECSClient, service: Service, *, now: datetime) -> list[Deployment]:
    """The deployments of a service, as far back as a comparison needs them, each with the image that it brought."""
    listed = _needed(_listed(ecs, service, now - KNOWN_FOR), now - COMPARED_FOR - LOOKS_BACK)
    succeeded = (one["targetServiceRevisionArn"] for one in listed if one["status"] == "SUCCESSFUL")
    images = _images(ecs, succeeded, service.container)
    return [
        Deployment(
            began=one["createdAt"].astimezone(UTC),
            ended=one["finishedAt"].astimezone(UTC) if "finishedAt" in one else None,
            status=one["status"],
            image=images.get(one.get("targetServiceRevisionArn", ""), ""),
        )
        for one in listed
    ]


def samples(
    cloudwatch: CloudWatchClient, settings: Settings, service: Service, *, since: datetime, until: datetime
) -> dict[datetime, Sample]:
    """One task of a service in each period; what was not measured is left out.

    The metrics of sockets are averages over the tasks that sent them, and those of requests are per target already. So
    neither depends on how many tasks there are, or on how many of their agents run. A period whose response time the
    load balancer does not tell counts all the same, with none of its requests answered.

    Raises:
        UnreadableMetricsError: CloudWatch left something out.
    """
    queries = [*_sockets(settings, service), *_requests(service), *_response_times(service)]
    found = _values(cloudwatch, queries, since, until)
    sockets = {name: found[f"s{number}"] for number, name in enumerate(settings.sockets)}
    groups = [(found[f"r{number}"], found[f"t{number}"]) for number in range(len(service.target_groups))]
    times = set.intersection(*(set(one) for one in sockets.values()))
    return {at: _sample({name: one[at] for name, one in sockets.items()}, groups, at) for at in sorted(times)}


def _sample(
    sockets: Mapping[str, float],
    groups: Sequence[tuple[Mapping[datetime, float], Mapping[datetime, float]]],
    at: datetime,
) -> Sample:
    """One period: sockets by state, requests and response times by target group."""
    # A load balancer tells nothing of a minute without requests.
    known = [(requests[at], times[at]) for requests, times in groups if at in requests and at in times]
    return Sample(
        sockets=sum(sockets.values()),
        requests=sum(requests.get(at, 0) for requests, _ in groups),
        time_wait=sockets.get(TIME_WAIT, 0),
        answered=sum(requests for requests, _ in known),
        waited=sum(requests * seconds for requests, seconds in known),
    )


def _listed(ecs: ECSClient, service: Service, after: datetime) -> Iterator[ServiceDeploymentBriefTypeDef]:
    """All pages; boto3 has no paginator for them."""
    token = ""
    while True:
        more: dict[str, str] = {"nextToken": token} if token else {}
        page = ecs.list_service_deployments(
            cluster=service.cluster,
            service=service.ecs_service,
            createdAt={"after": after},
            maxResults=_PAGE,
            **more,  # type: ignore[arg-type]
        )
        yield from page.get("serviceDeployments", ())
        token = page.get("nextToken", "")
        if not token:
            return


def _needed(listed: Iterable[ServiceDeploymentBriefTypeDef], since: datetime) -> list[ServiceDeploymentBriefTypeDef]:
    """Those since then, and before them as many as it takes to know what ran then."""
    ordered = sorted(listed, key=lambda one: one["createdAt"])
    older = [number for number, one in enumerate(ordered) if one["createdAt"] < since and one["status"] == "SUCCESSFUL"]
    return ordered[older[-1] :] if older else ordered


def _images(ecs: ECSClient, revisions: Iterable[str], container: str) -> dict[str, str]:
    """What names the application's image in each revision; one that ECS does not know any more is left out."""
    images = {}
    for batch in _batches(dict.fromkeys(revisions), _REVISIONS_A_CALL):
        for revision in ecs.describe_service_revisions(serviceRevisionArns=batch)["serviceRevisions"]:
            for image in revision.get("containerImages", ()):
                if image.get("containerName") == container:
                    images[revision["serviceRevisionArn"]] = image.get("imageDigest") or image.get("image", "")
    return images


def _sockets(settings: Settings, service: Service) -> Iterator[MetricDataQueryTypeDef]:
    dimensions = {
        "Application": settings.application,
        "Environment": settings.environment,
        "Service": service.name,
    }
    for number, name in enumerate(settings.sockets):
        yield _query(f"s{number}", settings.namespace, name, dimensions, "Average")


def _requests(service: Service) -> Iterator[MetricDataQueryTypeDef]:
    """Of the two groups of a deployment that shifts requests, one has targets at a time; so they are added up.

    ``Sum`` is this metric's only valid statistic, and is the average of the targets
    (https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_elasticloadbalancingv2.IApplicationTargetGroupMetrics.html).
    """
    for number, group in enumerate(service.target_groups):
        yield _query(f"r{number}", "AWS/ApplicationELB", "RequestCountPerTarget", {"TargetGroup": group}, "Sum")


def _response_times(service: Service) -> Iterator[MetricDataQueryTypeDef]:
    """Seconds from the request's leaving the load balancer to the target's response, by target group.

    Unlike requests per target, this metric is known by load balancer and target group, and not by the group alone
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html).
    """
    for number, group in enumerate(service.target_groups):
        dimensions = {"LoadBalancer": service.load_balancer, "TargetGroup": group}
        yield _query(f"t{number}", "AWS/ApplicationELB", "TargetResponseTime", dimensions, "Average")


def _query(id: str, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str) -> MetricDataQueryTypeDef:
    return {
        "Id": id,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": PERIOD.seconds,
            "Stat": statistic,
        },
        "ReturnData": True,
    }


def _values(
    cloudwatch: CloudWatchClient, queries: Sequence[MetricDataQueryTypeDef], since: datetime, until: datetime
) -> dict[str, dict[datetime, float]]:
    """What each query gives, by time; the last word that CloudWatch says of each must be that it is complete."""
    found: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
    last: dict[str, str] = dict.fromkeys(found, "never answered")
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=since, EndTime=until, ScanBy="TimestampAscending"
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            times = (at.astimezone(UTC) for at in result["Timestamps"])
            found[result["Id"]].update(zip(times, result["Values"], strict=True))
            last[result["Id"]] = result.get("StatusCode", "Complete")
    names = {query["Id"]: query["MetricStat"]["Metric"]["MetricName"] for query in queries}
    wrong = [f"{names[one]}: {status}" for one, status in last.items() if status != "Complete"]
    if wrong:
        raise UnreadableMetricsError(f"CloudWatch must give all that it was asked for, got {', '.join(wrong)}")
    return found


def _batches(items: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
