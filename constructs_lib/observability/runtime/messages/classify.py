"""Which events need a person, and how urgently. Standard library only.

A page is for what no alarm sees, or sees later; the rest is a notice that says why, beside the alarm that pages
(docs/decisions/0028-what-needs-a-person.md). What is not named here, today's names and tomorrow's, is kept in the log
of evidence and tells nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .fields import at, members, service_of, text
from .kinds import ENVIRONMENT, Kind, Severity
from .place import Place
from .tasks import stopped_task

TASK: Final = "ECS Task State Change"
DEPLOYMENT: Final = "ECS Deployment State Change"
SERVICE: Final = "ECS Service Action"
BUILD: Final = "CodeBuild Build State Change"
HEALTH: Final = "AWS Health Event"

HEALTH_SERVICES: Final = ("ECS", "FARGATE")
BUILDS: Final = ("FAILED", "FAULT", "TIMED_OUT")
"""How a build ends that a person must look at; ``STOPPED`` is what a person did."""

DEPLOYMENTS: Final = ("SERVICE_DEPLOYMENT_FAILED", "SERVICE_DEPLOYMENT_IN_PROGRESS")
"""The second, which every deployment has, also tells that it is being taken back, in its reason."""

SERVICE_FAULTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "SERVICE_TASK_START_IMPAIRED": (
        "task-cannot-start",
        "start",
        "ECS cannot start tasks of {} reliably: they fail again and again.",
    ),
    "SERVICE_TASK_CONFIGURATION_FAILURE": (
        "task-cannot-start",
        "start",
        "ECS cannot place tasks of {}: its configuration does not allow it.",
    ),
    "SERVICE_TASK_PLACEMENT_FAILURE": (
        "tasks-cannot-be-placed",
        "place",
        "AWS has no capacity for a new task of {} now. Running tasks go on; none can be replaced.",
    ),
}
"""By the name of the event: the kind's name, the beginning of its key, the sentence."""

_SPOT: Final = "FARGATE_SPOT"
_DAY_MINUTES: Final = 24 * 60


def classify(event: object, place: Place) -> Kind | None:
    """What an event means to a person; ``None`` when it means nothing, is nobody's here, or is no event at all."""
    kind = text(event, "detail-type")
    source = text(event, "source")
    if source == "aws.ecs" and place.runs(event):
        if kind == TASK:
            return stopped_task(event, place)
        if kind in (SERVICE, DEPLOYMENT) and service_of(event):
            return _service_fault(event, place) or _deployment(event, place)
    if source == "aws.codebuild" and kind == BUILD and place.builds(event):
        return _build(event, place)
    if source == "aws.health" and kind == HEALTH:
        return _health(event)
    return None


def _service_fault(event: object, place: Place) -> Kind | None:
    """A page: no alarm sees that the next task cannot start. That there is no Spot capacity is what Spot is."""
    named = SERVICE_FAULTS.get(text(event, "detail", "eventName"))
    if named is None:
        return None
    name, key, sentence = named
    component, providers = place.component(event), members(event, "detail", "capacityProviderArns")
    spot = bool(providers) and all(isinstance(arn, str) and arn.endswith(f"/{_SPOT}") for arn in providers)
    severity: Severity = "notice" if spot else "page"
    return Kind(
        name=name,
        component=component,
        severity=severity,
        runbook=name,
        duplicate_key=f"{key}/{service_of(event)}",
        sentence=sentence.format(component),
    )


def _deployment(event: object, place: Place) -> Kind | None:
    """A notice: the former tasks serve on, and whoever released is told by the release itself."""
    name, reason = text(event, "detail", "eventName"), text(event, "detail", "reason")
    back = name == DEPLOYMENTS[1] and "rolling back" in reason
    if name != DEPLOYMENTS[0] and not back:
        return None
    component = place.component(event)
    then = "ECS is taking it back" if back else "it has ended"
    return Kind(
        name="deployment-failed",
        component=component,
        severity="notice",
        runbook="deployment-failed",
        duplicate_key=f"deployment/{service_of(event)}",
        sentence=f"A deployment of {component} has failed, and {then}. What ran before it goes on.",
    )


def _build(event: object, place: Place) -> Kind | None:
    """A notice: what runs is not touched by a build that fails."""
    if text(event, "detail", "build-status") not in BUILDS:
        return None
    project = place.project(event)
    return Kind(
        name="build-failed",
        component=project,
        severity="notice",
        runbook="build-failed",
        duplicate_key=f"build/{text(event, 'detail', 'project-name')}",
        sentence=f"The build {project} has failed. What runs goes on; its log in CodeBuild says why.",
    )


def _health(event: object) -> Kind | None:
    """A page when AWS speaks of this account's own resources; what it tells everybody is a notice.

    Copies for the backup Region are left out, and so is what happens elsewhere
    (https://docs.aws.amazon.com/health/latest/ug/choosing-a-region.html). Of an event's updates and pages the first one
    of a day goes out, for the text names the event to look up.
    """
    copy = at(event, "detail", "backupEvent")
    where = text(event, "detail", "eventRegion")
    if text(event, "detail", "service") not in HEALTH_SERVICES or copy is True or str(copy).lower() == "true":
        return None
    if where not in ("", "global", text(event, "region")):
        return None
    issue, status = text(event, "detail", "eventTypeCategory") == "issue", text(event, "detail", "statusCode")
    own = text(event, "detail", "eventScopeCode") == "ACCOUNT_SPECIFIC"
    severity: Severity = "page" if issue and own and status != "closed" else "notice"
    named = text(event, "detail", "eventArn") or text(event, "detail", "communicationId") or text(event, "id")
    if issue and status == "closed":
        sentence = "AWS says that its fault with ECS or Fargate is over."
    elif status == "closed":
        sentence = "What AWS announced about ECS or Fargate, such as tasks that it replaces, is over."
    elif issue:
        sentence = "AWS says that ECS or Fargate has a fault. Until it is over, release nothing and stop no task."
    else:
        sentence = "AWS has news about ECS or Fargate that concerns this account, such as tasks that it will replace."
    return Kind(
        name="aws-health",
        component=ENVIRONMENT,
        severity=severity,
        runbook="aws-health",
        duplicate_key=f"health/{named}/{status}",
        sentence=sentence,
        quiet_minutes=_DAY_MINUTES,
    )
