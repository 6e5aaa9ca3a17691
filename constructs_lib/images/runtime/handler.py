"""The function that Lambda calls."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from .aws import Clients, connect
from .guard import Reader, scan
from .memory import Memory
from .registry import knows_the_archive
from .report import lines
from .settings import Settings
from .uses import read_uses
from .wakeups import covered, newest, seconds_to_wait


def main(event: Mapping[str, object], _context: object) -> dict[str, int]:
    """Answers a batch of the queue's messages. What is not expected is raised, and comes back."""
    settings = Settings.from_environment(os.environ)
    return handle(event, connect(), settings, clock=lambda: datetime.now(UTC), sleep=time.sleep)


def handle(
    event: Mapping[str, object],
    clients: Clients,
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    read: Reader = read_uses,
) -> dict[str, int]:
    """Scans, unless the last scan began after everything that the messages tell of; the scan's metrics, if any.

    Only messages of the queue are answered: its one group is what keeps two scans from running at once.
    """
    told = newest(event)
    if told is None:
        print('{"message": "send a message to the queue instead, with the group id scan"}')
        return {}
    knows_the_archive(clients.ecr)
    memory = Memory(clients.dynamodb, settings.table)
    last = memory.last(clock())
    if covered(told, last.ended):
        print('{"message": "the last scan has seen this"}')
        return {}
    sleep(seconds_to_wait(clock(), last.began))
    report = scan(clients, settings, memory=memory, clock=clock, read=read)
    for line in lines(report, application=settings.application, environment=settings.environment, at=clock()):
        print(line)
    return report.metrics
