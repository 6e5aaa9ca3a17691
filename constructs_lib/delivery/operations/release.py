"""Release, rollback and restart: check, record, pin, write, update, wait, and back when it fails (lessons W4, Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from constructs_lib.delivery.build_tags import build_tag_of
from constructs_lib.delivery.ledger import RELEASES_KEPT, Action, Entry, successful
from constructs_lib.delivery.operations.errors import failures, why
from constructs_lib.delivery.operations.facts import released, service_of
from constructs_lib.delivery.operations.ledger_store import Busy as LedgerBusy
from constructs_lib.delivery.operations.ledger_store import Ledger, LostRace, Overtaken
from constructs_lib.delivery.operations.outcomes import Busy, Interrupted, NeedsRepair, NothingToDo, Refused
from constructs_lib.delivery.operations.owner import Owner
from constructs_lib.delivery.operations.situation import Situation, look
from constructs_lib.delivery.operations.steps import carry_out
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.readiness import Check, short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.delivery.stack_status import condition
from constructs_lib.delivery.window import MaintenanceWindow
from constructs_lib.naming import NOT_RELEASED, release_path

__all__ = ["Busy", "Interrupted", "NeedsRepair", "NothingToDo", "Refused", "Request", "run", "verify"]

_LOOK_AGAIN: Final = timedelta(minutes=5)
"""While waiting for the window: a freeze, or another release, is seen after at most this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for (lessons W4, Q5).

    Args:
        action: ``release``, ``rollback`` or ``restart``.
        target: an image's name (:mod:`constructs_lib.delivery.image_names`), or for a rollback also the number of an
            entry; ``None`` for the default: the newest build, or the last successful release before the running one.
        now_reason: why it shall not wait for the window; empty when it shall.
    """

    action: Action
    target: str | None = None
    now_reason: str = ""


def verify(world: World, settings: DeliverySettings, request: Request) -> list[Check]:
    """What stands in the way of the request; reads only."""
    return list(_look(world, settings, _ledger(world, settings), request).checks)


def run(world: World, settings: DeliverySettings, request: Request) -> Entry:
    """Does what the request asks; the entry at its end, ``successful`` or ``failed``.

    Raises:
        Refused: a check stands in the way.
        Busy: another release or update is under way, or took over from this one.
        NothingToDo: it runs already.
        NeedsRepair: a person must mend something first.
        Interrupted: Ctrl-C, after the entry was made.
    """
    ledger = _ledger(world, settings)
    situation = _ready(world, settings, ledger, request)
    _refuse_what_runs(settings, request, situation)
    who = world.who() if world.who else world.clients.sts.get_caller_identity()["Arn"]
    draft = replace(_draft(settings, request, situation, who), began=world.now())
    owner = Owner(world=world, settings=settings, ledger=ledger, entry=_begin(ledger, settings, draft, situation))
    try:
        owner.say(situation.intention(settings, request.action))
        return carry_out(owner, situation, _kept(situation))
    except Overtaken as error:
        raise Busy(f"{error}{_stray(owner)}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(_leave(owner)) from error
    except NeedsRepair:
        if owner.entry.open:
            _leave(owner)
        raise
    except failures() as error:
        _leave(owner)
        raise NeedsRepair(
            f"{owner.name} stays open in state {owner.entry.state}, because {why(error)}; mend that, and run `moorings "
            f"{request.action} {settings.place}` again: it takes this one over"
        ) from error


def _begin(ledger: Ledger, settings: DeliverySettings, draft: Entry, situation: Situation) -> Entry:
    """The new entry, which is the lock."""
    try:
        return ledger.begin(draft, situation.entries, draft.began)
    except (LedgerBusy, LostRace) as error:
        raise Busy(str(error)) from error
    except KeyboardInterrupt as error:
        # It may be there all the same; nobody else began at this moment by this name.
        made = [one for one in ledger.entries() if one.open and (one.who, one.began) == (draft.who, draft.began)]
        if not made:
            raise
        ledger.save(replace(made[0], lease=draft.began))
        raise Interrupted(
            f"{draft.action} {made[0].number} of {settings.place} was begun and changed nothing; the next release, "
            "rollback or restart ends it"
        ) from error


def _ledger(world: World, settings: DeliverySettings) -> Ledger:
    path = release_path(settings.application, settings.environment, settings.service)
    return Ledger(world.clients.ssm, path, world.sleep, world.say)


def _look(world: World, settings: DeliverySettings, ledger: Ledger, request: Request) -> Situation:
    return look(world, settings, ledger, action=request.action, wanted=request.target, now_reason=request.now_reason)


def _ready(world: World, settings: DeliverySettings, ledger: Ledger, request: Request) -> Situation:
    """The situation in which nothing stands in the way; waits for the window when the settings say so."""
    while True:
        situation = _look(world, settings, ledger, request)
        wrong = [check for check in situation.checks if check.result == "NG"]
        if not wrong:
            return situation
        if [check.name for check in wrong] == ["window"] and settings.outside_window == "wait":
            opening = MaintenanceWindow.from_text(settings.window).next_opening(world.now())
            world.say(f"waiting for the window, which opens at {opening:%Y-%m-%d %H:%M} UTC")
            world.sleep(min(_LOOK_AGAIN, opening - world.now()).total_seconds())
            continue
        raise _refusal(world, settings, request, situation, wrong)


def _refusal(
    world: World, settings: DeliverySettings, request: Request, situation: Situation, wrong: Sequence[Check]
) -> Exception:
    by_name = {check.name: check for check in wrong}
    if "other release" in by_name:
        check = by_name["other release"]
        return Busy(f"{settings.place} is busy: {check.seen}; {check.fix}")
    if "stack" in by_name:
        check = by_name["stack"]
        busy = condition(situation.stack.status) == "busy"
        if busy:
            return Busy(f"{settings.place} is busy: {check.seen}; {check.fix}")
        return NeedsRepair(f"no {request.action} of {settings.place}: {check.seen}; {check.fix}")
    said = "; ".join(check.sentence for check in wrong)
    if request.action == "rollback" and {"image", "platform"} & set(by_name) and situation.target:
        said += _nearest(world, settings, request, situation)
    return Refused(f"no {request.action} of {settings.place}: {said}", situation.checks)


def _nearest(world: World, settings: DeliverySettings, request: Request, situation: Situation) -> str:
    """The nearest release that could be gone back to instead."""
    without = {situation.target, situation.running, NOT_RELEASED}
    for past in successful(situation.entries):
        if past.digest in without:
            continue
        other = _look(world, settings, _ledger(world, settings), replace(request, target=past.digest))
        if not any(check.result == "NG" for check in other.checks if check.name in {"image", "platform"}):
            return (
                f"; the nearest that can run is {short(past.digest)} of {past.action} {past.number}: "
                f"`moorings rollback {settings.place} --to {past.number}`"
            )
    return f"; no other successful release can run any more: `moorings release {settings.place}` one that can"


def _refuse_what_runs(settings: DeliverySettings, request: Request, situation: Situation) -> None:
    """A release of what runs already, by a release that ended well, changes nothing."""
    good = successful(situation.entries)
    if (
        request.action != "restart"
        and situation.broken is None
        and situation.target == situation.running == situation.parameter
        and good
        and good[0].digest == situation.target
    ):
        raise NothingToDo(
            f"{settings.place} runs {short(situation.target)} already, by {good[0].action} {good[0].number}; "
            f"`moorings restart {settings.place}` replaces its tasks"
        )


def _draft(settings: DeliverySettings, request: Request, situation: Situation, who: str) -> Entry:
    """The entry as far as it is known before it has a number."""
    past = next((one for one in successful(situation.entries) if one.digest == situation.target), None)
    tag = build_tag_of(situation.image.tags) if situation.image else None
    check: Literal["digest", "commit", "none"] = "none"
    if request.action != "release" and past is not None:
        check = past.check
    elif request.action == "release" and settings.upstream is not None:
        check = settings.upstream.check
    outside = request.now_reason and any(
        one.name == "window" and one.seen.endswith(request.now_reason) for one in situation.checks
    )
    return Entry(
        number=1,
        action=request.action,
        state="begun",
        digest=situation.target,
        previous=situation.previous,
        who=who,
        began=situation.at,
        lease=situation.at,
        build_tag=tag.text if tag else (past.build_tag if past else ""),
        commit=tag.commit if tag else (past.commit if past else ""),
        origin=situation.ran.origin,
        check=check,
        override=request.now_reason if outside else "",
    )


def _kept(situation: Situation) -> tuple[str, ...]:
    """Digests that must stay pinned besides the target: what runs, what to go back to, and former releases."""
    former = [one.digest for one in successful(situation.entries)[: RELEASES_KEPT + 1]]
    wanted = dict.fromkeys((situation.running, situation.previous, *former))
    return tuple(digest for digest in wanted if digest not in (NOT_RELEASED, situation.target))


def _stray(owner: Owner) -> str:
    """What a person must know when a process that was overtaken, such as one on a laptop that slept, wrote last."""
    try:
        held = released(owner.world.clients, owner.settings)
        service = service_of(owner.world.clients, owner.settings)
    except failures():
        return ""
    if service is None or held != owner.entry.digest or held == service.digest:
        return ""
    return (
        f"; the release parameter says {short(held)}, which this one wrote too late, and the service runs "
        f"{short(service.digest)}: `moorings release {owner.settings.place} {service.digest}` puts it right"
    )


def _leave(owner: Owner) -> str:
    """Ends the lease at once, so that the next command need not wait; what a person should know."""
    sentence = (
        f"{owner.name} stays open in state {owner.entry.state}, and what AWS has begun goes on; `moorings status "
        f"{owner.settings.place}` shows it, and the next release, rollback or restart takes it over and ends it"
    )
    try:
        owner.store(replace(owner.entry, lease=owner.world.now()))
    except Overtaken:
        return f"{owner.name} was taken over already; look at `moorings history {owner.settings.place}`"
    except failures() as error:
        return f"{sentence}, from {owner.entry.lease:%H:%M:%S} UTC on, because {why(error)}"
    return sentence
