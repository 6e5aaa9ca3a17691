"""What is watched of the gap between two environments, as data (lesson Q5). Standard library only.

The gap is measured every hour. An hour without data says nothing about it, so the alarms on it keep their state
(``ignore``): with ``breaching`` every lost hour would look like a gap, with ``notBreaching`` it would hide one. That
the measuring goes on has an alarm of its own, for which silence is the fault: six hours of it, so for its first six
hours it judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.checks import whole_number

NAMESPACE: Final = "Moorings"
"""CloudWatch's namespace of the gap's metrics."""

COMPONENT: Final = "delivery"
"""What the alarm on silence speaks for; the others speak for their service."""

PERIOD_SECONDS: Final = 3600
"""The function runs once an hour."""

_SILENT_HOURS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class GapThreshold:
    """From which gap on somebody is told (lesson Q5).

    Args:
        builds: so many builds of the environment before wait, 1 to 1000; 20 by default: two each working day for two
            weeks.
        days: the oldest of them has waited so many days, 1 to 365; 14 by default: who ships less than every second week
            has made a release an event. Keep it below the days after which the repository of the environment before
            forgets a build, 30 by default: what is forgotten, and was never released there, cannot be seen to wait.

    Raises:
        ValueError: a number out of its range.
    """

    builds: int = 20
    days: int = 14

    def __post_init__(self) -> None:
        whole_number("builds", self.builds, low=1, high=1000, fix="20 is two each working day for two weeks")
        whole_number("days", self.days, low=1, high=365, fix="14 is two weeks")


def gap_alarms(
    *, application: str, environment: str, upstream: str, services: Sequence[str], threshold: GapThreshold
) -> tuple[AlarmSpec, ...]:
    """Two notices a service, and one on silence. Nobody is woken: a gap grows over days.

    Args:
        application: a dimension of the metrics.
        environment: a dimension of the metrics.
        upstream: the environment before.
        services: the services, each a dimension of its metrics.
        threshold: from which gap on.
    """
    names = {"Application": application, "Environment": environment}
    notice = partial(AlarmSpec, severity="notice")
    metric = partial(Metric, namespace=NAMESPACE, statistic="Maximum", period_seconds=PERIOD_SECONDS)
    told = partial(Threshold, missing="ignore", missing_because="a lost hour says nothing of the gap")
    found = []
    for service in services:
        of_service = partial(metric, dimensions={**names, "Service": service})
        found += [
            notice(
                component=service,
                what="builds-behind",
                meaning=f"{threshold.builds} builds of {upstream} or more wait to be released to {environment}, or "
                "nobody knows what runs there. `moorings status` says which; the larger a release, the harder it is "
                "to find what broke.",
                metric=of_service(name="BuildsBehind"),
                threshold=told(value=threshold.builds),
                fault_seconds=PERIOD_SECONDS,
            ),
            notice(
                component=service,
                what="days-behind",
                meaning=f"A build of {upstream} has waited {threshold.days} days or more to be released to "
                f"{environment}. `moorings status` says which, and `moorings verify {environment}` what holds it.",
                metric=of_service(name="DaysBehind"),
                threshold=told(value=threshold.days),
                fault_seconds=PERIOD_SECONDS,
            ),
        ]
    unknown = notice(
        component=COMPONENT,
        what="gap-unknown",
        meaning=f"For {_SILENT_HOURS} hours nobody could tell how far a service of {environment} is behind {upstream}; "
        "the alarms on its gap keep the state that they had. The log of the function that measures it says why.",
        metric=metric(name="GapsUnknown", dimensions=names),
        threshold=Threshold(
            value=1,
            periods=_SILENT_HOURS,
            out_of=_SILENT_HOURS,
            missing="breaching",
            missing_because="silence is the fault: nobody measures the gap",
            warm_up_minutes=_SILENT_HOURS * 60,
        ),
        fault_seconds=PERIOD_SECONDS,
    )
    return (*found, unknown)
