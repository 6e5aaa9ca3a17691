"""When somebody is told, as a model: our alarms over minutes of metrics, composites, and the real status page.

Alarms are judged over whole minutes (:mod:`tests.incidents.ports_cloudwatch`), though a count of a minute that is not
over can already be wrong: so a model's page may come later than CloudWatch's, and never sooner. How long each step
takes is :mod:`constructs_lib.observability.detection.timings`, once as it usually is (half of each wait whose beginning
nobody knows) and once at worst. What becomes of the page is the library's own code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.observability.composites import composites
from constructs_lib.observability.detection.timings import COMPOSITE, DELIVERY, EVALUATION, PUBLICATION, Timing
from constructs_lib.observability.runtime.status.changes import AlarmChanged, Configured, apply, initial
from constructs_lib.observability.runtime.status.page import render
from constructs_lib.observability.runtime.status.values import Text
from tests.incidents.ports_cloudwatch import judged, value

MINUTE: Final = timedelta(minutes=1)

PAGE: Final = Timing(
    step="status page: event, our function, and what CloudFront keeps",
    seconds=20,
    documented=False,
    source="assumed: an event and our function 5 s each; a copy at the edge is at most 10 s old (distribution.py)",
)

Samples = Callable[[str, datetime, str | None], Sequence[float]]
"""What was sent under a metric's name in the minute that begins then, of one zone or of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long the steps take that nobody sees."""

    alarm: timedelta
    composite: timedelta
    delivery: timedelta
    page: timedelta

    @classmethod
    def of(cls, *, worst: bool) -> Waits:
        """At worst, or as it usually is."""

        def unknown(timing: Timing) -> timedelta:
            return timedelta(seconds=timing.seconds if worst else timing.seconds / 2)

        return cls(
            alarm=unknown(PUBLICATION) + unknown(EVALUATION),
            composite=timedelta(seconds=COMPOSITE.seconds),
            delivery=timedelta(seconds=DELIVERY.seconds),
            page=unknown(PAGE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said when.

    Attributes:
        paged: when the operator's telephone rang first, or None.
        why: which alarm was behind it.
        page: each time that the page showed another state of the component, and which.
    """

    paged: datetime | None
    why: str
    page: tuple[tuple[datetime, str], ...]

    @property
    def users(self) -> datetime | None:
        """When the page first said that something is wrong."""
        return next((at for at, state in self.page if state != "operational"), None)


def told(specs: Sequence[AlarmSpec], samples: Samples, *, begins: datetime, ends: datetime, waits: Waits) -> Told:
    """Plays it."""
    courses = {spec.what: list(_changes(spec, samples, begins, ends, waits.alarm)) for spec in specs}
    component = specs[0].component
    paged = [
        (at + waits.delivery, spec.what) for spec in specs if _pages_alone(spec) for at in _reds(courses[spec.what])
    ]
    shown: list[tuple[datetime, AlarmChanged]] = []
    for composite in composites(specs):
        for at, red, cause in _any(courses, composite.faults, waits.composite):
            if composite.pages and red:
                paged.append((at + waits.delivery, cause))
            if composite.component == component:
                change = AlarmChanged(
                    component=component, felt=composite.kind, value="ALARM" if red else "OK", timestamp=at
                )
                shown.append((at + waits.page, change))
    first = min(paged, default=(None, "no alarm"))
    return Told(paged=first[0], why=first[1], page=tuple(_shown(component, begins, shown)))


def _pages_alone(spec: AlarmSpec) -> bool:
    return spec.severity == "page" and spec.felt is None


def _changes(
    spec: AlarmSpec, samples: Samples, begins: datetime, ends: datetime, wait: timedelta
) -> Iterator[tuple[datetime, bool]]:
    """Each change of one alarm, with the time at which CloudWatch has seen it."""
    of_zone = partial(_of_zone, samples, spec.metric.dimensions.get("AvailabilityZone"))
    one = cache(partial(value, spec.metric, of_zone))
    period = timedelta(seconds=spec.metric.period_seconds)
    red = False
    for number in range(1, (ends - begins) // MINUTE + 1):
        now = begins + number * MINUTE
        was, red = (
            red,
            judged(spec.threshold, [one(now - back * period) for back in range(1, spec.threshold.out_of + 1)], red=red),
        )
        if red != was:
            yield now + wait, red


def _of_zone(samples: Samples, zone: str | None, name: str, moment: datetime) -> Sequence[float]:
    return samples(name, moment, zone)


def _reds(course: Sequence[tuple[datetime, bool]]) -> list[datetime]:
    return [at for at, red in course if red]


def _any(
    courses: dict[str, list[tuple[datetime, bool]]], faults: Sequence[str], wait: timedelta
) -> Iterator[tuple[datetime, bool, str]]:
    """Each change of a composite that is red while any of its alarms is."""
    steps = sorted((at, red, fault) for fault in faults for at, red in courses[fault])
    red: set[str] = set()
    for at, on, fault in steps:
        was = bool(red)
        red = red | {fault} if on else red - {fault}
        if bool(red) != was:
            yield at + wait, bool(red), fault


def _shown(
    component: str, begins: datetime, changes: list[tuple[datetime, AlarmChanged]]
) -> Iterator[tuple[datetime, str]]:
    """What ``status.json`` says after each change, whenever that is something else."""
    titles = Text(en="Shop", ja="Shop")
    state = apply(initial(titles), Configured(titles=titles, components=((component, titles),)), begins.astimezone(UTC))
    said = "operational"
    for now, change in sorted(changes, key=lambda one: (one[0], one[1].felt)):
        state = apply(state, change, now)
        (there,) = json.loads(render(state, now)["status.json"])["components"]
        if there["state"] != said:
            said = there["state"]
            yield now, said
