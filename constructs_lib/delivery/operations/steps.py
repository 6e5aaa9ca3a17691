"""What happens once an entry exists, step by step, and the way back (lessons W4, Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.neighbours import neighbours_check
from constructs_lib.delivery.operations.converging import go_back, update_stack, write_parameter
from constructs_lib.delivery.operations.errors import failures, why
from constructs_lib.delivery.operations.facts import neighbours
from constructs_lib.delivery.operations.outcomes import Failure, NeedsRepair
from constructs_lib.delivery.operations.owner import Owner
from constructs_lib.delivery.operations.preparing import prepare
from constructs_lib.delivery.operations.reasons import details
from constructs_lib.delivery.operations.situation import Situation, held_now, red_now
from constructs_lib.delivery.operations.takeover import take_over
from constructs_lib.delivery.operations.waiting import POLL_SECONDS, Watched, service_now, stack_end, steady
from constructs_lib.delivery.readiness import short
from constructs_lib.naming import NOT_RELEASED


def carry_out(owner: Owner, situation: Situation, kept: Sequence[str]) -> Entry:
    """The entry at its end.

    Raises:
        Overtaken: somebody took over; nothing more was written.
        NeedsRepair: it could not be ended; the entry stays open.
    """
    take_over(owner, situation)
    if owner.entry.action == "restart" and situation.broken is not None:
        # What was broken off may have come about: then that is what runs, and what is started again.
        owner.store(replace(owner.entry, digest=owner.entry.previous))
    changes = owner.entry.action != "restart" or situation.broken is not None
    touched = _changed(owner, situation)
    try:
        _pin(owner, kept)
        if prepare(owner, situation.broken):
            situation = _looked_again(owner, situation)
        if changes:
            touched = True
            _bring(owner, situation)
        if owner.entry.action == "restart":
            _restart(owner)
        elif changes:
            steady(owner, Watched(digest=owner.entry.digest, red=situation.red))
    except Failure as failure:
        return _undo(owner, str(failure), touched=touched and owner.entry.action != "restart")
    except NeedsRepair as repair:
        if owner.entry.action != "restart" and not touched:
            owner.end("failed", _told(owner, str(repair)))
        elif owner.entry.action != "restart":
            # The stack must wait for a person; whoever deploys it next brings what ran before.
            owner.at("undoing", _told(owner, str(repair)))
            write_parameter(owner, owner.entry.previous)
        raise
    except failures() as error:
        return _undo(owner, why(error), touched=touched and owner.entry.action != "restart")
    entry = owner.end("successful")
    _prune(owner)
    return entry


def _changed(owner: Owner, situation: Situation) -> bool:
    """Whether something was begun and not ended. What was broken off before it wrote anything changed nothing."""
    if situation.broken is None:
        return False
    as_before = situation.parameter == situation.running == owner.entry.previous
    return not (as_before and situation.broken.state in ("begun", "pinned", "preparing"))


def _pin(owner: Owner, kept: Sequence[str]) -> None:
    """Before anything can start the image, so that no lifecycle policy takes it."""
    digest, previous = owner.entry.digest, owner.entry.previous  # which may have come about while it was taken over
    keep = [one for one in dict.fromkeys((previous, *kept)) if one not in (NOT_RELEASED, digest)]
    error = owner.world.pins.put(owner.settings, digest, keep)
    if error is not None:
        raise Failure(f"the image could not be pinned: {error}")
    owner.at("pinned")


def _looked_again(owner: Owner, situation: Situation) -> Situation:
    """The stack, its other services, a freeze and the alarms as they are now.

    An update of the stack brings what is written for all services. Whoever was overtaken meanwhile finds that out here,
    and writes nothing.
    """
    stack = stack_end(owner)
    held = held_now(owner.world, owner.settings)
    if held is not None:
        raise Failure(f"nothing was released, for {held}")
    check = neighbours_check(owner.settings, neighbours(owner.world.clients, owner.settings, stack))
    if check.result == "NG":
        raise Failure(f"nothing was released, for {check.seen}; {check.fix}")
    owner.at("preparing")
    red, _ = red_now(owner.world, service_now(owner))
    return replace(situation, stack=stack, red=red)


def _bring(owner: Owner, situation: Situation) -> None:
    """Writes the parameter, updates the stack, and waits until it has ended."""
    digest = owner.entry.digest
    write_parameter(owner, digest)
    owner.at("written")
    taken = update_stack(owner, situation.stack, "release", digest)
    owner.note("updating")
    if taken:
        owner.pause(POLL_SECONDS)  # DescribeStacks may still show it as it was
    if situation.red:
        owner.say(
            f"{', '.join(situation.red)} is red already: ECS ignores alarms for this deployment; tasks and targets are "
            "watched"
        )
    stack = stack_end(owner, Watched(digest=digest, red=situation.red))
    service = service_now(owner)
    if service is None or service.digest != digest:
        raise Failure(f"the stack {owner.settings.stack} ended as {stack.status}, without {short(digest)}")
    owner.note("waiting")


def _restart(owner: Owner) -> None:
    settings = owner.settings
    owner.still()
    answer = owner.world.clients.ecs.update_service(
        cluster=settings.cluster, service=settings.ecs_service, forceNewDeployment=True
    )
    primary = [one for one in answer["service"].get("deployments", ()) if one.get("status") == "PRIMARY"]
    owner.note("waiting")
    owner.pause(POLL_SECONDS)  # DescribeServices may still show it as it was
    steady(owner, Watched(digest=owner.entry.digest, deployment=primary[0].get("id", "") if primary else ""))


def _told(owner: Owner, reason: str) -> str:
    said = details(owner.world, owner.settings, since=owner.entry.began, digest=owner.entry.digest)
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}." + (f" {said}" if said else "")


def _undo(owner: Owner, why_not: str, *, touched: bool) -> Entry:
    """Brings back what ran before, if anything was changed, and records why."""
    owner.say(f"it failed: {why_not}")
    reason = _told(owner, why_not)  # said at the end, and by the ledger
    if touched:
        owner.at("undoing", reason)
        back = owner.entry.previous
        owner.say(f"going back to {short(back)}")
        try:
            go_back(owner, back)
        except Failure as failure:
            raise NeedsRepair(
                f"{owner.name} failed, and going back to {short(back)} failed too: {failure}; the entry stays open: "
                f"`moorings rollback {owner.settings.place} --to` a release that can run takes it over. {reason}"
            ) from failure
    return owner.end("failed", reason)


def _prune(owner: Owner) -> None:
    """Deletes old entries. The release has ended well, so a failure here is only said."""
    harmless: tuple[type[Exception], ...] = (*failures(), ValueError)
    try:
        owner.ledger.prune(owner.ledger.entries())
    except harmless as error:
        owner.say(f"old entries were not deleted, {why(error)}; the next release does it")
