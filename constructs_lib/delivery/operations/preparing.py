"""Runs a service's one-off task with the new image before anything is changed, such as migrations (lesson Q5).

The stack's task definition names no image. A release registers a copy that names its own, runs that once, and
deregisters it, which stops no task
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deregister-task-definition-v2.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from constructs_lib.checks import is_digest
from constructs_lib.delivery.before_release import before_release_check, log_of, what_is_wrong
from constructs_lib.delivery.ledger import Action, Entry
from constructs_lib.delivery.operations.clients import Clients
from constructs_lib.delivery.operations.errors import failures, why
from constructs_lib.delivery.operations.one_off_tasks import (
    STARTED_BY,
    ended,
    named,
    network,
    started,
    stopped,
    unfinished,
)
from constructs_lib.delivery.operations.outcomes import Failure
from constructs_lib.delivery.operations.owner import Owner
from constructs_lib.delivery.operations.waiting import POLL_SECONDS
from constructs_lib.delivery.readiness import Check
from constructs_lib.delivery.settings import BeforeRelease, DeliverySettings

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        ContainerDefinitionOutputTypeDef,
        NetworkConfigurationTypeDef,
        RegisterTaskDefinitionRequestTypeDef,
        TaskDefinitionTypeDef,
    )

COPIED_BY: Final = "moorings.copied-by"
"""The docker label of a copy, with the release that made it. The stack's own definition has none."""

_COPIES: Final = 10
"""Copies that killed releases may have left; there are never more than a few."""


def prepare(owner: Owner, broken: Entry | None) -> bool:
    """Before a release, runs the service's task with the entry's digest, if it has one, until it has ended well.

    Whether it did: that may take long, so that what was seen before may hold no more.

    Args:
        owner: at work on the entry, whose image is pinned.
        broken: the entry that was taken over, if there was one.

    Raises:
        Failure: it did not end well, or could not be started.
        Overtaken: somebody took over; the task goes on, and the next release waits for its end.
    """
    wanted = owner.settings.before_release
    if wanted is None:
        return False
    if owner.entry.action == "release":
        _others_ended(owner, wanted, broken)
        _run_a_copy(owner, wanted)
        return True
    if broken is not None:
        _clear_up(owner, wanted)
    if owner.entry.action == "rollback":
        owner.say(f"a rollback does not run {wanted.container}, nor undo what it did")
        if broken is not None and broken.state == "preparing":
            owner.say(f"the one of {broken.action} {broken.number} may still run; the next release waits for its end")
    return False


def _run_a_copy(owner: Owner, wanted: BeforeRelease) -> None:
    copied = _copy(owner, wanted, _own_definition(owner, wanted))
    where = network(owner)
    owner.still()
    made = owner.world.clients.ecs.register_task_definition(**copied)["taskDefinition"]
    ended_badly: tuple[type[Exception], ...] = (Failure, *failures())  # who was overtaken leaves it to whoever did
    try:
        owner.at("preparing")
        _run(owner, wanted, made, where)
    except ended_badly:
        _deregister(owner, made)
        raise
    _deregister(owner, made)


def _clear_up(owner: Owner, wanted: BeforeRelease) -> None:
    """Deregisters copies that killed releases left; one that starts its own does it anyway."""
    try:
        _own_definition(owner, wanted)
    except failures() as error:
        owner.say(f"copies of {wanted.family} were not looked for, {why(error)}; the next release does it")


def check_of(clients: Clients, settings: DeliverySettings, action: Action) -> tuple[Check, ...]:
    """Whether the task can run; nothing when the service has none. Reads only."""
    wanted = settings.before_release
    if wanted is None:
        return ()
    command: list[str] | None = None
    unread = ""
    if action == "release":
        try:
            found = clients.ecs.describe_task_definition(taskDefinition=wanted.family)["taskDefinition"]
            container = _container(found, wanted)
            command = None if container is None else container.get("command", [])
        except failures() as error:
            unread = why(error)
    return (before_release_check(wanted, action, command=command, unread=unread),)


def _others_ended(owner: Owner, wanted: BeforeRelease, broken: Entry | None) -> None:
    """Waits for tasks of the family that somebody else started: two migrations at once is what must not be.

    One that a killed release left is not stopped: half of a migration is worse than a release that begins later. Over
    its own time it is, as its release would have. What a person started is never stopped.
    """
    if broken is not None:
        owner.pause(POLL_SECONDS)  # what was asked for a moment before the end may not show yet
    for task in unfinished(owner, wanted):
        arn, created = task.get("taskArn", ""), task.get("createdAt") or owner.world.now()
        by = task.get("startedBy") or "somebody"
        owner.say(f"{named(wanted, arn)} of {by} still runs; waiting for its end")
        ours = by.startswith(STARTED_BY)
        stopped(owner, wanted, arn, created if ours else owner.world.now(), may_stop=ours)


def _own_definition(owner: Owner, wanted: BeforeRelease) -> TaskDefinitionTypeDef:
    """The stack's definition: the newest of the family, once copies that were left are deregistered.

    A copy that is still shown does no harm, for it differs from the stack's by its image only.
    """
    ecs = owner.world.clients.ecs
    found = ecs.describe_task_definition(taskDefinition=wanted.family)["taskDefinition"]
    for _ in range(_COPIES):
        container = _container(found, wanted)
        if container is None or COPIED_BY not in container.get("dockerLabels", {}):
            break
        _deregister(owner, found)
        found = ecs.describe_task_definition(taskDefinition=wanted.family)["taskDefinition"]
    return found


def _container(definition: TaskDefinitionTypeDef, wanted: BeforeRelease) -> ContainerDefinitionOutputTypeDef | None:
    """The container that counts, when it names its image by digest."""
    for one in definition.get("containerDefinitions", []):
        if one.get("name") == wanted.container and is_digest(one.get("image", "").partition("@")[2]):
            return one
    return None


def _copy(
    owner: Owner, wanted: BeforeRelease, definition: TaskDefinitionTypeDef
) -> RegisterTaskDefinitionRequestTypeDef:
    """The same definition with the entry's digest: all that ECS takes, but tags, which nobody needs for minutes."""
    own = _container(definition, wanted)
    if own is None:
        raise Failure(
            f"the task definition {wanted.family} has no container {wanted.container} with an image by digest; "
            "deploy the services' stack"
        )
    shape = owner.world.clients.ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape
    taken = set(shape.members) - {"tags"} if shape is not None else set()
    new = {
        **own,
        "image": f"{own.get('image', '').partition('@')[0]}@{owner.entry.digest}",
        "dockerLabels": {**own.get("dockerLabels", {}), COPIED_BY: owner.name},
    }
    containers = [new if one is own else one for one in definition.get("containerDefinitions", [])]
    copied = {key: value for key, value in definition.items() if key in taken} | {"containerDefinitions": containers}
    return cast("RegisterTaskDefinitionRequestTypeDef", copied)


def _run(
    owner: Owner, wanted: BeforeRelease, definition: TaskDefinitionTypeDef, where: NetworkConfigurationTypeDef
) -> None:
    began = owner.world.now()
    arn = started(owner, wanted, definition.get("taskDefinitionArn", ""), where)
    owner.say(f"{named(wanted, arn)} was started, for {wanted.minutes} minutes at most")
    try:
        end = ended(stopped(owner, wanted, arn, began), wanted)
    except failures() as error:
        raise Failure(
            f"nothing was released, and {named(wanted, arn)} may still run, for {why(error)}; the next release waits "
            "for its end"
        ) from error
    wrong = what_is_wrong(end)
    if wrong:
        container = _container(definition, wanted) or {}
        log = log_of(container.get("logConfiguration", {}), wanted.container, end.id)
        raise Failure(
            f"nothing was released, for {named(wanted, arn)} did not end well: {wrong}"
            + (f"; its log is in {log}" if log else "")
        )
    owner.say(f"{named(wanted, arn)} ended well")


def _deregister(owner: Owner, copied: TaskDefinitionTypeDef) -> None:
    """A copy that stays does no harm but that it can be seen; the next release takes it away."""
    definition = copied.get("taskDefinitionArn", "")
    try:
        owner.world.clients.ecs.deregister_task_definition(taskDefinition=definition)
    except failures() as error:
        owner.say(f"{definition} was not deregistered, {why(error)}; the next release does it")
