"""How one service stands: what runs, what is under way, what holds releases. Reads only.

Each part is read by itself. What could not be read is told as that, and never taken for fine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations import facts
from constructs_lib.delivery.operations.freeze import Freeze
from constructs_lib.delivery.operations.freeze import read as read_freeze
from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.delivery.runtime import gap_handler
from constructs_lib.delivery.runtime.gap import Gap
from constructs_lib.delivery.runtime.gap_settings import GapSettings, Place, Service
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.images.runtime.errors import failures, why
from constructs_lib.naming import NOT_RELEASED, release_path
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.plain_tables import one_line
from constructs_lib.ops.tables import counted

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What is known of a service at a moment; None is what was not read, or does not exist (lessons W4, Q5).

    Args:
        settings: the service.
        at: the moment.
        service: the ECS service.
        stack: the services' stack.
        released: the release parameter's value.
        healthy: how many targets are healthy; without a load balancer, how many tasks.
        entries: the ledger, newest first.
        freeze: why releases are held.
        gap: how far it is behind the environment before.
        red: names of its alarms that are red.
        unread: what could not be read, a sentence each.
    """

    settings: DeliverySettings
    at: datetime
    service: facts.Service | None
    stack: facts.Stack | None
    released: str | None
    healthy: int | None
    entries: tuple[Entry, ...] | None
    freeze: Freeze | None
    gap: Gap | None
    red: tuple[str, ...] | None
    unread: tuple[str, ...]

    @property
    def running(self) -> str:
        """The digest that the service's tasks are started from, or ``none``."""
        return self.service.digest if self.service else NOT_RELEASED

    @property
    def since(self) -> Entry | None:
        """The entry by which the running image came; None when no release did that."""
        return came_by(self.running, self.entries or ())

    @property
    def open(self) -> Entry | None:
        """The newest entry, when it has not come to its end; an older one was overtaken by it."""
        return self.entries[0] if self.entries and self.entries[0].open else None


def came_by(digest: str, entries: tuple[Entry, ...]) -> Entry | None:
    """The release or rollback that made this image the running one: the first of the newest unbroken row of them."""
    found = None
    for entry in entries:
        if entry.state != "successful" or entry.action == "restart":
            continue
        if entry.digest != digest:
            break
        found = entry
    return found


def status_of(door: Door, settings: DeliverySettings) -> ServiceStatus:
    """Reads everything about a service."""
    unread: list[str] = []
    clients = door.world.clients

    def part(what: str, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except failures() as error:
            unread.append(f"{what}: {why(error)}")
        except (CouldNotRun, gap_handler.UnreadableLedgerError, ValueError) as error:
            unread.append(f"{what}: {one_line(str(error))}")
        return None

    service = part("the ECS service", lambda: facts.service_of(clients, settings))
    return ServiceStatus(
        settings=settings,
        at=door.world.now(),
        service=service,
        stack=part("the stack", lambda: facts.stack_of(clients, settings)),
        released=part("the release parameter", lambda: facts.released(clients, settings)),
        healthy=part(f"the {facts.counted_as_healthy(settings)}", lambda: facts.healthy(clients, settings)),
        entries=part("the ledger", lambda: entries_of(door, settings)),
        freeze=part("the freeze", lambda: read_freeze(clients.ssm, settings.application, settings.environment)),
        gap=part("the gap", lambda: gap_of(door, settings)),
        red=part("the alarms", lambda: _red(door, settings, service.alarms if service else ())),
        unread=tuple(unread),
    )


def entries_of(door: Door, settings: DeliverySettings) -> tuple[Entry, ...]:
    """The ledger of a service, newest first."""
    path = release_path(settings.application, settings.environment, settings.service)
    return tuple(Ledger(door.world.clients.ssm, path, door.world.sleep, door.world.say).entries())


def gap_of(door: Door, settings: DeliverySettings) -> Gap | None:
    """How far a service is behind, by the code of the gap's metric; None when there is no environment before it."""
    if settings.upstream is None:
        return None
    there = door.upstream(settings)
    here = Place(environment=settings.environment, account=settings.account, region=settings.region)
    before = Place(
        environment=settings.upstream.environment, account=settings.upstream.account, region=settings.upstream.region
    )
    service = Service(
        name=settings.service, repository=settings.repository, upstream_repository=settings.upstream.repository
    )
    return gap_handler.read(
        GapSettings(application=settings.application, here=here, upstream=before, services=(service,)),
        service,
        gap_handler.Clients(ecr=door.world.clients.ecr, ssm=door.world.clients.ssm),
        gap_handler.Clients(ecr=there.images.ecr, ssm=there.ssm),
        now=door.world.now(),
    )


def behind_in_words(gap: Gap, there: str) -> str:
    """How far a service is behind; ``there`` names it in the environment before, whose builds count.

    Args:
        gap: the gap.
        there: such as ``shop/staging/web``.
    """
    if not gap.builds:
        return f"not behind: {there} has no newer build"
    one = gap.builds == 1
    waits = f"{'waiting' if one else 'the first of them waiting'} for {gap.days:.1f} days"
    ran = ("it ran there" if gap.ran else "it never ran there") if one else f"{gap.ran} of them ran there"
    unknown = "" if gap.known or gap.running == NOT_RELEASED else "; what runs here is not known there, so all count"
    return f"behind: {there} has {counted(gap.builds, 'newer build')}, {waits}; {ran}{unknown}"


def _red(door: Door, settings: DeliverySettings, deployment_alarms: tuple[str, ...]) -> tuple[str, ...]:
    """The service's own alarms are named after it (:func:`constructs_lib.naming.alarm_name`)."""
    prefix = f"{settings.place}/"
    pages = door.world.clients.cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    red = {
        alarm["AlarmName"]
        for page in pages
        for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        if "AlarmName" in alarm
    }
    others = [name for name in deployment_alarms if not name.startswith(prefix)]
    return tuple(sorted(red.union(facts.red_alarms(door.world.clients, others))))
