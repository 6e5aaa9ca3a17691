"""Days of a service, as its tasks would be measured: our model of a task, and no fact about AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from constructs_lib.services.sockets.runtime.comparison import DAY, PERIOD, Calm, Sample

MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
NIGHT = MONDAY + timedelta(hours=22)
"""When a release goes in."""

Traffic = Callable[[datetime], float]
"""Requests of one task in a minute."""

BY_DAY = (2, 2, 2, 2, 2, 3, 10, 60, 200, 400, 400, 380, 250, 300, 350, 330, 300, 200, 100, 50, 30, 15, 6, 3)
"""Requests of one task in a minute, by the hour: 400 at ten, 2 at night."""


def by_day(at: datetime) -> float:
    """The same each day."""
    return BY_DAY[at.hour]


def steady(rate: float) -> Traffic:
    """The same all day."""
    return lambda _: rate


def task(requests: float, *, idle: float = 40, each: float = 1) -> Sample:
    """A task in one period: ``requests`` in a minute, each of which holds ``each`` sockets for a minute."""
    return Sample(sockets=idle + each * requests, requests=requests * PERIOD.seconds / 60)


def waiting(requests: float, seconds: float, *, idle: float = 40, each: float = 0, held: float = 2) -> Sample:
    """The same, when ``each`` are in TIME_WAIT, and a request holds ``held`` more until it is answered."""
    got = requests * PERIOD.seconds / 60
    return Sample(
        sockets=idle + each * requests + held * requests / 60 * seconds,
        requests=got,
        time_wait=each * requests,
        answered=got,
        waited=got * seconds,
    )


def days(
    begins: datetime, ends: datetime, traffic: Traffic = by_day, *, idle: float = 40, each: float = 1
) -> dict[datetime, Sample]:
    """A task in each period between two times."""
    count = (ends - begins) // PERIOD
    times = [begins + number * PERIOD for number in range(count)]
    return {at: task(traffic(at), idle=idle, each=each) for at in times}


def calm(begins: datetime, ends: datetime) -> list[Calm]:
    """One calm time."""
    return [Calm(begins=begins, ends=ends)]


def week_before(at: datetime) -> list[Calm]:
    """The week before a time."""
    return calm(at - 7 * DAY, at)
