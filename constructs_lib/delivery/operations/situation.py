"""What a request meets: the ledger, the stack, what runs, and which image is asked for. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from constructs_lib.delivery import readiness
from constructs_lib.delivery.build_tags import build_tag_of
from constructs_lib.delivery.ledger import Action, Entry, successful
from constructs_lib.delivery.neighbours import neighbours_check
from constructs_lib.delivery.operations import freeze, images, sidecars
from constructs_lib.delivery.operations.errors import failures, why
from constructs_lib.delivery.operations.facts import (
    Service,
    Stack,
    neighbours,
    red_alarms,
    released,
    service_of,
    stack_of,
)
from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.operations.preparing import check_of
from constructs_lib.delivery.operations.targets import Theirs, broken_off, target_of, theirs_of
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.readiness import Check, Image, short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.delivery.stack_status import condition
from constructs_lib.delivery.window import MaintenanceWindow
from constructs_lib.naming import NOT_RELEASED, release_parameter_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a request meets (lessons W4, Q5, Q7).

    Args:
        at: when it was looked at.
        entries: the ledger, newest first. It is read before anything else: whatever is begun after that makes the
            creation of the next entry fail, so what was decided from the rest holds.
        stack: the services' stack.
        parameter: the release parameter; ``None`` when it is gone.
        service: the ECS service; ``None`` when it is gone.
        target: the digest that is asked for; empty when there is none.
        no_target: why there is none.
        image: the target as the repository has it; ``None`` when there is no target.
        ran: whether it ran in the environment before.
        red: deployment alarms that are red.
        checks: all checks.
    """

    at: datetime
    entries: tuple[Entry, ...]
    stack: Stack
    parameter: str | None
    service: Service | None
    target: str
    no_target: str
    image: Image | None
    ran: readiness.Ran
    red: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def broken(self) -> Entry | None:
        """The newest entry, when it is open and nobody is at work on it."""
        return broken_off(self.entries)

    @property
    def running(self) -> str:
        """The digest that the service's task definition names."""
        return self.service.digest if self.service else NOT_RELEASED

    @property
    def previous(self) -> str:
        """What to go back to when this release fails: never what a broken-off one brought, until that is proved."""
        if self.broken:
            return self.broken.previous
        # A task definition that was made by hand may name no digest. Only where nothing was ever released is that
        # ``none``, with which the service goes to zero tasks.
        past = (self.running, self.parameter, *(one.digest for one in successful(self.entries)))
        return next((digest for digest in past if digest not in (None, NOT_RELEASED)), None) or NOT_RELEASED

    def intention(self, settings: DeliverySettings, action: Action) -> str:
        """What is about to happen, for whoever has just asked for it."""
        tag = build_tag_of(self.image.tags) if self.image else None
        image = short(self.target) + (f" ({tag.text})" if tag else "")
        if action == "restart":
            return f"restarting {settings.place} with new tasks of {image}"
        now = "nothing runs now" if self.running == NOT_RELEASED else f"{short(self.running)} runs now"
        if action == "rollback":
            return f"taking {settings.place} back to {image}; {now}"
        return f"releasing {image} to {settings.place}; {now}"


def look(
    world: World, settings: DeliverySettings, ledger: Ledger, *, action: Action, wanted: str | None, now_reason: str
) -> Situation:
    """Reads all of it and judges it."""
    at = world.now()
    entries = tuple(ledger.entries())
    held = held_now(world, settings)
    stack = stack_of(world.clients, settings)
    parameter = released(world.clients, settings)
    service = service_of(world.clients, settings)
    broken = broken_off(entries)
    running = service.digest if service else NOT_RELEASED
    theirs = theirs_of(world, settings) if action == "release" else Theirs()
    target, no_target = "", ""
    try:
        target = target_of(world, settings, action, wanted, entries, running, parameter, theirs)
    except Refused as refused:
        no_target = str(refused)
    image = images.image_of(world, settings, target) if target else None
    ran = _ran(settings, action, entries, image, theirs)
    red, unread = red_now(world, service)
    other = readiness.other_release_check(tuple(reversed(entries)), at)
    taken_over = broken is not None and other.result == "OK"
    checks = (
        _stack(settings, action, stack.status, broken=broken, taken_over=taken_over),
        other,
        _neighbours(world, settings, action, stack, broken),
        _freeze(settings, action, held),
        readiness.parameter_check(
            release_parameter_name(settings.application, settings.environment, settings.service), parameter, running
        ),
        *_tasks(settings, service, broken),
        *sidecars.check_of(world.clients, settings, service),
        *_of_image(settings, action, image, no_target),
        ran.check,
        *check_of(world.clients, settings, action),
        _window(settings, action, at, now_reason),
        readiness.alarms_check(red, unread),
    )
    return Situation(
        at=at,
        entries=entries,
        stack=stack,
        parameter=parameter,
        service=service,
        target=target,
        no_target=no_target,
        image=image,
        ran=ran,
        red=red,
        checks=checks,
    )


def _ran(
    settings: DeliverySettings, action: Action, entries: Sequence[Entry], image: Image | None, theirs: Theirs
) -> readiness.Ran:
    """A rollback or restart asks no other environment: the image ran here already."""
    if image is None:
        return readiness.Ran(check=Check(name="upstream", result="SKIP", seen="there is no image to ask for"))
    if action != "release":
        past = next((one for one in successful(entries) if one.digest == image.digest), None)
        seen = f"it ran here as {past.action} {past.number}" if past else "not asked of what runs here already"
        return readiness.Ran(check=Check(name="upstream", result="SKIP", seen=seen), origin=past.origin if past else "")
    if settings.upstream is None:
        return readiness.Ran(check=Check(name="upstream", result="SKIP", seen="no environment comes before"))
    return readiness.upstream_check(settings, image, theirs.entries, theirs.unread)


def _of_image(settings: DeliverySettings, action: Action, image: Image | None, no_target: str) -> tuple[Check, ...]:
    if image is None:
        skipped = (
            Check(name=name, result="SKIP", seen="there is no image to look at") for name in ("platform", "scan")
        )
        return (Check(name="image", result="NG", seen=no_target), *skipped)  # which names the fix
    scan = readiness.scan_check(settings, image)
    return (
        readiness.image_check(settings, image),
        readiness.platform_check(settings, image),
        scan if action == "release" or scan.result != "NG" else replace(scan, result="SKIP", fix=""),
    )


def held_now(world: World, settings: DeliverySettings) -> str | None:
    """By whom and why releases are held. A freeze that cannot be read is one."""
    try:
        found = freeze.read(world.clients.ssm, settings.application, settings.environment)
    except ValueError as error:
        return str(error)
    return str(found) if found else None


def _stack(settings: DeliverySettings, action: Action, status: str, *, broken: Entry | None, taken_over: bool) -> Check:
    """A restart asks ECS alone, so a stack that needs repair does not stop it."""
    check = readiness.stack_check(settings, status, taken_over=taken_over)
    if action == "restart" and broken is None and condition(status) == "repair":
        return replace(check, result="SKIP", seen=f"{check.seen}, which a restart does not change", fix="")
    return check


def _neighbours(world: World, settings: DeliverySettings, action: Action, stack: Stack, broken: Entry | None) -> Check:
    """A restart updates the stack only when it ends what was broken off."""
    if action == "restart" and broken is None:
        return Check(name="neighbours", result="SKIP", seen="a restart does not update the stack")
    return neighbours_check(settings, neighbours(world.clients, settings, stack))


def _tasks(settings: DeliverySettings, service: Service | None, broken: Entry | None) -> tuple[Check, ...]:
    """What a killed release left is judged by whoever takes it over."""
    if service is None or broken is not None:
        return ()
    check = readiness.tasks_check(settings, service.digest, service.desired)
    return () if check is None else (check,)


def _freeze(settings: DeliverySettings, action: Action, held: str | None) -> Check:
    if action == "restart":
        return Check(name="freeze", result="SKIP", seen="a restart changes no image")
    return readiness.freeze_check(settings, held)


def _window(settings: DeliverySettings, action: Action, at: datetime, now_reason: str) -> Check:
    if action != "release":
        return Check(name="window", result="SKIP", seen=f"a {action} never waits for a window")
    if not settings.window:
        return readiness.window_check("", inside=True, override="", opens=None)
    window = MaintenanceWindow.from_text(settings.window)
    inside = window.is_open(at)
    opens = None if inside else window.next_opening(at)
    return readiness.window_check(str(window), inside=inside, override=now_reason, opens=opens)


def red_now(world: World, service: Service | None) -> tuple[tuple[str, ...], str]:
    try:
        return red_alarms(world.clients, service.alarms if service else ()), ""
    except failures() as error:
        return (), why(error)
