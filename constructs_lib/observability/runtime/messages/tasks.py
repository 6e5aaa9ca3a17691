"""What a stopped task means. Standard library only.

ECS's stop codes are those of https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html. Texts count only
beside a stop code that fits: anybody who may stop a task may give any text as the reason.
"""

from __future__ import annotations

from typing import Final

from .fields import family_of, members, number, reasons, service_of, text
from .kinds import Kind
from .place import Place

ENDS_PAGE_AT: Final = 3
"""This many tasks of one service that end alike within half an hour are no accident."""

CHECKS_PAGE_AT: Final = 2
"""One task that fails its health check is replaced; with the second, users may be without any: two is the fewest tasks
that a service should have."""

CHECKS: Final = ("Task failed ELB health checks", "Task failed container health checks")
"""How ECS's reason begins when a check has failed; scaling, rebalancing and deployments have other texts."""

_NO_START: Final = ("TaskFailedToStart", "")  # an event without a stop code is read by its text
_SECRETS: Final = (
    "ResourceInitializationError",
    "Fetching secret data",
    "unable to pull secrets",
    "unable to retrieve secret",
)
_TOLD_TO_STOP: Final = 143
_KILLED: Final = 137
_OUT_OF_MEMORY: Final = "OutOfMemory"


def stopped_task(event: object, place: Place) -> Kind | None:
    """The fault behind a stopped task; ``None`` for one that a person, scaling, a deployment or AWS stopped."""
    if text(event, "detail", "lastStatus") != "STOPPED":
        return None
    code, said = text(event, "detail", "stopCode"), [reason.lstrip() for reason in reasons(event)]
    if code in _NO_START and any(reason.startswith("CannotPull") for reason in said):
        return _no_start(event, place, "image-cannot-be-pulled", "its image cannot be pulled")
    if code in _NO_START and any(reason.startswith(_SECRETS) for reason in said):
        what = "ECS cannot prepare it: a secret, the registry's password or the log group cannot be reached"
        return _no_start(event, place, "task-cannot-start", what)
    if code == "TaskFailedToStart":
        return _repeated(event, place, "task-cannot-start", "starts-badly", "did not start; ECS tries again")
    if code == "ServiceSchedulerInitiated" and said and said[0].startswith(CHECKS):
        checker = "the load balancer" if said[0].startswith(CHECKS[0]) else "the container's own check"
        what = f"was replaced, because {checker} found it ill"
        return _repeated(event, place, "health-checks-fail", "checks", what, pages_at=CHECKS_PAGE_AT)
    if code == "EssentialContainerExited" and ended_badly(event):
        memory = any(_OUT_OF_MEMORY in reason for reason in said)
        how = "ran out of memory and was killed" if memory else "ended by itself with an error"
        return _repeated(event, place, "containers-stop", "exits", how)
    return None


def ended_badly(event: object) -> bool:
    """Whether the process that ended first ended with an error, or for want of memory.

    The others of the task are told to stop then (143) and killed if they do not (137), and the event does not say who
    was first: a killed one counts only when no other ended by itself. 0 is how a process ends that has done its work.
    """
    if any(_OUT_OF_MEMORY in reason for reason in reasons(event)):
        return True
    codes = {number(container, "exitCode") for container in members(event, "detail", "containers")} - {None}
    by_itself = codes - {_TOLD_TO_STOP, _KILLED}
    return bool(by_itself - {0}) if by_itself else _KILLED in codes


def _no_start(event: object, place: Place, name: str, because: str) -> Kind:
    """A page at once: the next task will fail alike, and no alarm sees it while the former ones still run."""
    service, component = service_of(event), place.component(event)
    if not service:
        return _of_no_service(event, component, name, f"did not start: {because}")
    return Kind(
        name=name,
        component=component,
        severity="page",
        runbook=name,
        duplicate_key=f"start/{service}",
        sentence=f"A new task of {component} cannot start: {because}. Running tasks go on; none can be replaced.",
    )


def _repeated(event: object, place: Place, name: str, key: str, what: str, *, pages_at: int = ENDS_PAGE_AT) -> Kind:
    """A notice, and a page when it happens again and again: one task that ends is replaced."""
    service, component = service_of(event), place.component(event)
    if not service:
        return _of_no_service(event, component, name, what)
    return Kind(
        name=name,
        component=component,
        severity="notice",
        runbook=name,
        duplicate_key=f"{key}/{service}",
        sentence=f"A task of {component} {what}.",
        pages_at=pages_at,
    )


def _of_no_service(event: object, component: str, name: str, what: str) -> Kind:
    """A notice: a scheduled task has its own page (alarm ``failed-runs``), and a release tells of its own task."""
    return Kind(
        name=name,
        component=component,
        severity="notice",
        runbook=name,
        duplicate_key=f"run/{name}/{family_of(event)}",
        sentence=f"A run of {component}, which belongs to no service, {what}.",
    )
