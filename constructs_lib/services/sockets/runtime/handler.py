"""Compares the sockets of each service with those before its last release. Gather, decide, tell (lesson W1).

One service that cannot be read is told, and does not silence the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from . import report
from .aws import KNOWN_FOR, Clients, connect, deployments, samples
from .history import releases
from .settings import Service, Settings
from .verdict import Verdict, question, verdict


def main(_event: object, _context: object) -> dict[str, int]:
    """What Lambda calls."""
    return handle(Settings.from_environment(os.environ), connect(), clock=lambda: datetime.now(UTC))


def handle(settings: Settings, clients: Clients, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Compares each service and writes its line."""
    compared = unknown = failed = 0
    for service in settings.services:
        try:
            said = look(settings, service, clients, now=clock())
        except Exception as error:  # whatever it is: the metric tells somebody, and the others are compared
            failed += 1
            print(report.failure(service.name, f"{type(error).__name__}: {error}"))
            continue
        compared += said.comparison is not None
        unknown += said.waits
        print(report.line(settings, service.name, said, at=clock()))
    print(report.totals(settings, unknown=unknown, failed=failed, at=clock()))
    return {"compared": compared, "unknown": unknown, "failed": failed}


def look(settings: Settings, service: Service, clients: Clients, *, now: datetime) -> Verdict:
    """What can be said of one service now. Metrics are read only while a release is compared."""
    known = deployments(clients.ecs, service, now=now)
    asked = question(releases(known, since=now - KNOWN_FOR, now=now), now=now)
    if isinstance(asked, Verdict):
        return asked
    found = samples(clients.cloudwatch, settings, service, since=asked.since, until=asked.until)
    return verdict(asked, found, floor=settings.floor)
