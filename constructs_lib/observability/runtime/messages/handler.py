"""The function that Lambda calls, with one event of EventBridge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from .aws import Clients, connect, log
from .classify import classify
from .duplicates import Told
from .earlier import earlier
from .fields import task_of, text
from .kinds import Kind
from .message import message
from .red import red_since
from .settings import Settings
from .summary import moment
from .urgency import beside_an_alarm, most_within, with_others


class Context(Protocol):
    """What Lambda says of an invocation (lesson W5)."""

    aws_request_id: str


def main(event: object, context: Context) -> None:
    """Answers an event. What is not expected is raised: Lambda tries again, and then keeps the event in a queue."""
    settings = Settings.from_environment(os.environ)
    handle(event, connect(), settings, holder=context.aws_request_id, clock=lambda: datetime.now(UTC))


def handle(
    event: object,
    clients: Clients,
    settings: Settings,
    *,
    holder: str,
    clock: Callable[[], datetime],
    seconds: Callable[[], float] = time.monotonic,
) -> None:
    """Tells a person of an event that needs one, unless it was told already."""
    place, now = settings.place, clock()
    kind = classify(event, place)
    if kind is None:
        return
    told, at = Told(clients.dynamodb, settings.table), (moment(event) or now).replace(microsecond=0)
    kind = _urgent(kind, event, told, at)
    claimed = _claimed(kind, told, holder, now)
    if claimed and kind.severity == "page":
        # Asked by whoever has the claim only: CloudWatch refuses when hundreds of stopped tasks ask at once.
        alarm = f"{place.name}/{kind.component}/degraded"
        kind = beside_an_alarm(kind, alarm, red_since(clients.cloudwatch, alarm), now)
        # The claim of the page that becomes a notice ends by itself.
        claimed = kind.severity == "page" or _claimed(kind, told, holder, now)
    if not claimed:
        log("told already", kind=kind.name, severity=kind.severity)
        return
    before = None
    if settings.evidence:
        before = earlier(
            *(clients.logs, settings.evidence, event, place), component=kind.component, at=at, seconds=seconds
        )
    made = message(kind, event, place, before=before, runbooks=settings.runbooks, evidence=settings.evidence)
    clients.sns.publish(
        TopicArn=settings.topics[kind.severity],
        Subject=made.subject,
        Message=made.structure(),
        MessageStructure="json",
    )
    told.sent(_key(kind), holder, clock(), minutes=kind.quiet_minutes)
    log("told", kind=kind.name, severity=kind.severity, component=kind.component)


def _key(kind: Kind) -> str:
    """A page is another message than the notice before it."""
    return f"{kind.duplicate_key}/{kind.severity}"


def _claimed(kind: Kind, told: Told, holder: str, now: datetime) -> bool:
    return told.claim(_key(kind), holder, now)


def _urgent(kind: Kind, event: object, told: Told, at: datetime) -> Kind:
    """The kind, a page if enough other tasks met with the same lately."""
    if kind.pages_at is None:
        return kind
    times = told.times(kind.duplicate_key, task_of(event) or text(event, "id"), at)
    return with_others(kind, None if times is None else most_within(times, at))
