"""Waits for the stack and for the tasks, says what happens, and stops what cannot succeed (lessons W4, T4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.errors import failures, why
from constructs_lib.delivery.operations.facts import (
    Service,
    Stack,
    counted_as_healthy,
    healthy,
    service_of,
    stack_of,
    update_token,
)
from constructs_lib.delivery.operations.outcomes import Failure, NeedsRepair
from constructs_lib.delivery.operations.owner import Owner, asked_by
from constructs_lib.delivery.readiness import short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.delivery.stack_status import CAN_BE_CANCELLED, condition, mend

STACK_LIMIT: Final = timedelta(minutes=60)
"""How long CloudFormation may take; after that the update is cancelled, and going back may take as long again.

The steps and the baking of a deployment come on top: CloudFormation waits for them."""

POLL_SECONDS: Final = 5
_TRIES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What must come about (lessons W4, T4).

    Args:
        digest: what the service shall run.
        red: deployment alarms that were red before, so that ECS goes back by none.
        deployment: the deployment that must complete; empty when any may.
    """

    digest: str
    red: tuple[str, ...] = ()
    deployment: str = ""


def stack_limit(settings: DeliverySettings) -> timedelta:
    """How long CloudFormation may take for this service."""
    return STACK_LIMIT + timedelta(minutes=settings.deployment_minutes)


def stack_end(owner: Owner, watched: Watched | None = None, taken_over: Sequence[Entry] = ()) -> Stack:
    """The stack when nothing is under way in it any more.

    With ``watched``, an update whose tasks fail again and again is cancelled when ECS will not go back by itself. A
    rollback cancels at once what an entry that was ``taken_over`` brings. Other people's updates are waited for.

    Raises:
        NeedsRepair: it ended where a person must mend it, or does not end.
    """
    began = owner.world.now()
    cancelled = False
    service: Service | None = None
    while True:
        stack = owner.asked(partial(stack_of, owner.world.clients, owner.settings))
        if stack is not None and condition(stack.status) != "busy":
            return _usable(owner, stack)
        service = owner.asked(partial(service_of, owner.world.clients, owner.settings, service)) or service
        if stack is not None:
            owner.say(_progress(owner, stack, service, None))
            if stack.status == CAN_BE_CANCELLED and not cancelled:
                cancelled = _cancelled(owner, _why_cancel(owner, watched, service, began), taken_over)
        if owner.world.now() - began > 2 * stack_limit(owner.settings):
            minutes = _minutes(owner.world.now() - began)
            raise NeedsRepair(
                f"{owner.settings.stack} has not come to an end for {minutes} minutes; look at its events, and run "
                "this command again when it has ended"
            )
        owner.pause(POLL_SECONDS)


def steady(owner: Owner, watched: Watched) -> None:
    """Waits until all tasks run the digest and as many targets are healthy; without a load balancer, as many tasks.

    It looks for itself: a deployment that begins with zero tasks completes at once, and ECS's circuit breaker sees
    nothing of what comes after.

    Raises:
        Failure: that cannot come about any more, or took too long.
    """
    minutes = owner.settings.steady_minutes + owner.settings.deployment_minutes
    limit, began = timedelta(minutes=minutes), owner.world.now()
    service: Service | None = None
    seen: int | None = None
    while True:
        service = owner.asked(partial(service_of, owner.world.clients, owner.settings, service)) or service
        seen = owner.asked(partial(healthy, owner.world.clients, owner.settings))
        if service is not None:
            owner.say(_progress(owner, None, service, seen))
            if seen is not None and is_steady(service, seen, watched):
                return
            reason = hopeless(service, watched)
            if reason:
                raise Failure(reason)
        if owner.world.now() - began >= limit:
            raise Failure(f"after {minutes} minutes {_counts(owner, service, seen)}")
        owner.pause(POLL_SECONDS)


def service_now(owner: Owner) -> Service | None:
    """The service, asked for until AWS answers, for some minutes at most."""
    for _ in range(_TRIES):
        found = owner.asked(lambda: (service_of(owner.world.clients, owner.settings),))
        if found is not None:
            return found[0]
        owner.pause(POLL_SECONDS)
    return service_of(owner.world.clients, owner.settings)


def is_steady(service: Service, healthy: int, watched: Watched) -> bool:
    """Whether it has come about."""
    same = not watched.deployment or service.deployment == watched.deployment
    return same and service.runs(watched.digest) and healthy >= service.desired


def hopeless(service: Service, watched: Watched) -> str:
    """Why it cannot come about any more; empty while it can."""
    if watched.deployment and service.deployment != watched.deployment:
        return f"another deployment has replaced it{_because(service)}"
    if service.digest != watched.digest:
        return f"the service's task definition names {short(service.digest)} instead of {short(watched.digest)}"
    if service.rollout == "FAILED":
        return f"ECS gave the deployment up{_because(service)}"
    if service.keeps_failing:
        return f"{service.failed_tasks} tasks failed one after the other"
    return ""


def _because(service: Service) -> str:
    return f": {service.rollout_reason.rstrip('.')}" if service.rollout_reason else ""


def _why_cancel(owner: Owner, watched: Watched | None, service: Service | None, began: datetime) -> str:
    """Why the update cannot be left to CloudFormation and ECS; empty when it can."""
    limit = stack_limit(owner.settings)
    if owner.world.now() - began > limit:
        return f"it has taken more than {_minutes(limit)} minutes"
    if watched is None or service is None or service.digest != watched.digest or not service.keeps_failing:
        return ""
    if watched.red:
        return f"{service.failed_tasks} tasks failed one after the other while {', '.join(watched.red)} is red"
    return "" if service.goes_back else f"{service.failed_tasks} tasks failed one after the other"


def _cancelled(owner: Owner, reason: str, taken_over: Sequence[Entry]) -> bool:
    """Cancels the update for a reason, or because a rollback goes back from what it brings. Only a release's own."""
    left = [one for one in taken_over if owner.entry.action == "rollback" and one.digest != owner.entry.digest]
    if not reason and not left:
        return False
    token = owner.asked(partial(update_token, owner.world.clients, owner.settings)) or ""
    if token.startswith(tuple(asked_by(one, "release") for one in left)):
        return _cancel(owner, reason or "a rollback does not wait for what it goes back from")
    own = token.startswith(tuple(asked_by(one) for one in (owner.entry, *taken_over)))
    return bool(reason) and own and _cancel(owner, reason)


def _cancel(owner: Owner, reason: str) -> bool:
    """Whether CloudFormation took the cancellation."""
    owner.still()
    try:
        owner.world.clients.cloudformation.cancel_update_stack(StackName=owner.settings.stack)
    except failures() as error:
        owner.say(f"the update could not be cancelled, {why(error)}")
        return False
    owner.say(f"cancelled the stack's update: {reason}")
    return True


def _usable(owner: Owner, stack: Stack) -> Stack:
    if condition(stack.status) != "ready":
        what = f"is {stack.status}" if stack.status else "does not exist"
        fix = mend(owner.settings.stack, owner.settings.region, stack.status)
        raise NeedsRepair(f"{owner.settings.stack} {what}; {fix}")
    return stack


def _progress(owner: Owner, stack: Stack | None, service: Service | None, healthy: int | None) -> str:
    parts = [f"stack {stack.status}"] if stack else []
    if service is not None:
        parts.append(f"tasks {service.running}/{service.desired}, {service.primary_running} on {short(service.digest)}")
        parts += [f"{service.failed_tasks} failed"] if service.failed_tasks else []
    parts += [f"healthy {counted_as_healthy(owner.settings)} {healthy}"] if healthy is not None else []
    events = [text for at, text in service.events if at >= owner.entry.began] if service is not None else []
    parts += events[:1]
    return "; ".join(parts)


def _counts(owner: Owner, service: Service | None, healthy: int | None) -> str:
    if service is None:
        return "the service is not there"
    seen = f"{'an unknown number of' if healthy is None else healthy} {counted_as_healthy(owner.settings)} are healthy"
    return f"{service.primary_running} of {service.desired} tasks run the new image and {seen}"


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)
