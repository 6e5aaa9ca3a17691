"""Which events are kept as evidence, as EventBridge patterns (lesson W5). Standard library only.

ECS's events, CloudWatch's and AWS Health's are delivered at least once; those of ECR and CodeBuild are best effort
(https://docs.aws.amazon.com/eventbridge/latest/ref/event-delivery-level.html).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from constructs_lib.checks import invalid, is_token
from constructs_lib.iam_policy import Arns

Pattern: TypeAlias = dict[str, object]

MOST_CHARACTERS: Final = 2048
"""EventBridge's limit of one pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""

NOT_KEPT: Final = ("SERVICE_STEADY_STATE", "TASKSET_STEADY_STATE", "CAPACITY_PROVIDER_STEADY_STATE")
"""Service actions that say again and again that all is well. They are left out because they hide the others, not for
their price; that a deployment ended well is said by SERVICE_DEPLOYMENT_COMPLETED."""

_LONGEST_NAME: Final = 255
"""Of a cluster (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html); a repository's is
one character longer, a project's shorter."""


def evidence_patterns(
    here: Arns, *, clusters: Sequence[str], repositories: Sequence[str] = (), build_projects: Sequence[str] = ()
) -> dict[str, Pattern]:
    """The patterns by what they are about: ``Tasks``, ``Services``, ``Images``, ``Builds``, ``Health``.

    A name that ends with ``*`` stands for all that begin so; one without may be a Token.

    Args:
        here: account and Region of the clusters.
        clusters: names of ECS clusters; at least one.
        repositories: names of ECR repositories; without any, no events of images are kept.
        build_projects: names of CodeBuild projects; without any, no events of builds are kept.

    Raises:
        ValueError: no cluster, a wrong name, or more names than fit into a pattern.
    """
    named = {"clusters": clusters, "repositories": repositories, "build_projects": build_projects}
    for what, given in named.items():
        _check(what, given)
    if not clusters:
        raise invalid("clusters", clusters, "at least one name", "pass [cluster.cluster_name]")
    made = {"Tasks": stopped_tasks(here, clusters), "Services": services(here, clusters)}
    if repositories:
        made["Images"] = images(repositories)
    if build_projects:
        made["Builds"] = builds(build_projects)
    made["Health"] = health(here)
    names = [name for given in named.values() for name in given]
    unknown = sum(_LONGEST_NAME - len(name) for name in names if is_token(name))
    for what, pattern in made.items():
        if len(json.dumps(pattern)) + unknown > MOST_CHARACTERS:
            raise invalid(
                "the names",
                len(names),
                f"few enough for a pattern of {MOST_CHARACTERS} characters ({what})",
                "pass what they begin with, such as 'shop--*', or make another log",
            )
    return made


def stopped_tasks(here: Arns, clusters: Sequence[str]) -> Pattern:
    """Every stopped task, of services and others: ECS itself forgets it within about an hour.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "lastStatus": ["STOPPED"],
            "clusterArn": [_match(here.of("ecs", "cluster/"), name) for name in clusters],
        },
    }


def services(here: Arns, clusters: Sequence[str]) -> Pattern:
    """Deployments and service actions. Both name the service in ``resources``, and only the second its cluster.

    A service whose ARN is of ECS's old format, without its cluster's name, is not matched. ECS may add names of events
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html): they are kept.
    """
    beginnings = [name.removesuffix("*") if name.endswith("*") else f"{name}/" for name in clusters]
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
        "resources": [{"prefix": here.of("ecs", f"service/{beginning}")} for beginning in beginnings],
        "detail": {"eventName": [{"anything-but": list(NOT_KEPT)}, {"exists": False}]},
    }


def images(repositories: Sequence[str]) -> Pattern:
    """Everything that happens to an image; whether a lifecycle policy's deletions are told, no AWS page says."""
    return {
        "source": ["aws.ecr"],
        "detail-type": ["ECR Image Action"],
        "detail": {"repository-name": [_match("", name) for name in repositories]},
    }


def builds(projects: Sequence[str]) -> Pattern:
    """The beginning and end of builds, promotions and releases."""
    return {
        "source": ["aws.codebuild"],
        "detail-type": ["CodeBuild Build State Change"],
        "detail": {"project-name": [_match("", name) for name in projects]},
    }


def health(here: Arns) -> Pattern:
    """What AWS says of itself, whichever service: which one a fault is booked under, nobody knows before.

    In us-west-2, to which AWS Health also sends the public events of all other Regions, those are left out. In
    us-east-1 global events come too (https://docs.aws.amazon.com/health/latest/ug/choosing-a-region.html).
    """
    return {
        "source": ["aws.health"],
        "detail-type": ["AWS Health Event"],
        "detail": {"eventRegion": [here.region, "global", {"exists": False}]},
    }


def _match(start: str, name: str) -> object:
    return {"prefix": start + name.removesuffix("*")} if name.endswith("*") else start + name


def _check(what: str, names: object) -> None:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise invalid(what, names, "a list of names", f"write it as [{names!r}]")
    for name in names:
        if not isinstance(name, str) or not name.rstrip("*") or "*" in name[:-1]:
            raise invalid(what, name, "a name, or the beginning of one and '*'", "pass such as 'shop--*'")
