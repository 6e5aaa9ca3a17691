"""One task that runs by itself: started once, watched to its end, and stopped when it takes too long (lesson Q5).

It stands on this of AWS:

* Asking for a task twice with one ``clientToken`` starts one; AWS knows the token for as long as the task lives and an
  hour more, at most a day (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html).
* What was asked for may not show at once (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from constructs_lib.delivery.before_release import Ended
from constructs_lib.delivery.operations.errors import failures, may_pass, why
from constructs_lib.delivery.operations.outcomes import Failure
from constructs_lib.delivery.operations.owner import Owner
from constructs_lib.delivery.operations.waiting import POLL_SECONDS
from constructs_lib.delivery.settings import BeforeRelease

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import NetworkConfigurationTypeDef, TaskTypeDef

STARTED_BY: Final = "moorings/"
"""How ECS's word for who started a task begins, when a release did."""

_TRIES: Final = 3
_UNSEEN: Final = 12  # readings in a row that do not show a task which was started
_STOPPING: Final = timedelta(minutes=10)
"""How long a task may take to stop: Fargate gives a container two minutes at most."""


def unfinished(owner: Owner, wanted: BeforeRelease) -> list[TaskTypeDef]:
    """Tasks of the family that have not stopped; those that are being stopped have not."""
    ecs, cluster = owner.world.clients.ecs, owner.settings.cluster
    running = ecs.list_tasks(cluster=cluster, family=wanted.family, desiredStatus="RUNNING")["taskArns"]
    stopping = ecs.list_tasks(cluster=cluster, family=wanted.family, desiredStatus="STOPPED")["taskArns"]
    arns = [*running, *stopping][:100]  # which DescribeTasks takes
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return [task for task in tasks if task.get("lastStatus") != "STOPPED"]


def network(owner: Owner) -> NetworkConfigurationTypeDef:
    """The service's own subnets and security groups: whatever lets the service in lets the task in."""
    settings = owner.settings
    answer = owner.world.clients.ecs.describe_services(cluster=settings.cluster, services=[settings.ecs_service])
    found = next((one for one in answer["services"] if one.get("status") == "ACTIVE"), None)
    where = found.get("networkConfiguration") if found else None
    if not where:
        raise Failure(f"the service {settings.ecs_service} has no network configuration, which the task would take")
    return cast("NetworkConfigurationTypeDef", where)


def started(owner: Owner, wanted: BeforeRelease, definition: str, where: NetworkConfigurationTypeDef) -> str:
    """The task's ARN. Asked again by the same token, so an answer that was lost starts no second one.

    On Fargate and never Spot, which may take a migration's ground away in its middle.
    """
    entry, arn = owner.entry, ""
    for attempt in range(_TRIES):
        try:
            answer = owner.world.clients.ecs.run_task(
                cluster=owner.settings.cluster,
                taskDefinition=definition,
                count=1,
                launchType="FARGATE",
                networkConfiguration=where,
                clientToken=f"moorings-{entry.number}-{entry.token or 'entry'}",
                startedBy=f"{STARTED_BY}{entry.action}-{entry.number}",
            )
        except failures() as error:
            if not may_pass(error) or attempt + 1 == _TRIES:
                raise Failure(
                    f"nothing was released, for {wanted.container} could not be started: {why(error)}; if it started "
                    "all the same, the next release waits for its end"
                ) from error
            owner.say(f"AWS did not answer, {why(error)}; asking again")
            owner.pause(POLL_SECONDS)
            owner.still()
            continue
        said = [one.get("reason", "no reason given") for one in answer.get("failures", ())]
        arn = answer["tasks"][0].get("taskArn", "") if answer.get("tasks") else ""
        if not arn:
            raise Failure(f"nothing was released, for ECS could not start {wanted.container}: {', '.join(said)}")
        break
    return arn


def stopped(owner: Owner, wanted: BeforeRelease, arn: str, began: datetime, *, may_stop: bool = True) -> TaskTypeDef:
    """The task when it has stopped; over its time it is told to, if that ``may_stop`` it.

    Raises:
        Failure: it does not stop, or ECS does not know it.
    """
    limit, told = began + timedelta(minutes=wanted.minutes), False
    unseen, given_up = 0, None
    while True:
        found = owner.asked(partial(_described, owner, arn))
        if found is not None:
            unseen = 0 if found else unseen + 1
        if found and found[0].get("lastStatus") == "STOPPED":
            return found[0]
        if unseen >= _UNSEEN:
            raise Failure(f"nothing was released, for ECS shows nothing of {named(wanted, arn)}")
        now = owner.world.now()
        if found:
            minutes = int((now - began).total_seconds() // 60)
            owner.say(f"{named(wanted, arn)} is {found[0].get('lastStatus')}, after {minutes} minutes")
        if now >= limit and not may_stop:
            raise Failure(f"nothing was released, for {named(wanted, arn)} still runs; wait for its end, or stop it")
        if now >= limit and not told:
            given_up = given_up or now + _STOPPING
            told = _stop(owner, wanted, arn)
        if given_up is not None and now >= given_up:
            raise Failure(f"nothing was released, for {named(wanted, arn)} does not stop; stop it, and ask again")
        owner.pause(POLL_SECONDS)


def _described(owner: Owner, arn: str) -> list[TaskTypeDef]:
    return owner.world.clients.ecs.describe_tasks(cluster=owner.settings.cluster, tasks=[arn])["tasks"]


def _stop(owner: Owner, wanted: BeforeRelease, arn: str) -> bool:
    """Whether ECS took it."""
    owner.still()
    reason = f"over its limit of {wanted.minutes} minutes, by {owner.name}"
    try:
        owner.world.clients.ecs.stop_task(cluster=owner.settings.cluster, task=arn, reason=reason)
    except failures() as error:
        owner.say(f"{named(wanted, arn)} could not be stopped, {why(error)}; trying again")
        return False
    owner.say(f"stopped {named(wanted, arn)}: {reason}")
    return True


def ended(task: TaskTypeDef, wanted: BeforeRelease) -> Ended:
    """How a stopped task ended, by the container that counts."""
    own = next((one for one in task.get("containers", ()) if one.get("name") == wanted.container), None)
    return Ended(
        id=task.get("taskArn", "").rpartition("/")[2],
        stop_code=task.get("stopCode", ""),
        reason=task.get("stoppedReason", ""),
        exit_code=own.get("exitCode") if own else None,
        container_reason=own.get("reason", "") if own else "",
    )


def named(wanted: BeforeRelease, arn: str) -> str:
    """How a person finds it: container, and the last part of the ARN."""
    return f"{wanted.container} (task {arn.rpartition('/')[2]})"
