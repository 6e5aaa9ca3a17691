"""Reads events that may be anything: what is not there, or of another type, is empty. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping


def at(event: object, *path: str) -> object:
    """What stands at a path of keys; ``None`` where there is nothing."""
    for key in path:
        if not isinstance(event, Mapping):
            return None
        event = event.get(key)
    return event


def text(event: object, *path: str) -> str:
    """The text at a path; empty when there is none."""
    found = at(event, *path)
    return found if isinstance(found, str) else ""


def members(event: object, *path: str) -> list[object]:
    """The list at a path; empty when there is none."""
    found = at(event, *path)
    return found if isinstance(found, list) else []


def number(event: object, *path: str) -> int | None:
    """The whole number at a path."""
    found = at(event, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def reasons(event: object) -> list[str]:
    """What ECS says about the end of a task: of the task, then of its containers; without empty ones."""
    containers = [text(container, "reason") for container in members(event, "detail", "containers")]
    return [reason for reason in (text(event, "detail", "stoppedReason"), *containers) if reason]


def service_of(event: object) -> str:
    """ECS's name of the service that an event is about; empty for a task of no service."""
    group = text(event, "detail", "group")
    if group:
        return group.removeprefix("service:") if group.startswith("service:") else ""
    return _service_arn(event).rpartition("/")[2]


def cluster_of(event: object) -> str:
    """ECS's name of the cluster that an event is about."""
    arn = text(event, "detail", "clusterArn")
    if ":cluster/" in arn:
        return arn.partition(":cluster/")[2]
    return _service_arn(event).partition(":service/")[2].partition("/")[0]


def family_of(event: object) -> str:
    """The family of a task's definition."""
    return text(event, "detail", "taskDefinitionArn").rpartition("/")[2].partition(":")[0]


def task_of(event: object) -> str:
    """The id of a task; empty when the event is not about one."""
    return text(event, "detail", "taskArn").rpartition("/")[2]


def _service_arn(event: object) -> str:
    """ECS names the service in one place today, and AWS says that there may be another
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html)."""
    arns = [*members(event, "resources"), text(event, "detail", "serviceArn")]
    return next((arn for arn in arns if isinstance(arn, str) and ":service/" in arn), "")
