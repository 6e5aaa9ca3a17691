"""Ends what was broken off: its process was killed, or somebody pressed Ctrl-C (lessons W4, Q5)."""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.delivery.ledger import Entry, left_open
from constructs_lib.delivery.operations.facts import healthy, released, service_of
from constructs_lib.delivery.operations.owner import Owner
from constructs_lib.delivery.operations.reasons import details
from constructs_lib.delivery.operations.situation import Situation
from constructs_lib.delivery.operations.waiting import Watched, is_steady, stack_end
from constructs_lib.delivery.readiness import short
from constructs_lib.naming import NOT_RELEASED


def take_over(owner: Owner, situation: Situation) -> None:
    """Closes every older entry that is open, by what stack, parameter and service say now.

    The owner's own entry is the lock, and is there already. Afterwards its ``previous`` is what a failure goes back to.
    """
    broken, finished = situation.broken, False
    if broken is not None:
        owner.say(
            f"{broken.action} {broken.number} was broken off in state {broken.state}; looking at what became of it"
        )
        stack_end(
            owner, Watched(digest=broken.digest, red=situation.red), left_open(situation.entries, broken.number + 1)
        )
        finished = _finished(owner, broken)
        # First this entry says what to go back to: once the older one has its end, nothing else does.
        owner.store(replace(owner.entry, previous=broken.digest if finished else broken.previous))
    for entry in left_open(situation.entries, owner.entry.number):
        _close(owner, entry, finished=finished and entry == broken)


def _close(owner: Owner, entry: Entry, *, finished: bool) -> None:
    by = f"{owner.entry.action} {owner.entry.number}"
    if finished:
        ended = entry.ending("successful", owner.world.now(), f"its process was broken off; {by} found it running")
    else:
        reason = f"broken off in state {entry.state}, and ended by {by}"
        told = f"{entry.reason} ({reason})" if entry.reason else f"{reason}{_seen(owner, entry)}"
        ended = entry.ending("failed", owner.world.now(), told)
    owner.still()
    owner.ledger.save(ended)
    became = "was successful" if finished else "has failed"
    owner.say(f"{entry.action} {entry.number} {became}: {short(entry.digest)}")


def _seen(owner: Owner, entry: Entry) -> str:
    """What AWS says of it, which nobody wrote down: whoever was at work on it was gone by then."""
    if entry.state in ("begun", "pinned", "preparing"):  # nothing of the service was started
        return ""
    said = details(owner.world, owner.settings, since=entry.began, digest=entry.digest)
    return f". {said}" if said else ""


def _finished(owner: Owner, entry: Entry) -> bool:
    """Whether it came about all the same. What was going back already has failed, whatever runs now."""
    if entry.state == "undoing" or entry.digest == NOT_RELEASED:
        return False
    clients, settings = owner.world.clients, owner.settings
    service = service_of(clients, settings)
    if service is None or released(clients, settings) != entry.digest:
        return False
    return is_steady(service, healthy(clients, settings), Watched(digest=entry.digest))
