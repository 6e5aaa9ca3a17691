"""How services stand: what runs and since when, what is under way, what holds releases, and how far behind they are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Final

from constructs_lib.command_line import FINE, FOUND
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.settings_store import SettingsNotFound, all_settings
from constructs_lib.delivery.readiness import short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.delivery.stack_status import condition, mend
from constructs_lib.delivery.window import MaintenanceWindow
from constructs_lib.naming import NOT_RELEASED
from constructs_lib.ops.delivery_command import Answer, add_aws_and_json, answered, place
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.entries import as_json, what_is_next
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import aligned, minute, one_line
from constructs_lib.ops.service_status import ServiceStatus, behind_in_words, status_of
from constructs_lib.ops.tables import age

HELP: Final = "what runs, what is under way, and how far behind it is"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "env",
        metavar="ENV",
        nargs="?",
        type=place,
        help="production, shop/production or shop/production/web; by default every service of the account and region",
    )
    add_aws_and_json(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        found = [status_of(door, settings) for settings in meant(door, options.env)]
        lines: list[str] = []
        for one in found:
            lines += [*([""] if lines else []), one.settings.place, *aligned(list(_rows(one)), indent="  ")]
        return Answer(
            code=FOUND if any(one.unread for one in found) else FINE,
            lines=lines,
            result={"services": [_as_json(one) for one in found]},
        )

    return answered(options, outside, work)


def meant(door: Door, env: str | None) -> list[DeliverySettings]:
    """Every service that ENV names; all of them without one.

    Raises:
        SettingsNotFound: there is none.
    """
    ssm = door.world.clients.ssm
    every = all_settings(ssm)
    found = [one for one in every if env is None or env in (one.place, *wider(one))]
    if found:
        return found
    region, places = ssm.meta.region_name, [one.place for one in every]
    if not places:
        fix = "look at --region and --profile, or deploy the services' stack"
        raise SettingsNotFound(f"there must be a service that can be released in {region}, got none; {fix}", places)
    there = ", ".join(places)
    raise SettingsNotFound(
        f"ENV must name services that can be released in {region}, got {env!r}; there are: {there}", places
    )


def wider(settings: DeliverySettings) -> tuple[str, str]:
    """The shorter names that mean a service among others."""
    return settings.environment, f"{settings.application}/{settings.environment}"


def _rows(one: ServiceStatus) -> Iterator[tuple[str, str]]:
    yield "runs", _runs(one)
    if one.since is not None:
        yield "build", one.since.build_tag or "it has no build tag"
        yield "since", _since(one, one.since)
    if one.service is not None:
        parameter = _parameter(one)
        if parameter:
            yield "parameter", parameter
        rollout = "" if one.service.rollout in ("", "COMPLETED") else f"; deployment {one.service.rollout}"
        yield "tasks", f"{one.service.running} of {one.service.desired} running{rollout}"
    if one.healthy is not None:
        counted_as = "targets" if one.settings.target_group else "health"
        yield counted_as, f"{one.healthy} healthy"
    if one.stack is not None:
        yield "stack", _stack(one)
    if one.entries is not None:
        yield "release", what_is_next(one.open, one.at) if one.open else _last(one.settings.place, one.entries)
    if one.freeze is not None:
        yield (
            "freeze",
            one_line(f"{one.freeze}; `moorings thaw {'/'.join(one.settings.place.split('/')[:2])}` lifts it"),
        )
    yield "window", _window(one)
    if one.settings.upstream is not None and one.gap is not None:
        yield "gap", _gap(one)
    if one.red is not None:
        yield "alarms", f"RED: {', '.join(one.red)}" if one.red else "none is red"
    for sentence in one.unread:
        yield "NOT READ", sentence


def _runs(one: ServiceStatus) -> str:
    if one.service is None:
        return "there is no ECS service" if not any("ECS" in text for text in one.unread) else "not known"
    if one.running == NOT_RELEASED:
        return "nothing was released yet"
    if one.open is not None and one.open.digest == one.running:
        return f"{one.running}, by {one.open.action} {one.open.number}, which has not ended"
    if one.entries is not None and one.since is None:
        return f"{one.running}, which no release in the ledger brought"
    return one.running


def _parameter(one: ServiceStatus) -> str:
    """What the release parameter says, where that is not what runs; empty where it is."""
    place, others = one.settings.place, "the next `cdk deploy`, or release of another service of the stack"
    if one.released == one.running or any("release parameter" in text for text in one.unread):
        return ""
    if one.released is None:
        if one.running == NOT_RELEASED:
            return "it does not exist; deploy the stack that makes it"
        return f"it does not exist, so no update of the stack works; `moorings release {place} {one.running}` makes it"
    says = f"it is {short(one.released)}, which is not what runs"
    if one.open is not None:
        return f"{says}: {one.open.action} {one.open.number} has not ended"
    brings = "would stop all tasks" if one.released == NOT_RELEASED else "would bring that"
    return f"{says}: {others}, {brings}; `moorings release {place} {one.running}` puts it right"


def _last(place: str, entries: Sequence[Entry]) -> str:
    newest = max(entries, key=lambda entry: entry.number, default=None)
    if newest is None or newest.state != "failed":
        return "none under way"
    return f"none under way; the last, {newest.action} {newest.number}, failed: `moorings history {place}` says why"


def _since(one: ServiceStatus, entry: Entry) -> str:
    at = entry.ended or entry.began
    return f"{minute(at)} ({age(one.at - at)}), {entry.action} {entry.number} by {one_line(entry.who)}"


def _stack(one: ServiceStatus) -> str:
    status = one.stack.status if one.stack else ""
    said = f"{one.settings.stack} is {status}" if status else f"{one.settings.stack} does not exist"
    state = condition(status)
    if state == "ready":
        return said
    return f"{said}: " + ("busy" if state == "busy" else mend(one.settings.stack, one.settings.region, status))


def _window(one: ServiceStatus) -> str:
    if not one.settings.window:
        return "none, so releases may begin at any time"
    window = MaintenanceWindow.from_text(one.settings.window)
    closes = window.closes(one.at)
    if closes is not None:
        return f"open until {minute(closes)}: {window}"
    return f"closed until {minute(window.next_opening(one.at))}: {window}"


def _gap(one: ServiceStatus) -> str:
    if one.gap is None or one.settings.upstream is None:
        return ""
    before = "/".join((one.settings.application, one.settings.upstream.environment, one.settings.service))
    return behind_in_words(one.gap, before)


def _as_json(one: ServiceStatus) -> dict[str, object]:
    entry, settings = one.since, one.settings
    return {
        "service": settings.place,
        "account": settings.account,
        "region": settings.region,
        "at": one.at.isoformat(),
        "running": None
        if one.service is None or one.running == NOT_RELEASED
        else {
            "digest": one.running,
            "build_tag": entry.build_tag or None if entry else None,
            "commit": entry.commit or None if entry else None,
            "since": (entry.ended or entry.began).isoformat() if entry else None,
            "who": entry.who if entry else None,
            "release": entry.number if entry else None,
        },
        "release_parameter": one.released,
        "tasks": one.service
        and {
            "running": one.service.running,
            "desired": one.service.desired,
            "deployment": one.service.rollout or None,
        },
        "healthy_targets": one.healthy if settings.target_group else None,
        "healthy_tasks": None if settings.target_group else one.healthy,
        "stack": one.stack
        and {
            "name": settings.stack,
            "status": one.stack.status or None,
            "condition": condition(one.stack.status),
        },
        "open_release": as_json(one.open) if one.open else None,
        "next": what_is_next(one.open, one.at) if one.open else None,
        "freeze": one.freeze and {"who": one.freeze.who, "at": one.freeze.at.isoformat(), "reason": one.freeze.reason},
        "window": _window_as_json(one),
        "gap": one.gap
        and settings.upstream
        and {
            "upstream": settings.upstream.environment,
            "builds": one.gap.builds,
            "days": round(one.gap.days, 3),
            "ran": one.gap.ran,
            "running": one.gap.running,
            "newest": one.gap.newest or None,
            "known": one.gap.known,
        },
        "red_alarms": None if one.red is None else list(one.red),
        "not_read": list(one.unread),
    }


def _window_as_json(one: ServiceStatus) -> dict[str, object] | None:
    if not one.settings.window:
        return None
    window = MaintenanceWindow.from_text(one.settings.window)
    closes = window.closes(one.at)
    return {
        "text": one.settings.window,
        "open": closes is not None,
        "closes": closes.isoformat() if closes else None,
        "opens": None if closes else window.next_opening(one.at).isoformat(),
    }
