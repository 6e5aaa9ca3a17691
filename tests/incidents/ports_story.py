"""Incident W1 played: what our alarms say of a service, when, and what happens if somebody acts on it, or nobody does.

The thresholds are those that the library renders: the alarms come from `socket_alarms` and `comparison_alarms`, and the
comparison with the last release is the code that its function runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from statistics import fmean
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Severity
from constructs_lib.services.sockets.alarms import socket_alarms
from constructs_lib.services.sockets.comparison_alarms import EVERY_MINUTES, SocketChange, comparison_alarms
from constructs_lib.services.sockets.runtime.comparison import PERIOD, Floor, Sample
from constructs_lib.services.sockets.runtime.history import Deployment, releases
from constructs_lib.services.sockets.runtime.verdict import Verdict, question, verdict
from constructs_lib.services.sockets.socket_metrics import METRIC_NAMES, SocketSource
from tests.incidents.ports_cloudwatch import turns_red
from tests.incidents.ports_day import BEGINS, ENDS, MINUTE, at, minutes
from tests.incidents.ports_service import ROLLBACK, SECONDS, TASKS, Service, Task

SOURCE: Final = SocketSource(application="orca", environment="production", service="web")
COMMAND: Final = "moorings rollback orca/production/web"
WATCHED: Final = at(25, 0)
"""From then on the alarms are looked at: the day before the update too, so that one that is red on any day is seen."""

DECIDES: Final = timedelta(minutes=30)
"""Assumed: from a page to the command."""

CHANGE: Final = SocketChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message of an alarm."""

    at: datetime
    what: str
    severity: Severity
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How those days went.

    Attributes:
        told: what the alarms said, in order.
        out: from when until when some task had no port left.
        refused: the share of all requests that found no port, on both days.
        most: the most ports that a task used, as a share of its range.
        went_back: when somebody ran the rollback command, or None.
    """

    told: Sequence[Told]
    out: Sequence[tuple[datetime, datetime]]
    refused: float
    most: float
    went_back: datetime | None = None

    def first(self, severity: Severity) -> Told | None:
        """The first message of that kind."""
        return next((one for one in self.told if one.severity == severity), None)


def alarms(service: Service) -> tuple[AlarmSpec, ...]:
    """Ours, as the library describes them."""
    compared = comparison_alarms(
        application=SOURCE.application, environment=SOURCE.environment, rollbacks={"web": COMMAND}, change=CHANGE
    )
    return (*socket_alarms(SOURCE, local_ports=service.local_ports, tasks=TASKS), *compared)


def play(service: Service, *, watched: bool = True, acts_on: str | None = None) -> Course:
    """Both days.

    Args:
        service: what runs.
        watched: whether there are alarms of ours.
        acts_on: the alarm at whose first message somebody goes back, after :data:`DECIDES`; None: nobody does.
    """
    told = messages(service) if watched else ()
    acted = [one.at + DECIDES for one in told if one.what == acts_on]
    if acted and service.went_back is None:
        return play(replace(service, went_back=acted[0]))
    played = [(moment, service.tasks(moment)) for moment in minutes(at(26, 0), ENDS)]
    requests = sum(task.requests for _, tasks in played for task in tasks)
    used = max(task.opened + task.time_wait for _, tasks in played for task in tasks)
    return Course(
        told=told,
        out=list(_out(played)),
        refused=sum(task.refused for _, tasks in played for task in tasks) / requests,
        most=used / service.local_ports.count,
        went_back=service.went_back,
    )


def _out(played: Sequence[tuple[datetime, Sequence[Task]]]) -> Iterator[tuple[datetime, datetime]]:
    begins: datetime | None = None
    for moment, tasks in played:
        out = any(task.refused for task in tasks)
        if out and begins is None:
            begins = moment
        if not out and begins is not None:
            yield begins, moment
            begins = None


@cache
def messages(service: Service) -> tuple[Told, ...]:
    """All that the alarms say, in order."""
    return tuple(sorted(_told(service), key=lambda one: one.at))


def _told(service: Service) -> Iterator[Told]:
    sent = _sent(service)

    def samples(name: str, moment: datetime) -> Sequence[float]:
        return sent.get(name, {}).get(moment, ())

    for spec in alarms(service):
        for moment in turns_red(spec, samples, begins=WATCHED, ends=ENDS):
            yield Told(at=moment, what=spec.what, severity=spec.severity, meaning=spec.meaning)


def _sent(service: Service) -> dict[str, Mapping[datetime, Sequence[float]]]:
    """What is sent to CloudWatch, by metric and minute: a sample of each task, or one of the function."""
    tasks = {moment: service.tasks(moment) for moment in minutes(WATCHED - timedelta(hours=1))}
    none = dict.fromkeys(tasks, (0.0,) * TASKS)
    sockets: dict[str, Mapping[datetime, Sequence[float]]] = dict.fromkeys(METRIC_NAMES, none)
    sockets["SocketsEstablished"] = {
        moment: [task.incoming + task.opened for task in many] for moment, many in tasks.items()
    }
    sockets["SocketsTimeWait"] = {moment: [task.time_wait for task in many] for moment, many in tasks.items()}
    changes = {moment: (change,) for moment, change in comparisons(service)}
    return {**sockets, "SocketsPerRequestChange": changes, "SocketComparisonsFailed": none}


@cache
def comparisons(service: Service) -> tuple[tuple[datetime, float], ...]:
    """What the function finds each time that it runs, from the evening of the change on; nothing when it knows none."""
    return tuple(_comparisons(service))


def _comparisons(service: Service) -> Iterator[tuple[datetime, float]]:
    measured = dict(_measured(service))
    ran = EVERY_MINUTES * MINUTE
    for number in range((ENDS - at(25, 21)) // ran):
        now = at(25, 21) + number * ran
        said = compared(service, measured, now)
        if said.comparison is not None:
            yield now, said.comparison.change


def compared(service: Service, measured: dict[datetime, Sample], now: datetime) -> Verdict:
    """One run of the function: its own code, given what ECS and CloudWatch would have told it."""
    asked = question(releases(list(_deployments(service, now)), since=BEGINS, now=now), now=now)
    if isinstance(asked, Verdict):
        return asked
    known = {moment: sample for moment, sample in measured.items() if asked.since <= moment < asked.until}
    return verdict(asked, known, floor=Floor(requests=CHANGE.requests))


def _measured(service: Service) -> Iterator[tuple[datetime, Sample]]:
    """A task on average, in each period of five minutes."""
    for number in range((ENDS - BEGINS) // PERIOD):
        begins = BEGINS + number * PERIOD
        tasks = [task for moment in minutes(begins, begins + PERIOD) for task in service.tasks(moment)]
        requests = sum(task.requests for task in tasks) / TASKS
        yield (
            begins,
            Sample(
                sockets=fmean(task.incoming + task.opened + task.time_wait for task in tasks),
                requests=requests,
                time_wait=fmean(task.time_wait for task in tasks),
                answered=requests,
                waited=requests * SECONDS,
            ),
        )


def _deployments(service: Service, now: datetime) -> Iterator[Deployment]:
    """What ECS knows at that time: the release of February, the update, and perhaps the way back."""
    begins, ends = service.changed
    known = [(at(11, 22), at(11, 23), service.before.image), (begins, ends, service.after.image)]
    if service.went_back is not None:
        known.append((service.went_back, service.went_back + ROLLBACK, service.before.image))
    for began, ended, image in known:
        if began <= now:
            over = ended <= now
            status = "SUCCESSFUL" if over else "IN_PROGRESS"
            yield Deployment(began=began, ended=ended if over else None, status=status, image=image if over else "")
