"""Why a release failed, in a sentence or two for whoever is paged: CloudFormation, ECS and the tasks say it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from constructs_lib.delivery.operations.errors import failures
from constructs_lib.delivery.operations.facts import service_of
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.settings import DeliverySettings

_LONGEST: Final = 300
_PAGES: Final = 5
_TELLING: Final = ("unable", "failed", "unhealthy", "circuit", "error", "alarm", "impaired")
"""Words of service events that say why, and not only that, something happens."""

_ORDINARY: Final = "Scaling activity initiated by"
"""How the reason begins when a task was stopped because its deployment was."""


def details(world: World, settings: DeliverySettings, *, since: datetime, digest: str) -> str:
    """What AWS says of a release that began at ``since``; empty when it says nothing."""
    told = [_stopped_task(world, settings, since, digest), _service_event(world, settings, since)]
    told.append(_first_failed_resource(world, settings, since))
    return " ".join(f"{text[:_LONGEST].rstrip('.')}." for text in told if text)


def _stopped_task(world: World, settings: DeliverySettings, since: datetime, digest: str) -> str:
    """Why the newest stopped task of this digest stopped. A task that stopped before it ran has the clearest reason."""
    ecs = world.clients.ecs
    try:
        arns = ecs.list_tasks(
            cluster=settings.cluster, serviceName=settings.ecs_service, desiredStatus="STOPPED", maxResults=100
        )["taskArns"]
        tasks = ecs.describe_tasks(cluster=settings.cluster, tasks=arns)["tasks"] if arns else []
    except failures():
        return ""
    found: list[tuple[datetime, str]] = []
    for task in tasks:
        own = [one for one in task.get("containers", ()) if one.get("image", "").endswith(digest)]
        at = task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt")
        if not own or at is None or at < since:
            continue
        if task.get("stoppedReason", "").startswith(_ORDINARY):
            continue
        exits = f" (exit code {own[0]['exitCode']})" if "exitCode" in own[0] else ""
        inside = f": {own[0]['reason']}" if own[0].get("reason") else ""
        found.append((at, f"A task stopped: {task.get('stoppedReason', 'no reason given')}{exits}{inside}"))
    return max(found)[1] if found else ""


def _service_event(world: World, settings: DeliverySettings, since: datetime) -> str:
    try:
        service = service_of(world.clients, settings)
    except failures():
        return ""
    events = [text for at, text in service.events if at >= since] if service else []
    return next((f"ECS: {text}" for text in events if any(word in text.lower() for word in _TELLING)), "")


def _first_failed_resource(world: World, settings: DeliverySettings, since: datetime) -> str:
    """The resource whose failure began the rollback: the others were cancelled because of it."""
    token: str | None = None
    first = ""
    for _ in range(_PAGES):
        try:
            cloudformation = world.clients.cloudformation
            page = (
                cloudformation.describe_stack_events(StackName=settings.stack, NextToken=token)
                if token
                else cloudformation.describe_stack_events(StackName=settings.stack)
            )
        except failures():
            return first
        for event in page["StackEvents"]:  # newest first
            if event["Timestamp"] < since:
                return first
            reason = event.get("ResourceStatusReason", "")
            if event.get("ResourceStatus", "").endswith("_FAILED") and "cancelled" not in reason:
                what = f"{event.get('LogicalResourceId')} ({event.get('ResourceType')})"
                first = f"CloudFormation: {what} {event.get('ResourceStatus')}: {reason}"
        token = page.get("NextToken")
        if not token:
            return first
    return first
