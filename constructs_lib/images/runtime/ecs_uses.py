"""Which images the tasks and the services of all clusters use (lesson Q2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .aws import at_once, batches
from .gaps import Gaps
from .model import Source, Use
from .task_definitions import Found, Wanted, family_of, used_image

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_ecs.type_defs import (
        ServiceDeploymentTypeDef,
        ServiceRevisionTypeDef,
        ServiceTypeDef,
        TaskTypeDef,
    )

_PAGE: Final = 100
_TASKS_A_CALL: Final = 100
_SERVICES_A_CALL: Final = 10
_DEPLOYMENTS_A_CALL: Final = 20
_REVISIONS_A_CALL: Final = 20

_SERVICE: Final = "service:"
"""How the group of a service's task begins."""

_NOT_STARTED: Final = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
"""The last status of a task before it is RUNNING: its images may still have to be pulled."""


def read_clusters(ecs: ECSClient, gaps: Gaps) -> list[str]:
    """The ARNs of all clusters of the account."""
    listing = ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": _PAGE})
    return [arn for page in gaps.pages("ecs:ListClusters", "the account", listing) for arn in page["clusterArns"]]


def read_tasks(ecs: ECSClient, clusters: Sequence[str], gaps: Gaps) -> list[Found]:
    """What running, pending and recently stopped tasks use."""
    listed = at_once(lambda cluster: _task_arns(ecs, cluster, gaps), clusters)
    work = [
        (cluster, batch)
        for cluster, arns in zip(clusters, listed, strict=True)
        for batch in batches(arns.items(), _TASKS_A_CALL)
    ]
    described = at_once(lambda item: _describe_tasks(ecs, item[0], dict(item[1]), gaps), work)
    return [found for each in described for found in each]


def _task_arns(ecs: ECSClient, cluster: str, gaps: Gaps) -> dict[str, bool]:
    """The tasks of a cluster, and whether each has stopped.

    The stopped ones are listed last: so a task that stops meanwhile is in both lists and not in neither.
    """
    stopped: dict[str, bool] = {}
    for status in ("RUNNING", "STOPPED"):
        listing = ecs.get_paginator("list_tasks").paginate(
            cluster=cluster,
            desiredStatus="RUNNING" if status == "RUNNING" else "STOPPED",
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in gaps.pages("ecs:ListTasks", f"{status} tasks of {cluster}", listing):
            stopped.update(dict.fromkeys(page["taskArns"], status == "STOPPED"))
    return stopped


def _describe_tasks(ecs: ECSClient, cluster: str, batch: Mapping[str, bool], gaps: Gaps) -> list[Found]:
    arns = list(batch)
    call = "ecs:DescribeTasks"
    answer = gaps.ask(call, f"{len(arns)} tasks of {cluster}", lambda: ecs.describe_tasks(cluster=cluster, tasks=arns))
    if answer is None:
        return []
    aged_out = {arn for arn, stopped in batch.items() if stopped}
    gaps.check(call, arns, answer["tasks"], answer.get("failures", []), may_be_missing=aged_out)
    return [found for task in answer["tasks"] for found in _of_task(task)]


def _of_task(task: TaskTypeDef) -> Iterator[Found]:
    name, definition = task["taskArn"], task["taskDefinitionArn"]
    stopped = task.get("desiredStatus") == "STOPPED"
    source: Source = "stopped task" if stopped else "task"
    starts = not stopped and _starts(task)
    use = Use(owner=family_of(definition), source=source, name=name, starts=starts)
    containers = task.get("containers", [])
    for container in containers:
        yield from used_image(container.get("image", ""), use, digest=container.get("imageDigest"))
    if not containers or any("image" not in container for container in containers):
        yield Wanted(task_definition=definition, source=source, name=name, starts=starts)


def _starts(task: TaskTypeDef) -> bool:
    """Whether ECS has yet to start the task, or starts another when it ends: a service does, and nothing else."""
    return task.get("group", _SERVICE).startswith(_SERVICE) or task.get("lastStatus") in _NOT_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """A service, as far as it matters; its hundred events are left behind at once."""

    arn: str
    task_definitions: Mapping[str, Source]
    deployment: str | None
    revisions: Sequence[str]


def read_services(ecs: ECSClient, clusters: Sequence[str], gaps: Gaps) -> list[Found]:
    """What services use: by their revisions, which say so at zero tasks too, and by their task definitions.

    ECS resolves a tag once for a service revision and starts the digest from then on. Revisions from before October 25,
    2024 cannot be described, and services under CodeDeploy or external controllers may have none; then the task
    definition is all there is to go by.
    """
    services = _services(ecs, clusters, gaps)
    starting, named = _revisions_of_deployments(ecs, [s.deployment for s in services if s.deployment], gaps)
    starting |= {arn for service in services for arn in service.revisions}
    revisions = _describe_revisions(ecs, sorted(starting | named), gaps)
    found: list[Found] = []
    resolved: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for revision in revisions:
        starts = revision["serviceRevisionArn"] in starting
        found += _of_revision(revision, starts=starts)
        if starts:  # a tag gives way only to a digest that starts in its place
            resolved[revision["serviceArn"], revision["taskDefinition"]].update(_resolved(revision))
    for service in services:
        for definition, source in service.task_definitions.items():
            known = frozenset(resolved[service.arn, definition])
            found.append(
                Wanted(task_definition=definition, source=source, name=service.arn, starts=True, resolved=known)
            )
    return found


def _services(ecs: ECSClient, clusters: Sequence[str], gaps: Gaps) -> list[_Service]:
    listed = at_once(lambda cluster: _service_arns(ecs, cluster, gaps), clusters)
    work = [
        (cluster, batch)
        for cluster, arns in zip(clusters, listed, strict=True)
        for batch in batches(arns, _SERVICES_A_CALL)
    ]
    described = at_once(lambda item: _describe_services(ecs, item[0], item[1], gaps), work)
    return [service for each in described for service in each]


def _service_arns(ecs: ECSClient, cluster: str, gaps: Gaps) -> list[str]:
    listing = ecs.get_paginator("list_services").paginate(cluster=cluster, PaginationConfig={"PageSize": _PAGE})
    return [arn for page in gaps.pages("ecs:ListServices", cluster, listing) for arn in page["serviceArns"]]


def _describe_services(ecs: ECSClient, cluster: str, arns: Sequence[str], gaps: Gaps) -> list[_Service]:
    call = "ecs:DescribeServices"
    answer = gaps.ask(
        call, f"{len(arns)} services of {cluster}", lambda: ecs.describe_services(cluster=cluster, services=arns)
    )
    if answer is None:
        return []
    gaps.check(call, arns, answer["services"], answer.get("failures", []), may_be_missing=arns)
    return [_service(service) for service in answer["services"] if service["status"] != "INACTIVE"]


def _service(service: ServiceTypeDef) -> _Service:
    named: dict[str, Source] = {}
    if "taskDefinition" in service:
        named[service["taskDefinition"]] = "deployment"
    for deployment in service.get("deployments", []):
        if "taskDefinition" in deployment:
            named[deployment["taskDefinition"]] = "deployment"
    for task_set in service.get("taskSets", []):
        if "taskDefinition" in task_set:
            named.setdefault(task_set["taskDefinition"], "task set")
    return _Service(
        arn=service["serviceArn"],
        task_definitions=named,
        deployment=service.get("currentServiceDeployment"),
        revisions=[revision["arn"] for revision in service.get("currentServiceRevisions", []) if "arn" in revision],
    )


def _revisions_of_deployments(ecs: ECSClient, arns: Sequence[str], gaps: Gaps) -> tuple[set[str], set[str]]:
    """The service revisions that current deployments can start, and all that they name."""
    work = list(batches(arns, _DEPLOYMENTS_A_CALL))
    described = at_once(lambda batch: _describe_deployments(ecs, batch, gaps), work)
    starting: set[str] = set()
    named: set[str] = set()
    for deployment in (deployment for each in described for deployment in each):
        can_start, every = _named(deployment)
        starting |= can_start
        named |= every
    return starting, named


def _describe_deployments(ecs: ECSClient, arns: Sequence[str], gaps: Gaps) -> Sequence[ServiceDeploymentTypeDef]:
    call = "ecs:DescribeServiceDeployments"
    answer = gaps.ask(
        call, f"{len(arns)} deployments", lambda: ecs.describe_service_deployments(serviceDeploymentArns=arns)
    )
    if answer is None:
        return []
    # MISSING names a revision that is too old, and a deployment is forgotten after a while; the service tells enough.
    told = [failure for failure in answer.get("failures", []) if failure.get("reason") != "MISSING"]
    gaps.check(call, [], answer["serviceDeployments"], told)
    return answer["serviceDeployments"]


def _named(deployment: ServiceDeploymentTypeDef) -> tuple[set[str], set[str]]:
    """The revisions that a deployment can start, and all that it names.

    While it is under way ECS may go on or go back. When it has ended well, one of them is left. What it leaves behind
    when it was stopped, or could not go back, the service alone tells: by its current revisions.
    """
    target = {deployment.get("targetServiceRevision", {}).get("arn", "")} - {""}
    rollback = {deployment.get("rollback", {}).get("serviceRevisionArn", "")} - {""}
    source = {revision.get("arn", "") for revision in deployment.get("sourceServiceRevisions", [])} - {""}
    every = target | rollback | source
    match deployment.get("status"):
        case "SUCCESSFUL":
            return target, every
        case "ROLLBACK_SUCCESSFUL":
            return rollback, every
        case "STOPPED" | "ROLLBACK_FAILED":
            return set(), every
        case _:
            return every, every


def _describe_revisions(ecs: ECSClient, arns: Sequence[str], gaps: Gaps) -> list[ServiceRevisionTypeDef]:
    work = list(batches(arns, _REVISIONS_A_CALL))
    return [found for each in at_once(lambda batch: _describe_batch(ecs, batch, gaps), work) for found in each]


def _describe_batch(ecs: ECSClient, arns: Sequence[str], gaps: Gaps) -> Sequence[ServiceRevisionTypeDef]:
    call = "ecs:DescribeServiceRevisions"
    answer = gaps.ask(
        call, f"{len(arns)} service revisions", lambda: ecs.describe_service_revisions(serviceRevisionArns=arns)
    )
    if answer is None:
        return []
    gaps.check(call, arns, answer["serviceRevisions"], answer.get("failures", []), may_be_missing=arns)
    return answer["serviceRevisions"]


def _of_revision(revision: ServiceRevisionTypeDef, *, starts: bool) -> Iterator[Found]:
    name, definition = revision["serviceRevisionArn"], revision["taskDefinition"]
    use = Use(owner=family_of(definition), source="service revision", name=name, starts=starts)
    images = revision.get("containerImages", [])
    for container in images:
        yield from used_image(container.get("image", ""), use, digest=container.get("imageDigest"))
    if not images or any("image" not in container for container in images):
        yield Wanted(task_definition=definition, source="service revision", name=name, starts=starts)


def _resolved(revision: ServiceRevisionTypeDef) -> Iterable[str]:
    """The containers of a revision whose tag ECS has resolved."""
    return {
        container["containerName"]
        for container in revision.get("containerImages", [])
        if "imageDigest" in container and "containerName" in container
    }
